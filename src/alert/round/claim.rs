//! Claims: what this node says it is going to tell, so that no other does.

use std::time::Duration;

use super::{PUBLISH, Round};
use crate::alert::channel::Channel;
use crate::alert::sight::Sight;
use crate::alert::spool::Record;
use crate::alert::told::Progress;
use crate::alert::turn::yields;

/// After which time two nodes that claim an event at once see each other's claim.
const SETTLE: Duration = Duration::from_secs(1);

impl Round<'_> {
    /// Says that this node is going to tell these.
    pub(super) fn claim(
        &mut self,
        channel: &Channel,
        indices: &[usize],
        records: &[Record],
        sight: Option<&Option<Sight>>,
    ) {
        if !matches!(sight, Some(Some(_))) {
            return;
        }
        let events = indices.iter().filter_map(|index| records.get(*index)).map(|record| &record.event);
        let news = events.filter(|event| event.is_everywhere());
        // Each one has to be marked.
        let news = news.filter(|event| self.told.mark(event, &channel.key, Progress::Claimed)).count();
        if news > 0 {
            self.publish();
        }
    }

    /// Those of `after` that no node before this one claims, too.
    pub(super) fn not_yielded(
        &mut self,
        channel: &Channel,
        after: Vec<(usize, Vec<String>)>,
        records: &[Record],
        sight: &mut Option<Option<Sight>>,
    ) -> Vec<usize> {
        if after.is_empty() {
            return Vec::new();
        }
        self.deadline.sleep(SETTLE);
        *sight = Some(self.look());
        let mut left = false;
        let mut own = Vec::new();
        for (index, before) in after {
            let Some(record) = records.get(index) else { continue };
            let other = sight.as_ref().and_then(Option::as_ref);
            match other.and_then(|sight| yields(&record.event, &channel.key, &before, sight)) {
                None => own.push(index),
                Some(_) => left |= self.told.withdraw(&record.event, &channel.key),
            }
        }
        if left {
            self.publish();
        }
        own
    }

    /// Tells the other nodes what this one has claimed and told.
    pub(super) fn publish(&mut self) {
        self.remember();
        if let Err(error) = self.told.publish(&self.deadline.within(PUBLISH)) {
            self.log.warning(&format!("an event may be told twice: {error}"));
        }
    }

    pub(super) fn remember(&mut self) {
        self.memory.told = self.told.value();
        if let Err(error) = self.spool.remember(&self.memory) {
            self.log.error(&format!("remember what was sent: {error}"));
        }
    }
}
