//! What goes wrong, and what is said of it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::site::{self, VIP, node, wait_for};
use crate::{Body, monitor, nothing_left, start, wanted};

pub const TRIALS: &[(&str, Body)] = &[
    ("what an administrator or CTDB itself wants is degraded, with its reason", set_aside),
    ("a ctdbd that was killed leaves no address on two nodes", killed),
    ("a stopped ctdbd (SIGSTOP) is seen by the monitor without a child, and ended at once", frozen),
    ("a Samba that was killed is degraded, then a failure, and a restart heals it", samba),
    ("an interface that is down is a reason, and the other node serves", interface),
    ("a cut private network is told on both nodes, and restarts none", partition),
    ("a node that is lost without a word is never a failure of the other one", lost),
];

fn set_aside() -> Result<()> {
    let one = node(0);
    start(&[one, node(1)])?;
    for (act, undo, reason) in [
        ("ctdb disable", "ctdb enable", "is disabled by an administrator: ctdb enable"),
        ("ctdb stop", "ctdb continue", "is stopped by an administrator: ctdb continue"),
        ("ctdb ban 60", "ctdb unban", "is banned by CTDB for a while"),
    ] {
        one.sh(act);
        monitor(one, &one.agent(), "0", 0, "")?;
        // Not a failure, however long it lasts.
        monitor(one, &one.agent().with_param("unhealthy_timeout", "0"), "10", 190, reason)?;
        wait_for("the other node serves", || node(1).has_vip() && !one.has_vip());
        one.sh(undo);
        wait_for("it takes part again", || one.sh("ctdb -X status").contains("|0|0|0|0|0|0|0|0|Y|"));
        monitor(one, &one.agent(), "10", 0, "")?;
    }
    for node in [one, node(1)] {
        wanted(&node.agent(), "stop", 0)?;
        nothing_left(node)?;
    }
    Ok(())
}

/// The node that serves the address, and the other one.
pub fn holder() -> (&'static site::Node, &'static site::Node) {
    wait_for("somebody serves the address", || node(0).has_vip() != node(1).has_vip());
    if node(0).has_vip() { (node(0), node(1)) } else { (node(1), node(0)) }
}

fn killed() -> Result<()> {
    start(&[node(0), node(1)])?;
    let (one, other) = holder();
    one.sh("kill -9 $(cat /run/ctdb/ctdbd.pid)");
    wait_for("ctdbd is gone", || !one.daemons().contains("ctdbd"));
    // Only what has failed is stopped by Pacemaker; what is stopped is not.
    monitor(one, &one.agent(), "0", 1, &format!("is not running, but {VIP} is still on this node"))?;
    monitor(other, &other.agent(), "0", 0, "")?;
    monitor(other, &other.agent(), "10", 0, "")?;
    wanted(&one.agent(), "stop", 0)?;
    nothing_left(one)?;
    wait_for("the other node serves", || other.has_vip());
    wanted(&one.agent(), "start", 0)?;
    monitor(one, &one.agent(), "10", 0, "")?;
    Ok(())
}

fn frozen() -> Result<()> {
    let one = node(0);
    start(&[one])?;
    one.sh("pid=$(cat /run/ctdb/ctdbd.pid); kill -STOP $pid; until grep -q ^State:.T /proc/$pid/status; do sleep 0.01; done");
    let begun = Instant::now();
    monitor(
        one,
        &one.agent(),
        "0",
        1,
        "no answer from ctdbd at /run/ctdb/ctdbd.socket in 3.0 s: it is stopped (SIGSTOP)",
    )?;
    ensure!(begun.elapsed() < Duration::from_secs(6), "monitor took {:?}", begun.elapsed());
    let begun = Instant::now();
    wanted(&one.agent(), "stop", 0)?;
    ensure!(begun.elapsed() < Duration::from_secs(10), "stop took {:?}", begun.elapsed());
    nothing_left(one)
}

fn samba() -> Result<()> {
    let one = node(0);
    start(&[one])?;
    wait_for("it serves", || one.has_vip());
    one.sh("killall -9 smbd");
    monitor(one, &one.agent(), "0", 0, "")?;
    wait_for("CTDB sees it", || one.sh("ctdb -X status").contains("|1|0|0|0|Y|"));
    monitor(one, &one.agent(), "10", 190, "is unhealthy: 50.samba")?;
    let impatient = one.agent().with_param("unhealthy_timeout", "2s");
    std::thread::sleep(Duration::from_secs(3));
    monitor(one, &impatient, "10", 1, "is unhealthy: 50.samba")?;
    wanted(&one.agent(), "stop", 0)?;
    nothing_left(one)?;
    wanted(&one.agent(), "start", 0)?;
    monitor(one, &one.agent(), "10", 0, "")
}

fn interface() -> Result<()> {
    start(&[node(0), node(1)])?;
    let (one, other) = holder();
    site::cable(one.number, "lan", "down");
    let took = wait_for("the other node serves", || other.has_vip());
    eprintln!("ctdb: interface down: the other node serves after {:.1} s", took.as_secs_f32());
    monitor(one, &one.agent(), "0", 0, "")?;
    monitor(one, &one.agent(), "10", 190, "is unhealthy: 10.interface")?;
    monitor(other, &other.agent(), "10", 0, "")?;
    site::cable(one.number, "lan", "up");
    wait_for("it is well again", || one.sh("ctdb -X status").contains("|0|0|0|0|0|0|0|0|Y|"));
    monitor(one, &one.agent(), "10", 0, "")
}

fn partition() -> Result<()> {
    start(&[node(0), node(1)])?;
    let (one, other) = holder();
    site::cable(one.number, "prv", "down");
    let lost = || one.sh("ctdb -X status").contains("|N|") && other.sh("ctdb -X status").contains("|1|0|");
    wait_for("they notice", lost);
    // Which of them serves is for the recovery lock to say, and that both do for a while for fencing to end.
    for node in [one, other] {
        monitor(node, &node.agent(), "0", 0, "")?;
        // That the other one is disconnected, or first that Samba waits for the recovery of its databases.
        monitor(node, &node.agent(), "20", 190, "")?;
    }
    for node in [one, other] {
        wanted(&node.agent(), "stop", 0)?;
        nothing_left(node)?;
    }
    Ok(())
}

/// CTDB misses it after 25 s; until then commands that ask all nodes wait for it, which has had all nodes restart with others.
fn lost() -> Result<()> {
    start(&[node(0), node(1)])?;
    let (one, other) = holder();
    for network in ["prv", "lan"] {
        site::cable(one.number, network, "down");
    }
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(40) {
        for depth in ["0", "10", "20"] {
            let run = other.agent().recurring().with("OCF_CHECK_LEVEL", depth).run("monitor");
            let after = begun.elapsed().as_secs();
            ensure!([0, 190].contains(&run.code), "monitor of depth {depth} {after} s after the loss: {run}");
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    monitor(other, &other.agent(), "20", 190, "")?;
    wanted(&other.agent(), "stop", 0)?;
    nothing_left(other)
}
