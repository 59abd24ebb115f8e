//! Jobs of a cron table that run at this moment, and their end.
//!
//! cron does not say which process is of which table. A process counts as a job of the table when all of it is true: its parent
//! is cron, of this PID namespace; its user is that of a line of the table; and its arguments are those of the line. All that
//! it has started belongs to it. Anything less certain is left alone.

mod table;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use self::table::Line;
use super::service::processes::{self, Seen};
use crate::ocf::deadline::Deadline;

/// How long a job gets to end after SIGTERM.
const TERM: Duration = Duration::from_secs(1);
/// How long the kernel gets to end what was killed.
const KILL: Duration = Duration::from_secs(1);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// cron's program: Debian's and Red Hat's.
const CRON: [&str; 2] = ["cron", "crond"];

/// What became of the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How many processes there were.
    pub ran: usize,
    /// How many of them had to be signalled.
    pub signalled: usize,
    /// How many the kernel still shows: killed, so that they do nothing more than what they wait for.
    pub left: usize,
}

/// Waits for the jobs of `table` that run, at most `graceful`; ends those that then still do, with SIGTERM and after a second
/// with SIGKILL. To be called when cron starts no more of them.
///
/// # Errors
/// When the table or the processes cannot be read, or a signal cannot be sent.
pub fn end(table: &Path, graceful: Duration, deadline: &Deadline) -> io::Result<Ended> {
    let mut jobs = Jobs { lines: users(table::read(table)?), known: HashMap::new() };
    for (signal, limit) in [(None, graceful), (Some(Signal::SIGTERM), TERM), (Some(Signal::SIGKILL), KILL)] {
        if jobs.lines.is_empty() || jobs.await_end(signal, &deadline.within(limit))? {
            break;
        }
    }
    let left = jobs.look()?.len();
    let signalled = jobs.known.values().filter(|signal| signal.is_some()).count();
    Ok(Ended { ran: jobs.known.len(), signalled, left })
}

/// The lines with the ids of their users: of those in /etc/passwd, as a service that packages make is. Others may live in a
/// directory that answers late.
fn users(lines: Vec<Line>) -> Vec<(u32, Line)> {
    if lines.is_empty() {
        return Vec::new();
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let id = |name: &str| {
        let mut entries = passwd.lines().map(|line| line.split(':'));
        entries.find_map(|mut fields| (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?)
    };
    lines.into_iter().filter_map(|line| Some((id(&line.user)?, line))).collect()
}

/// The jobs of a table.
struct Jobs {
    lines: Vec<(u32, Line)>,
    /// Every process that was seen, by id and start, and the last signal that it got: a shell that ends leaves children,
    /// which nobody could tell from others any more.
    known: HashMap<(i32, u64), Option<Signal>>,
}

impl Jobs {
    /// Waits until none is left; each gets `signal` once. False at the deadline.
    fn await_end(&mut self, signal: Option<Signal>, limit: &Deadline) -> io::Result<bool> {
        loop {
            let seen = self.look()?;
            if seen.is_empty() {
                return Ok(true);
            }
            for process in &seen {
                let last = self.known.entry(process.key()).or_default();
                if signal.is_some() && *last != signal {
                    *last = signal;
                    process.signal(signal.unwrap_or(Signal::SIGTERM))?;
                }
            }
            if !limit.sleep(PAUSE) {
                return Ok(false);
            }
        }
    }

    /// What of them lives.
    fn look(&self) -> io::Result<Vec<Seen>> {
        let all = processes::all()?;
        let cron: Vec<i32> = all.iter().filter(|seen| is_cron(seen)).map(|seen| seen.process.pid).collect();
        let is_job = |seen: &Seen| cron.contains(&seen.parent) && self.is_of_table(seen.process.pid);
        Ok(processes::with_children(all, |seen| self.known.contains_key(&seen.key()) || is_job(seen)))
    }

    /// Whether a child of cron is of this table.
    fn is_of_table(&self, pid: i32) -> bool {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let (Ok(data), Ok(line)) = (fs::metadata(&folder), fs::read(folder.join("cmdline"))) else { return false };
        let Ok(line) = String::from_utf8(line) else { return false };
        let arguments: Vec<&str> = line.strip_suffix('\0').unwrap_or(&line).split('\0').collect();
        self.lines.iter().any(|(user, line)| *user == data.uid() && line.is(&arguments))
    }
}

/// Whether it is cron, or its child that waits for one job: of this PID namespace, as a container has a cron of its own.
fn is_cron(seen: &Seen) -> bool {
    if !CRON.iter().any(|name| seen.name.eq_ignore_ascii_case(name.as_bytes())) {
        return false;
    }
    let link = |name: &str| fs::read_link(format!("/proc/{}/{name}", seen.process.pid)).unwrap_or_default();
    let program = link("exe");
    // A package upgrade replaces the file under a cron that runs.
    let name = program.file_name().and_then(OsStr::to_str).map(|name| name.strip_suffix(" (deleted)").unwrap_or(name));
    let own = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    name.is_some_and(|name| CRON.contains(&name)) && !own.as_os_str().is_empty() && link("ns/pid") == own
}
