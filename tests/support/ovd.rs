//! The session manager's cluster in the lab: made by the generated script, judged by nft, ip and crm_mon.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::lab::{Database, Failure, Lab, Machine, Meter, Net, Node, PASSWORD, Proto, Status, VIP, wait_for};
use super::{lsyncd, session_manager};

/// What the lab's cluster is made of; the files are not copied.
pub const SCENARIO: &str = include_str!("scenario.toml");
/// The nodes, the two that may run the services first.
pub const NODES: [&str; 3] = ["osm1", "osm2", "pcs3"];
/// The ids of the resources, as the scenario's set-up names them.
pub const VIRTUAL_IP: &str = "virtual_ip";
/// See [`VIRTUAL_IP`].
pub const VIP_SRC: &str = "vip_src";
/// See [`VIRTUAL_IP`].
pub const SESSION_MANAGER: &str = "session_manager";
/// See [`VIRTUAL_IP`].
pub const LSYNCD: &str = "lsyncd";
/// All of them.
pub const ALL: [&str; 4] = [VIRTUAL_IP, LSYNCD, VIP_SRC, SESSION_MANAGER];
/// Those without which nobody is served.
pub const SERVING: [&str; 3] = [VIRTUAL_IP, VIP_SRC, SESSION_MANAGER];
/// Where the agents are installed.
pub const AGENTS: &str = "/usr/lib/ocf/resource.d/inuvika";
/// Making a cluster of three takes half a minute on two cores, CTDB on two of them as long again, and a busy machine has them start one
/// after the other.
const SET_UP: Duration = Duration::from_secs(420);

/// Installs the program and its links in every node.
pub fn install(lab: &Lab, binary: &Path) -> Result<()> {
    for node in lab.nodes() {
        node.copy_in(binary, "/usr/sbin/inuvika-ha", 0o755)?;
        node.run(["mkdir", "-p", AGENTS])?;
        for spec in inuvika_ha::agents::specs() {
            node.run(["ln", "-sf", "/usr/sbin/inuvika-ha", &format!("{AGENTS}/{}", spec.name)])?;
        }
    }
    Ok(())
}

/// Installs a .deb in every node, at the same time.
pub fn install_package(lab: &Lab, deb: &Path) -> Result<()> {
    let install = |node: &Node| -> Result<()> {
        node.copy_in(deb, "/root/inuvika-ha.deb", 0o644)?;
        node.run_within(Duration::from_secs(120), &["dpkg", "--install", "/root/inuvika-ha.deb"])?;
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = lab.nodes().iter().map(|node| scope.spawn(|| install(node))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().ok().context("an installation panicked")?)
    })
}

/// Starts the database and installs the stand-in Session Manager where it may run, as its package leaves it: Apache does
/// not run, the cron link is there.
pub fn install_session_manager(lab: &Lab) -> Result<Database> {
    let database = Database::start(&lab.dbmy)?;
    for name in &NODES[..2] {
        session_manager::install(lab.node(name))?;
        session_manager::set_database(lab.node(name), Database::HOST, Database::PASSWORD)?;
    }
    Ok(database)
}

/// Lets the two nodes copy the Session Manager's files to each other.
pub fn install_replication(lab: &Lab) -> Result<()> {
    lsyncd::install(lab, [NODES[0], NODES[1]])
}

/// Starts to measure the outage of the Session Manager behind the virtual IP, as a client sees it.
pub fn measure(lab: &Lab) -> Result<Meter> {
    let question = session_manager::question(&VIP.to_string());
    Meter::start(&lab.client, (VIP, session_manager::PORT).into(), question)
}

/// Generates the script from the scenario with replication, in the lab's first node, and runs it there; what it said.
pub fn create_cluster(lab: &Lab) -> Result<String> {
    create_cluster_of(lab, &format!("{SCENARIO}\n[lsyncd]\n"))
}

/// The same of another scenario.
pub fn create_cluster_of(lab: &Lab, scenario: &str) -> Result<String> {
    let node = first(lab)?;
    node.write_file("/root/scenario.toml", scenario, 0o644)?;
    node.write_file("/root/hacluster.secret", format!("{PASSWORD}\n"), 0o600)?;
    node.sh("inuvika-ha pcs /root/scenario.toml > /root/cluster.sh")?;
    run_script(lab)
}

/// Runs the generated script once more.
pub fn run_script(lab: &Lab) -> Result<String> {
    let script = "HACLUSTER_PASSWORD_FILE=/root/hacluster.secret bash /root/cluster.sh";
    first(lab)?.sh_within(SET_UP, script)
}

fn first(lab: &Lab) -> Result<&Node> {
    lab.nodes().first().map(AsRef::as_ref).context("a lab without nodes")
}

/// A node that is on and sees quorum, and what it sees.
pub fn view(lab: &Lab) -> Result<Status> {
    for node in lab.nodes().iter().filter(|node| node.is_on()) {
        if let Ok(status) = Status::seen_by(node)
            && status.quorum
        {
            return Ok(status);
        }
    }
    bail!("no node has quorum")
}

/// Operations that failed. Degraded (190) is none: a busy machine is enough for "no answer in 1.0 s" from a peer.
pub fn failures(lab: &Lab) -> Result<Vec<Failure>> {
    Ok(view(lab)?.failures.into_iter().filter(|failure| failure.code != 190).collect())
}

/// The node that runs all resources.
pub fn active(lab: &Lab) -> Result<&Node> {
    active_of(lab, &ALL)
}

/// The node that runs these resources.
pub fn active_of<'a>(lab: &'a Lab, ids: &[&str]) -> Result<&'a Node> {
    let status = view(lab)?;
    let all: Vec<_> = ids.iter().map(|id| (*id, status.nodes_of(id))).collect();
    let nodes = status.nodes_of(VIRTUAL_IP);
    ensure!(nodes.len() == 1 && all.iter().all(|(_, other)| *other == nodes), "they run on {all:?}");
    lab.by_cluster_name(nodes[0]).context("an unknown node runs it")
}

/// The other node that may run them.
pub fn passive(lab: &Lab) -> Result<&Node> {
    let active = active(lab)?;
    let name = NODES[..2].iter().find(|name| **name != active.name()).context("no other node")?;
    Ok(lab.node(name))
}

/// Waits until what serves runs on one node that is `wanted`, whatever has become of the rest.
pub fn wait_serving(lab: &Lab, wanted: &Node, limit: Duration) -> Result<Duration> {
    let what = format!("everything that serves on {}", wanted.name());
    wait_for(limit, &what, || Ok(active_of(lab, &SERVING)?.name() == wanted.name()))
}

/// Waits until all resources run on one node that is `wanted`.
pub fn wait_active(lab: &Lab, wanted: &Node, limit: Duration) -> Result<Duration> {
    let what = format!("all resources on {}", wanted.name());
    wait_for(limit, &what, || Ok(active(lab)?.name() == wanted.name()))
}

/// Waits until all nodes take part, and what serves is known to run; how long the former took. A node that joins may bring a newer
/// configuration with an empty status along: Pacemaker then forgets what runs, and probes everything anew for some seconds.
pub fn wait_all_online(lab: &Lab, limit: Duration) -> Result<Duration> {
    let took = wait_for(limit, "all nodes online", || Ok(view(lab)?.online().len() == lab.nodes().len()))?;
    wait_for(limit, "what serves to be known", || Ok(active_of(lab, &SERVING).is_ok()))?;
    Ok(took)
}

/// Every source NAT rule on a node that gives the virtual IP, as nft lists them.
pub fn rules(node: &Node) -> Result<usize> {
    let text = node.run(["nft", "-j", "list", "ruleset"])?;
    let document: serde_json::Value = serde_json::from_str(&text).context("read nft -j")?;
    let objects = document["nftables"].as_array().context("nft -j has no list")?;
    let rewrites = |rule: &&serde_json::Value| {
        rule["rule"]["expr"].as_array().is_some_and(|all| all.iter().any(|e| e["snat"]["addr"] == "10.20.1.10"))
    };
    Ok(objects.iter().filter(rewrites).count())
}

/// Where a server sees a connection come from that this node opens.
pub fn source_of(lab: &Lab, node: &Node) -> Result<String> {
    Ok(lab.source_seen_by_server(node, Proto::Tcp, lab.dbmy.address(Net::Srv))?.to_string())
}

/// Forgets failures and fencing, so that the next look shows what came after.
pub fn forget(lab: &Lab) -> Result<()> {
    let node = lab.nodes().iter().find(|node| node.is_on()).context("every node is off")?;
    node.run(["crm_resource", "--cleanup"])?;
    node.run(["stonith_admin", "--cleanup", "--history", "*"])?;
    super::lab::wait_idle(node, Duration::from_secs(60))
}

/// Failed operations and fencing as one line each.
pub fn recorded(status: &Status) -> Vec<String> {
    let failures = status.failures.iter().map(|f| {
        let reason = if f.reason.is_empty() { String::new() } else { format!(": {}", f.reason) };
        format!("{} on {} gave {}{reason}", f.operation, f.node, f.code)
    });
    let fencing = status.fencing.iter().map(|f| format!("{} of {}: {}", f.action, f.target, f.status));
    failures.chain(fencing).collect()
}
