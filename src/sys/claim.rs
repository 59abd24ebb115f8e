//! Who keeps something going: a lock on a file that the kernel gives back when its process ends, however it ends, and whose
//! holder it names. So there is no PID file that could be stale.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::unistd::Pid;

/// A claim that this process holds until it ends or drops it, which takes the file away. At most one for each file in a process.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    _file: File,
}

impl Claim {
    /// Takes the claim at `path`, whose folder is made; none when another process holds it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
            match fcntl(&file, FcntlArg::F_SETLK(&whole())) {
                Ok(_) => {}
                Err(Errno::EACCES | Errno::EAGAIN) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
            // The holder before may have taken the file away: then this lock is on nothing that others find.
            let own = file.metadata()?;
            if fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (own.dev(), own.ino())) {
                return Ok(Some(Self { path: path.to_owned(), _file: file }));
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Still locked: nobody else can hold a file that is at this path.
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = self.path.parent() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The process that holds the claim at `path`; none when nobody does.
///
/// # Errors
/// What the kernel says.
pub fn holder(path: &Path) -> io::Result<Option<Pid>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut lock = whole();
    fcntl(&file, FcntlArg::F_GETLK(&mut lock))?;
    Ok((i32::from(lock.l_type) != libc::F_UNLCK).then(|| Pid::from_raw(lock.l_pid)))
}

/// A lock for writing, from the begin of the file to its end, whatever that is.
fn whole() -> libc::flock {
    let kind = libc::c_short::try_from(libc::F_WRLCK).unwrap_or_default();
    let whence = libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default();
    libc::flock { l_type: kind, l_whence: whence, l_start: 0, l_len: 0, l_pid: 0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_file_goes_with_the_claim() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/a.loop");
        assert_eq!(holder(&path).unwrap(), None);
        let claim = Claim::take(&path).unwrap().unwrap();
        assert!(path.exists());
        drop(claim);
        assert!(!path.exists() && !path.parent().unwrap().exists());
    }
}
