//! What breaks on the active node and heals in place.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::settled;
use crate::support::lab::{Element, Lab, Machine, Node, wait_for, wait_idle};
use crate::support::ovd;

/// Two monitor intervals and some.
const HEALED: Duration = Duration::from_secs(45);

pub fn flushed(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let node = ovd::active(lab)?;
    let begun = starts(node, ovd::VIRTUAL_IP)?;
    let meter = ovd::measure(lab)?;
    node.run(["nft", "flush", "ruleset"])?;
    let took = wait_for(HEALED, "the rules to be back", || Ok(ovd::rules(node)? == 1))?;
    wait_idle(node, HEALED)?;
    let outage = meter.stop()?;
    eprintln!("cluster: flushed rules were back after {:.1} s; {outage}", took.as_secs_f32());
    ensure!(outage.lost == 0, "the virtual IP was away: {outage}");
    ensure!(starts(node, ovd::VIRTUAL_IP)? == begun, "IPaddr2 was restarted");
    ensure!(ovd::active(lab)?.name() == node.name(), "the services moved");
    let failures = ovd::failures(lab)?;
    ensure!(
        failures.len() == 1 && failures[0].code == 7 && failures[0].reason.contains("not there"),
        "Pacemaker recorded {failures:?}"
    );
    // Syslog has it under the tag of resource-agents' ocf_log.
    let journal = node.sh("journalctl -q -o short --no-pager | grep -F 'ovd-vip-src(vip_src)['")?;
    ensure!(journal.contains("monitor (exit code 7)") && journal.contains("leave with source"), "{journal}");
    ovd::forget(lab)?;
    settled(lab)
}

pub fn address_deleted(lab: &Lab) -> Result<()> {
    let node = ovd::active(lab)?;
    node.run(["ip", "address", "del", "10.20.1.10/24", "dev", "eth0"])?;
    let back = || Ok(node.run(["ip", "-j", "address", "show", "to", "10.20.1.10"])?.contains("eth0"));
    wait_for(HEALED, "the address to be back", back)?;
    wait_idle(node, HEALED)?;
    ensure!(ovd::active(lab)?.name() == node.name(), "the services moved");
    let failures = ovd::failures(lab)?;
    // Ours may have seen it first; then it said degraded (190), which is no failure and moves nothing.
    let wrong = failures.iter().find(|f| f.operation.starts_with(ovd::VIP_SRC));
    ensure!(wrong.is_none(), "{wrong:?}");
    ensure!(failures.iter().any(|f| f.operation.starts_with(&format!("{}_monitor", ovd::VIRTUAL_IP))), "{failures:?}");
    ovd::forget(lab)?;
    settled(lab)
}

/// When Pacemaker last started a resource on a node, as its history says; none if it was found running when the history was lost, as
/// happens when a node joins.
fn starts(node: &Node, id: &str) -> Result<Option<String>> {
    let query = "cibadmin --query --scope status";
    let status = Element::parse(&node.sh(query)?)?;
    let own = |state: &&&Element| state.get("uname") == node.cluster_name();
    let states = status.all("node_state");
    let state = states.iter().find(own).with_context(|| format!("no state of {} in {query}", node.name()))?;
    let all = state.all("lrm_resource");
    let resource = all.iter().find(|resource| resource.get("id") == id);
    let history = resource.with_context(|| format!("no history of {id} on {}", node.name()))?.all("lrm_rsc_op");
    let start = history.iter().find(|operation| operation.get("operation") == "start");
    Ok(start.map(|operation| operation.get("last-rc-change").to_owned()))
}
