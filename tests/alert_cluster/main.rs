//! inuvika-alert under Pacemaker: three nodes that see the same events, a real mail server, real fencing. Judge: the mails as they
//! arrived.
//!
//! The trials build on each other: one cluster, one after the other. `INUVIKA_TEST_FULL=1` also takes the mail server away from the
//! node whose turn it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../alert/post.rs"]
mod post;
#[path = "../support/mod.rs"]
mod support;

use std::process::{Command, ExitCode};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Arguments;
use post::{Mail, Post};
use support::lab::{self, Lab, Machine, Net, PASSWORD, trial, wait_for, wait_idle};

const NODES: [&str; 3] = ["osm1", "osm2", "pcs3"];
static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::new(&NODES).unwrap());
static POST: LazyLock<Post> = LazyLock::new(|| {
    let client = &LAB.client;
    Post::start_at(&client.prefix().unwrap(), &client.address(Net::Srv).to_string()).unwrap()
});
/// An agent that says why it fails.
const AGENT: &str = r#"#!/bin/sh
case $1 in
meta-data) cat <<'END'
<?xml version="1.0"?>
<resource-agent name="web" version="1"><version>1.0</version><longdesc lang="en">-</longdesc><shortdesc lang="en">-</shortdesc>
<parameters/><actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/>
<action name="monitor" timeout="20s" interval="2s"/><action name="meta-data" timeout="5s"/></actions></resource-agent>
END
;;
start) touch /run/lab-web ;;
stop) rm -f /run/lab-web /run/lab-broken ;;
monitor)
    [ -e /run/lab-web ] || exit 7
    [ ! -e /run/lab-broken ] || { echo 'ocf-exit-reason:the page says <error> & "more"' >&2; exit 1; } ;;
*) exit 3 ;;
esac
"#;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        lab::enter();
    }
    arguments.test_threads = Some(1);
    let on = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &LAB, body);
    let full = std::env::var_os("INUVIKA_TEST_FULL").is_some();
    let trials = vec![
        on("a cluster with an alert is made", forms),
        on("a failed monitor is one mail, with the reason that its agent gave", fails),
        on("a node that dies and comes back is told once, by the live node with the lowest id", dies),
        on("where the first node has no way to the mail server, the next one tells", takes_over)
            .with_ignored_flag(!full),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs a script of the test's own, which must succeed.
pub fn sh(script: &str) -> Result<()> {
    let output = Command::new("bash").args(["-euc", script]).output().context("run bash")?;
    ensure!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn forms(lab: &Lab) -> Result<()> {
    LazyLock::force(&POST);
    let shipped = |name: &str| format!("{}/packaging/{name}", env!("CARGO_MANIFEST_DIR"));
    let config = format!(
        "gather = 3\nevery = 0\n[mail]\nhost = \"{}\"\ntls = \"none\"\nfrom = \"cluster@example.com\"\n",
        lab.client.address(Net::Srv)
    );
    for node in lab.nodes() {
        node.copy_in(env!("CARGO_BIN_EXE_inuvika-ha"), "/usr/sbin/inuvika-ha", 0o755)?;
        node.copy_in(shipped("tmpfiles.d/inuvika-ha.conf"), "/usr/lib/tmpfiles.d/inuvika-ha.conf", 0o644)?;
        for unit in ["inuvika-alert-flush.service", "inuvika-alert-flush.timer"] {
            node.copy_in(shipped(&format!("systemd/{unit}")), &format!("/usr/lib/systemd/system/{unit}"), 0o644)?;
        }
        node.write_file("/etc/inuvika-ha/alert.toml", &config, 0o600)?;
        node.write_file("/usr/lib/ocf/resource.d/lab/web", AGENT, 0o755)?;
        node.sh("chown hacluster:haclient /etc/inuvika-ha/alert.toml; chmod 755 /etc/inuvika-ha
            systemd-tmpfiles --create inuvika-ha.conf; mkdir -p /usr/share/pacemaker/alerts
            ln -sf /usr/sbin/inuvika-ha /usr/share/pacemaker/alerts/inuvika-alert
            systemctl daemon-reload; systemctl enable --now inuvika-alert-flush.timer")?;
    }
    let first = lab.node("osm1");
    let members = lab.nodes().iter().map(|node| format!("{} addr={}", node.cluster_name(), node.address(Net::Priv)));
    let members = members.collect::<Vec<_>>().join(" ");
    let names = lab.nodes().iter().map(|node| node.cluster_name()).collect::<Vec<_>>();
    first.sh(&format!("pcs host auth -u hacluster -p {PASSWORD} {members}"))?;
    let setup = format!("pcs cluster setup lab {} totem token=1500 --enable --start --wait=120", names.join(" "));
    lab.phase("set up a cluster", || first.sh_within(Duration::from_secs(150), &setup))?;
    first.sh_within(
        Duration::from_secs(90),
        &format!(
            "pcs cluster cib /root/cib
            pcs -f /root/cib stonith create fence_x fence_lab pcmk_host_list={}
            pcs -f /root/cib resource create web ocf:lab:web op monitor interval=2s
            pcs -f /root/cib constraint location web prefers osm2.priv=10
            pcs -f /root/cib alert create id=inuvika-alert path=/usr/share/pacemaker/alerts/inuvika-alert
            pcs -f /root/cib alert recipient add inuvika-alert value=ops@example.com
            pcs cluster cib-push /root/cib --wait=60",
            names.join(",")
        ),
    )?;
    ensure!(lab.status("pcs3")?.runs_only_on("web", lab.node("osm2")), "web does not run");
    first.sh("inuvika-ha alert check >/dev/null; inuvika-ha alert test ops@example.com")?;
    let mail = POST.mail()?;
    ensure!(mail.header("Subject") == "[lab] test message from osm1.priv", "{}", mail.text);
    // Nothing is told that went well.
    POST.mails(0).map(|_| ())
}

/// All mails until nothing more can come: later than the last node's turn, and after every timer.
fn all(limit: Duration) -> Result<Vec<Mail>> {
    sleep(limit);
    let count = POST.arrived()?.len();
    POST.mails(count)
}

/// `Err` unless this is told once, in all mails together.
fn told_once(mails: &[Mail], what: &str, by: &str) -> Result<()> {
    let of: Vec<&Mail> = mails.iter().filter(|mail| mail.body().contains(what)).collect();
    ensure!(of.len() == 1, "{} mails tell {what:?}: {mails:#?}", of.len());
    ensure!(of[0].body().matches(what).count() == 1, "told more than once: {}", of[0].text);
    ensure!(of[0].body().contains(&format!("Sent by {by} of the cluster lab")), "not by {by}: {}", of[0].text);
    Ok(())
}

fn fails(lab: &Lab) -> Result<()> {
    let node = lab.node("osm2");
    node.run(["touch", "/run/lab-broken"])?;
    let mails = all(Duration::from_secs(9))?;
    told_once(&mails, "web on osm2.priv: monitor failed (1, ", "osm2.priv")?;
    ensure!(mails.len() == 1, "{mails:#?}");
    let body = mails[0].body();
    for part in ["reason     the page says <error> & \"more\"", "operation  monitor every 2 s, result 1 instead of 0"] {
        ensure!(body.contains(part), "no {part} in {}", mails[0].text);
    }
    node.run(["pcs", "resource", "cleanup", "web"])?;
    wait_idle(node, Duration::from_secs(30))
}

fn dies(lab: &Lab) -> Result<()> {
    let before = lab.fencing.times_off("osm1");
    lab.node("osm1").kill()?;
    wait_for(Duration::from_secs(60), "osm1 to be fenced", || Ok(lab.fencing.times_off("osm1") > before))?;
    wait_for(Duration::from_secs(90), "osm1 to be back", || Ok(lab.status("osm2")?.online().len() == 3))?;
    let mails = all(Duration::from_secs(16))?;
    for what in ["node osm1.priv is lost", "node osm1.priv was fenced (reboot)", "node osm1.priv is a member again"] {
        told_once(&mails, what, "osm2.priv")?;
    }
    // What osm1 sees of the others for the first time is no news.
    ensure!(mails.len() <= 3 && !mails.iter().any(|mail| mail.body().contains("pcs3.priv is a member")), "{mails:#?}");
    for name in NODES {
        let left = lab.node(name).sh("ls /var/spool/inuvika-ha/queue")?;
        ensure!(left.is_empty(), "{name} still keeps {left}");
    }
    // Both have seen it, or the rule had nothing to decide.
    let log = lab.node("pcs3").sh("grep -h inuvika-alert /var/log/pacemaker/pacemaker.log")?;
    ensure!(log.contains("node osm1.priv is lost: told by osm2.priv"), "pcs3 does not say who told it: {log}");
    Ok(())
}

fn takes_over(lab: &Lab) -> Result<()> {
    lab.net.link_down("osm2", Net::Srv)?;
    let before = lab.fencing.times_off("osm1");
    lab.node("osm1").kill()?;
    wait_for(Duration::from_secs(60), "osm1 to be fenced", || Ok(lab.fencing.times_off("osm1") > before))?;
    // On a slow machine the timer may have to do it.
    let told = |what: &str| Ok(POST.arrived()?.iter().any(|mail| mail.body().contains(what)));
    wait_for(Duration::from_secs(150), "pcs3 to tell the loss", || told("node osm1.priv is lost"))?;
    wait_for(Duration::from_secs(150), "pcs3 to tell the fencing", || told("node osm1.priv was fenced ("))?;
    let mut mails = all(Duration::from_secs(2))?;
    told_once(&mails, "node osm1.priv is lost", "pcs3.priv")?;
    // With its link back, osm2 knows that there is nothing left to tell; its timer takes care of it.
    lab.net.link_up("osm2", Net::Srv)?;
    let queue = || lab.node("osm2").sh("ls /var/spool/inuvika-ha/queue");
    wait_for(Duration::from_secs(150), "osm2 to forget the event", || Ok(queue()?.is_empty()))?;
    mails.extend(all(Duration::from_secs(2))?);
    told_once(&mails, "node osm1.priv is lost", "pcs3.priv")?;
    told_once(&mails, "node osm1.priv was fenced (", "pcs3.priv")
}
