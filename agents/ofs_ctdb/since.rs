//! Since when something has been amiss that CTDB may heal by itself.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::ocf::check::Verdict;
use crate::ocf::operation::Operation;

const FILE: &str = "since";

/// Faults with the time of their first sight, in seconds since 1970. Only the monitor of one depth keeps them.
#[derive(Debug, Default)]
pub struct Since {
    before: BTreeMap<String, u64>,
    now: BTreeMap<String, u64>,
    clock: u64,
}

impl Since {
    /// What the monitor has seen so far. Runs by hand see it, too, and keep nothing.
    pub fn of(op: &Operation) -> Self {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Self { before: op.state.read(FILE).unwrap_or_default(), now: BTreeMap::new(), clock }
    }

    /// How long `what` has been so, this look included. What is not asked for in a look is forgotten.
    pub fn lasts(&mut self, what: &str) -> Duration {
        // A clock that was set back begins anew.
        let first = self.before.get(what).copied().filter(|first| *first <= self.clock).unwrap_or(self.clock);
        self.now.insert(what.to_owned(), first);
        Duration::from_secs(self.clock - first)
    }

    /// Whether `what` was so at the last look.
    pub fn was(&self, what: &str) -> bool {
        self.before.contains_key(what)
    }

    /// Counts `what` from this look on.
    pub fn anew(&mut self, what: &str) {
        self.now.insert(what.to_owned(), self.clock);
    }

    /// Degraded, until it has been so for as long as `patience`.
    pub fn verdict(&mut self, what: &str, patience: Duration) -> Verdict {
        if self.lasts(what) >= patience { Verdict::Failed } else { Verdict::Degraded }
    }

    /// Remembers it for the next look.
    pub fn keep(self, op: &Operation) {
        if !op.is_recurring() || self.now == self.before {
            return;
        }
        if self.now.is_empty() {
            op.state.forget(FILE);
        } else if let Err(error) = op.state.write(FILE, &self.now) {
            // Then a fault stays degraded: worth a line each time.
            op.log.warning(&format!("write {FILE}: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clock: u64, before: &[(&str, u64)]) -> Since {
        let before = before.iter().map(|(what, first)| ((*what).to_owned(), *first)).collect();
        Since { before, now: BTreeMap::new(), clock }
    }

    #[test]
    fn a_fault_counts_from_its_first_sight() {
        let minute = Duration::from_secs(60);
        for (clock, before, verdict) in [
            (100, &[][..], Verdict::Degraded),
            (159, &[("a", 100)], Verdict::Degraded),
            (160, &[("a", 100)], Verdict::Failed),
            (160, &[("b", 100)], Verdict::Degraded),
            (50, &[("a", 100)], Verdict::Degraded),
        ] {
            let mut since = at(clock, before);
            assert_eq!(since.verdict("a", minute), verdict, "{clock} {before:?}");
            assert_eq!(since.now.len(), 1, "what is well is forgotten");
        }
        assert_eq!(at(100, &[]).verdict("a", Duration::ZERO), Verdict::Failed);
        let mut since = at(200, &[("a", 100)]);
        assert_eq!(since.verdict("a", minute), Verdict::Failed);
        since.anew("a");
        assert_eq!(since.now.get("a"), Some(&200));
    }
}
