//! What the active node remembers of its peer while it runs, and what the cluster is told of it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::report::{NAME, Report, Verb, ask, own_name};
use super::stamp::Attic;
use super::{Replica, guard};
use crate::cluster::cib::Lasting;
use crate::ocf::deadline::Deadline;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::ocf::state::State;
use crate::sys::remote::rsync::{self, Running};

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
    /// Whether that may not have got there: the cluster did not answer.
    #[serde(default)]
    pub unsure: bool,
    /// Who had newer data at the start, and of which epoch.
    pub newer: Option<(String, u64)>,
    /// Whether the peer refuses older data than its own, once it is known.
    #[serde(default)]
    pub guards: Option<bool>,
    /// The file systems that the folders were on at the start (st_dev of stat(2)).
    #[serde(default)]
    pub devices: Vec<(PathBuf, u64)>,
    /// Their inode numbers, in the same order. Empty when one was missing, and in what an older version has written.
    #[serde(default)]
    pub inodes: Vec<u64>,
    /// Why nothing is pushed, when it is for a folder here: one line for the administrator.
    #[serde(default)]
    pub lost: Option<String>,
}

impl Memory {
    pub(super) fn read(op: &Operation) -> Option<Self> {
        op.state.read(FILE)
    }

    /// That of the instance with this file name, for what runs beside the agent.
    pub(super) fn of(instance: &str) -> Option<Self> {
        State::of_file_name(instance).read(FILE)
    }

    /// Keeps what the cluster was told of the peer, and whether it has answered. What it has not answered it may have done.
    pub(super) fn tell(&mut self, value: &str, answered: bool) {
        self.told = Some(value.to_owned());
        self.unsure = !answered;
    }

    /// Whether the cluster knows that.
    pub(super) fn knows(&self, value: &str) -> bool {
        !self.unsure && self.told.as_deref() == Some(value)
    }

    /// Takes over what an answer says of the peer. A name that is not the cluster's is better than none only.
    pub(super) fn learn(&mut self, report: &Report, op: &Operation) {
        if report.named || self.peer.is_none() {
            self.peer = Some(report.node.clone());
        }
        self.guards = Some(report.guards);
        tell_unguarded(report, op);
    }

    /// What is wrong with a folder that has gone since the start, or is on another file system now: a mount that is lost
    /// leaves an empty folder, which must not empty the peer's. `other` is asked for what else may be wrong, unless these are
    /// the very directories of the start: then nothing has gone from under them.
    pub(super) fn lost_folder(&self, other: impl FnOnce() -> Option<String>) -> Option<String> {
        // Those of a start at which something was wrong already prove nothing.
        let mut same = self.lost.is_none() && !self.inodes.is_empty();
        for (number, (folder, device)) in self.devices.iter().enumerate() {
            match fs::metadata(folder) {
                Ok(now) if now.is_dir() && now.dev() == *device => {
                    same = same && self.inodes.get(number) == Some(&now.ino());
                }
                Ok(now) if now.is_dir() => {
                    let folder = folder.display();
                    return Some(format!("{folder} is on another file system than at start: is its mount gone?"));
                }
                _ => return Some(format!("{} is missing here", folder.display())),
            }
        }
        if same { None } else { other() }
    }

    /// Keeps it; what it is lost for is asked again.
    pub(super) fn write(&self, op: &Operation) {
        if let Err(error) = op.state.write(FILE, self) {
            op.log.warning(&format!("remember the peer: {error}"));
        }
    }
}

/// The file systems that folders are on, and the folders' inode numbers: none of these when a folder is missing, which has
/// no file system either and is told of later.
pub(super) fn places(folders: &[PathBuf]) -> (Vec<(PathBuf, u64)>, Vec<u64>) {
    let place = |folder: &PathBuf| fs::metadata(folder).ok().map(|now| ((folder.clone(), now.dev()), now.ino()));
    let (devices, inodes): (Vec<_>, Vec<_>) = folders.iter().filter_map(place).unzip();
    if devices.len() == folders.len() { (devices, inodes) } else { (devices, Vec::new()) }
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

/// Logs once that the peer takes everything, even what is older than its own.
pub(super) fn tell_unguarded(report: &Report, op: &Operation) {
    let text = format!(
        "inuvika-ha {} on {} would not refuse older files than its own: install this version there, too",
        report.version, report.node
    );
    memory::once(op, "guard", (!report.guards).then_some(text.as_str()));
}

/// Tells the cluster how far a node can be relied on: `ok`, `stale` or `never`. True when it knows now.
pub(super) fn publish(replica: &Replica, node: &str, value: &str, deadline: &Deadline, op: &Operation) -> bool {
    let attribute = Lasting { name: format!("{}-replica", replica.instance) };
    let set = attribute.set(node, value, &deadline.within(ATTRIBUTE));
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
pub(super) fn end_leftovers(replica: &Replica, deadline: &Deadline, op: &Operation) {
    let mut folders = replica.folders.clone();
    folders.push(Attic::of(&replica.instance).canary());
    let is_ours = |running: &Running| is_left(running, &replica.instance, &folders);
    let ended = rsync::end_leftovers(&[rsync::RSYNC, NAME], is_ours, &deadline.within(LEFTOVERS));
    if ended > 0 {
        op.log.warning(&format!("{ended} rsync processes of before were still at work: ended"));
    }
}

/// Whether a process is one of this instance: marked, or about to be. A peer that marks none is known by all that its rsync
/// here has for arguments: it makes exactly these folders what they are there. An rsync that only names them is somebody's.
fn is_left(running: &Running, instance: &str, folders: &[PathBuf]) -> bool {
    if guard::is_receiver(&running.program, &running.arguments, instance) {
        return true;
    }
    if !running.is_rsync() || running.mark.is_some() {
        return running.is_rsync() && running.mark.as_deref() == Some(instance);
    }
    let has = |wanted: &str| running.arguments.iter().any(|word| word == wanted);
    let mirrors =
        has("--server") && !has("--sender") && running.arguments.iter().any(|word| word.starts_with("--delete"));
    let target = running.arguments.last().map(Path::new);
    let into_us = target.is_some_and(|target| {
        // The last push at stop has all folders in one run, with their whole paths.
        folders.iter().any(|folder| folder == target) || target == Path::new("/") && has("--no-implied-dirs")
    });
    running.by_ssh && mirrors && into_us
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(line: &str, mark: Option<&str>, by_ssh: bool) -> Running {
        let mut words = line.split(' ').map(str::to_owned);
        let program = words.next().unwrap_or_default().into();
        Running { program, arguments: words.collect(), mark: mark.map(str::to_owned), by_ssh }
    }

    #[test]
    fn only_what_is_ours_is_ended() {
        let folders = ["/srv/sessions".into(), "/srv/config".into()];
        let left = |line: &str, mark, by_ssh| is_left(&running(line, mark, by_ssh), "lsyncd", &folders);
        let server = "rsync --server -logDtpre.iLsfxC --delete --timeout=60 . /srv/sessions/";
        for (line, mark, by_ssh) in [
            ("rsync -aR -e ssh osm2:/srv/ /", Some("lsyncd"), false),
            ("/usr/bin/rsync --server -logD . /srv/x", Some("lsyncd"), true),
            ("/usr/sbin/inuvika-ha replica receive --instance lsyncd --epoch 7 --from osm1 -- --server", None, true),
            // Of a version that marks nothing.
            (server, None, true),
            ("rsync --server -logDtpRre.iLsfxC --delete-during --no-implied-dirs . /", None, true),
        ] {
            assert!(left(line, mark, by_ssh), "{line}");
        }
        let attic = "/var/lib/inuvika-ha/lsyncd/backup/E3-x";
        for (line, mark, by_ssh) in [
            // An administrator looks after what was kept, brings files back, makes a copy.
            (format!("rsync -a {attic}/ /root/kept/"), None, false),
            (format!("rsync -a --delete --backup --backup-dir={attic} /a/ /srv/sessions/"), None, false),
            (server.replace("--delete ", ""), None, true),
            (server.replace("--server", "--server --sender"), None, true),
            (server.replace("/srv/sessions/", "/srv/sessions/one/"), None, true),
            (server.to_owned(), None, false),
            (format!("vi {attic}"), Some("lsyncd"), false),
            // Another instance's.
            (server.to_owned(), Some("second"), true),
        ] {
            assert!(!left(&line, mark, by_ssh), "{line}");
        }
    }

    #[test]
    #[allow(clippy::unwrap_used, reason = "a test may panic")]
    fn other_reasons_are_looked_for_unless_the_folders_are_those_of_the_start() {
        let root = tempfile::tempdir().unwrap();
        let folders = ["one", "two"].map(|name| root.path().join(name));
        folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let memory = |(devices, inodes)| {
            let text = r#"{"me":"a","epoch":1,"peer":null,"through":false,"told":null,"newer":null}"#;
            Memory { devices, inodes, ..serde_json::from_str(text).unwrap() }
        };
        let all = memory(places(&folders));
        let other = || Some("other".to_owned());
        assert_eq!(all.lost_folder(other), None);
        // At the start a mount was missing already.
        assert_eq!(Memory { lost: other(), ..all.clone() }.lost_folder(other), other());
        // Of an older version, and of a start where one was missing.
        assert_eq!(memory((all.devices.clone(), Vec::new())).lost_folder(other), other());
        let missing = [folders[0].clone(), root.path().join("three")];
        assert_eq!(memory(places(&missing)).lost_folder(other), other());
        // As behind a bind mount that has gone: another directory of the same file system.
        fs::rename(&folders[1], root.path().join("four")).unwrap();
        assert!(all.lost_folder(|| None).is_some_and(|why| why.ends_with("two is missing here")));
        fs::create_dir(&folders[1]).unwrap();
        assert_eq!(all.lost_folder(other), other());
        assert_eq!(all.lost_folder(|| None), None);
        let moved = memory((vec![(folders[0].clone(), 0)], vec![all.inodes[0]]));
        assert!(moved.lost_folder(|| None).is_some_and(|why| why.contains("another file system")));
    }
}
