//! Sends what waits: one process of this node at a time.

mod claim;
mod delivery;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use super::channel::{Channel, Files, Way};
use super::event::now;
use super::history::History;
use super::letter::Sender;
use super::sight::Sight;
use super::spool::{Memory, Record, Spool, Trouble};
use super::told::Told;
use super::turn::{Turn, turn};
use crate::cluster::member;
use crate::ocf::deadline::Deadline;
use crate::ocf::log::Log;

/// How long the attribute manager may take.
const PUBLISH: Duration = Duration::from_secs(2);
/// How often new events are looked for while others wait.
const LOOK: Duration = Duration::from_millis(500);
/// After which time, in milliseconds, an event that another node claims is looked at again: soon enough for this node to tell
/// it within the same run when that one could not.
const AGAIN: u64 = 2_000;
/// How long, in milliseconds, a claim counts in addition to the least time between two mails.
const PATIENCE: u64 = 600_000;

/// Why it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Events came, or the timer did: each channel has its pace, and one that did not work has to wait.
    Due,
    /// An administrator wants it now.
    Hand,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many events were sent, by all channels together.
    pub sent: usize,
    /// How many events wait.
    pub waiting: usize,
    /// What went wrong, each one line.
    pub problems: BTreeSet<String>,
    /// The names of all that was looked at.
    pub looked_at: BTreeSet<String>,
}

/// The work of one process.
#[derive(Debug)]
pub struct Round<'a> {
    spool: &'a Spool,
    log: &'a Log,
    deadline: Deadline,
    cause: Cause,
    files: Files,
    memory: Memory,
    told: Told,
    /// Asked once at most.
    history: Option<History>,
    sender: Option<Sender>,
    outcome: Outcome,
}

impl<'a> Round<'a> {
    /// To be made by who has the spool's lock.
    pub fn new(spool: &'a Spool, log: &'a Log, deadline: Deadline, cause: Cause) -> Self {
        let memory = spool.memory();
        let told = Told::parse(&memory.told);
        let files = Files::default();
        Self {
            spool,
            log,
            deadline,
            cause,
            files,
            memory,
            told,
            history: None,
            sender: None,
            outcome: Outcome::default(),
        }
    }

    /// Sends what is due, and waits for what will be before the deadline.
    ///
    /// # Errors
    /// That the spool cannot be read.
    pub fn run(mut self) -> io::Result<Outcome> {
        loop {
            let wake = self.step()?;
            let known = self.spool.names()?;
            self.outcome.waiting = known.len();
            let left = u64::try_from(self.deadline.left().as_millis()).unwrap_or(u64::MAX);
            let Some(wake) = wake.filter(|wake| wake.saturating_sub(now()) < left) else { return Ok(self.outcome) };
            if self.cause == Cause::Hand {
                return Ok(self.outcome);
            }
            while now() < wake && self.spool.names()? == known {
                self.deadline.sleep(LOOK.min(Duration::from_millis(wake.saturating_sub(now()))));
            }
        }
    }

    /// Serves every channel once; when to look again, in milliseconds since 1970.
    fn step(&mut self) -> io::Result<Option<u64>> {
        let (mut records, damaged) = self.spool.records()?;
        for line in damaged {
            self.log.error(&format!("an event that cannot be read is dropped: {line}"));
        }
        let mut groups: BTreeMap<String, (Channel, Vec<usize>)> = BTreeMap::new();
        // What each event needs; an event whose configuration cannot be read waits.
        let mut needs: Vec<Option<Vec<String>>> = vec![None; records.len()];
        for (index, record) in records.iter().enumerate() {
            self.outcome.looked_at.insert(record.name.clone());
            let channels = match self.files.channels(&record.event.recipient) {
                Ok(channels) => channels,
                Err(problem) => {
                    self.problem(&problem);
                    continue;
                }
            };
            if let Some(need) = needs.get_mut(index) {
                *need = Some(channels.iter().map(|channel| channel.key.clone()).collect());
            }
            let pending = channels.into_iter().filter(|channel| !record.done.contains(&channel.key));
            let pending: Vec<Channel> = pending.collect();
            let keep = pending.iter().map(|channel| channel.settings.keep).max().unwrap_or_default();
            if now().saturating_sub(record.seen) > u64::try_from(keep.as_millis()).unwrap_or(u64::MAX) {
                if !pending.is_empty() {
                    let hours = keep.as_secs() / 3600;
                    self.log.error(&format!("could not be told for {hours} h, dropped: {}", record.event.headline()));
                }
                self.spool.remove(record);
                continue;
            }
            for channel in pending {
                groups.entry(channel.key.clone()).or_insert_with(|| (channel, Vec::new())).1.push(index);
            }
        }
        let mut sight = None;
        let mut wake: Option<u64> = None;
        for (channel, group) in groups.into_values() {
            let next = self.serve(&channel, &group, &mut records, &mut sight);
            wake = [wake, next].into_iter().flatten().min();
        }
        for (record, need) in records.iter().zip(needs) {
            if need.is_some_and(|need| need.iter().all(|key| record.done.contains(key))) {
                self.spool.remove(record);
            }
        }
        Ok(wake)
    }

    /// Sends on one channel what is this node's turn; when to look again.
    fn serve(
        &mut self,
        channel: &Channel,
        group: &[usize],
        records: &mut [Record],
        sight: &mut Option<Option<Sight>>,
    ) -> Option<u64> {
        let due = self.cause == Cause::Due;
        let gather = u64::try_from(channel.settings.gather.as_millis()).unwrap_or_default();
        let oldest = group.iter().filter_map(|index| records.get(*index)).map(|record| record.seen).min()?;
        let begin = oldest.saturating_add(gather);
        let again = self.memory.trouble.get(&channel.key).map(Trouble::again).unwrap_or_default();
        if due && now() < begin.max(again) {
            return Some(begin.max(again));
        }
        let mut wake: Option<u64> = None;
        let mut later = |at: u64| wake = Some(wake.map_or(at, |wake| wake.min(at)));
        let (mut own, mut after) = (Vec::new(), Vec::new());
        let every = u64::try_from(channel.settings.every.as_millis()).unwrap_or_default();
        for &index in group {
            let Some(record) = records.get_mut(index) else { continue };
            if !channel.is_shared() || !record.event.is_everywhere() {
                own.push(index);
                continue;
            }
            let Some(seen) = sight.get_or_insert_with(|| self.look()) else {
                own.push(index);
                continue;
            };
            let from = record.seen.saturating_add(gather);
            match turn(&record.event, &channel.key, from, now(), every.saturating_add(PATIENCE), seen) {
                Turn::Own => own.push(index),
                Turn::OwnAfter(before) => after.push((index, before)),
                Turn::Later(at) => later(at),
                Turn::LeftTo(_) => later(now().saturating_add(AGAIN)),
                Turn::ToldBy(node) => {
                    self.log.info(&format!("{}: told by {node}", record.event.headline()));
                    self.finish(record, channel);
                }
            }
        }
        if own.is_empty() && after.is_empty() {
            return wake;
        }
        let claimed: Vec<usize> = own.iter().copied().chain(after.iter().map(|(index, _)| *index)).collect();
        self.claim(channel, &claimed, records, sight.as_ref());
        let pace = self.memory.sent.get(&channel.key).map(|sent| sent.saturating_add(every)).unwrap_or_default();
        if due && matches!(channel.way, Way::Mail(_)) && now() < pace {
            later(pace);
            return wake;
        }
        own.extend(self.not_yielded(channel, after, records, sight));
        own.sort_unstable();
        if own.is_empty() {
            return Some(now().saturating_add(AGAIN));
        }
        self.send(channel, &own, records, sight.as_ref().is_some_and(Option::is_some));
        let again = self.memory.trouble.get(&channel.key).map(Trouble::again);
        [wake, again].into_iter().flatten().min()
    }

    /// Asks the cluster; none when it does not answer.
    fn look(&self) -> Option<Sight> {
        match Sight::take(&self.deadline) {
            Ok(sight) => Some(sight),
            Err(error) => {
                self.log.warning(&format!(
                    "the cluster does not say who tells what all nodes see, so this one does: {error}"
                ));
                None
            }
        }
    }

    /// A channel does not need this event any more.
    fn finish(&self, record: &mut Record, channel: &Channel) {
        record.done.push(channel.key.clone());
        // Removed once no channel needs it. A kill before that sends nothing twice.
        if let Err(error) = self.spool.write(record) {
            self.log.error(&format!("an event may be told twice: write {}: {error}", record.name));
        }
    }

    fn problem(&mut self, line: &str) {
        if self.outcome.problems.insert(line.to_owned()) {
            self.log.error(line);
        }
    }
}

/// Who sends, as the cluster calls it, or else as the host is called.
pub fn sender(cluster: &str, deadline: &Deadline) -> Sender {
    let host = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let node = member::own(&deadline.within(PUBLISH)).unwrap_or_else(|_| host());
    Sender { cluster: cluster.to_owned(), node }
}
