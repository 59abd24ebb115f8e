//! What breaks on the active node and heals in place.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::settled;
use crate::support::lab::{Lab, Machine, Node, wait_for, wait_idle};
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

/// When Pacemaker last started a resource on a node, as its history says.
fn starts(node: &Node, id: &str) -> Result<String> {
    let path = format!(
        "//node_state[@uname='{}']//lrm_resource[@id='{id}']/lrm_rsc_op[@operation='start']",
        node.cluster_name()
    );
    let text = node.run(["cibadmin", "--query", "--xpath", &path])?;
    let at = text.split("last-rc-change=\"").nth(1).and_then(|rest| rest.split('"').next());
    at.map(str::to_owned).ok_or_else(|| anyhow::anyhow!("no start of {id} in the history:\n{text}"))
}
