//! The host and the agent on it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::support::subject::{Run, Subject};
use crate::support::{apache, frozen, osm_host};

const FOLDER: &str = "/run/agents";
/// The cron link of the instance.
pub const LINK: &str = "/run/osm/cron.d/job-0";
/// What it leads to in the end.
pub const TABLE: &str = "/run/osm/0/table";
/// Where the instance keeps things.
pub const ATTIC: &str = "/var/lib/inuvika-ha/session_manager";

/// Builds the host once, and brings it back to its first state each time.
pub fn clean() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        sh("ip link set lo up");
        fs::create_dir_all(FOLDER).unwrap();
        let binary = Path::new(FOLDER).join("inuvika-ha");
        fs::copy(env!("CARGO_BIN_EXE_inuvika-ha"), &binary).unwrap();
        std::os::unix::fs::symlink(&binary, Path::new(FOLDER).join("ovd-osm")).unwrap();
        // Makes the host's folders.
        osm_host::params(0);
    });
    osm_host::clean();
    while !apache::processes().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    apache::configure(&osm_host::folder(0), osm_host::port(0));
    fs::write(TABLE, "* * * * * root true\n").unwrap();
    osm_host::write_settings(&osm_host::settings());
    let _ = fs::remove_dir_all("/run/inuvika-ha");
    let _ = fs::remove_dir_all("/var/lib/inuvika-ha");
}

/// Runs a line of shell; what it printed.
pub fn sh(line: &str) -> String {
    let out = Command::new("bash").args(["-c", line]).output().unwrap();
    assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The agent as resource `session_manager`, as Pacemaker calls it.
pub fn agent() -> Subject {
    let path = PathBuf::from(FOLDER).join("ovd-osm");
    let env = osm_host::params(0);
    let subject = Subject { path, agent_type: "ovd-osm".into(), instance: "session_manager".into(), env };
    subject.with_param("CRM_meta_timeout", "20000")
}

/// The monitor of a passive node, as Pacemaker calls it.
pub fn passive() -> Subject {
    agent().recurring().with_param("CRM_meta_role", "Stopped")
}

/// `Err` when an action ended otherwise.
pub fn expect(subject: &Subject, action: &str, code: i32) -> Result<Run> {
    let run = subject.run(action);
    ensure!(run.code == code, "{action} gave {run}, wanted {code}");
    Ok(run)
}

/// `Err` when a recurring monitor of that depth ends otherwise, or gives another reason.
pub fn expect_monitor(depth: &str, code: i32, reason: &str) -> Result<()> {
    expect_monitor_of(&agent(), depth, code, reason)
}

/// The same of an agent with other parameters.
pub fn expect_monitor_of(agent: &Subject, depth: &str, code: i32, reason: &str) -> Result<()> {
    let run = expect(&agent.recurring().with("OCF_CHECK_LEVEL", depth), "monitor", code)?;
    let quiet = code != 0 || run.stderr.is_empty();
    ensure!(run.stderr.contains(reason) && quiet, "monitor of depth {depth} said {run}, wanted {reason:?}");
    ensure!(!run.stderr.contains("p'w"), "the password: {run}");
    Ok(())
}

/// Starts Apache as an administrator would, and waits until it answers.
pub fn start_apache() {
    let config = osm_host::folder(0).join("httpd.conf");
    sh(&format!("{} -f {} -k start", apache::PROGRAM, config.display()));
    let ready =
        || Path::new("/run/osm/0/httpd.pid").exists() && TcpStream::connect(("127.0.0.1", osm_host::port(0))).is_ok();
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(20), "Apache does not answer");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How long something takes.
pub fn timed<T>(act: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let begun = Instant::now();
    let result = act()?;
    Ok((result, begun.elapsed()))
}

/// Sends a signal to every process of Apache. After SIGKILL they are gone: the kernel takes a moment for it.
pub fn signal(signal: Signal) {
    for pid in apache::processes() {
        let _ = frozen::signal(Pid::from_raw(pid), signal);
    }
    let started = Instant::now();
    while signal == Signal::SIGKILL && !apache::processes().is_empty() {
        assert!(started.elapsed().as_secs() < 10, "Apache survives SIGKILL");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Apache's main process, as its own PID file has it.
pub fn main_process() -> Pid {
    Pid::from_raw(fs::read_to_string("/run/osm/0/httpd.pid").unwrap().trim().parse().unwrap())
}

/// A client that has asked for a file of 64 MiB, and has read the begin of it.
pub fn download() -> TcpStream {
    let mut client = TcpStream::connect(("127.0.0.1", osm_host::port(0))).unwrap();
    client.write_all(b"GET /slow HTTP/1.0\r\n\r\n").unwrap();
    client.read_exact(&mut [0; 512]).unwrap();
    client
}

/// What is left of us: processes, links, state.
pub fn nothing_left() -> Result<()> {
    let left = osm_host::left();
    ensure!(left.is_empty(), "left: {left:?}");
    ensure!(!Path::new("/run/inuvika-ha").exists(), "left: {}", sh("find /run/inuvika-ha"));
    Ok(())
}
