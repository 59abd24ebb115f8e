//! The hosts and the agent on this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::support::frozen;
use crate::support::lsyncd_host::{self as pair, sh};
use crate::support::subject::{Run, Subject};

const AGENTS: &str = "/run/agents";
const LOG: &str = "/run/agents/log";
/// The resource's name.
pub const INSTANCE: &str = "lsyncd";
/// Its state folder.
pub const STATE: &str = "/run/inuvika-ha/lsyncd";
/// What is kept of it, on either host.
pub const ATTIC: &str = "/var/lib/inuvika-ha/lsyncd";
/// Its cron link.
pub const LINK: &str = "/run/pair/cron.d/lsyncd-0";

/// Builds the hosts once, and brings them back to their first state each time.
pub fn clean() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        pair::prepare();
        fs::create_dir_all(AGENTS).unwrap();
        std::os::unix::fs::symlink(pair::PROGRAM, Path::new(AGENTS).join("ovd-lsyncd")).unwrap();
    });
    pair::clean();
    let _ = fs::remove_dir_all("/run/inuvika-ha");
    let _ = fs::remove_file(LOG);
}

/// What the agent has logged, for a trial that failed.
pub fn log() -> String {
    fs::read_to_string(LOG).unwrap_or_default()
}

/// The agent, as Pacemaker calls it. INUVIKA_TEST_LSYNCD names another lsyncd than the installed one: all versions from 2.1.5
/// on are to do.
pub fn agent() -> Subject {
    let path = PathBuf::from(AGENTS).join("ovd-lsyncd");
    let subject = Subject { path, agent_type: "ovd-lsyncd".into(), instance: INSTANCE.into(), env: pair::params(0) };
    let subject = subject.with_param("CRM_meta_timeout", "40000").with("HA_LOGFILE", LOG);
    match std::env::var("INUVIKA_TEST_LSYNCD") {
        Ok(program) => subject.with_param("lsyncd", &program),
        Err(_) => subject,
    }
}

/// `Err` when an action ended otherwise.
pub fn expect(subject: &Subject, action: &str, code: i32) -> Result<Run> {
    let run = subject.run(action);
    ensure!(run.code == code, "{action} gave {run}, wanted {code}");
    Ok(run)
}

/// `Err` when a recurring monitor of that depth ends otherwise, or gives another reason.
pub fn expect_monitor(agent: &Subject, depth: &str, code: i32, reason: &str) -> Result<()> {
    // Of the recurring monitors only one at a time answers degraded: here each is asked as if it were alone.
    let _ = fs::remove_file(Path::new(STATE).join("degraded"));
    let run = expect(&agent.recurring().with("OCF_CHECK_LEVEL", depth), "monitor", code)?;
    let quiet = code != 0 || run.stderr.is_empty();
    ensure!(run.stderr.contains(reason) && quiet, "monitor of depth {depth} said {run}, wanted {reason:?}");
    Ok(())
}

/// Waits up to 30 s for a monitor to end like that.
pub fn await_monitor(agent: &Subject, depth: &str, code: i32, reason: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        let result = expect_monitor(agent, depth, code, reason);
        if result.is_ok() || begun.elapsed() > Duration::from_secs(30) {
            return result.context("for 30 s");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A file in the first folder.
pub fn file(name: &str) -> PathBuf {
    pair::folders(0)[0].join(name)
}

/// Writes a file in the first folder.
pub fn write(name: &str, text: &str) {
    fs::write(file(name), text).unwrap();
}

/// What the peer has of a file in the first folder.
pub fn there(name: &str) -> Option<String> {
    fs::read_to_string(pair::there(file(name))).ok()
}

/// Lets both hosts have what a start and a stop in good order leave: without that a start without the peer does not push.
pub fn have_stamps() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    await_monitor(&agent(), "10", 0, "")?;
    expect(&agent(), "stop", 0)?;
    Ok(())
}

/// Waits until the peer has it.
pub fn await_there(name: &str, text: &str) {
    pair::wait_for(&format!("{name} to arrive"), || there(name).as_deref() == Some(text));
}

/// Waits until nothing waits in lsyncd: its status file is at most a second late.
pub fn await_idle() {
    let idle = || {
        let status = fs::read_to_string(format!("{STATE}/lsyncd.status")).unwrap_or_default();
        status.matches("There are 0 delays").count() == 3 && status.contains("Inotify watching")
    };
    pair::wait_for("lsyncd to be idle", idle);
}

/// lsyncd's one process.
pub fn main_process() -> Pid {
    let all = pair::lsyncd_processes();
    assert_eq!(all.len(), 1, "{all:?}");
    Pid::from_raw(all[0])
}

/// Sends lsyncd a signal.
pub fn signal(signal: Signal) {
    frozen::signal(main_process(), signal).unwrap();
}

/// How long something takes.
pub fn timed<T>(act: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let begun = Instant::now();
    let result = act()?;
    Ok((result, begun.elapsed()))
}

/// What is left of us on this host: processes, links, state.
pub fn nothing_left() -> Result<()> {
    let left = pair::left();
    ensure!(left.is_empty(), "left: {left:?}");
    ensure!(!Path::new("/run/inuvika-ha").exists(), "left: {}", sh("find /run/inuvika-ha"));
    let others = sh("pgrep -a 'rsync|ssh$' --ns $$ --nslist pid || true");
    ensure!(others.is_empty(), "left: {others}");
    Ok(())
}
