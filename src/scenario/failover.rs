//! `[failover]`: when and where services move.

use super::fault::Fault;
use super::names;
use super::reader::Item;

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
/// What a node attribute counts for on top of the stickiness: more than the preference for the first node.
const ABOVE_PREFERENCE: u32 = 10;

impl Failover {
    /// Reads the section. `longest` is the longest time an action may take, in seconds; `weighed` is the number of
    /// resources whose stickiness a node attribute must be able to outweigh, if there is such an attribute.
    pub(super) fn read(
        item: Option<Item<'_>>,
        longest: u64,
        weighed: Option<usize>,
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
            if weighed.is_some_and(|resources| read.attraction(resources).is_none()) {
                let doubt = "no score is above this: a node that alone loses its database keeps the services";
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

    /// The score that moves `resources` together although they stick to where they are; none when there is none.
    pub fn attraction(&self, resources: usize) -> Option<u32> {
        let stickiness: u32 = self.stickiness.parse().ok()?;
        let score = stickiness.checked_mul(u32::try_from(resources).ok()?)?.checked_add(ABOVE_PREFERENCE)?;
        (score <= MAX_SCORE).then_some(score)
    }
}
