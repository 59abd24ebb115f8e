//! Processes as the kernel shows them in /proc: found by program, told apart by their start, signalled without mistaking
//! one for another.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Process;

/// How long the kernel may take to say what it knows of a process, or a local folder to be found.
pub(super) const ANSWER: Duration = Duration::from_millis(500);

/// A process, and what tells how it belongs to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sys) struct Seen {
    /// The part that callers get.
    pub process: Process,
    /// Its parent's id.
    pub parent: i32,
    /// The id of its session, which is that of the process that made it; 0: made outside of this PID namespace.
    pub session: i32,
    /// Its name as the kernel keeps it (15 bytes).
    pub name: Vec<u8>,
}

impl Seen {
    /// Whether it was stopped (SIGSTOP, a debugger): it can act on nothing but SIGKILL.
    pub fn is_stopped(&self) -> bool {
        matches!(self.process.state, 'T' | 't')
    }

    /// The same process, whatever its state is now.
    pub fn key(&self) -> (i32, u64) {
        (self.process.pid, self.process.started)
    }

    /// Sends a signal, unless the id belongs to another process by now. No error when it is gone.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let (pid, started) = self.key();
        if look(pid)?.is_none_or(|now| now.process.started != started) {
            return Ok(());
        }
        match kill(Pid::from_raw(pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(io::Error::other(format!("send {signal} to process {pid}: {}", errno.desc()))),
        }
    }
}

/// Reads the processes with these ids, and marks those whose parent is not among them. Zombies, and those that are gone,
/// are left out.
pub(super) fn look_at(pids: impl IntoIterator<Item = i32>) -> io::Result<Vec<Seen>> {
    let mut all = Vec::new();
    for pid in pids {
        all.extend(look(pid)?);
    }
    Ok(marked(all))
}

/// Every process that /proc shows.
pub(in crate::sys) fn all() -> io::Result<Vec<Seen>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        pids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    look_at(pids)
}

/// Those for which `belongs` says so, and all that those have started, with a mark at those whose parent is not among them.
pub(in crate::sys) fn with_children(all: Vec<Seen>, belongs: impl Fn(&Seen) -> bool) -> Vec<Seen> {
    let mut ours: HashSet<i32> = all.iter().filter(|seen| belongs(seen)).map(|seen| seen.process.pid).collect();
    // A child of a child too, hence until nothing is added.
    loop {
        let children = all.iter().filter(|seen| ours.contains(&seen.parent)).map(|seen| seen.process.pid);
        let before = ours.len();
        ours = ours.iter().copied().chain(children).collect();
        if ours.len() == before {
            break;
        }
    }
    marked(all.into_iter().filter(|seen| ours.contains(&seen.process.pid)).collect())
}

/// The same, with a mark at those whose parent is not among them.
fn marked(mut all: Vec<Seen>) -> Vec<Seen> {
    let ids: Vec<i32> = all.iter().map(|seen| seen.process.pid).collect();
    for seen in &mut all {
        seen.process.top = !ids.contains(&seen.parent);
    }
    all
}

/// One process; none when it is a zombie or gone.
pub(super) fn look(pid: i32) -> io::Result<Option<Seen>> {
    // The longest line that the kernel can write there is shorter.
    let mut buffer = [0; 1024];
    let length = match File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut buffer)) {
        Ok(length) => length,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let seen = parse(buffer.get(..length).unwrap_or_default());
    let seen = seen.ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat: not understood")))?;
    Ok(Some(seen).filter(|seen| !matches!(seen.process.state, 'Z' | 'X' | 'x')))
}

/// What reading a file of a process says that has ended.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::ESRCH as i32)
}

/// Understands /proc/PID/stat (proc(5)). The name is in parentheses and may hold anything, parentheses too.
fn parse(line: &[u8]) -> Option<Seen> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let pid = str::from_utf8(line.get(..open)?).ok()?.trim().parse().ok()?;
    let mut fields = str::from_utf8(line.get(close + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    // Fields 6 and 22; state is the third.
    let session = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(15)?.parse().ok()?;
    let name = line.get(open + 1..close)?.to_owned();
    Some(Seen { process: Process { pid, state, started, top: false }, parent, session, name })
}

/// Every process of this PID namespace that runs `program`, if `belongs` says so of its arguments, and all processes of
/// the same program that those started. A container has a PID namespace of its own: its web server is not ours.
pub(super) fn of_program(program: &Path, belongs: impl Fn(&[&[u8]]) -> bool) -> io::Result<Vec<Seen>> {
    let resolved = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let namespace = fs::read_link("/proc/self/ns/pid")?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let folder = PathBuf::from(format!("/proc/{pid}"));
        // A thread of the kernel has no such link; one of a process that is gone cannot be read.
        let Ok(link) = fs::read_link(folder.join("exe")) else { continue };
        if is_program(&link, &resolved) && fs::read_link(folder.join("ns/pid")).is_ok_and(|own| own == namespace) {
            let arguments = command_line(pid).unwrap_or_default();
            let arguments: Vec<&[u8]> = arguments.split(|byte| *byte == 0).collect();
            found.push((pid, belongs(&arguments)));
        }
    }
    let candidates = look_at(found.iter().map(|(pid, _)| *pid))?;
    let ours: HashSet<i32> = found.into_iter().filter_map(|(pid, belongs)| belongs.then_some(pid)).collect();
    // A child may have renamed itself.
    Ok(with_children(candidates, |seen| ours.contains(&seen.process.pid)))
}

/// What a process was called with; none when it is gone, or does not let itself be asked. The kernel reads that under a lock of the
/// process's memory, which one that maps a file of a dead server holds for ever: no stop may wait for that. The thread ends with
/// this program.
pub(super) fn command_line(pid: i32) -> Option<Vec<u8>> {
    within(ANSWER, move || fs::read(format!("/proc/{pid}/cmdline")).ok())
}

/// What `look` says, unless it takes longer than `limit`: for what may never answer.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    look: impl FnOnce() -> Option<T> + Send + 'static,
) -> Option<T> {
    let (tell, told) = channel();
    thread::Builder::new().spawn(move || drop(tell.send(look()))).ok()?;
    told.recv_timeout(limit).ok().flatten()
}

/// Whether the link of a process leads to `program`, also to one that a package upgrade has replaced meanwhile.
fn is_program(link: &Path, program: &Path) -> bool {
    let link = link.as_os_str().as_bytes();
    link.strip_suffix(b" (deleted)").unwrap_or(link) == program.as_os_str().as_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_is_understood() {
        let rest = "S 17 4242 4241 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654321 1000 200 18446744073709551615";
        for name in ["apache2", "a b", ") R 1 (", "((", "", "\u{e9}"] {
            let seen = parse(format!("4242 ({name}) {rest}\n").as_bytes()).unwrap();
            let process = Process { pid: 4242, state: 'S', started: 987_654_321, top: false };
            assert_eq!((seen.process, seen.parent, seen.session), (process, 17, 4241));
            assert_eq!(seen.name, name.as_bytes());
        }
        for wrong in ["", "4242", "4242 (a", "4242 (a)", "4242 (a) S 17 4", "x (a) S 1"] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_replaced_program_is_the_same_program() {
        let program = Path::new("/usr/sbin/apache2");
        assert!(is_program(Path::new("/usr/sbin/apache2"), program));
        assert!(is_program(Path::new("/usr/sbin/apache2 (deleted)"), program));
        assert!(!is_program(Path::new("/usr/sbin/apache2-new"), program));
        assert!(!is_program(Path::new("/opt/usr/sbin/apache2"), program));
    }

    #[test]
    fn this_process_is_seen_and_a_missing_one_is_not() {
        let own = std::process::id().cast_signed();
        let seen = look_at([own, i32::MAX]).unwrap();
        assert_eq!(seen.iter().map(|seen| (seen.process.pid, seen.process.top)).collect::<Vec<_>>(), [(own, true)]);
        let program = std::env::current_exe().unwrap();
        let all = of_program(&program, |_| true).unwrap();
        assert!(all.iter().any(|seen| seen.process.pid == own), "{all:?}");
        assert!(of_program(Path::new("/nowhere/program"), |_| true).unwrap().is_empty());
    }

    #[test]
    fn nobody_waits_for_what_does_not_answer() {
        let own = std::process::id().cast_signed();
        assert_eq!(command_line(own), Some(fs::read("/proc/self/cmdline").unwrap()));
        assert_eq!(command_line(i32::MAX), None);
        let asleep = within(Duration::from_millis(20), || {
            thread::sleep(Duration::from_secs(600));
            Some(())
        });
        assert_eq!(asleep, None);
    }

    #[test]
    fn a_signal_reaches_only_the_process_that_was_seen() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let seen = look(child.id().cast_signed()).unwrap().unwrap();
        let mut other = seen.clone();
        other.process.started += 1;
        other.signal(Signal::SIGKILL).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "another process was hit");
        seen.signal(Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        seen.signal(Signal::SIGKILL).unwrap();
    }
}
