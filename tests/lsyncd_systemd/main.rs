//! ovd-lsyncd where systemd runs: two nodes of the lab without a cluster, real lsyncd, rsync and sshd. What its unit is while
//! it runs and after a stop, a kill and a lost mount, and how the distribution's own lsyncd is found. The rest is the same
//! as without a service manager, and tested there. Judges: systemctl, the files on the other node.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use support::lab::{Lab, Machine, Node, Output, enter, wait_for};
use support::lsyncd;

/// A trial on nodes without files, stamps and daemon.
type Body = fn(&Node, &Node) -> Result<()>;

const TRIALS: &[(&str, Body)] = &[
    ("it is a unit while it runs, and stop brings the last change and takes the unit away", life),
    ("a killed lsyncd is seen, and its failed unit is no obstacle for the next start", killed),
    ("a folder whose mount is gone ends the unit, and the next start pushes nothing", unmounted),
    ("the distribution's lsyncd is refused when it starts at boot, until the remedy is carried out", at_boot),
    ("an lsyncd of somebody's own unit is refused, and left alone by stop", stranger),
];

const AGENT: &str = "/usr/lib/ocf/resource.d/inuvika/ovd-lsyncd";
const UNIT: &str = "inuvika-ha-lsyncd.service";
const FOLDER: &str = "/srv/sync/sessions";
const NODES: [&str; 2] = ["osm1", "osm2"];

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&NODES).unwrap();
    lsyncd::install(&lab, NODES).unwrap();
    for node in lab.nodes() {
        node.copy_in(env!("CARGO_BIN_EXE_inuvika-ha"), "/usr/sbin/inuvika-ha", 0o755).unwrap();
        node.sh(&format!("mkdir -p $(dirname {AGENT}); ln -sf /usr/sbin/inuvika-ha {AGENT}")).unwrap();
    }
    lab
});

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        enter();
    }
    arguments.test_threads = Some(1);
    let trials = TRIALS.iter().map(|&(name, body)| {
        Trial::test(name, move || {
            let [one, two] = NODES.map(|name| LAB.node(name));
            let result = clean(one).and_then(|()| clean(two)).and_then(|()| body(one, two));
            result.map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn clean(node: &Node) -> Result<()> {
    node.sh(&format!(
        "systemctl kill -s KILL {UNIT} 2>/dev/null || true
        systemctl stop {UNIT} stranger.service 2>/dev/null || true
        systemctl reset-failed
        ! mountpoint -q {FOLDER} || umount {FOLDER}
        rm -rf /run/inuvika-ha /var/lib/inuvika-ha /srv/sync /srv/disk /srv/copy
        mkdir -p {FOLDER} /srv/disk"
    ))?;
    Ok(())
}

/// An action, with the environment of a cluster manager.
fn act(node: &Node, action: &str, depth: &str, interval: &str) -> Result<Output> {
    let variables = [
        "OCF_ROOT=/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE=lsyncd",
        "OCF_RESOURCE_TYPE=ovd-lsyncd",
        "OCF_RESKEY_peer=osm1.priv,osm2.priv",
        "OCF_RESKEY_delay=1s",
        "OCF_RESKEY_CRM_meta_timeout=40000",
        &format!("OCF_RESKEY_folders={FOLDER}"),
        &format!("OCF_CHECK_LEVEL={depth}"),
        &format!("OCF_RESKEY_CRM_meta_interval={interval}"),
    ];
    node.output_with(Duration::from_secs(60), b"", &[&["env"], &variables[..], &[AGENT, action]].concat())
}

fn expect(node: &Node, action: &str, code: i32, reason: &str) -> Result<()> {
    // Of the recurring monitors only one at a time answers degraded: here each is asked as if it were alone.
    node.sh("rm -f /run/inuvika-ha/lsyncd/degraded")?;
    let (depth, interval) = match action {
        "monitor" => ("0", "10000"),
        "validate-all" => ("10", "0"),
        _ => ("0", "0"),
    };
    let output = act(node, action, depth, interval)?;
    ensure!(output.code == Some(code), "{action} gave {}, wanted {code}", output.describe());
    ensure!(output.stderr.contains(reason), "{action} said {}, wanted {reason:?}", output.describe());
    Ok(())
}

fn shown(node: &Node, property: &str) -> Result<String> {
    Ok(node.run(["systemctl", "show", "-P", property, UNIT])?.trim().to_owned())
}

/// The unit is not there, and nothing of it runs.
fn is_gone(node: &Node) -> Result<()> {
    let (load, active) = (shown(node, "LoadState")?, shown(node, "ActiveState")?);
    ensure!(load == "not-found" && active == "inactive", "{load} {active}");
    let left = node.output(["pgrep", "-a", "-x", "lsyncd|rsync"])?.stdout;
    ensure!(left.is_empty(), "left: {left}");
    Ok(())
}

fn write(node: &Node, name: &str) -> Result<()> {
    node.sh(&format!("echo {name} > {FOLDER}/{name}"))?;
    Ok(())
}

fn has(node: &Node, name: &str) -> Result<bool> {
    Ok(node.output(["test", "-s", &format!("{FOLDER}/{name}")])?.ok())
}

fn wait(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    wait_for(Duration::from_secs(40), what, is_so).map(drop)
}

/// The first push is through, and the other node knows.
fn wait_copied(node: &Node, other: &Node) -> Result<()> {
    wait("the other node to have everything", || {
        let deep = act(node, "monitor", "10", "0")?;
        ensure!(deep.ok(), "{}", deep.describe());
        Ok(other.output(["grep", "-q", "\"complete\":true", &format!("{}/stamp", lsyncd::ATTIC)])?.ok())
    })
}

fn life(one: &Node, two: &Node) -> Result<()> {
    expect(one, "monitor", 7, "")?;
    write(one, "before")?;
    expect(one, "start", 0, "")?;
    ensure!(shown(one, "ActiveState")? == "active" && shown(one, "Restart")? == "no");
    let main = shown(one, "MainPID")?;
    ensure!(one.run(["cat", &format!("/proc/{main}/comm")])?.trim() == "lsyncd", "process {main} is another one");
    wait("the file to arrive", || has(two, "before"))?;
    wait_copied(one, two)?;
    expect(one, "monitor", 0, "")?;
    expect(one, "start", 0, "")?;
    ensure!(shown(one, "MainPID")? == main, "restarted");
    one.sh(&format!("kill -STOP {main}; until grep -q ^State:.T /proc/{main}/status; do sleep 0.01; done"))?;
    expect(one, "monitor", 1, "is stopped (SIGSTOP)")?;
    write(one, "last")?;
    expect(one, "stop", 0, "")?;
    ensure!(has(two, "last")?, "not flushed");
    is_gone(one)?;
    expect(one, "monitor", 7, "not running")?;
    expect(one, "stop", 0, "")
}

fn killed(one: &Node, two: &Node) -> Result<()> {
    expect(one, "start", 0, "")?;
    one.run(["systemctl", "kill", "-s", "KILL", UNIT])?;
    wait("systemd to see it", || Ok(shown(one, "ActiveState")? == "failed"))?;
    expect(one, "monitor", 7, "lsyncd is not running")?;
    write(one, "meanwhile")?;
    expect(one, "start", 0, "")?;
    ensure!(shown(one, "ActiveState")? == "active");
    wait("the file to arrive", || has(two, "meanwhile"))?;
    expect(one, "stop", 0, "")?;
    is_gone(one)
}

fn unmounted(one: &Node, two: &Node) -> Result<()> {
    one.sh(&format!("mount --bind /srv/disk {FOLDER}"))?;
    write(one, "kept")?;
    expect(one, "start", 0, "")?;
    wait_copied(one, two)?;
    one.run(["umount", FOLDER])?;
    expect(one, "monitor", 1, "is not mounted any more")?;
    wait("lsyncd to end", || Ok(shown(one, "ActiveState")? == "failed"))?;
    // What Pacemaker does then.
    expect(one, "stop", 0, "")?;
    is_gone(one)?;
    expect(one, "start", 0, "")?;
    expect(one, "monitor", 190, "is not mounted any more: mount it")?;
    is_gone(one)?;
    ensure!(has(two, "kept")?, "the other node was emptied");
    expect(one, "stop", 0, "")?;
    one.sh(&format!("mount --bind /srv/disk {FOLDER}"))?;
    write(one, "later")?;
    expect(one, "start", 0, "")?;
    wait("the file to arrive", || has(two, "later"))?;
    ensure!(has(two, "kept")?);
    expect(one, "stop", 0, "")
}

fn at_boot(one: &Node, _: &Node) -> Result<()> {
    // As its package leaves it: a script with its links, or a unit that is enabled.
    one.sh("systemctl unmask lsyncd; systemctl enable lsyncd; systemctl daemon-reload")?;
    let result = expect(one, "start", 5, "starts at boot")
        .and_then(|()| expect(one, "validate-all", 5, "starts at boot"))
        .and_then(|()| is_gone(one));
    one.sh("systemctl disable lsyncd; systemctl stop lsyncd; systemctl daemon-reload")?;
    result?;
    expect(one, "validate-all", 0, "")?;
    expect(one, "start", 0, "")?;
    expect(one, "stop", 0, "")
}

fn stranger(one: &Node, _: &Node) -> Result<()> {
    let config = "sync{ default.rsync, source = '/srv/disk', target = '/srv/copy' }\n";
    one.write_file("/srv/stranger.lua", config, 0o644)?;
    one.sh("systemd-run --quiet --unit=stranger lsyncd -nodaemon /srv/stranger.lua")?;
    wait("the stranger", || Ok(one.output(["pgrep", "-x", "lsyncd"])?.ok()))?;
    expect(one, "start", 5, "runs outside of the cluster: systemctl disable lsyncd; systemctl stop lsyncd")?;
    expect(one, "stop", 0, "")?;
    ensure!(one.output(["systemctl", "is-active", "stranger"])?.ok(), "the stranger was ended");
    one.run(["systemctl", "stop", "stranger"])?;
    wait("the stranger to end", || is_gone(one).map(|()| true))?;
    expect(one, "start", 0, "")?;
    expect(one, "stop", 0, "")
}
