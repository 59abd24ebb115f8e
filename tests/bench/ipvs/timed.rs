//! One program, timed by a fresh copy of this one: a process of its own per program gives that program's peak memory, and all
//! of them are started from one as small.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

use crate::netns::Namespace;

/// The first argument of the copy.
pub const MARK: &str = "--timed";

/// What a program took.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    pub wall_ms: f64,
    pub cpu_ms: f64,
    pub memory_kib: f64,
}

/// Runs a program in a network namespace, which has to be a success. `input` is what it reads.
pub fn run(host: &Namespace, input: &Path, words: &[&str], environment: &[(String, String)]) -> Result<Timed> {
    let mut copy = Command::new(std::env::current_exe()?);
    copy.arg(MARK).arg(input).args(words).env_clear();
    copy.envs(environment.iter().map(|(name, value)| (name, value)));
    let output = host.enter(|| copy.output()).context("start a copy of this program")?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let figures: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [code, wall_ms, cpu_ms, memory_kib] = figures[..] else {
        anyhow::bail!("{}: {said} {errors}", words.join(" "));
    };
    ensure!(code == 0.0, "{}: exit code {code}: {errors}", words.join(" "));
    Ok(Timed { wall_ms, cpu_ms, memory_kib })
}

/// The copy: runs what it is told to with its environment, and says what that took.
pub fn take(words: &[String]) -> String {
    let mut command = Command::new(&words[1]);
    command.args(&words[2..]).stdin(File::open(&words[0]).unwrap()).stdout(Stdio::null());
    let begun = Instant::now();
    let status = command.status().unwrap();
    let wall = begun.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let ms = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    let cpu = ms(usage.user_time()) + ms(usage.system_time());
    format!("{} {} {cpu} {}", status.code().unwrap_or(-1), wall.as_secs_f64() * 1e3, usage.max_rss())
}
