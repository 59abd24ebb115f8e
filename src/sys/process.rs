//! Runs a program of the host: found in fixed directories, with a clean environment, and never longer than allowed.
//!
//! No shell is involved. Standard input, output and error are served by one poll loop, so that neither side can wait
//! for the other; what is beyond the cap is read and thrown away, so that the program does not hang on a full pipe.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::ocf::deadline::Deadline;

/// Where programs are looked for, in this order. The caller's PATH is never asked.
pub const DIRECTORIES: [&str; 6] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
/// The PATH that the program itself gets.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin";
/// Bytes kept of each output: a listing of 100,000 packet filter rules fits.
const CAP: usize = 16 << 20;
/// How often we look whether a program has ended that left its output open to a child of its own.
const LOOK: Duration = Duration::from_millis(50);
/// What a killed process may take to disappear before we say that it hangs in the kernel.
const REAP: Duration = Duration::from_millis(500);

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, up to 16 MiB.
    pub stdout: Vec<u8>,
    /// Its standard error, up to 16 MiB.
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
    run_ended(program.as_ref(), arguments, None, input, deadline, Duration::ZERO)
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
    run_ended(program.as_ref(), arguments, Some(mark), None, deadline, grace)
}

fn run_ended<A: AsRef<OsStr>>(
    program: &Path,
    arguments: &[A],
    mark: Option<(&str, &str)>,
    input: Option<&[u8]>,
    deadline: &Deadline,
    grace: Duration,
) -> io::Result<Output> {
    let path = find(program).ok_or_else(|| {
        let reason = format!("run {}: not found in {}", program.display(), DIRECTORIES.join(" "));
        io::Error::new(io::ErrorKind::NotFound, reason)
    })?;
    let mut child = Command::new(path)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .envs(mark)
        .current_dir("/")
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let served = Pipes::of(&mut child, input).and_then(|mut pipes| {
        let status = pipes.serve(&mut child, deadline)?;
        Ok((status, pipes))
    });
    match served {
        Ok((Some(status), pipes)) => {
            let truncated = pipes.stdout.truncated || pipes.stderr.truncated;
            Ok(Output { status, stdout: pipes.stdout.bytes, stderr: pipes.stderr.bytes, truncated })
        }
        Ok((None, _)) => Err(kill(child, program, deadline, grace)),
        Err(error) => {
            kill(child, program, deadline, grace);
            Err(error)
        }
    }
}

/// Ends a program whose time is over, and says so.
fn kill(mut child: Child, program: &Path, deadline: &Deadline, grace: Duration) -> io::Error {
    if !grace.is_zero()
        && let Ok(pid) = i32::try_from(child.id())
    {
        let _ = signal::kill(Pid::from_raw(pid), Signal::SIGTERM);
        let _ = wait(&mut child, &Deadline::after(grace));
    }
    // Fails only when it has ended by itself meanwhile.
    let _ = child.kill();
    let reaped = wait(&mut child, &Deadline::after(REAP)).is_ok_and(|status| status.is_some());
    let ending = if reaped { "killed" } else { "killed, but it hangs in the kernel" };
    let reason = format!("run {}: not done after {} ms, {ending}", program.display(), deadline.used().as_millis());
    io::Error::new(io::ErrorKind::TimedOut, reason)
}

/// Waits until the child has ended; `None` at the deadline.
fn wait(child: &mut Child, deadline: &Deadline) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if !deadline.sleep(pause) {
            return child.try_wait();
        }
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// One output of the program.
struct Reader {
    pipe: Option<File>,
    bytes: Vec<u8>,
    truncated: bool,
}

impl Reader {
    fn new(pipe: Option<impl Into<OwnedFd>>) -> io::Result<Self> {
        Ok(Self { pipe: pipe.map(unblocked).transpose()?, bytes: Vec::new(), truncated: false })
    }

    /// Reads all there is; closes the pipe at its end.
    fn read(&mut self) {
        let mut buffer = [0; 1 << 16];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.keep(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.pipe = None,
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let space = CAP - self.bytes.len().min(CAP);
        self.truncated |= bytes.len() > space;
        self.bytes.extend(bytes.iter().take(space));
    }
}

/// All three pipes.
struct Pipes<'a> {
    stdin: Option<File>,
    input: &'a [u8],
    stdout: Reader,
    stderr: Reader,
}

impl<'a> Pipes<'a> {
    fn of(child: &mut Child, input: Option<&'a [u8]>) -> io::Result<Self> {
        Ok(Self {
            stdin: child.stdin.take().map(unblocked).transpose()?,
            input: input.unwrap_or_default(),
            stdout: Reader::new(child.stdout.take())?,
            stderr: Reader::new(child.stderr.take())?,
        })
    }

    /// Moves bytes until the program has ended; `None` at the deadline.
    fn serve(&mut self, child: &mut Child, deadline: &Deadline) -> io::Result<Option<ExitStatus>> {
        while self.stdout.pipe.is_some() || self.stderr.pipe.is_some() {
            if deadline.passed() {
                return Ok(None);
            }
            if !self.wait_for_bytes(deadline)?
                && let Some(status) = child.try_wait()?
            {
                // It has ended; a child of its own holds the pipes and may do so for ever.
                self.stdout.read();
                self.stderr.read();
                return Ok(Some(status));
            }
            self.write();
            self.stdout.read();
            self.stderr.read();
        }
        self.stdin = None;
        wait(child, deadline)
    }

    /// Waits until a pipe is ready; false when none was for a while.
    fn wait_for_bytes(&self, deadline: &Deadline) -> io::Result<bool> {
        let reading = [&self.stdout.pipe, &self.stderr.pipe].into_iter().flatten();
        let mut waiting: Vec<PollFd> = reading.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        waiting.extend(self.stdin.iter().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
        // Rounded up: a wait of 0 ms would turn the last millisecond into a busy loop.
        let limit = deadline.left().min(LOOK) + Duration::from_millis(1);
        match poll(&mut waiting, PollTimeout::try_from(limit).unwrap_or(PollTimeout::ZERO)) {
            Ok(ready) => Ok(ready > 0),
            Err(nix::errno::Errno::EINTR) => Ok(true),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Feeds the program; closes its input when all is written, or when it wants no more.
    fn write(&mut self) {
        while let Some(pipe) = &mut self.stdin {
            if self.input.is_empty() {
                self.stdin = None;
                return;
            }
            match pipe.write(self.input) {
                Ok(length) => self.input = self.input.get(length..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.stdin = None,
            }
        }
    }
}

/// Our end of a pipe, set so that reading and writing never wait.
fn unblocked(pipe: impl Into<OwnedFd>) -> io::Result<File> {
    let pipe = File::from(pipe.into());
    fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(pipe)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
