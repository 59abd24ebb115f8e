//! abiquo-rs where systemd runs: a node of the lab without a cluster, real Tomcat as abiquo-tomcat.service in the guide's places,
//! so that the agent has no parameter. How the unit is started, kept from restarting by itself, and ended. The rest is the same
//! as without a service manager, and tested there. Judges: systemctl, curl.

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
use support::abiquo_node::{UNIT, install, install_script, shown};
use support::lab::{Lab, Machine, Node, Output, enter, wait_for};

/// A trial on a node without a Tomcat.
type Body = fn(&Node) -> Result<()>;

const TRIALS: &[(&str, Body)] = &[
    ("the unit is found, claimed, and ends in good order", life),
    ("a killed Tomcat is seen, and comes back only by a start", killed),
    ("a stopped Tomcat (SIGSTOP) is ended, although systemd would restart it", frozen),
    ("a stop that systemd's own stop of Pacemaker waits for is graceful and quick", with_pacemaker),
    ("a unit whose own stop hangs is down in time all the same", hangs),
    ("a unit that starts at boot is reported with the remedy", at_boot),
    ("a Tomcat that somebody has started by hand is noticed, and left", by_hand),
];

const AGENT: &str = "/usr/lib/ocf/resource.d/inuvika/abiquo-rs";

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&["rsha1"]).unwrap();
    let node = lab.node("rsha1");
    node.copy_in(env!("CARGO_BIN_EXE_inuvika-ha"), "/usr/sbin/inuvika-ha", 0o755).unwrap();
    node.sh(&format!("mkdir -p $(dirname {AGENT}); ln -sf /usr/sbin/inuvika-ha {AGENT}")).unwrap();
    install(node, &["vsm", "nars"], "[remote-services]\nabiquo.datacenter.id = rsha\n").unwrap();
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
            let node = LAB.node("rsha1");
            let result = clean(node).and_then(|()| body(node));
            result.map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn clean(node: &Node) -> Result<()> {
    node.sh(&format!(
        "systemctl disable {UNIT} 2>/dev/null; systemctl stop {UNIT}; systemctl reset-failed
        rm -f {STAND_IN} /opt/agent-*
        rm -rf /run/inuvika-ha /run/systemd/system/{UNIT}.d; systemctl daemon-reload"
    ))
    .map(drop)
}

/// An action, with the environment of a cluster manager.
fn act(node: &Node, action: &str, depth: &str, interval: &str) -> Result<Output> {
    act_with(node, action, depth, interval, &[])
}

fn act_with(node: &Node, action: &str, depth: &str, interval: &str, more: &[&str]) -> Result<Output> {
    let variables = [
        "OCF_ROOT=/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE=abiquo_rs",
        "OCF_RESOURCE_TYPE=abiquo-rs",
        "HA_LOGFILE=/opt/agent-log",
        "OCF_RESKEY_CRM_meta_timeout=120000",
        &format!("OCF_CHECK_LEVEL={depth}"),
        &format!("OCF_RESKEY_CRM_meta_interval={interval}"),
    ];
    node.output_with(Duration::from_secs(150), b"", &[&["env"], &variables[..], more, &[AGENT, action]].concat())
}

fn expect(node: &Node, action: &str, depth: &str, code: i32, reason: &str) -> Result<()> {
    let interval = if action == "monitor" { "10000" } else { "0" };
    let output = act(node, action, depth, interval)?;
    ensure!(output.code == Some(code), "{action} gave {}, wanted {code}", output.describe());
    ensure!(output.stderr.contains(reason), "{action} said {}, wanted {reason:?}", output.describe());
    Ok(())
}

/// The unit is down, in good order, and may restart again as its owner wants.
fn is_down(node: &Node) -> Result<()> {
    let all = [shown(node, "ActiveState")?, shown(node, "DropInPaths")?, node.sh("pgrep -x java || true")?];
    ensure!(all[0] == "inactive" || all[0] == "failed", "{all:?}");
    ensure!(all[1].is_empty() && all[2].is_empty(), "{all:?}");
    ensure!(!node.output(["ls", "/run/inuvika-ha"])?.ok(), "state is left");
    Ok(())
}

fn life(node: &Node) -> Result<()> {
    expect(node, "monitor", "0", 7, "is not running")?;
    expect(node, "start", "0", 0, "")?;
    ensure!(node.run(["curl", "-s", "http://127.0.0.1:8009/vsm/check"])? == "rsha");
    ensure!(shown(node, "ActiveState")? == "active" && shown(node, "Restart")? == "no", "not claimed");
    for depth in ["0", "10", "20"] {
        expect(node, "monitor", depth, 0, "")?;
    }
    expect(node, "stop", "0", 0, "")?;
    is_down(node)?;
    ensure!(shown(node, "Result")? == "success", "it did not end in good order: {}", shown(node, "Result")?);
    ensure!(shown(node, "Restart")? == "always");
    expect(node, "stop", "0", 0, "")
}

fn killed(node: &Node) -> Result<()> {
    expect(node, "start", "0", 0, "")?;
    node.sh("kill -9 $(pgrep -x java)")?;
    wait_for(Duration::from_secs(10), "the monitor sees it", || {
        expect(node, "monitor", "0", 7, "is not running").map(|()| true)
    })?;
    std::thread::sleep(Duration::from_secs(2));
    ensure!(node.sh("pgrep -x java || true")?.is_empty(), "systemd has restarted it behind the cluster's back");
    expect(node, "start", "0", 0, "")?;
    expect(node, "monitor", "10", 0, "")?;
    expect(node, "stop", "0", 0, "")?;
    is_down(node)
}

fn frozen(node: &Node) -> Result<()> {
    // Not started by the cluster: Restart=always holds.
    node.run(["systemctl", "start", UNIT])?;
    node.sh("pid=$(pgrep -x java); kill -STOP $pid; until grep -q ^State:.T /proc/$pid/status; do sleep 0.01; done")?;
    expect(node, "monitor", "0", 1, "is stopped (SIGSTOP)")?;
    expect(node, "stop", "0", 0, "")?;
    std::thread::sleep(Duration::from_secs(2));
    is_down(node)
}

/// Takes Pacemaker's place: it ends when the agent has stopped what it runs, as Pacemaker does.
const STAND_IN: &str = "/etc/systemd/system/pacemaker.service";

/// Milliseconds after which a stop gives up waiting for systemd.
const WAITED: u64 = 10_000;

fn with_pacemaker(node: &Node) -> Result<()> {
    let variables = "OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=abiquo_rs OCF_RESOURCE_TYPE=abiquo-rs \
                     OCF_RESKEY_CRM_meta_timeout=60000 HA_LOGFILE=/opt/agent-log";
    let script = format!(
        "#!/bin/bash\nbegun=$(date +%s%N)\nenv {variables} {AGENT} stop\n\
         echo \"code $? after $((($(date +%s%N) - begun) / 1000000)) ms\" > /opt/agent-said\n"
    );
    node.write_file("/opt/agent-stop", script, 0o755)?;
    let unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStop=/opt/agent-stop\nTimeoutStopSec=90\n";
    node.write_file(STAND_IN, unit, 0o644)?;
    node.sh("systemctl daemon-reload; systemctl start pacemaker.service")?;
    expect(node, "start", "0", 0, "")?;
    ensure!(shown(node, "Before")?.contains("pacemaker.service"), "not claimed");
    node.sh("systemctl stop pacemaker.service")?;
    let said = node.run(["cat", "/opt/agent-said"])?;
    let log = node.run(["cat", "/opt/agent-log"])?;
    let took: u64 = said.split_whitespace().nth(3).and_then(|word| word.parse().ok()).unwrap_or(u64::MAX);
    ensure!(said.starts_with("code 0 ") && took < WAITED, "{said}\n{log}");
    ensure!(log.contains("has shut down by itself") && !log.contains("killed"), "{log}");
    is_down(node)?;
    ensure!(shown(node, "Result")? == "success", "it did not end in good order: {}", shown(node, "Result")?);
    node.sh(&format!("rm {STAND_IN}; systemctl daemon-reload")).map(drop)
}

/// Its `ExecStop=` waits for ever, as catalina.sh does for a shutdown port that nobody serves.
fn hangs(node: &Node) -> Result<()> {
    let folder = format!("/etc/systemd/system/{UNIT}.d");
    node.run(["mkdir", "-p", &folder])?;
    let text = "[Service]\nExecStop=\nExecStop=/bin/sleep 1000.75\nTimeoutStopSec=900\n";
    node.write_file(&format!("{folder}/hangs.conf"), text, 0o644)?;
    node.run(["systemctl", "daemon-reload"])?;
    let result = (|| {
        expect(node, "start", "0", 0, "")?;
        let begun = std::time::Instant::now();
        expect(node, "stop", "0", 0, "")?;
        // What the generated configuration gives a stop.
        ensure!(begun.elapsed() < Duration::from_secs(60), "it took {:?}", begun.elapsed());
        // Nothing comes back by Restart=always.
        std::thread::sleep(Duration::from_secs(2));
        ensure!(node.sh("pgrep -fx '/bin/sleep 1000.75' || true")?.is_empty(), "ExecStop= goes on");
        expect(node, "monitor", "0", 7, "is not running")
    })();
    node.sh(&format!("rm -r {folder}; systemctl daemon-reload"))?;
    result?;
    is_down(node)
}

fn at_boot(node: &Node) -> Result<()> {
    node.run(["systemctl", "enable", UNIT])?;
    let said = node.sh(&format!("{AGENT} validate-all --depth 10 --json || true"))?;
    ensure!(said.contains(&format!("starts at boot: systemctl disable {UNIT}")), "{said}");
    node.run(["systemctl", "disable", UNIT]).map(drop)
}

/// As people do it: by a script, beside the unit.
fn by_hand(node: &Node) -> Result<()> {
    install_script(node)?;
    node.run(["systemd-run", "--unit=by-hand", "--property=Type=forking", "/etc/init.d/abiquo-tomcat", "start"])?;
    let result = (|| {
        let runs = || Ok(node.output(["pgrep", "-x", "java"])?.ok());
        wait_for(Duration::from_secs(20), "Java runs", runs)?;
        expect(node, "monitor", "0", 7, "is not running")?;
        // The first look of a passive node asks nothing.
        for _ in 0..2 {
            let look = act_with(node, "monitor", "0", "15000", &["OCF_RESKEY_CRM_meta_role=Stopped"])?;
            ensure!(look.code == Some(7), "{}", look.describe());
        }
        expect(node, "stop", "0", 0, "")?;
        ensure!(runs()?, "it was ended");
        let log = node.run(["cat", "/opt/agent-log"])?;
        ensure!(log.contains("started by hand beside the cluster"), "{log}");
        ensure!(log.contains("started by hand, still runs"), "{log}");
        Ok(())
    })();
    node.sh("systemctl kill -s KILL by-hand; systemctl reset-failed by-hand; rm /etc/init.d/abiquo-tomcat")?;
    result
}
