//! The Session Manager's files go with it: what a client has been told is kept is on the node that serves next.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::moves::move_to;
use crate::support::lab::{Lab, Machine, Node, wait_for};
use crate::support::writer::{Sessions, Writer};
use crate::support::{lsyncd, ovd};
use crate::{is_full, settled};

/// A first pass over everything, and the monitor of depth 10 that says so.
pub const COPIED: Duration = Duration::from_secs(60);
/// Some hundred sessions, with a move among them.
pub const KEPT: Duration = Duration::from_secs(90);

/// Sessions are kept while the services move to and fro; after each move all of them are on the new active node.
pub fn written_while_moving(lab: &Lab) -> Result<()> {
    let (files, moves) = if is_full() { (10_000, 10) } else { (800, 4) };
    ovd::forget(lab)?;
    let writer = Writer::start(lab, "moving")?;
    let mut outages = Vec::new();
    let begun = Instant::now();
    for _ in 0..moves {
        let target = ovd::passive(lab)?;
        writer.more(files / moves);
        writer.wait(files / moves / 2, KEPT)?;
        let meter = ovd::measure(lab)?;
        move_to(lab, target.name())?;
        writer.wait(0, KEPT)?;
        outages.push(meter.stop()?.longest);
        let sessions = writer.kept();
        whole(&sessions, target).with_context(|| format!("after move {} to {}", outages.len(), target.name()))?;
    }
    outages.sort();
    eprintln!(
        "cluster: {files} sessions, {moves} moves in {:.0} s: outage {:.2} s in the middle, {:.2} s at most",
        begun.elapsed().as_secs_f32(),
        outages[moves / 2].as_secs_f32(),
        outages[moves - 1].as_secs_f32()
    );
    for id in ovd::ALL {
        eprintln!("cluster: of the last move, {id}: {}", last_took(lab, id)?);
    }
    let failures = ovd::failures(lab)?;
    ensure!(failures.is_empty(), "{failures:?}");
    let passive = ovd::passive(lab)?;
    let sessions = writer.kept();
    wait_for(COPIED, "the passive node to have everything", || whole(&sessions, passive).map(|()| true))?;
    settled(lab)
}

/// How long the last start and stop of a resource took, as the cluster's history has it.
fn last_took(lab: &Lab, id: &str) -> Result<String> {
    let mut told = Vec::new();
    for (node, operation) in [(ovd::passive(lab)?, "stop"), (ovd::active(lab)?, "start")] {
        let of = format!("//node_state[@uname='{}']//lrm_resource[@id='{id}']", node.cluster_name());
        let path = format!("{of}/lrm_rsc_op[@operation='{operation}']");
        let text = node.run(["cibadmin", "--query", "--xpath", &path])?;
        let took = text.split("exec-time=\"").nth(1).and_then(|rest| rest.split('"').next());
        told.push(format!("{operation} {} ms", took.unwrap_or("?")));
    }
    Ok(told.join(", "))
}

/// Every session that was acknowledged is on the node, byte for byte.
pub fn whole(sessions: &Sessions, node: &Node) -> Result<()> {
    whole_among(sessions, &lsyncd::hashes(node)?, node)
}

/// Every session that was acknowledged is among those files of the node.
pub fn whole_among(sessions: &Sessions, files: &BTreeMap<String, String>, node: &Node) -> Result<()> {
    ensure!(!sessions.is_empty(), "no session was kept");
    let missing = lsyncd::missing(sessions, files, node)?;
    let example: Vec<_> = missing.iter().take(5).collect();
    ensure!(
        missing.is_empty(),
        "{} of {} sessions are missing or old on {}: {example:?}",
        missing.len(),
        sessions.len(),
        node.name()
    );
    Ok(())
}

/// Waits until a node's copy is whole, as the cluster knows it.
pub fn wait_copied(lab: &Lab, node: &Node) -> Result<Duration> {
    let what = format!("a whole copy on {}", node.name());
    wait_for(COPIED, &what, || {
        let says = lsyncd::replica(lab, node)?;
        ensure!(says == "ok", "{} is {says:?}", lsyncd::REPLICA);
        Ok(true)
    })
}

/// Waits until a monitor of lsyncd has said something that contains all of `words`.
pub fn wait_told(lab: &Lab, words: &[&str]) -> Result<Duration> {
    wait_for(Duration::from_secs(75), &format!("lsyncd to say {words:?}"), || {
        let failures = ovd::view(lab)?.failures;
        let own = failures.iter().filter(|f| f.operation.starts_with(ovd::LSYNCD));
        let told: Vec<_> = own.map(|f| f.reason.clone()).collect();
        ensure!(told.iter().any(|reason| words.iter().all(|word| reason.contains(word))), "it says {told:?}");
        Ok(true)
    })
}
