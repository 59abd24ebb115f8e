//! The three pipes of a program, served by one poll loop.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Running;
use crate::ocf::deadline::Deadline;

/// How often we look whether a program has ended that left its output open to a child of its own.
const LOOK: Duration = Duration::from_millis(50);

/// One output of the program.
pub(super) struct Reader {
    pipe: Option<File>,
    pub bytes: Vec<u8>,
    pub truncated: bool,
    /// Bytes kept at most.
    cap: usize,
}

impl Reader {
    fn new(pipe: Option<impl Into<OwnedFd>>, cap: usize) -> io::Result<Self> {
        Ok(Self { pipe: pipe.map(unblocked).transpose()?, bytes: Vec::new(), truncated: false, cap })
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
        let space = self.cap - self.bytes.len().min(self.cap);
        self.truncated |= bytes.len() > space;
        self.bytes.extend(bytes.iter().take(space));
    }
}

/// All three pipes.
pub(super) struct Pipes<'a> {
    stdin: Option<File>,
    input: &'a [u8],
    pub stdout: Reader,
    pub stderr: Reader,
}

impl<'a> Pipes<'a> {
    pub fn of(child: &mut Child, input: Option<&'a [u8]>, cap: usize) -> io::Result<Self> {
        Ok(Self {
            stdin: child.stdin.take().map(unblocked).transpose()?,
            input: input.unwrap_or_default(),
            stdout: Reader::new(child.stdout.take(), cap)?,
            stderr: Reader::new(child.stderr.take(), cap)?,
        })
    }

    /// Moves bytes until the program has ended; `None` at the deadline.
    pub fn serve(&mut self, running: &mut Running, deadline: &Deadline) -> io::Result<Option<ExitStatus>> {
        while self.stdout.pipe.is_some() || self.stderr.pipe.is_some() {
            if deadline.passed() {
                return Ok(None);
            }
            if !self.wait_for_bytes(deadline)?
                && let Some(status) = running.ended()?
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
        running.wait(deadline)
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
