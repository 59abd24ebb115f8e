//! A job of the cron table that runs while the resource stops: a real cron starts it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Body;
use crate::host::{LINK, TABLE, agent, expect, nothing_left, sh, timed};

pub const TRIALS: &[(&str, Body)] = &[
    ("a cron job that runs when the resource stops is ended, with all it has started", ended),
    ("a cron job that ends in time is not cut", in_time),
    ("a cron job that ignores SIGTERM is killed", stubborn),
    ("what others run with the words of a cron job is left alone", others),
];

/// Where the jobs' programs and what they write are.
const JOBS: &str = "/run/osm/jobs";

/// Debian's cron, which sees the agent's link and no other table. It runs the `@reboot` lines as soon as it starts.
struct Cron(Child);

impl Cron {
    fn start() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // In the mounts of this lab only.
            sh("mount --bind /run/osm/cron.d /etc/cron.d
                mkdir /run/osm/empty
                mount --bind /run/osm/empty /var/spool/cron
                mkdir /run/osm/empty/crontabs
                [ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab");
        });
        sh("rm -f /run/crond.reboot /var/run/crond.reboot");
        let cron = Command::new("/usr/sbin/cron").arg("-f").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(cron.unwrap())
    }
}

impl Drop for Cron {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes the program of a job: a line of shell.
fn program(name: &str, line: &str) -> String {
    let path = format!("{JOBS}/{name}");
    fs::create_dir_all(JOBS).unwrap();
    fs::write(&path, format!("#!/bin/bash\n{line}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    // For every user's jobs.
    sh(&format!("> {JOBS}/out; chmod 666 {JOBS}/out"));
    path
}

/// Waits until a job has written a line of its output.
fn await_output(text: &str) {
    let begun = Instant::now();
    while !fs::read_to_string(format!("{JOBS}/out")).is_ok_and(|out| out.contains(text)) {
        assert!(begun.elapsed() < Duration::from_secs(20), "cron has not started the job");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The processes whose arguments contain `text`, by /proc.
fn running(text: &str) -> Vec<Pid> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let arguments =
        |pid: &i32| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ");
    pids.filter(|pid| arguments(pid).contains(text)).map(Pid::from_raw).collect()
}

/// Waits until that many run.
fn await_running(text: &str, count: usize) -> Result<()> {
    let begun = Instant::now();
    while running(text).len() < count {
        ensure!(begun.elapsed() < Duration::from_secs(20), "cron has not started all jobs: {}", sh("ps -ef"));
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Starts the resource with these lines in its table, and cron, which runs them.
fn start(lines: &str) -> Result<Cron> {
    fs::write(TABLE, lines)?;
    expect(&agent(), "start", 0)?;
    ensure!(fs::read_to_string(LINK)? == lines);
    Ok(Cron::start())
}

fn ended() -> Result<()> {
    // One by the shell that waits for it, one that the shell becomes, one of another user.
    let job = program("job", &format!("echo began $UID >> {JOBS}/out; sleep 1000.1 & sleep 1000.2"));
    let _cron = start(&format!(
        "SHELL=/bin/sh\n@reboot root {job} one; true\nSHELL=/bin/bash\n\
         @reboot root {job} two >/dev/null 2>&1\n@reboot www-data true && {job} three\n"
    ))?;
    await_running("sleep 1000", 6)?;
    let out = sh(&format!("sort {JOBS}/out"));
    ensure!(out == "began 0\nbegan 0\nbegan 33\n", "{out:?}");
    let (_, took) = timed(|| expect(&agent().with_param("graceful_timeout", "1s"), "stop", 0))?;
    ensure!(running("sleep 1000").is_empty() && running(&job).is_empty(), "left: {}", sh("ps -ef"));
    ensure!(took >= Duration::from_millis(950), "the job got no time: {took:?}");
    nothing_left()
}

fn in_time() -> Result<()> {
    let job = program("job", &format!("echo began > {JOBS}/out; sleep 1; echo whole >> {JOBS}/out"));
    let _cron = start(&format!("@reboot root {job}\n"))?;
    await_output("began");
    expect(&agent().with_param("graceful_timeout", "9s"), "stop", 0)?;
    let out = fs::read_to_string(format!("{JOBS}/out"))?;
    ensure!(out == "began\nwhole\n" && running(&job).is_empty(), "stop did not wait for it: {out:?}");
    nothing_left()
}

fn stubborn() -> Result<()> {
    let job = program("job", &format!("trap '' TERM; echo began > {JOBS}/out; sleep 1000.3; sleep 1000.4"));
    let _cron = start(&format!("@reboot root {job}\n"))?;
    await_output("began");
    expect(&agent().with_param("graceful_timeout", "0"), "stop", 0)?;
    ensure!(running("sleep 1000").is_empty() && running(&job).is_empty(), "left: {}", sh("ps -ef"));
    nothing_left()
}

fn others() -> Result<()> {
    let job = program("job", &format!("echo began $1 >> {JOBS}/out; exec sleep 1000.5"));
    // By hand: its parent is no cron. From another table, with other words or another user: not the job.
    let line = format!("{job} mine");
    let mut by_hand = Command::new("/bin/bash").args([&job, "mine"]).stdout(Stdio::null()).spawn()?;
    let mut by_shell = Command::new("/bin/sh").args(["-c", &format!("{line}; true")]).stderr(Stdio::null()).spawn()?;
    let other = "/run/osm/cron.d/job-other";
    fs::write(other, format!("@reboot root {job} theirs\n@reboot www-data {line}\n"))?;
    fs::set_permissions(other, fs::Permissions::from_mode(0o644))?;
    let cron = start(&format!("@reboot root {line}\n* * * * * root {line}; true\n"))?;
    // Two by hand, two of the other table, and ours.
    await_running("sleep 1000.5", 5)?;
    expect(&agent().with_param("graceful_timeout", "0"), "stop", 0)?;
    let left = running("sleep 1000.5");
    drop(cron);
    fs::remove_file(other)?;
    for pid in &left {
        kill(*pid, Signal::SIGTERM)?;
    }
    by_hand.wait()?;
    by_shell.wait()?;
    ensure!(left.len() == 4, "{} of 4 are left", left.len());
    nothing_left()
}
