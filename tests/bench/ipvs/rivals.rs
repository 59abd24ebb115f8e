//! What else does it, in the guest.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Figures;
use crate::farm::Size;
use crate::judge::{complete, wait};
use crate::netns::Namespace;
use crate::timed;

const IPVSADM: &str = "/usr/sbin/ipvsadm";
const FILE: &str = "/run/rival.conf";
/// How long one may take to end.
const ENDING: Duration = Duration::from_secs(120);

/// One `ipvsadm -R`, and one `ipvsadm -e` for one change.
pub fn restore(size: Size) -> Result<Figures> {
    let host = Namespace::new();
    fs::write(FILE, size.rules().join("\n") + "\n")?;
    let empty = timed::run(&host, Path::new(FILE), &[IPVSADM, "-R"], &[])?;
    complete(&host, size, 0)?;
    let line = size.change();
    let words: Vec<&str> = std::iter::once(IPVSADM).chain(line.split(' ')).collect();
    let change = timed::run(&host, Path::new("/dev/null"), &words, &[])?;
    complete(&host, size, 1)?;
    Ok(Figures { empty: empty.wall_ms, change: Some(change.wall_ms), ..Figures::default() })
}

/// `ipvsadm` for each service and each real server.
pub fn calls(size: Size) -> Result<Figures> {
    let host = Namespace::new();
    let begun = Instant::now();
    host.enter(|| {
        for line in size.rules() {
            let status = Command::new(IPVSADM).args(line.split(' ')).status().context("ipvsadm")?;
            ensure!(status.success(), "ipvsadm {line}: {status}");
        }
        Ok(())
    })?;
    let took = begun.elapsed();
    complete(&host, size, 0)?;
    Ok(Figures { empty: took.as_secs_f64() * 1e3, ..Figures::default() })
}

/// keepalived without VRRP and without checks, until the table is complete.
pub fn keepalived(size: Size) -> Result<Figures> {
    let words = ["--check", "--dont-fork", "--no-syslog", "--use-file", FILE];
    let pids = ["--pid", "/run/rival.pid", "--checkers_pid", "/run/rival.checkers.pid"];
    daemon("/usr/sbin/keepalived", &[&words[..], &pids[..]].concat(), &size.keepalived(), size)
}

/// ldirectord that counts all real servers as well, until the table is complete.
pub fn ldirectord(size: Size) -> Result<Figures> {
    daemon("/usr/sbin/ldirectord", &[FILE, "start"], &size.ldirectord(), size)
}

/// Starts a program that stays, waits for its table, and ends it.
fn daemon(program: &str, words: &[&str], config: &str, size: Size) -> Result<Figures> {
    let host = Namespace::new();
    fs::write(FILE, config)?;
    let said = Path::new("/run/rival.said");
    let out = fs::File::create(said)?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    let begun = Instant::now();
    let mut child = host.enter(|| command.spawn()).with_context(|| format!("start {program}"))?;
    let waited = wait(&host, size, begun);
    let judged = waited.and_then(|took| complete(&host, size, 0).map(|()| took));
    let ended = end(&mut child);
    let said = fs::read_to_string(said).unwrap_or_default();
    let said = said.lines().next_back().unwrap_or("nothing");
    let took = judged
        .and_then(|took| ended.map(|()| took))
        .with_context(|| format!("{program}, whose last words are {said:?}"))?;
    Ok(Figures { empty: took.as_secs_f64() * 1e3, ..Figures::default() })
}

/// Asks it to end, and sees to it that it does.
fn end(child: &mut Child) -> Result<()> {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM)?;
    let begun = Instant::now();
    while child.try_wait()?.is_none() {
        if begun.elapsed() > ENDING {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
