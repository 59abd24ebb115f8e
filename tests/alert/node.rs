//! A node without a cluster: the agent's files, and the agent as Pacemaker runs it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::sh;

/// The configuration.
pub const CONFIG: &str = "/etc/inuvika-ha/alert.toml";
pub const QUEUE: &str = "/var/spool/inuvika-ha/queue";
const PROGRAM: &str = "/run/agents/inuvika-ha";
const LINK: &str = "/run/agents/inuvika-alert";

/// An operation that failed, as Pacemaker tells it.
pub const FAILED: &[(&str, &str)] = &[
    ("kind", "resource"),
    ("node", "osm1.priv"),
    ("rsc", "session_manager"),
    ("task", "monitor"),
    ("interval", "10000"),
    ("rc", "1"),
    ("target_rc", "0"),
    ("status", "0"),
    ("exec_time", "21"),
    ("desc", "error"),
];
/// A node that is gone.
pub const LOST: &[(&str, &str)] = &[("kind", "node"), ("node", "osm1.priv"), ("nodeid", "1"), ("desc", "lost")];

/// Makes the node as new: what the packages install, and an empty spool. The folders are the lab's own.
pub fn clean() -> Result<()> {
    sh("if [ ! -e /run/agents ]; then
            mkdir -p /run/agents /run/etc/up /run/etc/work /run/var/up /run/var/work
            mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/up,workdir=/run/etc/work overlay /etc
            mount -t overlay -o lowerdir=/var,upperdir=/run/var/up,workdir=/run/var/work overlay /var
        fi")?;
    if !Path::new(PROGRAM).exists() {
        fs::write(PROGRAM, "")?;
        sh(&format!("mount --bind {} {PROGRAM}; ln -s inuvika-ha {LINK}", env!("CARGO_BIN_EXE_inuvika-ha")))?;
        sh("printf '127.0.0.1 localhost\\n' >/etc/hosts; ip link set lo up")?;
    }
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/tmpfiles.d/inuvika-ha.conf");
    sh(&format!(
        "rm -rf /var/spool/inuvika-ha /var/log/inuvika-ha /etc/inuvika-ha; mkdir -p /etc/inuvika-ha; chmod 755 /etc/inuvika-ha
         systemd-tmpfiles --create {shipped}"
    ))
}

/// Writes the configuration as it should be.
pub fn configure(text: &str) -> Result<()> {
    secret(CONFIG, text)
}

/// Writes a file for the cluster's user alone.
pub fn secret(path: &str, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.to_owned())?;
    sh(&format!("chown hacluster:haclient {path}; chmod 600 {path}"))
}

/// Starts the agent as Pacemaker does: another user, variables, no arguments.
pub fn begin(event: &[(&str, &str)], more: &[(&str, &str)]) -> Result<Child> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=hacluster", "--regid=haclient", "--init-groups", LINK]).env_clear();
    for (name, value) in event.iter().chain(more) {
        command.env(format!("CRM_alert_{name}"), value);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("start the agent")
}

/// Runs the agent; it must be quiet, say that all is well, and take no longer than `limit`.
pub fn raise(event: &[(&str, &str)], more: &[(&str, &str)], limit: Duration) -> Result<()> {
    let begun = Instant::now();
    let output = begin(event, more)?.wait_with_output()?;
    let took = begun.elapsed();
    ensure!(output.status.success() && output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
    ensure!(took <= limit, "took {took:?}, allowed were {limit:?}");
    Ok(())
}

/// Runs `inuvika-ha alert` as root.
pub fn alert(words: &[&str]) -> Result<Output> {
    Command::new(PROGRAM).arg("alert").args(words).env_clear().output().context("run inuvika-ha alert")
}

/// Runs it; it must end with that code and say that, on one line where it fails.
pub fn alert_says(words: &[&str], code: i32, said: &str) -> Result<()> {
    let output = alert(words)?;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(
        output.status.code() == Some(code) && text.contains(said),
        "alert {words:?} gave {output:?}, wanted {said}"
    );
    ensure!(code == 0 || text.lines().count() == 1, "more than one line: {text}");
    Ok(())
}

/// How many events wait.
pub fn waiting() -> usize {
    fs::read_dir(QUEUE).map(|entries| entries.flatten().count()).unwrap_or_default()
}

/// `Err` unless so many wait.
pub fn wait_is(count: usize) -> Result<()> {
    ensure!(waiting() == count, "{} events wait instead of {count}", waiting());
    Ok(())
}
