//! The host and the agent on it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::support::abiquo_host::{self as abiquo, Daemon};
use crate::support::frozen;
use crate::support::subject::{Run, Subject};

const AGENTS: &str = "/run/agents";
/// Where RabbitMQ listens.
pub const RABBIT: u16 = 5690;

/// Builds the host once, and brings it back to its first state each time.
pub fn clean() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        sh("ip link set lo up; ip addr add 10.60.1.72/32 dev lo");
        std::thread::spawn(serve_nfs);
        fs::create_dir_all(AGENTS).unwrap();
        let binary = Path::new(AGENTS).join("inuvika-ha");
        fs::copy(env!("CARGO_BIN_EXE_inuvika-ha"), &binary).unwrap();
        std::os::unix::fs::symlink(&binary, Path::new(AGENTS).join("abiquo-rs")).unwrap();
        abiquo::params(0);
    });
    NFS_HANGS.store(false, Ordering::Relaxed);
    abiquo::clean();
    abiquo::unmount_repository();
    abiquo::mount_repository();
    abiquo::redis().start();
    abiquo::configure(0);
    for name in abiquo::WEBAPPS {
        abiquo::answer(0, name, None);
    }
    let _ = fs::remove_dir_all("/run/inuvika-ha");
}

/// Whether the repository's server takes connections and no more.
pub static NFS_HANGS: AtomicBool = AtomicBool::new(false);

/// The repository's server, as far as the NULL procedure of NFS goes.
fn serve_nfs() {
    let listener = TcpListener::bind("10.60.1.72:2049").unwrap();
    let mut kept = Vec::new();
    for mut stream in listener.incoming().flatten() {
        let mut call = [0; 44];
        if NFS_HANGS.load(Ordering::Relaxed) {
            kept.push(stream);
        } else if stream.read_exact(&mut call).is_ok() {
            // The call's own id, a reply, accepted, no credentials, success.
            let _ = stream.write_all(&[&[0x80, 0, 0, 24], &call[4..8], &[0, 0, 0, 1], &[0; 16]].concat());
        }
    }
}

/// Runs a line of shell; what it printed.
pub fn sh(line: &str) -> String {
    let out = Command::new("bash").args(["-c", line]).output().unwrap();
    assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The agent as resource `abiquo_rs`, as Pacemaker calls it.
pub fn agent() -> Subject {
    let path = PathBuf::from(AGENTS).join("abiquo-rs");
    let env = abiquo::params(0);
    let subject = Subject { path, agent_type: "abiquo-rs".into(), instance: "abiquo_rs".into(), env };
    subject.with_param("CRM_meta_timeout", "120000")
}

/// The monitor of a passive node, as Pacemaker calls it.
pub fn passive() -> Subject {
    agent().recurring().with_param("CRM_meta_role", "Stopped")
}

/// `Err` when an action ended otherwise.
pub fn expect(subject: &Subject, action: &str, code: i32) -> Result<Run> {
    let run = subject.run(action);
    ensure!(run.code == code, "{action} gave {run}, wanted {code}");
    ensure!(!run.stderr.contains(abiquo::PASSWORD), "the password: {run}");
    Ok(run)
}

/// `Err` when a recurring monitor of that depth ends otherwise, or gives another reason.
pub fn expect_monitor(depth: &str, code: i32, reason: &str) -> Result<()> {
    expect_monitor_of(&agent(), depth, code, reason)
}

/// The same of an agent with other parameters. As if it were the only monitor: of several only one says "degraded".
pub fn expect_monitor_of(agent: &Subject, depth: &str, code: i32, reason: &str) -> Result<()> {
    let _ = fs::remove_file("/run/inuvika-ha/abiquo_rs/degraded");
    let run = expect(&agent.recurring().with("OCF_CHECK_LEVEL", depth), "monitor", code)?;
    let quiet = code != 0 || run.stderr.is_empty();
    ensure!(run.stderr.contains(reason) && quiet, "monitor of depth {depth} said {run}, wanted {reason:?}");
    Ok(())
}

/// `Err` when that is not so within 20 s: what Tomcat does by itself takes its time.
pub fn soon(what: &str, mut is_so: impl FnMut() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    loop {
        match is_so() {
            Ok(()) => return Ok(()),
            Err(error) if begun.elapsed() > Duration::from_secs(20) => return Err(error.context(what.to_owned())),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// How long something takes.
pub fn timed<T>(act: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let begun = Instant::now();
    let result = act()?;
    Ok((result, begun.elapsed()))
}

/// Sends a signal to Tomcat.
pub fn signal(signal: Signal) {
    for pid in abiquo::processes() {
        let _ = frozen::signal(Pid::from_raw(pid), signal);
    }
}

/// What is left of us: processes, state.
pub fn nothing_left() -> Result<()> {
    let left = abiquo::left();
    ensure!(left.is_empty(), "left: {left:?}");
    ensure!(!Path::new("/run/inuvika-ha").exists(), "left: {}", sh("find /run/inuvika-ha"));
    Ok(())
}

/// A real RabbitMQ; the PID namespace ends it with the tests.
pub fn rabbit() -> &'static Daemon {
    static SERVER: LazyLock<Daemon> = LazyLock::new(|| {
        let folder = format!("{}/rabbit", abiquo::FOLDER);
        fs::create_dir_all(&folder).unwrap();
        Daemon::new(RABBIT, || {
            let folder = format!("{}/rabbit", abiquo::FOLDER);
            // The script of the package becomes another user first.
            let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
            command.env("HOME", &folder).env("RABBITMQ_NODENAME", "rabbit@localhost");
            command.env("RABBITMQ_NODE_PORT", RABBIT.to_string()).env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1");
            command.env("RABBITMQ_MNESIA_BASE", &folder).env("RABBITMQ_LOG_BASE", &folder).env("RABBITMQ_LOGS", "-");
            command.env("RABBITMQ_CONFIG_FILE", format!("{folder}/none"));
            command.env("RABBITMQ_ENABLED_PLUGINS_FILE", format!("{folder}/plugins"));
            command
        })
    });
    &SERVER
}

/// Good properties with RabbitMQ in them.
pub fn properties_with_rabbit(password: &str) -> String {
    let rabbit = format!("abiquo.rabbitmq.host = 127.0.0.1\nabiquo.rabbitmq.port = {RABBIT}\n");
    format!("{}{rabbit}abiquo.rabbitmq.username = guest\nabiquo.rabbitmq.password = {password}\n", abiquo::properties())
}
