//! What a client sees: real SMB, numbered lines, nothing acknowledged is lost.

use anyhow::{Result, ensure};

use crate::site::{Writer, node, wait_for};
use crate::{Body, start, wanted};

pub const TRIALS: &[(&str, Body)] = &[
    ("a client goes on when its node is stopped, and when it comes back", stopped),
    ("a client goes on when the ctdbd of its node is killed", killed),
];

/// The guide allows a minute.
const FREEZE: f64 = 15.0;

fn stopped() -> Result<()> {
    let (one, two) = (node(0), node(1));
    start(&[one, two])?;
    wait_for("somebody serves the address", || one.has_vip() != two.has_vip());
    let writer = Writer::begin("stopped");
    let (from, to) = if one.has_vip() { (one, two) } else { (two, one) };
    wanted(&from.agent(), "stop", 0)?;
    wait_for("the other node serves", || to.has_vip());
    writer.goes_on();
    wanted(&from.agent(), "start", 0)?;
    writer.goes_on();
    let freeze = writer.end();
    eprintln!("ctdb: node stopped and started: longest freeze {freeze:.1} s");
    ensure!(freeze < FREEZE, "{freeze} s without an answer");
    Ok(())
}

fn killed() -> Result<()> {
    let (one, two) = (node(0), node(1));
    start(&[one, two])?;
    wait_for("somebody serves the address", || one.has_vip() != two.has_vip());
    let writer = Writer::begin("killed");
    let (from, to) = if one.has_vip() { (one, two) } else { (two, one) };
    from.sh("kill -9 $(cat /run/ctdb/ctdbd.pid)");
    // What Pacemaker does after its next monitor of depth 0.
    std::thread::sleep(std::time::Duration::from_secs(3));
    wanted(&from.agent(), "stop", 0)?;
    wait_for("the other node serves", || to.has_vip());
    writer.goes_on();
    let freeze = writer.end();
    eprintln!("ctdb: ctdbd killed: longest freeze {freeze:.1} s");
    ensure!(freeze < FREEZE, "{freeze} s without an answer");
    Ok(())
}
