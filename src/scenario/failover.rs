//! `[failover]`: when and where services move.

use super::fault::Fault;
use super::names;
use super::reach::Reach;
use super::reader::Item;
use super::setup::{Service, SetUp};

/// When and where services move.
#[derive(Debug)]
pub struct Failover {
    /// How strongly each resource stays where it is: a number or `INFINITY`.
    pub stickiness: String,
    /// After how many failures a resource leaves the node.
    pub migration_threshold: i64,
    /// After which time a failure is forgotten.
    pub failure_timeout: String,
}

/// The highest score that is not INFINITY.
pub const MAX_SCORE: u32 = 999_999;
/// What the database counts for on top of everything it has to outweigh: more than the preference for the first node.
const ABOVE_PREFERENCE: u32 = 10;
/// The least that a copy of the data counts for: more than the preference for the first node.
const ABOVE_FIRST: u32 = 2;

/// What the scores of node attributes have to be weighed against.
#[derive(Debug)]
pub struct Weighed {
    /// How many resources keep everything where it is: the address, what is mounted with it, and those that it follows. What is not critical has
    /// no say in it (Pacemaker 2.1; an older one, which does not know the word, would add the stickiness of all).
    sticking: u32,
    /// Whether nodes publish what they see of a database.
    database: bool,
    /// Whether nodes have copies of the data.
    replicas: bool,
    /// Whether nodes publish how many servers they see, and how many there are when that is known.
    counted: Option<Option<u32>>,
    /// What the first node counts for.
    preference: u32,
}

impl Weighed {
    /// What there is to weigh with these services.
    pub fn of(setup: &SetUp, services: &[Service]) -> Weighed {
        let critical = services.iter().filter(|service| service.kind.critical && !service.is_everywhere()).count();
        Weighed {
            sticking: u32::try_from(critical).unwrap_or(MAX_SCORE).saturating_add(1 + u32::from(setup.repository)),
            database: services.iter().any(|service| service.kind.vantage.is_some()),
            replicas: services.iter().any(|service| service.kind.replica.is_some()),
            counted: services.iter().find_map(|service| service.count.as_ref()).map(|count| count.most),
            preference: setup.preference,
        }
    }
}

/// The scores of node attributes. With the stickiness S of a resource and two resources that stick (the address and the
/// Session Manager), a node counts for
///
/// | what | score | S = 1000 |
/// |---|---|---|
/// | runs everything now | T = 2 S | 2000 |
/// | has a whole copy of the data | R = S / 2 | 500 |
/// | reaches the database | D = T + R + 10 | 2510 |
/// | says nothing of the database | D / 2 | 1255 |
/// | is the first of the scenario | 1 | 1 |
///
/// so that, for S of 20 and more,
/// - R + 1 < T: a better copy elsewhere never takes anything from where it runs;
/// - D > T + R + 1: a database lost by the active node alone moves everything, also to a node with a worse copy;
/// - D / 2 + R + 1 < T: no node takes anything from another while either of them says nothing yet;
/// - R > 1: where nothing runs, the node with a whole copy comes before the first one.
#[derive(Debug, PartialEq, Eq)]
pub struct Weights {
    /// A node that reaches the database.
    pub database: u32,
    /// A node with a whole copy of the data.
    pub replica: u32,
    /// Whether `database` outweighs the stickiness: it does not when that is too high for any score.
    pub moves: bool,
}

impl Failover {
    /// Reads the section. `longest` is the longest time an action may take, in seconds.
    pub(super) fn read(
        item: Option<Item<'_>>,
        longest: u64,
        weighed: &Weighed,
        warnings: &mut Vec<String>,
    ) -> Result<Failover, Fault> {
        let mut read = Failover { stickiness: "1000".into(), migration_threshold: 3, failure_timeout: "4h".into() };
        let Some(item) = item else { return Ok(read) };
        let mut table = item.table()?.only(&["stickiness", "migration_threshold", "failure_timeout"])?;
        if let Some(item) = table.take("stickiness") {
            let word = item.scalar()?;
            let number = word.text.parse::<u32>().is_ok_and(|n| n <= 1_000_000);
            if !number && word.text != "INFINITY" {
                return Err(word.must_be("a whole number from 0 to 1000000, or INFINITY"));
            }
            if word.text.parse() == Ok(0) {
                let doubt = "with 0 everything moves back to the first node when it returns, an interruption more";
                warnings.push(word.fault(doubt).warning());
            }
            read.stickiness.clone_from(&word.text);
            if weighed.database && !read.weights(weighed).moves {
                let doubt = "no score is above this: a node that alone loses its database keeps the services";
                warnings.push(word.fault(doubt).warning());
            }
            if weighed.counted.is_some() && !read.reach(weighed).moves {
                let doubt = "no score is above this: a node that alone sees no server or router keeps the address";
                warnings.push(word.fault(doubt).warning());
            }
        }
        if let Some(item) = table.take("migration_threshold") {
            read.migration_threshold = item.integer()?;
            if !(1..=1_000_000).contains(&read.migration_threshold) {
                return Err(item.fault("must be a whole number from 1 to 1000000"));
            }
        }
        if let Some(item) = table.take("failure_timeout") {
            let word = item.text()?;
            let time = crate::ocf::params::seconds(&word.text).ok_or_else(|| word.must_be(names::TIME))?;
            if time <= longest {
                return Err(word.must_be(format!("longer than the longest action, {longest}s")));
            }
            if time < 3600 {
                let doubt = "below 1h a fault that comes back is forgotten before anybody sees it";
                warnings.push(word.fault(doubt).warning());
            }
            read.failure_timeout = word.text;
        }
        Ok(read)
    }

    /// The scores of what nodes reach that go with this stickiness.
    pub fn reach(&self, weighed: &Weighed) -> Reach {
        let together = self.stickiness.parse().ok().and_then(|one: u32| one.checked_mul(weighed.sticking));
        Reach::weigh(together, weighed.preference, weighed.counted.flatten())
    }

    /// The scores of node attributes that go with this stickiness.
    pub fn weights(&self, weighed: &Weighed) -> Weights {
        let stickiness: Option<u32> = self.stickiness.parse().ok();
        let replica = match stickiness.map_or(MAX_SCORE, |one| one / 2) {
            _ if !weighed.replicas => 0,
            half => half.clamp(ABOVE_FIRST, MAX_SCORE / 4),
        };
        let together =
            stickiness.and_then(|one| one.checked_mul(weighed.sticking)?.checked_add(replica + ABOVE_PREFERENCE));
        let moves = together.filter(|score| *score <= MAX_SCORE);
        Weights { database: moves.unwrap_or(MAX_SCORE), replica, moves: moves.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn weights(stickiness: &str, replicas: bool) -> Weights {
        let failover = Failover { stickiness: stickiness.into(), migration_threshold: 3, failure_timeout: "4h".into() };
        failover.weights(&Weighed { sticking: 2, database: true, replicas, counted: None, preference: 1 })
    }

    #[test]
    fn the_usual_scores() {
        assert_eq!(weights("1000", true), Weights { database: 2510, replica: 500, moves: true });
        assert_eq!(weights("1000", false), Weights { database: 2010, replica: 0, moves: true });
        assert_eq!(weights("0", true), Weights { database: 12, replica: 2, moves: true });
        assert_eq!(weights("INFINITY", true), Weights { database: MAX_SCORE, replica: 249_999, moves: false });
        assert!(!weights("1000000", true).moves);
    }

    proptest! {
        /// What the table above promises.
        #[test]
        fn the_scores_keep_their_order(one in 20u32..399_995) {
            let Weights { database, replica, moves } = weights(&one.to_string(), true);
            let stays = 2 * one;
            prop_assert!(moves && database <= MAX_SCORE);
            prop_assert!(replica > 1 && replica + 1 < stays);
            prop_assert!(database > stays + replica + 1);
            prop_assert!(database / 2 + replica + 1 < stays);
        }
    }
}
