//! Depth 10 of the monitor: one ssh, which tells all there is to know of the peer.

use std::time::Duration;

use super::peer::{self, Memory};
use super::report::{Report, Verb};
use super::stamp::{Attic, Kind, Stamp, unix_now};
use super::{Progress, Replica, canary, guard, start};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::ocf::memory;
use crate::ocf::operation::Operation;

/// All of it: a slow deep monitor would hold up a stop.
const LIMIT: Duration = Duration::from_secs(3);
/// The share of the peer's answer: the cluster is told of it in the rest.
const ANSWER: Duration = Duration::from_millis(2500);
/// Bytes free at the peer below which somebody should know.
const LITTLE: u64 = 64 << 20;
/// How far clocks may be apart, in seconds, before it is worth a line in the log: sessions have an age.
const SKEW: u64 = 30;

/// A stamp that nobody but a start writes, and none has.
const CHANGED: &str = "this node's stamp is not that of its start: restart the resource";

/// See [`super::contact`].
pub(super) fn contact(replica: &Replica, progress: &Progress, op: &Operation) -> Vec<Check> {
    let deadline = op.deadline.within(LIMIT);
    let attic = Attic::of(&replica.instance);
    let stamp = attic.stamp().ok().flatten();
    if let Some(later) = stamp.as_ref().filter(|later| later.epoch > progress.epoch) {
        let text = match (later.kind, later.fork) {
            // `replica accept`: a person has said so, and knows what comes next.
            (Kind::Source, None) => {
                format!("epoch {} was accepted here: pcs resource restart {} pushes it", later.epoch, replica.instance)
            }
            // The other node is active, too, and its files are here. A restart would make these the newest, and have both
            // nodes replace each other's for ever.
            (Kind::Copy, _) => {
                guard::settle(Some(later), progress.epoch, op);
                guard::newer(&later.node, Some(later.epoch), progress.epoch)
            }
            (Kind::Source, Some(_)) => {
                return vec![Check::run("replication", || (Verdict::Failed, CHANGED.to_owned()))];
            }
        };
        return vec![Check::run("replication", || (Verdict::Degraded, text))];
    }
    let own = stamp.filter(|own| own.kind == Kind::Source && own.epoch == progress.epoch);
    let Some((own, memory)) = own.zip(Memory::read(op)) else {
        return vec![Check::run("replication", || (Verdict::Failed, CHANGED.to_owned()))];
    };
    let mut contact = Contact { replica, progress, op, deadline, attic, own, memory, checks: Vec::new() };
    contact.make();
    contact.checks
}

struct Contact<'a> {
    replica: &'a Replica,
    progress: &'a Progress,
    op: &'a Operation,
    deadline: Deadline,
    attic: Attic,
    own: Stamp,
    memory: Memory,
    checks: Vec<Check>,
}

impl Contact<'_> {
    fn make(&mut self) {
        let before = self.memory.clone();
        let begun = std::time::Instant::now();
        let answer = self.ask();
        let (verdict, detail) = match &answer {
            Ok(report) => self.judge(report),
            Err(why) => (Verdict::Degraded, why.clone()),
        };
        self.checks.push(Check { name: "peer", verdict, detail, took: begun.elapsed() });
        if let Some(base) = self.own.fork {
            let newer = answer.as_ref().ok().and_then(|report| self.newer(report)).or(self.memory.newer.clone());
            let is_back = super::unmounted(self.replica).is_none();
            let back = || format!("the folders are there again: pcs resource restart {}", self.replica.instance);
            let lost = self.memory.lost.clone().map(|lost| if is_back { back() } else { lost });
            let detail = lost.unwrap_or_else(|| start::explain(newer.as_ref(), base, &self.replica.instance));
            // First: it is the reason for the rest.
            self.checks.insert(0, Check::run("replication", || (Verdict::Degraded, detail)));
            return;
        }
        if let Some(why) = self.memory.lost_folder(|| None) {
            self.checks.insert(0, Check::run("folders", || (Verdict::Degraded, why)));
        }
        let theirs = answer.as_ref().map(|report| report.stamp.as_ref());
        // Nothing of it gets there, and nothing bad is to be said of a node with newer data.
        if !theirs.is_ok_and(|theirs| guard::settle(theirs, self.own.epoch, self.op)) {
            let arrives = answer.as_ref().is_ok_and(|report| self.exchange(report));
            self.publish(answer.ok().as_ref(), arrives);
        }
        if self.memory != before {
            self.memory.write(self.op);
        }
    }

    fn ask(&mut self) -> Result<Report, String> {
        let deadline = self.deadline.within(ANSWER);
        let me = self.memory.me.clone();
        let news = self.progress.passed && !self.memory.through && self.own.fork.is_none();
        let verb = match news {
            true => Verb::Complete { epoch: self.own.epoch, from: &me, clean: false },
            false => Verb::Report,
        };
        let answer = peer::question(self.replica, verb, &deadline);
        // Why it does not take that note is in its report, and what to do follows from it.
        let refused = news && answer.as_ref().is_err_and(|why| why.contains("refused: "));
        let report = if refused { peer::question(self.replica, Verb::Report, &deadline)? } else { answer? };
        let news = news && !refused;
        self.memory.learn(&report, self.op);
        if news {
            self.op.log.info(&format!("{} has everything of epoch {}", report.node, self.own.epoch));
            peer::log_kept(&report, self.own.epoch, self.op);
            self.memory.through = true;
        }
        let skew = report.now.abs_diff(unix_now());
        let skewed = (skew > SKEW).then(|| format!("the clock of {} is {skew} s away from this node's", report.node));
        memory::once(self.op, "clock", skewed.as_deref());
        Ok(report)
    }

    /// What is to be said of the peer; the canary aside.
    fn judge(&self, report: &Report) -> (Verdict, String) {
        let (node, epoch) = (&report.node, self.own.epoch);
        if self.own.fork.is_none()
            && let Some((_, theirs)) = self.newer(report)
        {
            return (Verdict::Degraded, guard::newer(node, Some(theirs), epoch));
        }
        // Of a fork, or in this very epoch while the cluster did not answer.
        if let Some(theirs) = report.stamp.as_ref().filter(|theirs| guard::refuses(theirs, epoch)) {
            let restart = format!("pcs resource restart {} replaces them", self.replica.instance);
            let text = format!("{node} has data of its own (epoch {}, here {epoch}) and keeps them", theirs.epoch);
            return (Verdict::Degraded, format!("{text}: {restart}"));
        }
        if let Some(lost) = &report.lost {
            let accept = format!("inuvika-ha replica accept --instance {}", self.replica.instance);
            return (Verdict::Degraded, format!("{node}: {lost}: mount it; or there: {accept}"));
        }
        if let Some(text) = report.foreign.as_ref().or(report.trouble.as_ref()) {
            return (Verdict::Degraded, format!("{node}: {text}"));
        }
        if let Some(free) = report.free.filter(|free| *free < LITTLE) {
            return (Verdict::Degraded, format!("disk nearly full on {node}: {} MiB free", free >> 20));
        }
        if self.has(report) {
            return (Verdict::Ok, format!("{node} has epoch {epoch}"));
        }
        if self.memory.through && self.own.fork.is_none() {
            let restart = format!("pcs resource restart {}", self.replica.instance);
            return (Verdict::Degraded, format!("{node} has lost its copy (reinstalled?): {restart}"));
        }
        (Verdict::Ok, format!("{node} has not everything of epoch {epoch} yet, {} changes wait", self.progress.queued))
    }

    /// The peer's node and epoch when its data are newer than these.
    fn newer(&self, report: &Report) -> Option<(String, u64)> {
        let stamp = report.stamp.as_ref().filter(|stamp| stamp.rank() > self.own.rank())?;
        Some((report.node.clone(), stamp.epoch))
    }

    fn has(&self, report: &Report) -> bool {
        let of_epoch = |stamp: &Stamp| stamp.kind == Kind::Copy && stamp.epoch == self.own.epoch && !stamp.partial;
        report.stamp.as_ref().is_some_and(|stamp| stamp.complete && of_epoch(stamp) && stamp.node == self.memory.me)
    }

    /// Judges the canary and sends the next; whether changes arrive, as far as is known.
    fn exchange(&mut self, report: &Report) -> bool {
        // Without a daemon nothing can arrive, and that is said already.
        if !self.progress.daemon_fine {
            return true;
        }
        let begun = std::time::Instant::now();
        let (verdict, detail) =
            canary::exchange(&self.attic, &self.op.state, self.own.epoch, report.beat.as_ref(), self.replica.delay);
        self.checks.push(Check { name: "canary", verdict, detail, took: begun.elapsed() });
        verdict == Verdict::Ok
    }

    /// Lets the cluster know how far the peer can be relied on, when that has changed.
    fn publish(&mut self, report: Option<&Report>, arrives: bool) {
        let value = match (report, self.memory.told.as_deref()) {
            (Some(report), _) if report.stamp.is_none() => "never",
            (Some(report), _) if arrives && self.has(report) => "ok",
            (Some(_), _) => "stale",
            // What it has, it still has; but not what is written from now on.
            (None, Some("ok" | "stale")) => "stale",
            (None, Some("never")) => "never",
            (None, _) => return,
        };
        if self.memory.knows(value) {
            return;
        }
        if let Some(node) = self.memory.peer.clone() {
            let answered = peer::publish(self.replica, &node, value, &self.deadline, self.op);
            self.memory.tell(value, answered);
        }
    }
}
