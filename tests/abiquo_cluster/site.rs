//! The site: two nodes, and what has to be true of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::support::abiquo_node::{self, PORT, main_process};
use crate::support::lab::{Lab, Machine, Node, VIP, wait_for, wait_idle};
use crate::support::ovd;

pub const NODES: [&str; 2] = ["rsha1", "rsha2"];
pub const WEBAPPS: [&str; 3] = ["am", "vsm", "xas"];
/// The ids of the resources, as the set-up names them; the group starts them in this order.
pub const GROUP: &str = "remote_services";
pub const ALL: [&str; 3] = ["vm_repository", ovd::VIRTUAL_IP, TOMCAT];
pub const TOMCAT: &str = "abiquo_rs";
/// The repository, and where it says that it comes from.
pub const REPOSITORY: &str = "/opt/vm_repository";
pub const LOCATION: &str = "10.20.1.21:/opt/vm_repository";
/// The slowest node has noticed (15 s, and 3 s for the question), the attribute's dampening is over, and the cluster has moved
/// Tomcat.
pub const NOTICED: Duration = Duration::from_secs(120);
/// What a restart of Tomcat takes on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(180);

/// Whether the long form is asked for.
pub fn is_full() -> bool {
    std::env::var_os("INUVIKA_TEST_FULL").is_some()
}

/// Good properties, the same on every node.
pub fn properties() -> String {
    format!(
        "[remote-services]\nabiquo.appliancemanager.localRepositoryPath = {REPOSITORY}\n\
         abiquo.appliancemanager.repositoryLocation = {LOCATION}\nabiquo.datacenter.id = rsha\n{}",
        crate::servers::properties()
    )
}

/// The node that runs the whole group.
pub fn active(lab: &Lab) -> Result<&Node> {
    ovd::active_of(lab, &ALL)
}

/// The other one.
pub fn passive(lab: &Lab) -> Result<&Node> {
    let active = active(lab)?;
    let other = lab.nodes().iter().find(|node| node.name() != active.name());
    other.map(AsRef::as_ref).context("no other node")
}

/// Waits until the whole group runs on that node.
pub fn wait_active(lab: &Lab, wanted: &Node, limit: Duration) -> Result<Duration> {
    let took =
        wait_for(limit, &format!("the group on {}", wanted.name()), || Ok(active(lab)?.name() == wanted.name()))?;
    wait_idle(wanted, LIMIT)?;
    ensure!(active(lab)?.name() == wanted.name(), "it moved on to {}", active(lab)?.name());
    Ok(took)
}

/// Whether a client of the virtual IP gets the right answer.
pub fn answers(lab: &Lab) -> Result<bool> {
    let url = format!("http://{VIP}:{PORT}/xas/check");
    Ok(lab.client.output(["curl", "-s", "-m", "5", &url])?.stdout == "rsha")
}

/// What Pacemaker has recorded of Tomcat's operations: exit code and reason, as `pcs status` shows them.
pub fn reasons(lab: &Lab) -> Result<Vec<(i32, String)>> {
    let failures = ovd::view(lab)?.failures;
    Ok(failures.into_iter().filter(|f| f.operation.starts_with(TOMCAT)).map(|f| (f.code, f.reason)).collect())
}

/// Waits until `pcs status` shows that reason with that code.
pub fn wait_reason(lab: &Lab, code: i32, reason: &str, limit: Duration) -> Result<Duration> {
    wait_for(limit, &format!("{code} with the reason {reason:?}"), || {
        let told = reasons(lab)?;
        ensure!(told.iter().any(|(given, text)| *given == code && text.contains(reason)), "told: {told:?}");
        Ok(true)
    })
}

/// What a node publishes, as the attribute manager has it; empty when that is nothing.
pub fn published(node: &Node, what: &str) -> Result<String> {
    let name = format!("--name={TOMCAT}-{what}");
    let said = node.output(["attrd_updater", "--query", &name, "--node", &node.cluster_name()])?.stdout;
    Ok(said.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned())
}

/// Waits until both nodes publish that they reach everything (`ok`), or not.
pub fn wait_published(lab: &Lab, wanted: &str) -> Result<Duration> {
    wait_for(NOTICED, &format!("all nodes to publish {wanted}"), || {
        let all = lab.nodes().iter().map(|node| published(node, "dependencies")).collect::<Result<Vec<_>>>()?;
        ensure!(all.iter().all(|value| value == wanted), "they publish {all:?}");
        Ok(true)
    })
}

/// What the agent says in syslog on a node, from now on: call it again with what it gave.
pub fn journal_since(node: &Node, cursor: &str) -> Result<String> {
    let after = format!("--after-cursor={cursor}");
    node.run(["journalctl", "-q", "--no-pager", "-o", "cat", &after])
}

/// Where syslog is on a node.
pub fn cursor(node: &Node) -> Result<String> {
    let said = node.run(["journalctl", "-q", "-n", "0", "--show-cursor"])?;
    said.split("cursor: ").nth(1).map(|text| text.trim().to_owned()).with_context(|| format!("no cursor in {said:?}"))
}

/// What has to be true whenever nothing is going on.
pub fn settled(lab: &Lab) -> Result<()> {
    let (active, passive) = (active(lab)?, passive(lab)?);
    ensure!(answers(lab)?, "a client of the virtual IP gets no answer");
    let mounts = active.read_file("/proc/mounts")?;
    ensure!(mounts.contains(&format!("{LOCATION} {REPOSITORY} tmpfs")), "{} has not mounted it", active.name());
    ensure!(active.output(["test", "-e", "/opt/vm_repository/.abiquo_repository"])?.ok(), "am was not asked");
    let java = active.sh("pgrep -x java")?;
    ensure!(java.trim() == main_process(active)?, "{} has the Java processes {java}", active.name());
    ensure!(abiquo_node::shown(active, "Restart")? == "no", "systemd would restart it behind the cluster's back");
    has_nothing(passive)
}

/// Whether a node has nothing of the group.
pub fn has_nothing(node: &Node) -> Result<()> {
    let name = node.name();
    let java = node.output(["pgrep", "-x", "java"])?.stdout;
    ensure!(java.is_empty(), "{name} has the Java processes {java}");
    let mounts = node.read_file("/proc/mounts")?;
    ensure!(!mounts.contains(&format!(" {REPOSITORY} ")), "the repository is mounted on {name}:\n{mounts}");
    // Nothing was written to the disk below it.
    let below = node.run(["ls", "-A", REPOSITORY])?;
    ensure!(below.is_empty(), "below the mount point of {name}: {below}");
    let address = node.run(["ip", "-o", "address", "show", "to", &VIP.to_string()])?;
    ensure!(address.is_empty(), "{name} has the address: {address}");
    // What a monitor of the passive node has to say once is all it may remember.
    let left = node.output(["ls", "/run/inuvika-ha"])?.stdout;
    ensure!(left.lines().all(|line| line.ends_with(".passive")), "{name} has state: {left}");
    let unit = [abiquo_node::shown(node, "ActiveState")?, abiquo_node::shown(node, "DropInPaths")?];
    // A Tomcat that had to be killed leaves it as failed.
    ensure!(["inactive", "failed"].contains(&unit[0].as_str()) && unit[1].is_empty(), "the unit of {name}: {unit:?}");
    Ok(())
}
