//! Whether somebody holds a lock on a file (fcntl(2)), also on another host, where the file system's server knows. The question
//! takes no lock itself.
//!
//! A file system that hangs keeps whoever asks, out of reach of every signal; so a child asks, which is this program again, and is
//! left behind when it has to be.

use std::fs::File;
use std::io;
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// The sub-command of this program that asks.
pub const COMMAND: &str = "lock-is-held";
/// What it prints.
const HELD: &str = "held";
const FREE: &str = "free";

/// Whether any part of the file at `path` is locked by anybody else.
///
/// # Errors
/// One line: it cannot be asked, or does not answer in time.
pub fn is_held(path: &Path, deadline: &Deadline) -> Result<bool, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let arguments = [COMMAND.as_ref(), "--".as_ref(), path.as_os_str()];
    let output = process::run(&program, &arguments, None, deadline).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => format!("no answer in {:.1} s", deadline.span().as_secs_f32()),
        _ => error.to_string(),
    })?;
    match output.text().trim() {
        HELD if output.status.success() => Ok(true),
        FREE if output.status.success() => Ok(false),
        _ => Err(output.reason()),
    }
}

/// Asks in this process: one word.
///
/// # Errors
/// What the kernel says.
pub fn ask(path: &Path) -> io::Result<&'static str> {
    let file = File::open(path)?;
    // From the begin of the file to its end, whatever that is.
    let kind = libc::c_short::try_from(libc::F_WRLCK).unwrap_or_default();
    let whence = libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default();
    let mut lock = libc::flock { l_type: kind, l_whence: whence, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(&file, FcntlArg::F_GETLK(&mut lock))?;
    Ok(if i32::from(lock.l_type) == libc::F_UNLCK { FREE } else { HELD })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_lock_of_another_process_is_seen_and_none_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "").unwrap();
        assert_eq!(ask(&path).unwrap(), FREE);
        let line = "import fcntl,sys,time\nf=open(sys.argv[1],'r+')\nfcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB,1)\n\
                    print('locked',flush=True)\ntime.sleep(30)\n";
        let mut child = Command::new("python3").args(["-c", line]).arg(&path).stdout(Stdio::piped()).spawn().unwrap();
        let limit = Deadline::after(Duration::from_secs(20));
        while ask(&path).unwrap() == FREE {
            assert!(limit.sleep(Duration::from_millis(20)), "the lock is not seen");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(ask(&path).unwrap(), FREE);
        assert_eq!(ask(Path::new("/nonexistent/lock")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
