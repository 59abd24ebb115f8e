//! The database by vantage point: lost by all, nothing moves; lost by the active node alone, the service does.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::session::main_process;
use crate::support::lab::{Database, Lab, Machine, wait_for, wait_idle};
use crate::support::ovd;
use crate::{DATABASE, settled};

/// The slowest node has noticed, the attribute's dampening is over, and the cluster has acted.
const NOTICED: Duration = Duration::from_secs(75);

/// What a node publishes, as the attribute manager has it.
fn view_of(lab: &Lab, node: &str) -> Result<String> {
    let ask = ["attrd_updater", "--query", "--name=session_manager-database", "--node", node];
    let said = lab.node("pcs3").output(ask)?.stdout;
    Ok(said.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned())
}

fn views(lab: &Lab, wanted: &str) -> Result<bool> {
    Ok(view_of(lab, "osm1.priv")? == wanted && view_of(lab, "osm2.priv")? == wanted)
}

pub fn lost_by_all(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let database: &Database = &DATABASE;
    wait_for(NOTICED, "both nodes to publish", || views(lab, "ok"))?;
    let node = ovd::active(lab)?;
    let before = main_process(node)?;
    database.stop()?;
    let result = (|| {
        wait_for(NOTICED, "both nodes to lose it", || views(lab, "lost"))?;
        // The dampening, and the cluster's answer to it.
        std::thread::sleep(Duration::from_secs(35));
        wait_idle(node, NOTICED)?;
        let failures = ovd::view(lab)?.failures;
        let told = failures.iter().find(|f| f.operation.starts_with(ovd::SESSION_MANAGER));
        ensure!(told.is_some_and(|f| f.code == 190 && f.reason.contains("dbmy.priv")), "{failures:?}");
        ensure!(failures.iter().all(|f| f.code == 190), "{failures:?}");
        ensure!(ovd::active(lab)?.name() == node.name() && main_process(node)? == before, "something moved");
        // And it starts, too.
        lab.node("pcs3").run(["crm_resource", "--restart", "--resource", ovd::SESSION_MANAGER, "--timeout=60s"])?;
        wait_idle(node, NOTICED)?;
        let now = main_process(node)?;
        ensure!(now != before && now != "0" && ovd::active(lab)?.name() == node.name(), "it did not restart here");
        Ok(now)
    })();
    database.start_again()?;
    let now = result?;
    wait_for(NOTICED, "both nodes to see it again", || views(lab, "ok"))?;
    std::thread::sleep(Duration::from_secs(35));
    ensure!(ovd::active(lab)?.name() == node.name() && main_process(node)? == now, "something moved when it came back");
    ovd::forget(lab)?;
    settled(lab)
}

pub fn lost_by_one(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let database: &Database = &DATABASE;
    let (node, other) = (ovd::active(lab)?, ovd::passive(lab)?);
    wait_for(NOTICED, "both nodes to publish", || views(lab, "ok"))?;
    database.hide_from(node)?;
    let moved = ovd::wait_active(lab, other, NOTICED);
    let settled_there = moved.and_then(|took| {
        wait_idle(other, NOTICED)?;
        let failures = ovd::view(lab)?.failures;
        ensure!(failures.iter().all(|f| f.code == 190), "{failures:?}");
        Ok(took)
    });
    database.show_to(node)?;
    let took = settled_there?;
    eprintln!("cluster: a database lost by the active node alone: moved after {:.0} s", took.as_secs_f32());
    // Nothing moves back when the first node sees it again.
    wait_for(NOTICED, "both nodes to see it", || views(lab, "ok"))?;
    std::thread::sleep(Duration::from_secs(35));
    ensure!(ovd::active(lab)?.name() == other.name(), "it moved back");
    ovd::forget(lab)?;
    settled(lab)
}
