//! What the cluster is told of a director: how many real servers it sees well, and when it is worth to say so.
//!
//! The attribute manager waits after a change for those of the other directors ([`DAMPENING`]), so that real servers that die
//! for all look like no trouble of one director. Any further change of any director starts that wait anew (Pacemaker 2.1:
//! there is one timer for an attribute, not one for each node). Were each change told, one real server that comes and goes
//! every few seconds would keep a director that sees nothing from ever being heard.
//!
//! So a loss is told at once, and what comes back when it has lasted. What comes and goes within [`HELD`] is told once, as
//! lost, and between the changes that are told the attribute manager has its time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long the cluster waits, after one director has seen a change, for the others to see it: longer than the usual interval
/// of the monitor and the time that one check takes.
pub const DAMPENING: Duration = Duration::from_secs(15);
/// How long a gain has to last. All directors tell what all see within some 20 s (a round each, the second bad answer): what is
/// left of this minute is longer than [`DAMPENING`].
pub const HELD: Duration = Duration::from_secs(60);
/// How long the cluster's memory of it is relied on: it is gone when Pacemaker was restarted and the directors were not.
const KNOWN: Duration = Duration::from_secs(300);
/// A loss of this part of all is told at once: it is a step of the generated rules.
const STEPS: usize = 8;

/// What the cluster was told by one director.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The name of the attribute.
    pub name: String,
    /// Its value.
    pub healthy: usize,
    /// When, on the boot clock. None: whether it has arrived is not known.
    pub at: Option<Duration>,
    /// What it has not been told yet.
    #[serde(default)]
    held: Option<Held>,
}

/// A change that is to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    since: Duration,
    /// The lowest value since then.
    least: usize,
}

impl Told {
    /// One that has told nothing yet.
    pub fn nothing(name: &str) -> Self {
        Self { name: name.to_owned(), healthy: 0, at: None, held: None }
    }

    /// What the cluster is to be told now that `healthy` of `all` real servers are seen well; none: nothing.
    pub fn next(&mut self, healthy: usize, all: usize, now: Duration) -> Option<usize> {
        let Some(at) = self.at else { return Some(healthy) };
        let is_known = (at..at + KNOWN).contains(&now);
        let value = self.value(healthy, all, now);
        (value != self.healthy || !is_known).then_some(value)
    }

    /// What it is to know.
    fn value(&mut self, healthy: usize, all: usize, now: Duration) -> usize {
        let lost = self.healthy.saturating_sub(healthy);
        let counts = lost > 0 && (healthy == 0 || lost >= all / STEPS);
        if healthy == self.healthy || counts {
            self.held = None;
            return healthy;
        }
        let begins = Held { since: now, least: healthy };
        let held = self.held.filter(|held| held.since <= now).unwrap_or(begins);
        let least = held.least.min(healthy);
        self.held = Some(Held { least, ..held });
        if now - held.since >= HELD { least } else { self.healthy }
    }

    /// The cluster has been told.
    pub fn arrived(&mut self, healthy: usize, now: Duration) {
        // What is only told again ends no wait.
        if healthy != self.healthy {
            self.held = None;
        }
        (self.healthy, self.at) = (healthy, Some(now));
    }

    /// Whether the cluster has been told is not known: the next round asks and tells again.
    pub fn failed(&mut self) {
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND: u64 = 10;

    /// What is told in rounds with these values: when, and what.
    fn told(all: usize, values: impl IntoIterator<Item = usize>) -> Vec<(u64, usize)> {
        let (mut told, mut said) = (Told::nothing("x"), Vec::new());
        for (round, healthy) in (0..).zip(values) {
            let now = Duration::from_secs(round * ROUND);
            if let Some(value) = told.next(healthy, all, now) {
                told.arrived(value, now);
                said.push((round * ROUND, value));
            }
        }
        said
    }

    #[test]
    fn losses_are_told_at_once_and_gains_when_they_last() {
        assert_eq!(told(6, [6, 6, 5, 5, 0, 0]), [(0, 6), (20, 5), (40, 0)]);
        assert_eq!(told(6, [0, 6, 6, 6, 6, 6, 6, 6, 6]), [(0, 0), (70, 6)]);
        // The least of the time.
        assert_eq!(told(6, [0, 6, 3, 6, 6, 6, 6, 6, 6, 6]), [(0, 0), (70, 3)]);
        // It has not lasted.
        assert_eq!(told(6, [2, 6, 6, 6, 6, 6, 2, 6, 6, 6, 6]), [(0, 2)]);
    }

    #[test]
    fn a_small_loss_among_many_may_wait() {
        assert_eq!(told(100, [100, 99, 98, 99, 99, 99, 99, 99, 99]), [(0, 100), (70, 98)]);
        assert_eq!(told(100, [100, 99, 88, 88]), [(0, 100), (20, 88)]);
        assert_eq!(told(100, [3, 0]), [(0, 3), (10, 0)]);
    }

    #[test]
    fn what_comes_and_goes_is_told_once() {
        for all in [1, 2, 6, 100] {
            for length in 1..6 {
                let value = |round: usize| if (round / length).is_multiple_of(2) { all } else { all - 1 };
                let said = told(all, (0..360).map(value));
                // The cluster is asked now and then whether it knows.
                assert!(said.len() <= 2 + 3600 / KNOWN.as_secs() as usize, "{all}, {length}: {said:?}");
                let changes = said.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
                assert!(changes <= 1, "{all}, {length}: {said:?}");
            }
        }
    }

    /// Whatever comes and goes, in whatever rhythm: the attribute manager never waits for long.
    #[test]
    fn there_is_always_time_to_hear_a_blind_director() {
        for length in 1..30 {
            let value = |round: usize| if (round / length).is_multiple_of(2) { 6 } else { 2 };
            let said = told(6, (0..720).map(value));
            // The other directors are a round behind, and another one.
            let mut times: Vec<u64> = said.iter().flat_map(|(at, _)| [0, 1, 2].map(|late| at + late * ROUND)).collect();
            times.sort_unstable();
            let mut since = 0;
            for pair in times.windows(2) {
                if pair[1] - pair[0] > DAMPENING.as_secs() {
                    since = pair[1];
                }
                assert!(pair[1] - since <= 60, "{length}: it waits from {since} to {}: {said:?}", pair[1]);
            }
        }
    }

    #[test]
    fn what_may_not_have_arrived_is_told_again() {
        let (mut told, second) = (Told::nothing("x"), Duration::from_secs);
        assert_eq!(told.next(6, 6, second(0)), Some(6));
        told.arrived(6, second(0));
        assert_eq!(told.next(0, 6, second(10)), Some(0));
        told.failed();
        assert_eq!(told.next(6, 6, second(20)), Some(6), "it may have been told 0");
        told.arrived(6, second(20));
        assert_eq!(told.next(6, 6, second(30)), None);
        assert_eq!(told.next(6, 6, second(20) + KNOWN), Some(6));
    }
}
