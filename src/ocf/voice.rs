//! Of the recurring monitors of a resource only one at a time answers "degraded".
//!
//! Pacemaker keeps one bad result for a resource. When two monitors are degraded from their first run on (after a start or a
//! cleanup), the record of one replaces that of the other, which then counts as never begun: it is started anew with every
//! transition, and `crm_resource --wait` does not end (2.1.5). The others answer 0 meanwhile; their reasons are in the log.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::agent::Outcome;
use super::exit::Code;
use super::operation::Operation;

const FILE: &str = "degraded";
/// A monitor that has not run for so long has been taken out of the cluster.
const GONE: Duration = Duration::from_secs(600);

/// The monitor that answers "degraded".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Speaker {
    depth: u8,
    /// When it did so last, in seconds since 1970.
    at: u64,
}

impl Speaker {
    /// Who is to speak after the monitor of `depth` has found something (or, if not `degraded`, nothing) at the time `now`:
    /// the least deep one, as its reason is nearest to the service.
    fn next(before: Option<Self>, depth: u8, degraded: bool, now: u64) -> Option<Self> {
        let fresh = |other: &Self| now.saturating_sub(other.at) < GONE.as_secs();
        let stays = |other: &Self| other.depth < depth || other.depth > depth && !degraded;
        before.filter(|other| fresh(other) && stays(other)).or_else(|| degraded.then_some(Self { depth, at: now }))
    }
}

/// Whether what came of a recurring monitor is to be told as it is; if not, as success.
pub fn may_speak(op: &Operation, outcome: &Outcome) -> bool {
    if !op.is_recurring() || op.is_passive() || !op.state.folder().exists() {
        return true;
    }
    let degraded = outcome.code == Code::Degraded;
    let before: Option<Speaker> = op.state.read(FILE);
    if before.is_none() && !degraded {
        return true;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let next = Speaker::next(before, op.depth, degraded, now);
    match next {
        _ if next == before => {}
        // When it cannot be written, two may speak: no harm but the one above.
        Some(speaker) => drop(op.state.write(FILE, &speaker)),
        None => op.state.forget(FILE),
    }
    !degraded || next.is_none_or(|speaker| speaker.depth == op.depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_speaks_until_it_has_nothing_to_say() {
        let at = |depth, at| Some(Speaker { depth, at });
        for (before, depth, degraded, now, next) in [
            (None, 20, true, 100, at(20, 100)),
            (None, 20, false, 100, None),
            (at(20, 100), 20, true, 160, at(20, 160)),
            (at(20, 100), 20, false, 160, None),
            // A deeper one waits until that one is silent; one that is less deep does not.
            (at(10, 100), 20, true, 120, at(10, 100)),
            (at(10, 100), 20, false, 120, at(10, 100)),
            (at(20, 100), 10, true, 120, at(10, 120)),
            (at(20, 100), 10, false, 120, at(20, 100)),
            (at(20, 100), 0, true, 800, at(0, 800)),
            (at(20, 100), 0, false, 800, None),
            // A clock that was set back.
            (at(0, 100), 20, true, 50, at(0, 100)),
        ] {
            assert_eq!(Speaker::next(before, depth, degraded, now), next, "{before:?} {depth} {degraded} {now}");
        }
    }
}
