//! The state folder of an instance, /run/inuvika-ha/INSTANCE: gone after stop and after a reboot.
//!
//! It is a memory, never the truth: what runs is asked from the kernel. Files are written beside and renamed, so a killed
//! action leaves the old or the new content. The folder itself is the lock.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use serde::{Serialize, de::DeserializeOwned};

use super::deadline::Deadline;
use super::instance::Instance;

/// Parent of all state folders.
pub const ROOT: &str = "/run/inuvika-ha";

/// Parent of what instances keep that has to survive a reboot.
pub const ATTIC: &str = "/var/lib/inuvika-ha";

/// How often a folder is made whose parent others take away meanwhile.
const TRIES: usize = 100;

/// The state folder of one instance.
#[derive(Debug, Clone)]
pub struct State {
    folder: PathBuf,
}

/// What became of a file of the state folder.
#[derive(Debug)]
pub enum Kept<T> {
    /// There is none.
    Nothing,
    /// It is there, but why it cannot be understood is here.
    Unreadable(String),
    /// Its value.
    Value(T),
}

/// Holding it keeps other starts, stops and reloads of the instance out; dropped by the kernel when the process dies.
#[derive(Debug)]
pub struct Lock {
    _folder: Flock<File>,
}

impl State {
    /// The folder of `instance`; it need not exist.
    pub fn of(instance: &Instance) -> Self {
        Self { folder: Path::new(ROOT).join(instance.file_name()) }
    }

    /// The state in this folder, for who keeps it elsewhere than below [`ROOT`].
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folder of the instance whose file name this is.
    pub fn of_file_name(name: &str) -> Self {
        Self { folder: Path::new(ROOT).join(name) }
    }

    /// What the monitor of a passive node remembers: beside the folder of `instance`, as that is there only while the
    /// resource runs here.
    pub fn passive(instance: &Instance) -> Self {
        Self { folder: Path::new(ROOT).join(format!("{}.passive", instance.file_name())) }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits for the lock until `deadline`; Ok(None) when somebody else still holds it then.
    pub fn lock(&self, deadline: &Deadline) -> io::Result<Option<Lock>> {
        loop {
            self.create()?;
            let folder = match File::open(&self.folder) {
                // Removed by a stop between the two calls.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !deadline.passed() => continue,
                other => other?,
            };
            let before = folder.metadata()?;
            match Flock::lock(folder, FlockArg::LockExclusiveNonblock) {
                // The holder before us may have removed the folder: then this lock is on nothing.
                Ok(lock) if self.is_same(&before) => return Ok(Some(Lock { _folder: lock })),
                Ok(_) => {}
                Err((_, nix::errno::Errno::EWOULDBLOCK)) => {}
                Err((_, errno)) => return Err(errno.into()),
            }
            if !deadline.sleep(Duration::from_millis(20)) {
                return Ok(None);
            }
        }
    }

    fn is_same(&self, other: &fs::Metadata) -> bool {
        fs::metadata(&self.folder).is_ok_and(|now| (now.dev(), now.ino()) == (other.dev(), other.ino()))
    }

    fn create(&self) -> io::Result<()> {
        let parent = self.folder.parent().unwrap_or(Path::new(ROOT));
        let make = || {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
            match fs::DirBuilder::new().mode(0o700).create(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        };
        // A stop takes the parent away with its last child, at any time: also between the two calls.
        let gone = |made: &io::Result<()>| matches!(made, Err(error) if error.kind() == io::ErrorKind::NotFound);
        (0..TRIES).map(|_| make()).find(|made| !gone(made)).unwrap_or_else(make)
    }

    /// Writes `value` as JSON to `name`.
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        self.write_bytes(name, &serde_json::to_vec(value)?)
    }

    /// Writes `bytes` to `name`, for what is too much to be JSON.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let beside = self.folder.join(format!(".{name}.{}", std::process::id()));
        let open = || File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside);
        let mut file = match open() {
            // Most often it is there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create().and_then(|()| open())?,
            other => other?,
        };
        // What could not be written must not pile up where there is no room.
        file.write_all(bytes).and_then(|()| fs::rename(&beside, self.folder.join(name))).inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    }

    /// Reads `name`; none when it is not there or cannot be understood (an older version's file is no reason to fail).
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.folder.join(name)).ok()?).ok()
    }

    /// Reads `name` where it matters whether it is not there or cannot be understood.
    pub fn recall<T: DeserializeOwned>(&self, name: &str) -> Kept<T> {
        match self.recall_bytes(name) {
            Kept::Nothing => Kept::Nothing,
            Kept::Unreadable(why) => Kept::Unreadable(why),
            Kept::Value(bytes) => {
                serde_json::from_slice(&bytes).map_or_else(|e| Kept::Unreadable(e.to_string()), Kept::Value)
            }
        }
    }

    /// Reads what [`State::write_bytes`] has written.
    pub fn recall_bytes(&self, name: &str) -> Kept<Vec<u8>> {
        match fs::read(self.folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::Nothing,
            Err(error) => Kept::Unreadable(error.to_string()),
            Ok(bytes) => Kept::Value(bytes),
        }
    }

    /// Removes the file `name` when it is there.
    pub fn forget(&self, name: &str) {
        let _ = fs::remove_file(self.folder.join(name));
    }

    /// Whether there is a file `name`.
    pub fn has(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    /// Removes all files; the folder stays, and with it the lock.
    pub fn clear(&self) -> io::Result<()> {
        fs::read_dir(&self.folder)?.try_for_each(|entry| {
            let entry = entry?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
            // A process that ends just now takes its own away.
            removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
        })
    }

    /// Removes the folder when nothing is in it.
    pub fn remove_if_empty(&self) {
        let _ = fs::remove_dir(&self.folder);
        let _ = fs::remove_dir(ROOT);
    }

    /// Removes the folder with all that is in it; true when nothing is left.
    pub fn remove(&self) -> bool {
        let _ = fs::remove_dir_all(&self.folder);
        // The parent goes with its last child; it stays while others need it.
        let _ = fs::remove_dir(ROOT);
        !self.folder.exists()
    }
}

/// Instances that have a file called `name` in their state folder, by folder name.
pub fn instances_with(name: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(ROOT) else { return Vec::new() };
    entries.filter_map(Result::ok).map(|e| e.path().join(name)).filter(|path| path.is_file()).collect()
}
