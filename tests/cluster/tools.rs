//! What administrators type: pcs, crmsh, crm_resource, ocf-tester.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::support::lab::{Lab, Machine};
use crate::support::ovd;

const AGENT: &str = "ocf:inuvika:ovd-vip-src";
const OTHERS: [&str; 3] = ["ovd-osm", "ovd-lsyncd", "abiquo-rs"];

pub fn accept(lab: &Lab) -> Result<()> {
    let node = ovd::passive(lab)?;
    let listed = node.run(["pcs", "resource", "list", "ocf:inuvika"])?;
    for spec in inuvika_ha::agents::specs() {
        let agent = format!("ocf:inuvika:{}", spec.name);
        ensure!(listed.contains(&agent), "{listed}");
        let described = node.run(["pcs", "resource", "describe", &agent])?;
        for param in spec.params {
            ensure!(described.contains(param.name), "pcs does not describe {}:\n{described}", param.name);
        }
        if OTHERS.contains(&spec.name) {
            // Copied into a cluster by hand, it would have nodes without the agent fenced.
            let operations = described.split("Default operations:").nth(1).unwrap_or_default();
            ensure!(operations.contains("monitor") && !operations.contains("Stopped"), "{operations}");
            ensure!(node.run(["crm", "ra", "info", &agent])?.contains(spec.params[0].name));
            ensure!(node.run(["crm_resource", "--show-metadata", &agent])?.contains("</resource-agent>"));
        }
    }
    let info = node.run(["crm", "ra", "info", AGENT])?;
    ensure!(info.contains("virtual_ip*"), "crmsh does not know that virtual_ip is required:\n{info}");
    ensure!(node.run(["crm_resource", "--show-metadata", AGENT])?.contains("</resource-agent>"));

    // With the agent's own judgement: right values pass without a word, a wrong one is named.
    node.sh("cibadmin --query > /tmp/try.xml")?;
    let create = "pcs -f /tmp/try.xml resource create try ocf:inuvika:ovd-vip-src --agent-validation";
    let said = node.sh(&format!("{create} virtual_ip=10.20.1.77 destinations=10.0.0.0/8 2>&1"))?;
    ensure!(said.trim().is_empty(), "pcs warns: {said}");
    let wrong = create.replace("create try", "create other");
    let refused = node.output(["bash", "-c", &format!("{wrong} virtual_ip=10.20.1.777 2>&1")])?;
    ensure!(!refused.ok() && refused.stdout.contains("virtual_ip"), "{}", refused.describe());

    let validate = ["crm_resource", "--validate", "--class", "ocf", "--provider", "inuvika", "--agent", "ovd-vip-src"];
    let run = |value: &str| {
        let option = format!("virtual_ip={value}");
        node.output_with(Duration::from_secs(20), b"", &[&validate[..], &["--option", &option]].concat())
    };
    let good = run("10.20.1.77")?;
    ensure!(good.ok(), "{}", good.describe());
    let wrong = run("nonsense")?;
    ensure!(!wrong.ok() && wrong.describe().contains("virtual_ip"), "{}", wrong.describe());

    // A manual check on the active node, as while debugging.
    let check = ovd::active(lab)?.run(["crm_resource", "--force-check", "--resource", ovd::VIP_SRC])?;
    ensure!(check.contains("rules") && check.contains("exit code 0"), "no table of checks:\n{check}");
    let table =
        ovd::active(lab)?.sh(&format!("script -qec '{}/ovd-vip-src monitor --depth 10' /dev/null", ovd::AGENTS))?;
    ensure!(table.contains("parameters of its last start") && table.contains("other host"), "{table}");
    Ok(())
}

/// On the passive node, as a resource of its own, with the real Apache of systemd.
pub fn ocf_tester_osm(lab: &Lab) -> Result<()> {
    let node = ovd::passive(lab)?;
    let agent = format!("{}/ovd-osm", ovd::AGENTS);
    let argv = ["ocf-tester", "-n", "tested", "-o", "cron_link=/etc/cron.d/tested", &agent];
    let output = node.output_with(Duration::from_secs(120), b"", &argv)?;
    ensure!(output.ok() && output.stdout.contains("passed all tests"), "{}", output.describe());
    ensure!(crate::session::main_process(node)? == "0", "Apache still runs");
    ensure!(!node.output(["ls", "/etc/cron.d/tested"])?.ok(), "the cron link is still there");
    Ok(())
}

/// The same with lsyncd and the real sshd of the active node, for a folder of its own.
pub fn ocf_tester_lsyncd(lab: &Lab) -> Result<()> {
    let node = ovd::passive(lab)?;
    for node in [node, ovd::active(lab)?] {
        node.run(["mkdir", "-p", "/var/lib/tested"])?;
    }
    let agent = format!("{}/ovd-lsyncd", ovd::AGENTS);
    let own = ["-o", "peer=the-other-osm", "-o", "folders=/var/lib/tested", "-o", "manage_cron=no", &agent];
    let output =
        node.output_with(Duration::from_secs(180), b"", &[&["ocf-tester", "-n", "tested"], &own[..]].concat())?;
    ensure!(output.ok() && output.stdout.contains("passed all tests"), "{}", output.describe());
    ensure!(!node.output(["pgrep", "--exact", "lsyncd"])?.ok(), "lsyncd still runs");
    Ok(())
}

pub fn ocf_tester(lab: &Lab) -> Result<()> {
    let node = ovd::passive(lab)?;
    node.run(["ip", "address", "add", "10.20.1.77/24", "dev", "eth0"])?;
    let agent = format!("{}/ovd-vip-src", ovd::AGENTS);
    let result = node.output_with(
        Duration::from_secs(120),
        b"",
        &["ocf-tester", "-n", "tested", "-o", "virtual_ip=10.20.1.77", "-o", "destinations=10.0.0.0/8", &agent],
    );
    node.run(["ip", "address", "del", "10.20.1.77/24", "dev", "eth0"])?;
    let output = result?;
    ensure!(output.ok() && output.stdout.contains("passed all tests"), "{}", output.describe());
    ensure!(ovd::rules(node)? == 0);
    Ok(())
}
