//! Folders of two nodes of which one is active: which data are the newest, how they get here, and what the peer has.
//!
//! The active node raises an epoch before it pushes anything, in the cluster where that answers, and a stamp on either node
//! says which epoch's data it has ([`stamp`], [`record`]). Which data are the newest, and what to do at start, follows from
//! those alone ([`decision`]), never from clocks; and a node takes nothing of an epoch that is older than its own ([`guard`]).
//! Times of files are looked at in one case only: where somebody has written here without replication ([`prepare`]), the
//! newer one of two files stays and the other one is kept beside.

pub mod backup;
pub mod canary;
mod contact;
pub mod decision;
mod flush;
pub mod foreign;
mod ground;
pub mod guard;
pub mod hand;
mod peer;
pub mod record;
pub mod report;
pub mod scope;
pub mod stamp;
mod start;
mod written;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ocf::check::{Check, Verdict};
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::sys::remote::Remote;

/// A set of folders, and the peer that has the other copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// File name of the instance.
    pub instance: String,
    /// The peer.
    pub remote: Remote,
    /// Absolute paths, the same on both nodes.
    pub folders: Vec<PathBuf>,
    /// rsync's patterns, within each folder.
    pub exclude: Vec<String>,
    /// How long lsyncd collects changes.
    pub delay: Duration,
    /// How far the peer may lag behind.
    pub max_lag: Duration,
    /// Longest time for fetching newer data at start.
    pub pull_timeout: Duration,
    /// Longest time for the last push at stop.
    pub flush_timeout: Duration,
    /// Size, in bytes, that the backup folders of a node may have together; the newest stays in any case.
    pub backup_limit: u64,
}

/// What a start has to go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The epoch of the data here.
    pub epoch: u64,
    /// This node, as the cluster calls it. Empty in what an older version has written.
    #[serde(default)]
    pub node: String,
    /// Whether lsyncd is to push. If not, the peer has newer data: see `why`.
    pub pushing: bool,
    /// The folder on the peer below which the first push keeps what it overwrites or deletes, each folder with its absolute
    /// path. An older version wrote none where the peer had all of the epoch.
    pub backup: Option<PathBuf>,
    /// Why it does not push: one line for the administrator.
    pub why: Option<String>,
}

/// How far replication has got, as the agent sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The epoch of the start.
    pub epoch: u64,
    /// Whether the first push of every folder is through.
    pub passed: bool,
    /// Events that wait.
    pub queued: usize,
    /// Whether lsyncd runs as it should; if not, the canary is not judged.
    pub daemon_fine: bool,
}

/// Makes the folders here the newest there are, as far as that is possible now, and this node their source. To be called
/// while no lsyncd of the instance runs.
///
/// # Errors
/// Only when nothing can be written here: a peer that is down or a cluster that does not answer stops no start.
pub fn prepare(replica: &Replica, op: &Operation) -> Result<Ready, Failure> {
    start::prepare(replica, op)
}

/// Brings what has not been pushed to the peer, after lsyncd has ended, within `flush_timeout` and 60 % of the time left.
/// Never fails: what cannot be brought is logged, with `queued` (events that lsyncd still had), and written to
/// `ATTIC/INSTANCE/unflushed`. Pushes nothing unless [`prepare`] has come to its end since the boot.
pub fn flush(replica: &Replica, queued: usize, op: &Operation) {
    flush::flush(replica, queued, op);
}

/// Asks the peer by one ssh (two where it refuses) how it is, judges the canary and sends the next, sets the peer's node
/// attribute; all of it within 3 s, and what a killed ssh or tool takes to go.
pub fn contact(replica: &Replica, progress: &Progress, op: &Operation) -> Vec<Check> {
    contact::contact(replica, progress, op)
}

/// What is wrong with a folder that has gone since the start, or is on another file system now: what lsyncd would push next
/// is that it is empty. Looks at files only.
pub fn vanished(replica: &Replica, op: &Operation) -> Option<String> {
    peer::Memory::read(op)?.lost_folder(|| unmounted(replica))
}

/// Why a folder here is not what it was when it was last served or copied: its file system is not mounted. One line.
pub fn unmounted(replica: &Replica) -> Option<String> {
    ground::lost(&stamp::Attic::of(&replica.instance), &replica.folders)
}

/// Why nothing is pushed although lsyncd runs: the peer refuses, because it has gone on with newer data. Files only.
pub fn paused(replica: &Replica, ready: &Ready, op: &Operation) -> Option<Check> {
    let why = guard::paused(replica, ready.epoch, op)?;
    Some(Check::run("replication", || (Verdict::Degraded, why)))
}

/// Whether the peer's sshd answers, within 1 s.
pub fn reach(replica: &Replica, op: &Operation) -> Check {
    Check::run("peer", || match peer::answers(replica, &op.deadline) {
        Ok(()) => (Verdict::Ok, format!("sshd of {} answers", replica.remote.host)),
        Err(why) => (Verdict::Degraded, why),
    })
}
