//! A program of our own where no systemd runs: a daemon in a session of its own, which the kernel keeps as one thing as
//! long as one process of it lives.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::fcntl::OFlag;

use super::own::is_command;
use super::processes::{self, Seen};
use crate::sys::process;

/// Marks the processes in their environment, which their children inherit: so those are known that a dead main process
/// has left behind.
pub(super) const MARK: &str = "INUVIKA_HA_SERVICE";

/// The processes of all sessions that are ours, and what those have started in others.
///
/// # Errors
/// When /proc cannot be read.
pub(super) fn processes(unit: &str, program: &Path, arguments: &[String]) -> io::Result<Vec<Seen>> {
    let all = processes::all()?;
    let namespace = fs::read_link("/proc/self/ns/pid")?;
    let leaders: HashSet<i32> = all.iter().map(|seen| seen.process.pid).collect();
    let is_ours = |seen: &&Seen| {
        let pid = seen.process.pid;
        let leads = seen.session == pid;
        // Others belong to their leader, whose word counts; a session without one is that of a dead main process.
        (leads || !leaders.contains(&seen.session))
            && (is_marked(pid, unit) || leads && is_command(pid, program, arguments))
            // A container has a PID namespace of its own: what runs there is not ours.
            && fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|own| own == namespace)
    };
    // 0: made outside of this PID namespace, by whomever.
    let sessions = all.iter().filter(|seen| seen.session > 0).filter(is_ours).map(|seen| seen.session);
    let sessions: HashSet<i32> = sessions.collect();
    Ok(processes::with_children(all, |seen| sessions.contains(&seen.session)))
}

/// Whether the process was started with our mark. One that is gone was not.
fn is_marked(pid: i32, unit: &str) -> bool {
    let mark = format!("{MARK}={unit}");
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|variables| variables.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()))
}

/// Starts it: setsid(1) makes the session and becomes the program, so the id stays. Its output goes nowhere: a file would
/// grow for as long as it runs, and a pipe would end it together with us.
///
/// # Errors
/// What starting it said.
pub(super) fn spawn(unit: &str, program: &Path, arguments: &[String]) -> io::Result<Child> {
    let setsid = process::find("setsid").ok_or_else(|| io::Error::other("setsid of util-linux is missing"))?;
    close_inherited()?;
    Command::new(setsid)
        .arg(program)
        .args(arguments)
        .env_clear()
        .env("PATH", process::DIRECTORIES.join(":"))
        .env("LC_ALL", "C")
        .env(MARK, unit)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Closes what our caller left open by mistake: a daemon would keep it, and a caller that waits for its end would wait for
/// the daemon. What we have opened ourselves closes with the start of another program, and is told apart by just that.
fn close_inherited() -> io::Result<()> {
    let open: Vec<i32> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in open {
        if !closes_by_itself(number) {
            // It may be gone by now.
            let _ = nix::unistd::close(number);
        }
    }
    Ok(())
}

/// Whether a descriptor of ours closes with the start of another program; one that cannot be asked is left alone.
fn closes_by_itself(number: i32) -> bool {
    let Ok(text) = fs::read_to_string(format!("/proc/self/fdinfo/{number}")) else { return true };
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|octal| i32::from_str_radix(octal.trim(), 8).ok());
    flags.is_none_or(|flags| flags & OFlag::O_CLOEXEC.bits() != 0)
}

/// Whether a process is setsid(1), which is about to become the program.
pub(super) fn is_setsid(command: &[u8]) -> bool {
    Path::new(std::ffi::OsStr::from_bytes(command)).file_name().is_some_and(|name| name == "setsid")
}
