//! `lsb:` resources.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::support::lab::{Lab, Machine, wait_for, wait_idle};
use crate::{rules, says};

const PATIENCE: Duration = Duration::from_secs(60);

pub fn runs(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/init.d"))?.flatten() {
        let name = entry.file_name().into_string().unwrap();
        node.copy_in(entry.path(), &format!("/etc/init.d/{name}"), 0o755)?;
    }
    node.write_file("/etc/default/ovd-vip-src", "VIRTUAL_IP=10.20.1.10\nARP_CHECK=no\n", 0o644)?;
    node.sh("pcs resource create vip_src lsb:ovd-vip-src op monitor interval=3s timeout=15s --wait=60")?;
    ensure!(rules(node)? == 1, "started, without rules");
    let by_hand = ["inuvika-ha", "agent", "ovd-vip-src", "stop"];
    says(node, 2, &by_hand, "by hand is refused: Pacemaker manages vip_src: use 'pcs resource disable vip_src'")?;
    node.run(["nft", "flush", "ruleset"])?;
    wait_for(PATIENCE, "the rules to be back", || Ok(rules(node)? == 1))?;
    wait_idle(node, PATIENCE)?;
    let failed = node.run(["crm_mon", "-1", "--inactive"])?;
    ensure!(
        failed.contains("vip_src 3s-interval monitor") || failed.contains("vip_src_monitor_3000"),
        "nothing was told: {failed}"
    );
    node.run(["pcs", "resource", "disable", "vip_src", "--wait=60"])?;
    ensure!(rules(node)? == 0, "disabled, and rules are left");
    // It is stopped: a probe finds that, too.
    node.run(["pcs", "resource", "cleanup", "vip_src"])?;
    wait_idle(node, PATIENCE)?;
    let status = node.run(["crm_mon", "-1", "--inactive"])?;
    ensure!(!status.contains("Failed Resource Actions"), "{status}");
    node.run(["pcs", "resource", "delete", "vip_src"])?;
    wait_idle(node, PATIENCE)
}

pub fn header(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    for name in ["ovd-vip-src", "ovd-osm", "ovd-lsyncd", "abiquo-rs", "lvs-director"] {
        let text = node.run(["crm_resource", "--show-metadata", &format!("lsb:{name}")])?;
        let spec = inuvika_ha::agents::find(name).unwrap().table();
        let short = spec.short.replace('\'', "&apos;");
        ensure!(text.contains(&short) || text.contains(spec.short), "{name}: no short description in {text}");
        // The last words of a description that goes on for several lines.
        ensure!(text.contains("where Pacemaker runs it."), "{name}: the description is cut off: {text}");
        ensure!(text.contains("$remote_fs $network $syslog"), "{name}: no Required-Start in {text}");
    }
    Ok(())
}
