//! The guest, from inside: the first process, and what answers.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use nix::mount::{MsFlags, mount};
use nix::sys::wait::wait;
use serde::{Deserialize, Serialize};

use super::image::PROGRAM;

/// The first argument in the guest.
pub const MARK: &str = "--in-guest";
/// The first line that it says.
pub const READY: &str = "ready";
/// The serial line to the outside; kernel messages go to the other one.
const LINE: &str = "/dev/ttyS1";
const PATH: &str = "/usr/sbin:/usr/bin";

/// An answer: one line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    pub question: String,
    /// How long it took.
    pub seconds: f64,
    pub said: String,
    /// Why it failed.
    pub trouble: Option<String>,
}

/// What the program does when its first argument is [`MARK`], with those after that. `answer` answers a question; a panic
/// of it is a failure like any other.
pub fn main(words: &[String], answer: impl Fn(&str) -> Result<String>) -> ExitCode {
    let result = if words.is_empty() { first_process() } else { serve(answer) };
    if let Err(error) = result {
        eprintln!("ipvs: {error:#}");
    }
    ExitCode::FAILURE
}

/// Prepares the system, then takes care of orphans until the one that answers is gone.
fn first_process() -> Result<()> {
    for (what, place) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/run")] {
        let done = mount(Some(what), place, Some(what), MsFlags::empty(), None::<&str>);
        // The kernel may have mounted /dev.
        done.or_else(|errno| if place == "/dev" { Ok(()) } else { Err(errno) }).with_context(|| place.to_owned())?;
    }
    fs::write("/proc/sys/kernel/printk", "4")?;
    nix::unistd::sethostname("guest")?;
    let mut serving = Command::new(PROGRAM);
    serving.args([MARK, "serve"]).env_clear().env("PATH", PATH).env("HOME", "/root").env("LC_ALL", "C");
    let serving = serving.env("RUST_BACKTRACE", "0").spawn().context("start what answers")?.id();
    loop {
        let ended = wait().context("wait for processes")?;
        if ended.pid().is_some_and(|pid| pid.as_raw().cast_unsigned() == serving) {
            // The kernel panics when this process ends, and QEMU ends then: the outside notices at once.
            bail!("what answers has ended: {ended:?}");
        }
    }
}

/// Answers the outside.
fn serve(answer: impl Fn(&str) -> Result<String>) -> Result<()> {
    let line = fs::File::options().read(true).write(true).open(LINE).context("open the line to the outside")?;
    let status = Command::new("stty").args(["-F", LINE, "raw", "-echo"]).status().context("stty")?;
    anyhow::ensure!(status.success(), "stty: {status}");
    // What it brings up by itself is loaded before anybody looks at it.
    Command::new("ip").args(["link", "set", "lo", "up"]).status().context("ip")?;
    let (mut output, input) = (line.try_clone()?, BufReader::new(line));
    writeln!(output, "{READY}")?;
    for question in input.lines() {
        let question = question?;
        let started = Instant::now();
        eprintln!("ipvs: asked for {question}");
        let result = catch_unwind(AssertUnwindSafe(|| answer(&question)))
            .unwrap_or_else(|panic| Err(anyhow!("panicked: {}", words_of(&*panic))));
        let trouble = result.as_ref().err().map(|error| format!("{error:#}"));
        let said = result.unwrap_or_default();
        let answer = Answer { question, seconds: started.elapsed().as_secs_f64(), said, trouble };
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
    }
    bail!("the outside has nothing more to ask")
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words")
}
