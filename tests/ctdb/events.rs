//! What CTDB tells of: the program under the names of a notification and of an event script. Node attributes need Pacemaker, which
//! these nodes do not have: here it must do no harm.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::site::{VIP, node, wait_for};
use crate::{Body, start};

pub const TRIALS: &[(&str, Body)] = &[
    ("a move of the address is told on both nodes", told),
    ("a script is over within a second and never fails, also when ctdbd hangs", bounded),
];

const EVENT: &str = "/etc/ctdb/events/legacy/99.inuvika-ha.script";
const NOTIFICATION: &str = "/etc/ctdb/events/notification/50.inuvika-ha.script";

fn told() -> Result<()> {
    let (one, two) = (node(0), node(1));
    for node in [one, two] {
        node.sh(&format!("ln -sf /mnt/agents/inuvika-ha {EVENT}; ln -sf /mnt/agents/inuvika-ha {NOTIFICATION}"));
    }
    let done = moves();
    for node in [one, two] {
        node.sh(&format!("rm {EVENT} {NOTIFICATION}"));
    }
    done
}

fn moves() -> Result<()> {
    let (one, two) = (node(0), node(1));
    start(&[one, two])?;
    wait_for("somebody serves the address", || one.has_vip() != two.has_vip());
    let (from, to) = if one.has_vip() { (one, two) } else { (two, one) };
    let log = |node: &crate::site::Node| node.sh("cat /var/log/ctdb/log.ctdb");
    // The address is there a moment before it is told.
    wait_for("it is told", || log(from).contains(&format!("CTDB: {VIP} moves to this node, on lan0")));
    from.sh("ctdb disable");
    wait_for("the other node serves", || to.has_vip());
    wait_for("it is told", || log(to).contains(&format!("CTDB: {VIP} moves to this node, on lan0")));
    wait_for("it is told there", || log(from).contains(&format!("CTDB: {VIP} leaves this node, from lan0")));
    from.sh("ctdb enable; killall -9 smbd");
    wait_for("it is told", || log(from).contains("CTDB: this node is unhealthy, others take its addresses"));
    Ok(())
}

fn bounded() -> Result<()> {
    let one = node(0);
    start(&[one])?;
    for stopped in [false, true] {
        if stopped {
            one.sh("kill -STOP $(cat /run/ctdb/ctdbd.pid)");
        }
        for words in ["takeip lan0 172.16.4.26 24", "ipreallocated", "monitor", "unhealthy", "nonsense", ""] {
            for name in ["50.inuvika-ha.script", "99.inuvika-ha.script"] {
                let begun = Instant::now();
                let (ok, said) = one.try_sh(&format!("/mnt/agents/{name} {words}"));
                let took = begun.elapsed();
                ensure!(ok && took.as_millis() < 1000, "{name} {words}: {ok}, {took:?}, {said}");
            }
        }
    }
    Ok(())
}
