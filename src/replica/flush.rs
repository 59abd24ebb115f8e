//! Stop: what lsyncd has not pushed yet goes to the peer, in one rsync, and the peer learns that it has everything.

use std::fs;
use std::io::{self, ErrorKind};

use serde::Serialize;

use super::Replica;
use super::backup;
use super::ground;
use super::guard::{self, Push};
use super::peer::{self, Memory};
use super::report::{Verb, ask};
use super::stamp::{Attic, Kind, Stamp, unix_now};
use crate::ocf::deadline::Deadline;
use crate::ocf::operation::Operation;
use crate::sys::remote::rsync::Copy;

/// Where it is written, in the attic, what did not get to the peer.
const UNFLUSHED: &str = "unflushed";

/// What did not get to the peer.
#[derive(Debug, Serialize)]
struct Unflushed<'a> {
    /// When, in Unix seconds.
    at: u64,
    epoch: u64,
    /// Events that lsyncd still had.
    queued: usize,
    why: &'a str,
}

/// See [`super::flush`].
pub(super) fn flush(replica: &Replica, queued: usize, op: &Operation) {
    let limit = replica.flush_timeout.min(op.deadline.left() * 3 / 5);
    let deadline = op.deadline.within(limit);
    let attic = Attic::of(&replica.instance);
    peer::end_leftovers(replica, &deadline, op);
    // Without a memory nothing has been started since the boot: data of an earlier time must not go anywhere.
    let Some(memory) = Memory::read(op) else { return };
    let stamp = attic.stamp().ok().flatten();
    let Some(own) = stamp.filter(|own| own.kind == Kind::Source && own.epoch == memory.epoch) else {
        op.log.warning("nothing flushed: this node's stamp is not that of its last start");
        return;
    };
    let done = match own.fork {
        Some(_) => Err(memory.lost.clone().unwrap_or_else(|| "the peer has newer data".to_owned())),
        None => push(replica, &attic, &memory, &deadline),
    };
    if let Err(why) = done {
        op.log.error(&format!("not flushed to {} ({queued} changes were queued): {why}", replica.remote.host));
        let record = Unflushed { at: unix_now(), epoch: own.epoch, queued, why: &why };
        if let Err(error) = attic.write(UNFLUSHED, &record) {
            op.log.error(&error.to_string());
        }
        return;
    }
    match fs::remove_file(attic.path(UNFLUSHED)) {
        Err(error) if error.kind() != ErrorKind::NotFound => op.log.warning(&format!("remove {UNFLUSHED}: {error}")),
        _ => {}
    }
    op.log.info(&format!("flushed to {} ({queued} changes were queued)", replica.remote.host));
    if let Err(error) = ground::note(&attic, &replica.folders) {
        op.log.warning(&error.to_string());
    }
    conclude(replica, &attic, own, &memory, &deadline, op);
}

fn push(replica: &Replica, attic: &Attic, memory: &Memory, deadline: &Deadline) -> Result<(), String> {
    if let Some(why) = memory.lost_folder(|| ground::lost(attic, &replica.folders)) {
        return Err(why);
    }
    // A node that has gone on while the cluster here did not work has newer data: they must not be overwritten.
    let report = peer::question(replica, Verb::Report, deadline)?;
    if let Some(why) = report.lost {
        return Err(format!("{}: {why}", report.node));
    }
    if let Some(theirs) = report.stamp.as_ref().filter(|theirs| guard::refuses(theirs, memory.epoch)) {
        return Err(format!("{} has newer data (epoch {})", report.node, theirs.epoch));
    }
    let folders: Vec<_> = replica.folders.iter().cloned().chain([attic.canary()]).collect();
    // One that was missing at the start already.
    if let Some(folder) = folders.iter().find(|folder| !folder.is_dir()) {
        return Err(format!("{} is missing here", folder.display()));
    }
    // It may have become so since it was asked.
    let push = Push { instance: &replica.instance, epoch: memory.epoch, from: &memory.me };
    let receiver = report.guards.then(|| guard::receiver(&push));
    let fresh = (!memory.through).then(|| backup::fresh(attic, memory.epoch));
    let copy = Copy {
        remote: &replica.remote,
        folders: &folders,
        linked: &report.linked,
        exclude: &replica.exclude,
        backup: fresh.as_deref(),
        merge: false,
        program: receiver.as_deref(),
        mark: &replica.instance,
    };
    copy.push(deadline).map_err(|error| error.reason)
}

/// Tells the peer that it has everything. This node's own stamp goes first: from then on it raises the epoch before it
/// changes anything, so that the peer's belief stays true.
fn conclude(replica: &Replica, attic: &Attic, own: Stamp, memory: &Memory, deadline: &Deadline, op: &Operation) {
    if let Err(error) = become_clean(attic, own, deadline) {
        op.log.error(&format!("the peer is not told that it has everything: {error}"));
        return;
    }
    let verb = Verb::Complete { epoch: memory.epoch, from: &memory.me, clean: true };
    let report = match ask(replica, verb, deadline) {
        Ok(report) => report,
        Err(why) => return op.log.error(&format!("the peer is not told that it has everything: {why}")),
    };
    if !memory.through {
        peer::log_kept(&report, memory.epoch, op);
    }
    if !memory.knows("ok") {
        let node = memory.peer.as_ref().filter(|_| !report.named).unwrap_or(&report.node);
        peer::publish(replica, node, "ok", deadline, op);
    }
}

/// Writes `own` again, as that of a node that has stopped; unless another one stands there by now.
fn become_clean(attic: &Attic, own: Stamp, deadline: &Deadline) -> io::Result<()> {
    let _lock = attic.lock(deadline)?;
    if attic.stamp()?.as_ref() != Some(&own) {
        return Err(io::Error::other("this node's stamp has changed meanwhile"));
    }
    attic.set_stamp(&Stamp { clean: true, ..own })
}
