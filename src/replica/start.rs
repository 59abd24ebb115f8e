//! Start: ask, decide, fetch, raise the epoch, write the stamp.
//!
//! The order is what makes a kill at any moment safe: data first, then the cluster's record, then the stamp, and only then
//! what tells others.

use std::time::Duration;

use super::decision::{Act, Decision, Peer, Situation};
use super::peer::{self, Memory};
use super::record::{Known, Record};
use super::report::{Report, Verb};
use super::scope::Scope;
use super::stamp::{Attic, Kind, Stamp};
use super::{Ready, Replica, backup, canary, ground, guard, record, written};
use crate::ocf::exit::{Failure, one_line};
use crate::ocf::operation::Operation;
use crate::sys::remote::rsync::Copy;

/// How long the peer may take to answer a question.
const ASK: Duration = Duration::from_secs(5);
/// How long the look at old backups and their removal may take.
const PRUNE: Duration = Duration::from_secs(2);
/// How long the search for files written here may take.
const SEARCH: Duration = Duration::from_secs(3);

/// See [`super::prepare`].
pub(super) fn prepare(replica: &Replica, op: &Operation) -> Result<Ready, Failure> {
    let attic = Attic::of(&replica.instance);
    canary::prepare(&attic).map_err(|error| Failure::io(&format!("create {}", attic.canary().display()), &error))?;
    peer::end_leftovers(replica, &op.deadline, op);
    let me = peer::me(op);
    let known = record::read(&replica.instance, &op.deadline);
    if let Known::Unreadable(why) = &known {
        op.log.warning(&format!("the stamps decide alone, without the cluster: {why}"));
    }
    let own = attic.stamp().unwrap_or_else(|error| {
        op.log.error(&format!("{error}: taken for a node without data"));
        None
    });
    let own = own.map(|own| own.seen_for(&Scope::of(replica)));
    if own.as_ref().is_some_and(|own| own.partial) {
        op.log.warning("the copy here lacks some of what is to be copied now: folders or exclude have changed since");
    }
    let report = peer::question(replica, Verb::Report, &op.deadline.within(ASK));
    match &report {
        Ok(report) => tell_trouble(report, op),
        Err(why) => op.log.warning(&format!("the peer cannot be asked: {why}")),
    }
    let peer = match &report {
        Ok(report) => Peer::Answers { node: &report.node, stamp: report.stamp.as_ref() },
        Err(_) => Peer::Unreachable,
    };
    let situation = Situation { me: &me, record: &known, own: own.as_ref(), peer };
    let lost = ground::lost(&attic, &replica.folders);
    let decision = lost.as_ref().map_or_else(|| situation.decide(), |why| situation.hold(why));
    op.step(&format!("decided: {decision:?}"));
    op.log.info(&format!("epoch {}: {}", decision.epoch, decision.why));
    let start = Start { replica, op, attic, me, known, own, report: report.ok(), lost };
    start.carry_out(decision)
}

fn tell_trouble(report: &Report, op: &Operation) {
    for text in [&report.foreign, &report.trouble].into_iter().flatten() {
        op.log.warning(&format!("{}: {text}", report.node));
    }
}

/// A start that has been decided.
struct Start<'a> {
    replica: &'a Replica,
    op: &'a Operation,
    attic: Attic,
    me: String,
    known: Known,
    own: Option<Stamp>,
    report: Option<Report>,
    /// A folder here is not mounted.
    lost: Option<String>,
}

impl Start<'_> {
    fn carry_out(self, decision: Decision) -> Result<Ready, Failure> {
        let epoch = decision.epoch;
        let (fork, even) = match decision.act {
            Act::Continue { fork } => (fork, false),
            Act::TakeOver => (None, decision.even),
            Act::Fork { base } => (Some(base), false),
            Act::Pull { or_fork } => match self.pull(epoch) {
                Ok(even) => (None, even),
                Err(why) => {
                    self.op.log.error(&format!("newer data could not be fetched: {why}"));
                    (or_fork, false)
                }
            },
        };
        let stamp = Stamp::source(epoch, &self.me, fork);
        self.raise(&stamp)?;
        // From now on older data are refused here; what was let in before ends.
        peer::end_leftovers(self.replica, &self.op.deadline, self.op);
        let through = self.is_through(&decision.act, epoch);
        let newer = decision.newer.clone();
        let lost = self.lost.as_ref().map(|why| remedy(why, &self.replica.instance));
        if lost.is_none()
            && let Err(error) = ground::note(&self.attic, &self.replica.folders)
        {
            self.op.log.warning(&error.to_string());
        }
        let (devices, inodes) = peer::places(&self.replica.folders);
        let mut memory = Memory {
            me: self.me.clone(),
            epoch,
            peer: self.peer_name(),
            through: false,
            told: None,
            unsure: false,
            newer,
            guards: self.report.as_ref().map(|report| report.guards),
            devices,
            inodes,
            lost,
        };
        self.op.state.forget(&guard::note(epoch));
        if let Some(report) = &self.report {
            peer::tell_unguarded(report, self.op);
        }
        // Both have the same data at this moment: the peer may know, so that it can take over at any time from now on.
        let told = even && self.tell_peer(epoch);
        self.publish(&mut memory, &decision.act, fork.is_some(), told || through);
        memory.write(self.op);
        let why = memory.lost.clone();
        let why = why.or_else(|| fork.map(|base| explain(decision.newer.as_ref(), base, &self.replica.instance)));
        // Also where an epoch goes on: nobody knows what has happened to the files of either node meanwhile, and what is the
        // same on both takes no room.
        let backup = Some(backup::fresh(&self.attic, epoch));
        Ok(Ready { epoch, node: self.me, pushing: fork.is_none(), backup, why })
    }

    /// Fetches the peer's data; whether both nodes have the same then.
    fn pull(&self, epoch: u64) -> Result<bool, String> {
        let op = self.op;
        // What is not there must not replace what is here.
        if let Some((node, why)) = self.report.as_ref().and_then(|report| Some((&report.node, report.lost.as_ref()?))) {
            return Err(format!("{node}: {why}"));
        }
        let written = written::here(&self.attic, &self.replica.folders, &op.deadline.within(SEARCH));
        if let Some(file) = &written {
            let file = backup::plain(&file.display().to_string());
            op.log.warning(&format!("files were written here without replication ({file}): the peer's are merged in"));
        }
        let folder = backup::fresh(&self.attic, epoch);
        let copy = Copy {
            remote: &self.replica.remote,
            folders: &self.replica.folders,
            linked: self.report.as_ref().map_or(&[], |report| &report.linked),
            exclude: &self.replica.exclude,
            backup: Some(&folder),
            merge: written.is_some(),
            program: None,
            mark: &self.replica.instance,
        };
        // The rest of the time is for the daemon.
        let limit = self.replica.pull_timeout.min(op.deadline.left() * 3 / 5);
        let pulled = copy.pull(&op.deadline.within(limit));
        let look = op.deadline.within(PRUNE);
        let here = backup::settle(&self.attic, &look);
        if let Some(kept) = here.iter().find(|kept| kept.folder == folder.display().to_string() && !kept.is_empty()) {
            op.log.warning(&format!("kept here: {}", kept.words()));
        }
        for line in backup::prune(&self.attic, self.replica.backup_limit, &look) {
            op.log.info(&line);
        }
        pulled.map_err(|error| error.reason)?;
        op.log.info(&format!("fetched the data of {}", self.replica.remote.host));
        Ok(written.is_none())
    }

    /// Makes this node the source of the epoch: first in the cluster, then here.
    fn raise(&self, stamp: &Stamp) -> Result<(), Failure> {
        let write = |stamp: &Stamp| self.attic.set_stamp(stamp).map_err(|error| Failure::io("write stamp", &error));
        if self.own.is_none() {
            // Without any stamp, a kill between record and stamp would look like a node that has lost its data.
            write(&Stamp::copy(0, &self.me, false))?;
        }
        let record = Record { epoch: stamp.epoch, node: self.me.clone(), fork: stamp.fork };
        if self.known != Known::Recorded(record.clone())
            && let Err(error) = record::write(&self.replica.instance, &record, &self.op.deadline)
        {
            self.op.log.error(&format!("the cluster does not know of epoch {}: {error}", stamp.epoch));
        }
        if self.own.as_ref().is_none_or(|own| Stamp { at: own.at, ..stamp.clone() } != *own) {
            // A peer that is about to say that its older data are here has to come before or after.
            let lock = self.attic.lock(&self.op.deadline);
            if let Err(error) = &lock {
                self.op.log.warning(&format!("written all the same: {error}"));
            }
            write(stamp)?;
        }
        Ok(())
    }

    /// Whether the peer has all of the epoch that goes on.
    fn is_through(&self, act: &Act, epoch: u64) -> bool {
        let stamp = self.report.as_ref().and_then(|report| report.stamp.as_ref());
        let has = stamp.is_some_and(|stamp| {
            stamp.kind == Kind::Copy
                && stamp.complete
                && !stamp.partial
                && stamp.epoch == epoch
                && stamp.node == self.me
        });
        has && matches!(act, Act::Continue { fork: None })
    }

    fn tell_peer(&self, epoch: u64) -> bool {
        let verb = Verb::Complete { epoch, from: &self.me, clean: false };
        match super::report::ask(self.replica, verb, &self.op.deadline.within(ASK)) {
            Ok(_) => true,
            Err(why) => {
                self.op.log.warning(&format!("tell the peer of epoch {epoch}: {why}"));
                false
            }
        }
    }

    /// The peer's name: from its answer, or from what was known before.
    fn peer_name(&self) -> Option<String> {
        let recorded = match &self.known {
            Known::Recorded(record) => Some(&record.node),
            _ => None,
        };
        let stamped = self.own.as_ref().map(|stamp| &stamp.node);
        let answered = |named| self.report.as_ref().filter(|report| report.named == named).map(|report| &report.node);
        // Its host name is the last resort: the cluster may know it by another one.
        let names = [answered(true), recorded, stamped, answered(false)];
        names.into_iter().flatten().find(|name| **name != self.me).cloned()
    }

    /// This node may serve. The peer has all, or is behind by what it does not know yet; on a fork it is the newer one, and
    /// nothing is said of it.
    fn publish(&self, memory: &mut Memory, act: &Act, forked: bool, told: bool) {
        let own = if self.lost.is_some() { "stale" } else { "ok" };
        peer::publish(self.replica, &self.me, own, &self.op.deadline, self.op);
        let value = match act {
            _ if forked => return,
            _ if told => "ok",
            Act::Continue { .. } => return,
            // A peer without a stamp is never; one that cannot be asked has been active or a copy.
            _ => match &self.report {
                Some(report) if report.stamp.is_none() => "never",
                _ => "stale",
            },
        };
        if let Some(node) = memory.peer.clone() {
            let answered = peer::publish(self.replica, &node, value, &self.op.deadline, self.op);
            memory.tell(value, answered);
        }
    }
}

/// What to do about a folder that is not mounted here: for the exit reason.
fn remedy(why: &str, instance: &str) -> String {
    one_line(&format!("{why}: mount it, restart {instance}; or: inuvika-ha replica accept --instance {instance}"))
}

/// Why nothing is pushed, and what to do: for the exit reason.
pub(super) fn explain(newer: Option<&(String, u64)>, base: u64, instance: &str) -> String {
    let accept = format!("inuvika-ha replica accept --instance {instance}");
    one_line(&match newer {
        Some((node, epoch)) => {
            format!("{node} has newer data (epoch {epoch}, here {base}): bring it back, or run here: {accept}")
        }
        None => format!("this node's data may be old (epoch {base}): bring the peer back, or run here: {accept}"),
    })
}
