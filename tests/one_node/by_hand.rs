//! `inuvika-ha agent` on a node of a cluster.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::support::lab::{Lab, Machine, Node, wait_idle};
use crate::support::ovd::AGENTS;
use crate::{rules, says};

const PATIENCE: Duration = Duration::from_secs(60);
const AGENT: [&str; 3] = ["inuvika-ha", "agent", "ovd-vip-src"];

fn by_hand(node: &Node, code: i32, words: &[&str], text: &str) -> Result<String> {
    says(node, code, &[&AGENT[..], words].concat(), text)
}

pub fn guarded(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    // Nothing of it is managed yet.
    by_hand(node, 0, &["start", "--param", "virtual_ip=10.20.1.10", "--param", "arp_check=no"], "")?;
    by_hand(node, 0, &["stop"], "")?;
    node.sh("pcs resource create vip_src ocf:inuvika:ovd-vip-src virtual_ip=10.20.1.10 arp_check=no \
         op monitor interval=10s timeout=17s --wait=60")?;
    let refused = "of ovd-vip-src by hand is refused: Pacemaker manages vip_src: use 'pcs resource";
    for (action, instead) in
        [("start", "enable vip_src'"), ("stop", "disable vip_src'"), ("reload-agent", "update vip_src")]
    {
        let said = by_hand(node, 2, &[action, "--instance", "vip_src"], refused)?;
        ensure!(said.contains(instead) && said.lines().count() == 1, "{said}");
    }
    ensure!(rules(node)? == 1, "refused, and done");
    for action in ["monitor", "validate-all", "meta-data"] {
        by_hand(node, 0, &[action, "--param", "virtual_ip=10.20.1.10", "--instance", "vip_src"], "")?;
    }
    // Pacemaker itself calls the link, and people who know call it, too; the scripts are for hosts without it.
    let link = format!("{AGENTS}/ovd-vip-src");
    let link =
        ["env", "OCF_RESKEY_virtual_ip=10.20.1.10", "OCF_RESKEY_arp_check=no", "OCF_RESOURCE_INSTANCE=vip_src", &link];
    says(node, 0, &[&link[..], &["start"]].concat(), "")?;
    says(node, 0, &["inuvika-ha", "lsb", "ovd-vip-src", "stop"], "")?;
    by_hand(node, 0, &["start", "--force", "--resource", "vip_src"], "")?;
    // A name that the cluster does not have may be a slip: what is meant so has --force. One of another agent's name is a mistake.
    let own =
        ["--instance", "mine", "--param", "virtual_ip=10.20.1.61", "--param", "arp_check=no", "--param", "nic=eth0"];
    node.sh("ip address add 10.20.1.61/24 dev eth0")?;
    let slip = "the cluster has no resource mine, but manages vip_src: mind the name, or --force";
    by_hand(node, 2, &[&["start"][..], &own].concat(), slip)?;
    ensure!(rules(node)? == 1, "refused, and done");
    by_hand(node, 0, &[&["start", "--force"][..], &own].concat(), "")?;
    ensure!(rules(node)? == 2, "not started");
    by_hand(node, 2, &["stop", "--instance", "mine"], slip)?;
    by_hand(node, 0, &["stop", "--instance", "mine", "--force"], "")?;
    ensure!(rules(node)? == 1, "not stopped, or too much of it");
    node.sh("ip address del 10.20.1.61/24 dev eth0")?;
    let inherited = ["env", "OCF_RESOURCE_INSTANCE=mine"];
    says(node, 2, &[&inherited[..], &AGENT, &["stop"]].concat(), slip)?;
    let inherited = ["env", "OCF_RESOURCE_INSTANCE=vip_src:0"];
    says(node, 2, &[&inherited[..], &AGENT, &["stop"]].concat(), refused)?;
    let other = ["inuvika-ha", "agent", "ovd-osm", "stop", "--instance", "vip_src"];
    says(node, 2, &other, "vip_src is ocf:inuvika:ovd-vip-src in this cluster: use another --instance, or --force")?;
    // Pacemaker leaves one alone: that one is free, also while it manages another of the agent.
    node.sh(
        "pcs resource create second ocf:inuvika:ovd-vip-src virtual_ip=10.20.1.62 arp_check=no meta is-managed=false",
    )?;
    by_hand(node, 0, &["stop", "--instance", "second"], "")?;
    by_hand(node, 2, &["stop"], refused)?;
    node.sh("pcs resource delete second --force")?;
    wait_idle(node, PATIENCE)?;
    // What Pacemaker leaves alone is free.
    for (on, off) in [
        ("pcs property set maintenance-mode=true", "pcs property set maintenance-mode="),
        ("pcs resource unmanage vip_src", "pcs resource manage vip_src"),
        ("pcs node maintenance --wait=30", "pcs node unmaintenance --wait=30"),
    ] {
        node.sh(on)?;
        let free = by_hand(node, 0, &["start", "--resource", "vip_src"], "");
        node.sh(off)?;
        free?;
    }
    wait_idle(node, PATIENCE)?;
    by_hand(node, 2, &["stop"], refused).map(drop)
}

pub fn from_cluster(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    let said = by_hand(node, 0, &["monitor", "--resource", "vip_src", "--json"], "\"instance\": \"vip_src\"")?;
    let report: serde_json::Value = serde_json::from_str(&said)?;
    ensure!(report["code"] == 0 && report["checks"].as_array().is_some_and(|checks| !checks.is_empty()), "{said}");
    // What is given by hand counts more.
    by_hand(node, 1, &["monitor", "--resource=vip_src", "--param", "virtual_ip=10.20.1.77"], "")?;
    by_hand(node, 0, &["monitor", "--depth", "10", "--resource", "vip_src"], "")?;
    by_hand(
        node,
        2,
        &["monitor", "--resource", "vip"],
        "has no resource vip: of ocf:inuvika:ovd-vip-src there are: vip_src",
    )?;
    let other = ["inuvika-ha", "agent", "ovd-osm", "monitor", "--resource", "vip_src"];
    says(node, 2, &other, "vip_src is ocf:inuvika:ovd-vip-src: of ocf:inuvika:ovd-osm there are: none")?;
    // What the cluster keeps apart is put in its place; without it, that is said.
    node.sh("pcs resource unmanage vip_src; crm_resource -r vip_src -p exclude -v lrm://")?;
    let file = "/var/lib/pacemaker/lrm/secrets/vip_src/exclude";
    by_hand(node, 1, &["monitor", "--resource", "vip_src"], &format!("read the secret {file}: No such file"))?;
    node.write_file(file, "10.98.7.0/24\n", 0o600)?;
    by_hand(node, 1, &["monitor", "--resource", "vip_src"], "rules were changed")?;
    node.write_file(file, "no network\n", 0o600)?;
    by_hand(node, 6, &["validate-all", "--resource", "vip_src"], "parameter exclude")?;
    node.sh(&format!("rm {file}; crm_resource -r vip_src -d exclude >&2; pcs resource manage vip_src"))?;
    by_hand(node, 0, &["monitor", "--resource", "vip_src"], "")?;
    wait_idle(node, PATIENCE)
}

pub fn silent(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    // Whoever has the configuration hangs: a person with a node in trouble must not wait for it.
    node.sh("kill -STOP $(pidof pacemaker-based)")?;
    let begun = Instant::now();
    let done = by_hand(
        node,
        0,
        &["start", "--param", "virtual_ip=10.20.1.10", "--param", "arp_check=no", "--instance", "vip_src"],
        "",
    );
    let took = begun.elapsed();
    node.sh("kill -CONT $(pidof pacemaker-based)")?;
    done?;
    ensure!(took < Duration::from_secs(4), "it took {took:?}");
    node.sh_within(PATIENCE, "pcs cluster stop --all")?;
    ensure!(rules(node)? == 0, "the cluster has ended, and rules are left");
    by_hand(node, 0, &["start", "--param", "virtual_ip=10.20.1.10", "--param", "arp_check=no"], "")?;
    by_hand(node, 0, &["stop"], "")?;
    by_hand(node, 1, &["monitor", "--resource", "vip_src"], "ask the cluster for its configuration").map(drop)
}
