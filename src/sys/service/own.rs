//! A program that we run ourselves, so that nobody else starts it, and all that it starts ends with it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::processes::{self, Seen, look};
use super::stop::Whom;
use super::systemd::{TELL, systemd_runs};
use super::unit_files::{NO_NAME, is_name};
use super::{APPEAR, Ended, Process, Service, because, launch, session, stop, transient};
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// A program that lives for so long after its begin has read its command line and its configuration.
const SETTLE: Duration = Duration::from_millis(100);
/// Kept back from the time for a start, to take it back.
const UNDO: Duration = Duration::from_millis(500);
/// A script is run by its interpreter, which may have an option: so many words may stand before the command.
const INTERPRETER: usize = 2;

/// Starts it, unless it runs as wanted, and waits until it has lived for a while. What else is left of it is ended first:
/// children of a dead main process, one that is stopped (state T), or one with another command line. Its control group.
///
/// # Errors
/// That there is no such program, what systemd said, or how it ended and its last words.
pub(super) fn start(
    service: &Service,
    unit: &str,
    program: &Path,
    arguments: &[String],
    deadline: &Deadline,
) -> io::Result<Option<String>> {
    let failed = |cause: io::Error| io::Error::new(cause.kind(), because("start", service, &cause).to_string());
    if !is_name(unit) {
        return Err(because("start", service, &NO_NAME));
    }
    let seen = service.seen().map_err(failed)?;
    let runs =
        seen.iter().any(|one| one.process.top && !one.is_stopped() && is_command(one.process.pid, program, arguments));
    let (state, group) = match systemd_runs() {
        true => transient::state(unit, deadline).map_err(failed)?,
        // There is nobody else who could be about to end it.
        false => (if runs { "active" } else { "inactive" }.to_owned(), None),
    };
    if runs && state == "active" {
        return Ok(group);
    }
    if !seen.is_empty() || !matches!(state.as_str(), "inactive" | "failed") {
        service.stop(Signal::SIGKILL, Duration::ZERO, deadline)?;
    }
    // The name as it is given: that is how the process will be known.
    if !program.is_absolute() || process::find(program).is_none() {
        let text = format!("there is no program {}", program.display());
        return Err(failed(io::Error::new(io::ErrorKind::NotFound, text)));
    }
    let limit = deadline.within(deadline.left().saturating_sub(UNDO));
    let started = match systemd_runs() {
        true => as_unit(unit, program, arguments, &limit),
        false => as_session(unit, program, arguments, &limit).map(|()| None),
    };
    started.map_err(|cause| {
        let undone = service.stop(Signal::SIGKILL, Duration::ZERO, deadline);
        failed(match undone {
            Ok(_) => cause,
            Err(second) => io::Error::other(format!("{cause}; undoing it failed too: {second}")),
        })
    })
}

fn as_unit(unit: &str, program: &Path, arguments: &[String], deadline: &Deadline) -> io::Result<Option<String>> {
    let started = transient::start(unit, program, arguments, deadline)?;
    if settles(started.main, program, arguments, deadline)? {
        return Ok(started.group);
    }
    Err(io::Error::other(format!("it ended at once: {}", transient::epitaph(unit, started.main, deadline))))
}

fn as_session(unit: &str, program: &Path, arguments: &[String], deadline: &Deadline) -> io::Result<()> {
    let mut child = session::spawn(unit, program, arguments)?;
    if settles(child.id().cast_signed(), program, arguments, deadline)? {
        // Whoever is its parent when we have ended reaps it.
        return Ok(());
    }
    let status = child.wait()?;
    Err(io::Error::other(format!("it ended at once: {}", launch::ending(status))))
}

/// Waits until the process has become the program and has lived for a while; false when it has ended.
///
/// # Errors
/// When it has not become the program in time.
fn settles(pid: i32, program: &Path, arguments: &[String], deadline: &Deadline) -> io::Result<bool> {
    let patience = deadline.within(APPEAR);
    let mut since = None;
    loop {
        if pid == 0 || look(pid)?.is_none() {
            return Ok(false);
        }
        if since.is_none() && is_command(pid, program, arguments) {
            since = Some(Instant::now());
        }
        if since.is_some_and(|since| since.elapsed() >= SETTLE) {
            return Ok(true);
        }
        if !patience.sleep(Duration::from_millis(5)) {
            let text = format!("process {pid} is not {} after {} ms", program.display(), patience.span().as_millis());
            return if since.is_some() { Ok(true) } else { Err(io::Error::new(io::ErrorKind::TimedOut, text)) };
        }
    }
}

/// Whether a process was started with this program and these arguments, by itself or by the interpreter of a script.
pub(super) fn is_command(pid: i32, program: &Path, arguments: &[String]) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| is_command_line(&line, program, arguments))
}

fn is_command_line(line: &[u8], program: &Path, arguments: &[String]) -> bool {
    let line = line.strip_suffix(&[0]).unwrap_or(line);
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let wanted: Vec<&[u8]> =
        [program.as_os_str().as_bytes()].into_iter().chain(arguments.iter().map(|a| a.as_bytes())).collect();
    let before = words.len().checked_sub(wanted.len()).filter(|before| *before <= INTERPRETER);
    before.is_some_and(|before| {
        words.get(before..) == Some(wanted.as_slice())
            && (before == 0 || !words.first().is_some_and(|w| session::is_setsid(w)))
    })
}

/// Ends it as a unit, and leaves no failed one behind: one that had to be killed counts as failed.
///
/// # Errors
/// See [`Service::stop`].
pub(super) fn end(
    service: &Service,
    unit: &str,
    signal: Signal,
    graceful: Duration,
    deadline: &Deadline,
) -> io::Result<Ended> {
    if !is_name(unit) {
        return Ok(Ended { ran: false, killed: 0 });
    }
    let swept = stop::sweep(service, Whom::All, signal, graceful, deadline);
    // Also a start that is on its way. Where systemd does not answer, nothing restarts the unit either: it is made so.
    let told = transient::end(unit, &deadline.within(TELL));
    // The kernel has the last word.
    let rest = stop::sweep(service, Whom::All, Signal::SIGKILL, Duration::ZERO, deadline);
    match (swept, rest, told) {
        (Ok(swept), Ok(rest), _) => Ok(Ended { ran: swept.ran || rest.ran, killed: swept.killed + rest.killed }),
        (Err(_), Ok(rest), _) => Ok(Ended { ran: true, killed: rest.killed }),
        (_, Err(rest), Err(told)) => Err(io::Error::new(rest.kind(), format!("{rest}; {told}"))),
        (_, Err(rest), Ok(())) => Err(rest),
    }
}

/// Whether the process is of a program of our own, of whichever instance: of a unit whose name begins with `prefix`. No look
/// at what else it is.
pub fn is_own(pid: i32, prefix: &str) -> bool {
    let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let mark = format!("{}={prefix}", session::MARK);
    let marked = read("environ").split(|byte| *byte == 0).any(|word| word.starts_with(mark.as_bytes()));
    let is_unit = |part: &str| part.starts_with(prefix) && part.ends_with(".service");
    marked || String::from_utf8_lossy(&read("cgroup")).lines().any(|line| line.split('/').any(is_unit))
}

/// The processes of this PID namespace whose program is called `name` and that do not belong to `ours`: of somebody else,
/// or started at boot. A script counts by its own name. Where nobody can tell which are ours, none.
pub fn others(name: &str, ours: &Service) -> Vec<Process> {
    let Ok(namespace) = fs::read_link("/proc/self/ns/pid") else { return Vec::new() };
    let is_called = |seen: &Seen| {
        let link = fs::read_link(format!("/proc/{}/exe", seen.process.pid)).ok();
        let Some(link) = link else { return false };
        let file = link.file_name().map(OsStr::as_bytes).unwrap_or_default();
        // A package upgrade has replaced it.
        let file = file.strip_suffix(b" (deleted)").unwrap_or(file);
        // The kernel keeps 15 bytes.
        file == name.as_bytes() || seen.name == name.as_bytes().get(..15).unwrap_or(name.as_bytes())
    };
    let here =
        |seen: &Seen| fs::read_link(format!("/proc/{}/ns/pid", seen.process.pid)).is_ok_and(|own| own == namespace);
    // Ours after all: what ours starts meanwhile is no stranger.
    let (Ok(all), Ok(ours)) = (processes::all(), ours.seen()) else { return Vec::new() };
    let all = all.into_iter().filter(|seen| !ours.iter().any(|own| own.key() == seen.key()));
    let mut found = all.filter(|seen| is_called(seen) && here(seen)).collect::<Vec<_>>();
    // A child of ours may have been gone before ours were looked at.
    found.retain(|seen| look(seen.process.pid).is_ok_and(|now| now.is_some_and(|now| now.key() == seen.key())));
    found.into_iter().map(|seen| seen.process).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_with_and_without_an_interpreter() {
        let arguments = ["-nodaemon".to_owned(), "/run/a b/conf".to_owned()];
        let is = |line: &str| is_command_line(line.as_bytes(), Path::new("/usr/bin/lsyncd"), &arguments);
        assert!(is("/usr/bin/lsyncd\0-nodaemon\0/run/a b/conf\0"));
        assert!(is("/bin/sh\0/usr/bin/lsyncd\0-nodaemon\0/run/a b/conf\0"));
        assert!(is("/usr/bin/env\0python3\0/usr/bin/lsyncd\0-nodaemon\0/run/a b/conf\0"));
        for other in [
            "",
            "/usr/bin/lsyncd\0",
            "/usr/bin/lsyncd\0-nodaemon\0/run/a b/conf\0more\0",
            "/usr/bin/lsyncd\0-nodaemon\0/run/a b/other\0",
            "lsyncd\0-nodaemon\0/run/a b/conf\0",
            "/usr/bin/setsid\0/usr/bin/lsyncd\0-nodaemon\0/run/a b/conf\0",
            "/usr/bin/strace\0-f\0-p\0/usr/bin/lsyncd\0-nodaemon\0/run/a b/conf\0",
        ] {
            assert!(!is(other), "{other:?}");
        }
        assert!(is_command_line(b"/bin/daemon\0", Path::new("/bin/daemon"), &[]));
        assert!(is_command_line(b"/bin/daemon\0\0", Path::new("/bin/daemon"), &[String::new()]));
    }
}
