//! A file that the active node writes now and then, replicated as all others: its arrival shows that changes arrive.

use std::io;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::stamp::{Attic, create, read, unix_now};
use crate::ocf::check::Verdict;
use crate::ocf::state::State;

/// The file's name in the canary folder.
const FILE: &str = "beat";
/// Where the active node remembers the last one it has written, in its state folder.
const SENT: &str = "beat";
/// Beyond the time that lsyncd collects changes, what an rsync may take.
const TRANSFER: Duration = Duration::from_secs(5);

/// The canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Of the node that wrote it.
    pub epoch: u64,
    /// Counts up within the epoch.
    pub number: u64,
    /// When, in Unix seconds by that node's clock: for people.
    pub written: u64,
}

/// A beat that is on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sent {
    epoch: u64,
    number: u64,
    /// Seconds since boot, which no clock setting changes.
    at: f64,
}

/// The beat that has arrived in `attic`.
pub fn arrived(attic: &Attic) -> Option<Beat> {
    read(&attic.canary().join(FILE)).ok()
}

/// Judges whether the last beat is at the peer, which has `there`, and writes the next when it is. A beat on its way is left
/// alone, so that its age can be seen to grow.
pub fn exchange(attic: &Attic, state: &State, epoch: u64, there: Option<&Beat>, delay: Duration) -> (Verdict, String) {
    let sent = state.read::<Sent>(SENT).filter(|sent| sent.epoch == epoch);
    let (verdict, detail, next) = judge(sent.as_ref(), there, seconds_up(), delay + TRANSFER);
    if let Some(number) = next
        && let Err(error) = send(attic, state, epoch, number)
    {
        // A disk that is full or read-only here: a restart would not change that, and lsyncd goes on.
        return (Verdict::Degraded, format!("write the canary {}: {error}", attic.canary().display()));
    }
    (verdict, detail)
}

/// The verdict, and the number of the beat to write now, if any.
fn judge(sent: Option<&Sent>, there: Option<&Beat>, now: f64, limit: Duration) -> (Verdict, String, Option<u64>) {
    let Some(sent) = sent else { return (Verdict::Ok, "no change sent yet".into(), Some(1)) };
    let age = (now - sent.at).max(0.0);
    if there.is_some_and(|beat| beat.epoch == sent.epoch && beat.number >= sent.number) {
        let detail = format!("the change of {age:.0} s ago has arrived");
        return (Verdict::Ok, detail, Some(sent.number.saturating_add(1)));
    }
    let detail = format!("a change of {age:.0} s ago has not arrived");
    if age <= limit.as_secs_f64() {
        return (Verdict::Ok, format!("{detail} yet"), None);
    }
    (Verdict::Degraded, format!("{detail} on the peer (limit {} s): see lsyncd's log", limit.as_secs()), None)
}

/// Writes a beat. The memory comes first: a beat that is not remembered would never be judged.
fn send(attic: &Attic, state: &State, epoch: u64, number: u64) -> io::Result<()> {
    state.write(SENT, &Sent { epoch, number, at: seconds_up() })?;
    attic.write(&format!("canary/{FILE}"), &Beat { epoch, number, written: unix_now() })
}

/// Makes the canary's folder.
///
/// # Errors
/// When it cannot be made.
pub fn prepare(attic: &Attic) -> io::Result<()> {
    create(&attic.canary())
}

fn seconds_up() -> f64 {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0.0, |time| Duration::from(time).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_its_time_to_arrive() {
        let limit = Duration::from_secs(10);
        let sent = Sent { epoch: 7, number: 3, at: 100.0 };
        let beat = |epoch, number| Beat { epoch, number, written: 0 };
        let judged = |there: Option<Beat>, now| {
            let (verdict, _, next) = judge(Some(&sent), there.as_ref(), now, limit);
            (verdict, next)
        };
        assert_eq!(judge(None, None, 0.0, limit).2, Some(1));
        assert_eq!(judged(Some(beat(7, 3)), 105.0), (Verdict::Ok, Some(4)));
        assert_eq!(judged(Some(beat(7, 2)), 105.0), (Verdict::Ok, None));
        assert_eq!(judged(Some(beat(7, 2)), 111.0), (Verdict::Degraded, None));
        // Of another epoch: not ours, whatever its number.
        assert_eq!(judged(Some(beat(6, 9)), 111.0), (Verdict::Degraded, None));
        assert_eq!(judged(None, 50.0), (Verdict::Ok, None));
    }
}
