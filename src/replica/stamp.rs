//! What a node knows of its own data, in the attic: it survives a reboot, and is never replicated.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::scope::Scope;
use crate::cluster::member::is_name;
use crate::ocf::deadline::Deadline;
use crate::ocf::state::ATTIC;

/// No cluster gets here by counting; a number beyond is damage, or a lie.
pub const EPOCH_MAX: u64 = 1 << 53;
/// Longest file of ours that is read, in bytes: a stamp names all folders.
const CAP: u64 = 1 << 19;
/// How long another one may take to look at the stamp and write it: a file that is synced to a slow disk.
const LOCK: Duration = Duration::from_secs(2);

/// How a node came to its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is or was the active node.
    Source,
    /// The active node has sent everything.
    Copy,
}

/// Which data a node has. Written last, when the data are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Of these data. 0: what stood here before there was any replication.
    pub epoch: u64,
    /// How they came here.
    pub kind: Kind,
    /// A copy: whether a full pass has arrived. A source always has all.
    pub complete: bool,
    /// A copy: the active node has stopped, and everything of it is here. A source: it has stopped, and may have told the
    /// peer so; it has to raise the epoch before it changes anything again.
    pub clean: bool,
    /// The source of the data, by its node name.
    pub node: String,
    /// When it was written, in Unix seconds by this node's clock: for people, nothing is decided by it.
    pub at: u64,
    /// A source that serves older data than another node's: the epoch its own are based on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<u64>,
    /// A copy: what is in it. None: written by a version that did not say, which counts as what is copied now, as it did for
    /// that version: an update alone must not make a good copy worthless, and the next full push says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// It lacks something that is to be copied now: see [`Stamp::seen_for`]. Found out by the reader, never stored.
    #[serde(skip)]
    pub partial: bool,
}

impl Stamp {
    /// The stamp of the active node.
    pub fn source(epoch: u64, node: &str, fork: Option<u64>) -> Self {
        Self { kind: Kind::Source, fork, ..Self::copy(epoch, node, false) }
    }

    /// The stamp of a node that has everything of `node`'s.
    pub fn copy(epoch: u64, node: &str, clean: bool) -> Self {
        let (kind, node, at) = (Kind::Copy, node.to_owned(), unix_now());
        Self { epoch, kind, complete: true, clean, node, at, fork: None, scope: None, partial: false }
    }

    /// The stamp as it counts where `wanted` is to be copied: a copy of less is partial. A source has all there is, whatever
    /// was copied of it.
    #[must_use]
    pub fn seen_for(self, wanted: &Scope) -> Self {
        let partial = self.kind == Kind::Copy && self.scope.as_ref().is_some_and(|scope| !scope.covers(wanted));
        Self { partial: self.partial || partial, ..self }
    }

    /// Whether it can be what it says: it may come from another host, or from a damaged disk.
    pub fn is_sane(&self) -> bool {
        self.epoch <= EPOCH_MAX && self.fork.is_none_or(|base| base < self.epoch) && is_name(&self.node)
    }

    /// How new the data are: by epoch; a fork stands between its base and what came after that on the other node, and what
    /// lacks a folder between its epoch and the one before.
    pub fn rank(&self) -> u64 {
        self.whole_rank().saturating_sub(u64::from(self.partial))
    }

    /// The same of the data that this would be if it lacked nothing.
    pub fn whole_rank(&self) -> u64 {
        rank(self.epoch, self.fork)
    }
}

/// See [`Stamp::rank`].
pub fn rank(epoch: u64, fork: Option<u64>) -> u64 {
    fork.map_or(epoch.saturating_mul(2), |base| base.saturating_mul(2).saturating_add(1))
}

/// The clock, in Unix seconds.
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The folder of an instance that survives a reboot.
#[derive(Debug, Clone)]
pub struct Attic {
    folder: PathBuf,
}

impl Attic {
    /// That of `instance` (its file name).
    pub fn of(instance: &str) -> Self {
        Self { folder: Path::new(ATTIC).join(instance) }
    }

    /// One anywhere, for tests.
    #[cfg(test)]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// A place in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder that is replicated for the canary.
    pub fn canary(&self) -> PathBuf {
        self.path("canary")
    }

    /// What replication has kept from being overwritten or deleted.
    pub fn backups(&self) -> PathBuf {
        self.path("backup")
    }

    /// The stamp; none when there is none.
    ///
    /// # Errors
    /// When there is one that cannot be read or is damaged.
    pub fn stamp(&self) -> io::Result<Option<Stamp>> {
        let path = self.path("stamp");
        match read::<Stamp>(&path) {
            Ok(stamp) if stamp.is_sane() => Ok(Some(stamp)),
            Ok(_) => Err(io::Error::other(format!("{} is damaged", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::new(error.kind(), format!("read {}: {error}", path.display()))),
        }
    }

    /// Keeps others from writing the stamp while it is looked at and replaced, until the lock is dropped. Waits up to 2 s.
    ///
    /// # Errors
    /// That somebody else still has it then, or that there can be no folder.
    pub fn lock(&self, deadline: &Deadline) -> io::Result<Flock<File>> {
        create(&self.folder)?;
        let deadline = deadline.within(LOCK);
        let mut folder = File::open(&self.folder)?;
        loop {
            folder = match Flock::lock(folder, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(lock),
                Err((folder, Errno::EWOULDBLOCK)) => folder,
                Err((_, errno)) => return Err(errno.into()),
            };
            if !deadline.sleep(Duration::from_millis(5)) {
                let waited = deadline.used().as_secs_f32();
                let text = format!("{} is in use by another command for {waited:.1} s", self.folder.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
        }
    }

    /// Writes the stamp; on return it is on the disk.
    ///
    /// # Errors
    /// When it is not; then the old one stands.
    pub fn set_stamp(&self, stamp: &Stamp) -> io::Result<()> {
        self.write("stamp", stamp)
    }

    /// Writes `value` as JSON, so that after a power loss there is the old or the new content.
    ///
    /// # Errors
    /// When it is not on the disk; then the old content stands.
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let path = self.path(name);
        durably(&path, &serde_json::to_vec(value)?)
            .map_err(|error| io::Error::new(error.kind(), format!("write {}: {error}", path.display())))
    }
}

/// Reads a JSON file of ours.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    use std::io::Read;
    let mut bytes = Vec::new();
    File::open(path)?.take(CAP).read_to_end(&mut bytes)?;
    serde_json::from_slice(&bytes).map_err(io::Error::from)
}

/// Written beside, on the disk, renamed, and the folder on the disk as well.
fn durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    create(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Of this process alone: two that write at once must not write into one file.
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.and_then(|()| File::open(folder)?.sync_all())
}

/// Makes a folder of the attic: what is kept there are people's sessions, so it is root's alone.
pub(super) fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o755).create(ATTIC).or_else(|error| {
        // A test's attic is elsewhere.
        if folder.starts_with(ATTIC) { Err(error) } else { Ok(()) }
    })?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // The name of a new folder is a change of its parent.
    folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_again_and_a_damaged_one_is_no_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let attic = Attic::at(&folder.path().join("lsyncd"));
        assert_eq!(attic.stamp().unwrap(), None);
        let stamp = Stamp::source(7, "osm1.priv", Some(5));
        attic.set_stamp(&stamp).unwrap();
        assert_eq!(attic.stamp().unwrap(), Some(stamp));
        for text in ["", "{", r#"{"epoch":1e30}"#, "\0\0\0\0"] {
            fs::write(attic.path("stamp"), text).unwrap();
            assert!(attic.stamp().is_err(), "{text}");
        }
        attic.set_stamp(&Stamp::copy(EPOCH_MAX + 1, "osm1.priv", true)).unwrap();
        assert!(attic.stamp().is_err());
    }

    #[test]
    fn one_at_a_time_and_nobody_waits_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let attic = Attic::at(&folder.path().join("lsyncd"));
        let lock = attic.lock(&Deadline::after(Duration::ZERO)).unwrap();
        let error = attic.lock(&Deadline::after(Duration::from_millis(20))).unwrap_err();
        assert!(error.kind() == io::ErrorKind::TimedOut && error.to_string().contains("in use"), "{error}");
        // Whoever writes without it does not wait, and leaves nothing beside.
        attic.set_stamp(&Stamp::copy(7, "osm1", false)).unwrap();
        drop(lock);
        attic.lock(&Deadline::after(Duration::ZERO)).unwrap();
        let names: Vec<_> = fs::read_dir(attic.path("")).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["stamp"]);
    }

    #[test]
    fn a_fork_stands_between_its_base_and_what_the_others_have() {
        let fork = rank(9, Some(6));
        assert!(rank(6, None) < fork && fork < rank(7, None));
    }
}
