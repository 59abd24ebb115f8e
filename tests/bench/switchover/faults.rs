//! What happens to the active node, and what a client sees of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::figures::Run;
use crate::stack::Stack;
use crate::support::lab::{Lab, Machine, Meter, Node, Outage, Switched, wait_for, wait_idle};
use crate::support::ovd;

const LIMIT: Duration = Duration::from_secs(120);

/// A fault: how it is made, and what is measured.
pub struct Fault {
    pub name: &'static str,
    pub run: fn(&Lab, &Stack) -> Result<Run>,
}

/// The row that depends on the token.
pub const NODE_LOST: &str = "node lost";

pub const ALL: &[Fault] = &[
    Fault { name: "planned move", run: planned_move },
    Fault { name: "kill -9 of Apache", run: kill_apache },
    Fault { name: NODE_LOST, run: lose_node },
];

fn planned_move(lab: &Lab, stack: &Stack) -> Result<Run> {
    let target = stack.passive(lab)?;
    let meter = ovd::measure(lab)?;
    std::thread::sleep(Duration::from_millis(500));
    let to = target.cluster_name();
    lab.node("pcs3").run(["crm_resource", "--move", "--resource", ovd::VIRTUAL_IP, "--node", &to])?;
    stack.wait_active(lab, target, LIMIT)?;
    wait_idle(target, LIMIT)?;
    std::thread::sleep(Duration::from_millis(500));
    let outage = closed(meter, target)?;
    lab.node("pcs3").run(["crm_resource", "--clear", "--resource", ovd::VIRTUAL_IP])?;
    settle(lab, stack)?;
    Ok(vec![("outage".to_owned(), outage.longest)])
}

fn kill_apache(lab: &Lab, stack: &Stack) -> Result<Run> {
    let node = stack.active(lab)?;
    let meter = ovd::measure(lab)?;
    // At any moment between two monitors, the same in each series of runs.
    static PHASE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let phase = PHASE.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 10;
    std::thread::sleep(Duration::from_millis(500 + stack.monitor_ms * phase / 10));
    let begun = Instant::now();
    // All of it, as when the kernel runs out of memory: of the parent alone, systemd kills the rest.
    node.run(["pkill", "-9", "--exact", "apache2"])?;
    let healthy = || Ok(stack.answers(lab)? && stack.active(lab).is_ok());
    std::thread::sleep(Duration::from_millis(100));
    wait_for(LIMIT, "the Session Manager to answer again", healthy)?;
    wait_idle(node, LIMIT)?;
    std::thread::sleep(Duration::from_millis(500));
    let outage = meter.stop()?;
    ensure!(begun.elapsed() < LIMIT && stack.active(lab)?.name() == node.name(), "it moved");
    ovd::forget(lab)?;
    settle(lab, stack)?;
    Ok(vec![("outage".to_owned(), outage.longest)])
}

fn lose_node(lab: &Lab, stack: &Stack) -> Result<Run> {
    let (victim, heir) = (stack.active(lab)?, stack.passive(lab)?);
    let meter = ovd::measure(lab)?;
    std::thread::sleep(Duration::from_millis(500));
    let killed = Instant::now();
    victim.kill()?;
    stack.wait_active(lab, heir, LIMIT)?;
    wait_for(LIMIT, "clients to be served", || stack.answers(lab))?;
    std::thread::sleep(Duration::from_secs(1));
    let outage = closed(meter, heir)?;
    let off = |done: &Switched| done.action == "off" && done.node == victim.name() && done.asked > killed;
    let switched = lab.fencing.done().into_iter().find(off).context("nobody was fenced")?;
    let detection = switched.asked - killed;
    let fencing = switched.at - switched.asked;
    ovd::wait_all_online(lab, LIMIT)?;
    wait_idle(heir, LIMIT)?;
    ovd::forget(lab)?;
    settle(lab, stack)?;
    let start = outage.longest.saturating_sub(detection + fencing);
    let parts = [("outage", outage.longest), ("detection", detection), ("fencing", fencing), ("start", start)];
    Ok(parts.map(|(name, took)| (name.to_owned(), took)).to_vec())
}

/// The end of a measurement: the outage is over only when the new node has answered.
fn closed(meter: Meter, heir: &Node) -> Result<Outage> {
    let outage = meter.stop()?;
    ensure!(outage.answers.last().is_some_and(|name| name == heir.name()), "not served by {}: {outage}", heir.name());
    Ok(outage)
}

/// Everything runs on one node, nothing failed, and clients are served.
fn settle(lab: &Lab, stack: &Stack) -> Result<()> {
    wait_for(LIMIT, "everything to run", || Ok(stack.active(lab).is_ok() && stack.answers(lab)?)).map(|_| ())
}
