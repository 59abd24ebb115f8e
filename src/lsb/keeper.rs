//! The loop of an agent whose monitor has to be done again and again: a process in the background, known by its claim.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::ocf::deadline::Deadline;
use crate::ocf::instance::Instance;
use crate::ocf::state::ROOT;
use crate::sys::claim;
use crate::sys::process::DIRECTORIES;

/// How long a loop may take to begin, or to end when it is asked to: a round that is under way comes to its end first.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often that is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// The file that the loop of an instance claims: beside its state folder, which comes and goes.
pub fn path(instance: &Instance) -> PathBuf {
    Path::new(ROOT).join(format!("{}.loop", instance.file_name()))
}

/// The process of the loop; none when there is none.
///
/// # Errors
/// What the kernel says.
pub fn process(instance: &Instance) -> io::Result<Option<Pid>> {
    claim::holder(&path(instance))
}

/// Begins the loop, unless it runs: the program again, with a clean environment and nothing open, with the parameters of the
/// start before.
///
/// # Errors
/// One line.
pub fn begin(instance: &Instance) -> io::Result<()> {
    if process(instance)?.is_some() {
        return Ok(());
    }
    let mut child = Command::new(std::env::current_exe()?)
        .args(["lvs", "run", "--background", "--instance", instance.name()])
        .env_clear()
        .env("PATH", DIRECTORIES.join(":"))
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Deadline::after(PATIENCE);
    while process(instance)?.is_none() {
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("its loop has ended at once ({status}): see the log")));
        }
        if !deadline.sleep(PAUSE) {
            let _ = child.kill();
            return Err(io::Error::other(format!("its loop has not begun within {} s", PATIENCE.as_secs())));
        }
    }
    Ok(())
}

/// Ends the loop: asks it to, and kills it when it does not.
///
/// # Errors
/// It is there all the same.
pub fn end(instance: &Instance) -> io::Result<()> {
    for (signal, limit) in [(Signal::SIGTERM, PATIENCE), (Signal::SIGKILL, Duration::from_secs(2))] {
        let Some(pid) = process(instance)? else { break };
        // Fails only when it has ended meanwhile.
        let _ = kill(pid, signal);
        let deadline = Deadline::after(limit);
        while process(instance)? == Some(pid) && deadline.sleep(PAUSE) {}
    }
    if let Some(pid) = process(instance)? {
        return Err(io::Error::other(format!("its loop, process {pid}, does not end")));
    }
    let _ = std::fs::remove_file(path(instance));
    let _ = std::fs::remove_dir(ROOT);
    Ok(())
}
