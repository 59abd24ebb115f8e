//! How long changes have been waiting.
//!
//! lsyncd's status file has no times, so the monitor remembers since when each folder has had changes waiting with no push
//! that went through. The times are those of a clock that nobody sets.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Its file in the state folder.
pub const FILE: &str = "queue";

/// What is remembered from one monitor to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    waiting: BTreeMap<String, Waiting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    /// Pushes that had gone through by then.
    pushes: u64,
    /// Seconds since the host was booted.
    since: u64,
}

/// One folder, as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The name of its sync.
    pub name: &'a str,
    /// Whether anything waits.
    pub waits: bool,
    /// Pushes that have gone through.
    pub pushes: u64,
}

/// Seconds since the host was booted.
pub fn now() -> u64 {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0, |time| u64::try_from(time.tv_sec()).unwrap_or(0))
}

impl Memory {
    /// What to remember of `seen` at `now`.
    pub fn next(&self, seen: &[Seen<'_>], now: u64) -> Self {
        let waiting = seen.iter().filter(|sync| sync.waits).map(|sync| {
            let fresh = Waiting { pushes: sync.pushes, since: now };
            // A push takes all that was ready along: what waits after it has come since.
            let same = |before: &&Waiting| before.pushes == sync.pushes && before.since <= now;
            let waiting = self.waiting.get(sync.name).filter(same).copied().unwrap_or(fresh);
            (sync.name.to_owned(), waiting)
        });
        Self { waiting: waiting.collect() }
    }

    /// The folder that has waited longest, and how long.
    pub fn longest(&self, now: u64) -> Option<(&str, Duration)> {
        let (name, oldest) = self.waiting.iter().min_by_key(|(_, waiting)| waiting.since)?;
        Some((name, Duration::from_secs(now.saturating_sub(oldest.since))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, waits: bool, pushes: u64) -> Seen<'_> {
        Seen { name, waits, pushes }
    }

    #[test]
    fn only_waiting_without_a_push_makes_it_older() {
        let mut memory = Memory::default();
        let mut step = |seen: &[Seen<'_>], now| {
            memory = memory.next(seen, now);
            memory.longest(now).map(|(name, age)| (name.to_owned(), age.as_secs()))
        };
        assert_eq!(step(&[seen("a", false, 0), seen("b", false, 0)], 100), None);
        assert_eq!(step(&[seen("a", true, 0), seen("b", false, 0)], 105), Some(("a".to_owned(), 0)));
        assert_eq!(step(&[seen("a", true, 0), seen("b", true, 3)], 110), Some(("a".to_owned(), 5)));
        // A push went through: what waits now has come since.
        assert_eq!(step(&[seen("a", true, 1), seen("b", true, 3)], 115), Some(("b".to_owned(), 5)));
        assert_eq!(step(&[seen("a", true, 1), seen("b", false, 3)], 120), Some(("a".to_owned(), 5)));
        // Another boot, from which the memory cannot be.
        assert_eq!(step(&[seen("a", true, 1)], 7), Some(("a".to_owned(), 0)));
        assert_eq!(step(&[], 8), None);
    }

    #[test]
    fn the_clock_goes_on() {
        assert!(now() > 0);
    }
}
