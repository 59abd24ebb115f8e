//! One message on one channel, and what is remembered of it.

use std::time::Duration;

use super::{Round, sender};
use crate::alert::channel::Channel;
use crate::alert::event::{Kind, now};
use crate::alert::history::History;
use crate::alert::spool::{Record, Trouble};
use crate::alert::told::Progress;

/// How long one message may take.
const SEND: Duration = Duration::from_secs(8);

impl Round<'_> {
    /// Sends a message about `own`, which this node tells.
    pub(super) fn send(&mut self, channel: &Channel, own: &[usize], records: &mut [Record], in_cluster: bool) {
        let lacks = |record: &Record| record.event.kind == Kind::Resource && record.reason.is_none();
        let any = own.iter().filter_map(|index| records.get(*index)).any(lacks);
        if self.history.is_none() || (any && channel.is_shared()) {
            self.history = Some(History::ask(&self.deadline).unwrap_or_default());
        }
        let history = self.history.clone().unwrap_or_default();
        for index in own {
            if let Some(record) = records.get_mut(*index).filter(|record| lacks(record)) {
                record.reason = history.reason(&record.event).map(str::to_owned);
            }
        }
        let sender = self.sender.get_or_insert_with(|| sender(history.cluster(), &self.deadline)).clone();
        let chosen: Vec<&Record> = own.iter().filter_map(|index| records.get(*index)).collect();
        let sent = channel.send(&chosen, &sender, &self.deadline.within(SEND));
        let everywhere = chosen.iter().any(|record| record.event.is_everywhere()) && channel.is_shared();
        for record in &chosen {
            match sent {
                Ok(()) => self.told.mark(&record.event, &channel.key, Progress::Told),
                Err(_) => self.told.withdraw(&record.event, &channel.key),
            };
        }
        match sent {
            Ok(()) => {
                self.outcome.sent += own.len();
                self.memory.sent.insert(channel.key.clone(), now());
                self.memory.trouble.remove(&channel.key);
                for index in own {
                    if let Some(record) = records.get_mut(*index) {
                        self.finish(record, channel);
                    }
                }
            }
            Err(problem) => {
                let trouble = self.memory.trouble.entry(channel.key.clone()).or_default();
                *trouble = Trouble { count: trouble.count.saturating_add(1), last: now(), text: problem.clone() };
                self.problem(&problem);
            }
        }
        if everywhere && in_cluster {
            self.publish();
        } else {
            self.remember();
        }
    }
}
