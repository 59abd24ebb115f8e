//! Runs a program of the host: found in fixed directories, with a clean environment, and never longer than allowed.
//!
//! No shell is involved. Standard input, output and error are served by one poll loop, so that neither side can wait
//! for the other; what is beyond the cap is read and thrown away, so that the program does not hang on a full pipe.

mod pipes;

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{self, Signal};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::ocf::deadline::Deadline;
use pipes::Pipes;

/// Where programs are looked for, in this order. The caller's PATH is never asked.
pub const DIRECTORIES: [&str; 6] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
/// The PATH that the program itself gets.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin";
/// Bytes kept of each output: a listing of 100,000 packet filter rules fits.
const CAP: usize = 16 << 20;
/// What a killed process may take to disappear before we say that it hangs in the kernel.
const REAP: Duration = Duration::from_millis(500);

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, up to the cap.
    pub stdout: Vec<u8>,
    /// Its standard error, up to the cap.
    pub stderr: Vec<u8>,
    /// Whether one of the two was longer than that.
    pub truncated: bool,
}

impl Output {
    /// Standard output as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Why it failed, in one line: the first line of its standard error, else how it ended.
    pub fn reason(&self) -> String {
        let errors = String::from_utf8_lossy(&self.stderr);
        let first = errors.lines().map(str::trim).find(|line| !line.is_empty());
        match (first, self.status.code(), self.status.signal()) {
            (Some(line), ..) => line.to_owned(),
            (None, Some(code), _) => format!("exit code {code}"),
            (None, None, signal) => format!("killed by signal {}", signal.unwrap_or_default()),
        }
    }
}

/// How a program is run where the usual way is not enough.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// Variables of its environment, beside PATH and LC_ALL.
    pub environment: &'a [(&'a str, &'a str)],
    /// Bytes kept of each output.
    pub cap: usize,
    /// What it has left to end by itself at the deadline, after SIGTERM.
    pub grace: Duration,
    /// Whether it gets a process group of its own, which is killed with it, also when it ends by itself: it leaves nothing
    /// behind. A signal to the caller's group does not reach it then.
    pub group: bool,
}

impl Default for Manner<'_> {
    /// No variable, 16 MiB, no time, no group.
    fn default() -> Self {
        Self { environment: &[], cap: CAP, grace: Duration::ZERO, group: false }
    }
}

/// The path of a program: an absolute path is taken as it is, a name is looked for in [`DIRECTORIES`].
pub fn find(program: impl AsRef<Path>) -> Option<PathBuf> {
    let program = program.as_ref();
    if program.is_absolute() {
        return is_program(program).then(|| program.to_owned());
    }
    let is_name = program.components().count() == 1 && program.file_name().is_some();
    let mut places = DIRECTORIES.iter().map(|directory| Path::new(directory).join(program));
    if is_name { places.find(|path| is_program(path)) } else { None }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Runs a program to its end, feeds it `input`, and returns what it wrote. A failed program is no error here.
///
/// At the deadline the program is killed by its own process id (not its children) and reaped.
///
/// # Errors
/// `NotFound` when there is no such program, `TimedOut` at the deadline, else what starting it said.
pub fn run<A: AsRef<OsStr>>(
    program: impl AsRef<Path>,
    arguments: &[A],
    input: Option<&[u8]>,
    deadline: &Deadline,
) -> io::Result<Output> {
    run_ended(program.as_ref(), arguments, input, deadline, &Manner::default())
}

/// The same for a program with children of its own, which it ends itself when it is asked to (rsync): at the deadline it gets
/// SIGTERM, and `grace` later what [`run`] does. It and its children can be told from others by `mark`, a variable and its
/// value, in their environment.
///
/// # Errors
/// See [`run`].
pub fn run_with_children<A: AsRef<OsStr>>(
    program: impl AsRef<Path>,
    arguments: &[A],
    mark: (&str, &str),
    deadline: &Deadline,
    grace: Duration,
) -> io::Result<Output> {
    let manner = Manner { grace, environment: &[mark], ..Manner::default() };
    run_ended(program.as_ref(), arguments, None, deadline, &manner)
}

/// The same in another manner.
///
/// # Errors
/// See [`run`].
pub fn run_in<A: AsRef<OsStr>>(
    manner: &Manner,
    program: impl AsRef<Path>,
    arguments: &[A],
    deadline: &Deadline,
) -> io::Result<Output> {
    run_ended(program.as_ref(), arguments, None, deadline, manner)
}

fn run_ended<A: AsRef<OsStr>>(
    program: &Path,
    arguments: &[A],
    input: Option<&[u8]>,
    deadline: &Deadline,
    manner: &Manner,
) -> io::Result<Output> {
    let path = find(program).ok_or_else(|| {
        let reason = format!("run {}: not found in {}", program.display(), DIRECTORIES.join(" "));
        io::Error::new(io::ErrorKind::NotFound, reason)
    })?;
    let mut command = Command::new(path);
    if manner.group {
        command.process_group(0);
    }
    let child = command
        .args(arguments)
        .env_clear()
        .envs(manner.environment.iter().copied())
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut child = Running { child, group: manner.group };
    let served = Pipes::of(&mut child.child, input, manner.cap).and_then(|mut pipes| {
        let status = pipes.serve(&mut child, deadline)?;
        Ok((status, pipes))
    });
    match served {
        Ok((Some(status), pipes)) => {
            let truncated = pipes.stdout.truncated || pipes.stderr.truncated;
            Ok(Output { status, stdout: pipes.stdout.bytes, stderr: pipes.stderr.bytes, truncated })
        }
        Ok((None, _)) => Err(kill(child, program, deadline, manner.grace)),
        Err(error) => {
            kill(child, program, deadline, manner.grace);
            Err(error)
        }
    }
}

/// A program that was started.
struct Running {
    child: Child,
    /// Whether it leads a process group.
    group: bool,
}

impl Running {
    fn pid(&self) -> Pid {
        // Process ids are 31 bits wide.
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// How it has ended, if it has; its group ends with it.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.group {
            // The group is killed before its leader is reaped: after that its number may be somebody else's.
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            match waitid(Id::Pid(self.pid()), flags) {
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => return Ok(None),
                Ok(_) => self.kill_group(),
                Err(errno) => return Err(errno.into()),
            }
        }
        self.child.try_wait()
    }

    fn kill_group(&self) {
        // Fails only when nobody is left in it.
        let _ = signal::killpg(self.pid(), Signal::SIGKILL);
    }

    /// Waits until it has ended; `None` at the deadline.
    fn wait(&mut self, deadline: &Deadline) -> io::Result<Option<ExitStatus>> {
        let mut pause = Duration::from_micros(50);
        loop {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            if !deadline.sleep(pause) {
                return self.ended();
            }
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }
}

/// Ends a program whose time is over, and says so.
fn kill(mut running: Running, program: &Path, deadline: &Deadline, grace: Duration) -> io::Error {
    let mut reaped = false;
    if !grace.is_zero() {
        let _ = signal::kill(running.pid(), Signal::SIGTERM);
        reaped = running.wait(&Deadline::after(grace)).is_ok_and(|status| status.is_some());
    }
    if !reaped {
        if running.group {
            running.kill_group();
        }
        // Fails only when it has ended by itself meanwhile.
        let _ = running.child.kill();
        reaped = running.wait(&Deadline::after(REAP)).is_ok_and(|status| status.is_some());
    }
    let ending = if reaped { "killed" } else { "killed, but it hangs in the kernel" };
    let reason = format!("run {}: not done after {} ms, {ending}", program.display(), deadline.used().as_millis());
    io::Error::new(io::ErrorKind::TimedOut, reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
