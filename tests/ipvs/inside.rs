//! The guest, from inside: the first process, and what runs the trials it is asked for.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use nix::mount::{MsFlags, mount};
use nix::sys::wait::wait;
use serde::{Deserialize, Serialize};

use crate::Body;
use crate::image::TRIALS;

/// The first argument in the guest.
pub const MARK: &str = "--in-guest";
/// The first line that it says.
pub const READY: &str = "ready";
/// The serial line to the outside; kernel messages go to the other one.
const LINE: &str = "/dev/ttyS1";
const PATH: &str = "/usr/sbin:/usr/bin";

/// What came of a trial: one line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    pub trial: String,
    pub seconds: f64,
    /// Why it failed.
    pub trouble: Option<String>,
}

pub fn main(words: &[String], trials: &[(&'static str, Body)]) -> ExitCode {
    let result = if words.is_empty() { first_process() } else { serve(trials) };
    if let Err(error) = result {
        eprintln!("ipvs: {error:#}");
    }
    ExitCode::FAILURE
}

/// Prepares the system, then takes care of orphans until the trials' process is gone.
fn first_process() -> Result<()> {
    for (what, place) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/run")] {
        let done = mount(Some(what), place, Some(what), MsFlags::empty(), None::<&str>);
        // The kernel may have mounted /dev.
        done.or_else(|errno| if place == "/dev" { Ok(()) } else { Err(errno) }).with_context(|| place.to_owned())?;
    }
    fs::write("/proc/sys/kernel/printk", "4")?;
    nix::unistd::sethostname("guest")?;
    let mut trials = Command::new(TRIALS);
    trials.args([MARK, "trials"]).env_clear().env("PATH", PATH).env("HOME", "/root").env("LC_ALL", "C");
    let trials = trials.env("RUST_BACKTRACE", "0").spawn().context("start the trials")?.id();
    loop {
        let ended = wait().context("wait for processes")?;
        if ended.pid().is_some_and(|pid| pid.as_raw().cast_unsigned() == trials) {
            // The kernel panics when this process ends, and QEMU ends then: the outside notices at once.
            bail!("the trials' process has ended: {ended:?}");
        }
    }
}

/// Runs the trials that the outside names.
fn serve(trials: &[(&'static str, Body)]) -> Result<()> {
    let line = fs::File::options().read(true).write(true).open(LINE).context("open the line to the outside")?;
    let status = Command::new("stty").args(["-F", LINE, "raw", "-echo"]).status().context("stty")?;
    anyhow::ensure!(status.success(), "stty: {status}");
    // What it brings up by itself is loaded before a trial looks at it.
    Command::new("ip").args(["link", "set", "lo", "up"]).status().context("ip")?;
    let (mut output, input) = (line.try_clone()?, BufReader::new(line));
    writeln!(output, "{READY}")?;
    for name in input.lines() {
        let name = name?;
        let started = Instant::now();
        eprintln!("ipvs: trial {name}");
        let body = trials.iter().find(|(known, _)| *known == name);
        let result = body.context("no such trial").and_then(|(_, body)| {
            catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(anyhow!("panicked: {}", words_of(&*panic))))
        });
        let trouble = result.err().map(|error| format!("{error:#}"));
        let answer = Answer { trial: name, seconds: started.elapsed().as_secs_f64(), trouble };
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
    }
    bail!("the outside has nothing more to ask")
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words")
}
