//! Commands with an end: bounded in time, and with everything they said in the error.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// For commands that name no other.
pub const LIMIT: Duration = Duration::from_secs(60);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a command did.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, as text.
    pub stdout: String,
    /// Standard error, as text.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Output {
    /// Whether it ended with 0.
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// How it ended and what it said, for an error message.
    pub fn describe(&self) -> String {
        let mut text = match self.code {
            Some(124 | 137) => format!("stopped by its time limit after {:.1} s", self.took.as_secs_f32()),
            Some(code) => format!("exit code {code} after {:.1} s", self.took.as_secs_f32()),
            None => format!("ended by a signal after {:.1} s", self.took.as_secs_f32()),
        };
        for (name, said) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !said.trim().is_empty() {
                let _ = write!(text, "\n  {name}: {}", said.trim_end().replace('\n', "\n          "));
            }
        }
        text
    }
}

/// Something in the lab that commands run on: a node, or a host that is only a network namespace.
pub trait Machine {
    /// Its short name.
    fn name(&self) -> &str;

    /// The words before a command that make it run there.
    fn prefix(&self) -> Result<Vec<String>>;

    /// Runs a command and returns what it did, whatever its exit code; `stdin` is what it can read.
    fn output_with(&self, limit: Duration, stdin: &[u8], argv: &[&str]) -> Result<Output> {
        let mut words = self.prefix()?;
        // Inside, so that nothing survives there when the time is over.
        let seconds = format!("{:.3}", limit.as_secs_f64());
        let env = [format!("PATH={PATH}"), "HOME=/root".to_owned(), "LC_ALL=C.UTF-8".to_owned()];
        words.extend(["env".to_owned(), "-i".to_owned()].into_iter().chain(env));
        words.extend(["timeout".to_owned(), "--kill-after=2".to_owned(), seconds]);
        words.extend(argv.iter().map(|word| (*word).to_owned()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        run_bounded(limit + Duration::from_secs(5), stdin, &words)
            .with_context(|| format!("{}: {}", self.name(), argv.join(" ")))
    }

    /// Runs a command and returns what it did, whatever its exit code.
    fn output<const N: usize>(&self, argv: [&str; N]) -> Result<Output>
    where
        Self: Sized,
    {
        self.output_with(LIMIT, b"", &argv)
    }

    /// Runs a command that must succeed within `limit`; its standard output.
    fn run_within(&self, limit: Duration, argv: &[&str]) -> Result<String> {
        let output = self.output_with(limit, b"", argv)?;
        if !output.ok() {
            bail!("{}: {}: {}", self.name(), argv.join(" "), output.describe());
        }
        Ok(output.stdout)
    }

    /// Runs a command that must succeed; its standard output.
    fn run<const N: usize>(&self, argv: [&str; N]) -> Result<String>
    where
        Self: Sized,
    {
        self.run_within(LIMIT, &argv)
    }

    /// Runs a script with `bash -euo pipefail`, which must succeed within `limit`; its standard output.
    fn sh_within(&self, limit: Duration, script: &str) -> Result<String> {
        self.run_within(limit, &["bash", "-euo", "pipefail", "-c", script])
    }

    /// Runs a script with `bash -euo pipefail`, which must succeed; its standard output.
    fn sh(&self, script: &str) -> Result<String> {
        self.sh_within(LIMIT, script)
    }

    /// Writes a file with the given mode (octal, as for chmod), making its folders.
    fn write_file(&self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Result<()>
    where
        Self: Sized,
    {
        let mode = format!("{mode:o}");
        let output = self.output_with(LIMIT, content.as_ref(), &["install", "-D", "-m", &mode, "/dev/stdin", path])?;
        if !output.ok() {
            bail!("{}: write {path}: {}", self.name(), output.describe());
        }
        Ok(())
    }

    /// Reads a text file.
    fn read_file(&self, path: &str) -> Result<String> {
        self.run_within(LIMIT, &["cat", path])
    }

    /// Copies a file of the host in, for instance the program under test.
    fn copy_in(&self, from: impl AsRef<std::path::Path>, path: &str, mode: u32) -> Result<()>
    where
        Self: Sized,
    {
        let from = from.as_ref();
        let content = std::fs::read(from).with_context(|| format!("read {}", from.display()))?;
        self.write_file(path, content, mode)
    }
}

/// Runs a command of the lab's controller that must succeed, with `stdin` to read; its standard output.
pub fn control(stdin: &str, argv: &[&str]) -> Result<String> {
    let output = run_bounded(LIMIT, stdin.as_bytes(), argv)?;
    if !output.ok() {
        bail!("{}: {}\n{stdin}", argv.join(" "), output.describe());
    }
    Ok(output.stdout)
}

fn run_bounded(limit: Duration, stdin: &[u8], argv: &[&str]) -> Result<Output> {
    let started = Instant::now();
    let (program, args) = argv.split_first().context("no command")?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("start {program}"))?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let pipe = child.stdin.take();
    let input = stdin.to_vec();
    // A command may end without reading; that is no error.
    std::thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(&input)));
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            let _ = child.kill();
            break child.wait()?;
        }
        std::thread::sleep(Duration::from_millis(if started.elapsed().as_millis() < 50 { 1 } else { 10 }));
    };
    let took = started.elapsed();
    // A process left in the background may hold the pipes open; what it says later is not waited for.
    Ok(Output { code: status.code(), stdout: text(&stdout), stderr: text(&stderr), took })
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            if send.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    receive
}

fn text(pipe: &Receiver<Vec<u8>>) -> String {
    let mut all = Vec::new();
    while let Ok(part) = pipe.recv_timeout(Duration::from_millis(500)) {
        all.extend(part);
    }
    String::from_utf8_lossy(&all).into_owned()
}
