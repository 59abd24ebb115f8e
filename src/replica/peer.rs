//! What the active node remembers of its peer while it runs, and what the cluster is told of it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Replica;
use super::report::{Report, Verb, ask, own_name};
use super::stamp::Attic;
use crate::cluster::cib::Lasting;
use crate::ocf::deadline::Deadline;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::sys::remote::rsync;

/// The file in the state folder: gone after stop and after a reboot.
const FILE: &str = "peer";
/// How long the peer's sshd may take for its first line: it is near, or it is down.
const BANNER: Duration = Duration::from_secs(1);
/// How long the cluster may take for an attribute: the daemon that is asked is on this node.
const ATTRIBUTE: Duration = Duration::from_secs(3);
/// How long rsyncs that were killed may take to go.
const LEFTOVERS: Duration = Duration::from_secs(1);

/// What a start has found out, and the contacts since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// This node.
    pub me: String,
    /// The epoch that was started here.
    pub epoch: u64,
    /// The peer's node name, once it is known.
    pub peer: Option<String>,
    /// Whether the first push of the epoch is through: no backup folder any more.
    pub through: bool,
    /// What the cluster was told last of the peer.
    pub told: Option<String>,
    /// Who had newer data at the start, and of which epoch.
    pub newer: Option<(String, u64)>,
    /// The file systems that the folders were on at the start (st_dev of stat(2)).
    #[serde(default)]
    pub devices: Vec<(PathBuf, u64)>,
    /// Why nothing is pushed, when it is for a folder here: one line for the administrator.
    #[serde(default)]
    pub lost: Option<String>,
}

impl Memory {
    pub(super) fn read(op: &Operation) -> Option<Self> {
        op.state.read(FILE)
    }

    /// What is wrong with a folder that has gone since the start, or is on another file system now: a mount that is lost
    /// leaves an empty folder, which must not empty the peer's.
    pub(super) fn lost_folder(&self) -> Option<String> {
        self.devices.iter().find_map(|(folder, device)| match fs::metadata(folder) {
            Ok(now) if now.is_dir() && now.dev() == *device => None,
            Ok(now) if now.is_dir() => {
                Some(format!("{} is on another file system than at start: is its mount gone?", folder.display()))
            }
            _ => Some(format!("{} is missing here", folder.display())),
        })
    }

    /// Keeps it; what it is lost for is asked again.
    pub(super) fn write(&self, op: &Operation) {
        if let Err(error) = op.state.write(FILE, self) {
            op.log.warning(&format!("remember the peer: {error}"));
        }
    }
}

/// The file systems that folders are on. One that is missing has none, and is told of later.
pub(super) fn devices(folders: &[PathBuf]) -> Vec<(PathBuf, u64)> {
    folders.iter().filter_map(|folder| Some((folder.clone(), fs::metadata(folder).ok()?.dev()))).collect()
}

/// What the cluster calls this node.
pub(super) fn me(op: &Operation) -> String {
    op.env.meta("on_node").map_or_else(|| own_name(&op.deadline), str::to_owned)
}

/// Asks the peer, after a look whether its sshd answers at all: that costs no process, and 1 s when it is down.
pub(super) fn question(replica: &Replica, verb: Verb<'_>, deadline: &Deadline) -> Result<Report, String> {
    replica.remote.answers(&deadline.within(BANNER)).map_err(|error| error.to_string())?;
    ask(replica, verb, deadline)
}

/// Whether the peer's sshd answers within 1 s.
pub(super) fn answers(replica: &Replica, deadline: &Deadline) -> Result<(), String> {
    replica.remote.answers(&deadline.within(BANNER)).map_err(|error| error.to_string())
}

/// Tells the cluster how far a node can be relied on: `ok`, `stale` or `never`. True when it knows now.
pub(super) fn publish(replica: &Replica, node: &str, value: &str, op: &Operation) -> bool {
    let attribute = Lasting { name: format!("{}-replica", replica.instance) };
    let set = attribute.set(node, value, &op.deadline.within(ATTRIBUTE));
    let trouble = match &set {
        // No Pacemaker on this host: a run by hand.
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(format!("tell the cluster that {} of {node} is {value}: {error}", attribute.name)),
        Ok(_) => None,
    };
    memory::once(op, "replica-attribute", trouble.as_deref());
    if matches!(set, Ok(true)) {
        op.log.info(&format!("{} of {node} is {value} now", attribute.name));
    }
    set.is_ok()
}

/// Logs what replication has kept on a node: of this epoch, the newest.
pub(super) fn log_kept(report: &Report, epoch: u64, op: &Operation) {
    let of_epoch = |folder: &str| {
        Path::new(folder).file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("E{epoch}-")))
    };
    if let Some(backup) = report.backups.iter().find(|backup| of_epoch(&backup.folder) && !backup.is_empty()) {
        op.log.warning(&format!("kept on {}: {}", report.node, backup.words()));
    }
    for line in &report.removed {
        op.log.info(&format!("on {}: {line}", report.node));
    }
}

/// Ends what an action that was killed may have left: our own rsyncs, and those by which somebody still writes into the
/// folders of the node that is, or is to be, active.
pub(super) fn end_leftovers(replica: &Replica, op: &Operation) {
    let attic = Attic::of(&replica.instance).path("").display().to_string();
    let is_ours = |words: &[String]| {
        let server = words.iter().any(|word| word == "--server") && !words.iter().any(|word| word == "--sender");
        let target = words.iter().rev().find(|word| !word.is_empty()).map(Path::new);
        let into_us = server && target.is_some_and(|target| replica.folders.iter().any(|f| target.starts_with(f)));
        into_us || words.iter().any(|word| word.contains(&attic))
    };
    let ended = rsync::end_leftovers(is_ours, &op.deadline.within(LEFTOVERS));
    if ended > 0 {
        op.log.warning(&format!("{ended} rsync processes of before were still at work: ended"));
    }
}
