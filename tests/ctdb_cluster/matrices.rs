//! The test matrices of the guide "File Server High Availability", and what else happens to whole nodes.
//!
//! "FS node down" is a node that is shut down, as the guide's second scenario has it, and one that loses its power. A session opens,
//! writes a file, and logs out; all the time another client writes without a pause.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::client::{LOSS, Writer, in_sync, session};
use crate::site::{self, LIMIT};
use crate::support::lab::{Lab, Machine, Node, VIP, wait_for};
use crate::support::ovd;

/// Test 3: in maintenance OVD gives a server no new sessions, which CTDB does not know of; the nearest that it has is a node that is
/// set aside: it serves nobody, and goes on with all else. Test 4: a session is disconnected, and connects again.
pub fn set_aside(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (serves, other) = site::holder(lab)?;
    let before = [site::begun(serves)?, site::begun(other)?];
    let took = session(lab, "session-1", &[])?;
    eprintln!("ctdb_cluster: a session on both nodes: {:.1} s", took.as_secs_f32());
    let writer = Writer::begin(lab, "set-aside")?;
    serves.run(["ctdb", "disable"])?;
    let done: Result<()> = (|| {
        site::wait_serves(lab, other)?;
        writer.goes_on()?;
        session(lab, "session-2", &["session-1"])?;
        in_sync(lab, serves.name(), &["session-1", "session-2"])?;
        site::wait_told(lab.node("pcs3"), serves, "disabled", "none")?;
        site::wait_told(lab.node("pcs3"), other, "ok", &VIP.to_string())?;
        site::wait_reason(lab, serves, 190, "is disabled by an administrator: ctdb enable")?;
        Ok(())
    })();
    serves.run(["ctdb", "enable"])?;
    done?;
    site::wait_settled(lab, LIMIT)?;
    session(lab, "session-3", &["session-1", "session-2"])?;
    for node in [serves, other] {
        in_sync(lab, node.name(), &["session-1", "session-2", "session-3"])?;
    }
    writer.end("a node is disabled and enabled")?;
    ensure!([site::begun(serves)?, site::begun(other)?] == before, "something was restarted");
    no_failure(lab)
}

/// Tests 1 and 2: the node that serves is shut down. Test 5: meanwhile a session connects again; the node comes back.
pub fn shut_down(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (serves, other) = site::holder(lab)?;
    let (before, fenced) = (site::begun(other)?, lab.fencing.done().len());
    session(lab, "both-alive", &[])?;
    let writer = Writer::begin(lab, "shut-down")?;
    lab.phase(&format!("shut {} down", serves.name()), || serves.shutdown())?;
    site::wait_serves(lab, other)?;
    writer.goes_on()?;
    let took = session(lab, "one-down", &["both-alive"])?;
    eprintln!("ctdb_cluster: a session with a node down: {:.1} s", took.as_secs_f32());
    in_sync(lab, other.name(), &["both-alive", "one-down"])?;
    no_failure(lab)?;
    comes_back(lab, serves)?;
    handed_over(serves)?;
    session(lab, "recovered", &["both-alive", "one-down"])?;
    for node in [serves, other] {
        in_sync(lab, node.name(), &["both-alive", "one-down", "recovered"])?;
    }
    writer.end("the node that serves is shut down, and comes back")?;
    ensure!(lab.fencing.done().len() == fenced, "a node was fenced: {:?}", lab.fencing.done());
    ensure!(site::begun(other)? == before, "something on {} was restarted", other.name());
    no_failure(lab)
}

/// Tests 1 and 2 again: the node that serves is lost without a word.
pub fn power(lab: &Lab) -> Result<()> {
    let (serves, other) = site::holder(lab)?;
    lost(lab, serves, other, "the node that serves loses its power, and comes back")
}

/// The other one is lost.
pub fn idle_power(lab: &Lab) -> Result<()> {
    let (serves, other) = site::holder(lab)?;
    lost(lab, other, serves, "the node that does not serve loses its power, and comes back")
}

fn lost(lab: &Lab, victim: &Node, survivor: &Node, what: &str) -> Result<()> {
    ovd::forget(lab)?;
    let (before, off) = (site::begun(survivor)?, lab.fencing.times_off(victim.name()));
    session(lab, "before-loss", &[])?;
    let writer = Writer::begin(lab, "power")?;
    victim.kill()?;
    let took = site::wait_serves(lab, survivor)?;
    eprintln!(
        "ctdb_cluster: {} has the address {:.1} s after {} was lost",
        survivor.name(),
        took.as_secs_f32(),
        victim.name()
    );
    writer.goes_on()?;
    let took = session(lab, "after-loss", &["before-loss"])?;
    eprintln!("ctdb_cluster: a session after the loss: {:.1} s", took.as_secs_f32());
    wait_for(LIMIT, &format!("{} to be fenced", victim.name()), || Ok(lab.fencing.times_off(victim.name()) > off))?;
    no_failure(lab)?;
    comes_back(lab, victim)?;
    session(lab, "after-return", &["before-loss", "after-loss"])?;
    for node in [victim, survivor] {
        in_sync(lab, node.name(), &["before-loss", "after-loss", "after-return"])?;
    }
    writer.end_within(what, LOSS)?;
    ensure!(lab.fencing.times_off(victim.name()) == off + 1, "fenced more than once: {:?}", lab.fencing.done());
    // One dead node never restarts CTDB on the others.
    ensure!(site::begun(survivor)? == before, "something on {} was restarted", survivor.name());
    no_failure(lab)
}

pub fn standby(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (serves, other) = site::holder(lab)?;
    let before = site::begun(other)?;
    let writer = Writer::begin(lab, "standby")?;
    let pcs = |word: &str| other.run_within(LIMIT, &["pcs", "node", word, &serves.cluster_name(), "--wait=150"]);
    pcs("standby")?;
    site::wait_serves(lab, other)?;
    writer.goes_on()?;
    site::has_nothing(serves)?;
    pcs("unstandby")?;
    site::wait_settled(lab, LIMIT)?;
    writer.end("the node that serves goes to standby, and comes back")?;
    ensure!(site::begun(other)? == before, "something on {} was restarted", other.name());
    no_failure(lab)
}

/// The same when its ctdbd has just been killed, which cannot tell of its end any more, nor take the address away.
pub fn standby_killed(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (serves, other) = site::holder(lab)?;
    let before = site::begun(other)?;
    let pcs = |word: &str| other.run_within(LIMIT, &["pcs", "node", word, &serves.cluster_name(), "--wait=150"]);
    serves.sh("kill -KILL $(cat /run/ctdb/ctdbd.pid)")?;
    pcs("standby")?;
    site::wait_serves(lab, other)?;
    site::has_nothing(serves)?;
    site::wait_told(other, serves, "down", "none")?;
    pcs("unstandby")?;
    ovd::forget(lab)?;
    site::wait_settled(lab, LIMIT)?;
    ensure!(site::begun(other)? == before, "something on {} was restarted", other.name());
    Ok(())
}

fn comes_back(lab: &Lab, node: &Node) -> Result<()> {
    lab.phase(&format!("{} is back", node.name()), || {
        node.boot()?;
        site::wait_settled(lab, LIMIT + Duration::from_secs(60))
    })
}

/// Nothing has failed on any node; degraded (190) is a report.
pub fn no_failure(lab: &Lab) -> Result<()> {
    let failures = ovd::failures(lab)?;
    ensure!(failures.is_empty(), "{failures:?}");
    Ok(())
}

/// While the host was shut down, systemd has left Samba alone until the address was gone, and nothing had to be killed.
fn handed_over(node: &Node) -> Result<()> {
    let journal = node.sh("journalctl -q -b -1 -o cat --no-pager | sed -n '/power off now/,$p'")?;
    let at = |what: &str| journal.find(what).with_context(|| format!("no {what:?} in the journal:\n{journal}"));
    ensure!(
        at("leaves this node, from eth0")? < at("Stopping smbd.service")?,
        "Samba was stopped too soon:\n{journal}"
    );
    at("ctdb.service has shut down by itself").map(drop)
}
