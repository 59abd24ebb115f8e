//! The site: two file servers and a node that votes, and what has to be true of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::support::lab::{Element, Failure, Lab, Machine, Net, Node, VIP, wait_for, wait_idle};
use crate::support::ovd;

pub const NODES: [&str; 3] = ["ofs1", "ofs2", "pcs3"];
/// The ids of the resources, as the set-up names them.
pub const CTDB: &str = "ofs_ctdb";
pub const ALL: [&str; 4] = ["ctdb_volume", "data_volume", CTDB, "ovd_slaveserver"];
/// How long the cluster may take for anything on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(180);

/// The Samba of a file server before: without a word of a cluster.
const SMB: &str = "[global]\n  workgroup = OVD\n  server role = standalone server\n  map to guest = bad user\n  \
                   guest account = nobody\n  disable spoolss = yes\n[ovd]\n  path = /mnt/nfs/ovd\n  guest ok = yes\n  \
                   read only = no\n  force user = root\n";
/// Answers HTTP where WebDAV would be; not at boot.
const SLAVESERVER: &str = "[Unit]\nDescription=Stand-in for ovd-slaveserver\n[Service]\n\
                           ExecStart=/usr/bin/python3 -I -m http.server 1113 --directory /var/empty\n\
                           [Install]\nWantedBy=multi-user.target\n";
/// What systemd runs on a file server.
const UNITS: [&str; 4] = ["ctdb", "smbd", "nmbd", "ovd-slaveserver"];

/// The file servers.
pub fn servers(lab: &Lab) -> [&Node; 2] {
    [lab.node(NODES[0]), lab.node(NODES[1])]
}

/// What file servers have before CTDB is configured. The volumes have a folder for each.
pub fn install(lab: &Lab) -> Result<()> {
    for name in ["ctdb", "ovd"] {
        fs::create_dir_all(lab.shared().join(name))?;
    }
    fs::set_permissions(lab.shared().join("ovd"), fs::Permissions::from_mode(0o777))?;
    for node in servers(lab) {
        node.run(["mkdir", "-p", "/mnt/nfs/ctdb", "/mnt/nfs/ovd", "/var/empty"])?;
        node.write_file("/etc/samba/smb.conf", SMB, 0o644)?;
        let conf = "[FileServer]\ndata_dir = /mnt/nfs/ovd\n";
        node.write_file("/etc/ovd/slaveserver/slaveserver.conf", conf, 0o644)?;
        node.write_file("/etc/systemd/system/ovd-slaveserver.service", SLAVESERVER, 0o644)?;
        node.run(["systemctl", "daemon-reload"])?;
    }
    Ok(())
}

/// Configures CTDB and Samba as the examples say: with the volumes mounted, on one node after the other.
pub fn configure(lab: &Lab, scenario: &str) -> Result<()> {
    for node in servers(lab) {
        node.write_file("/root/scenario.toml", scenario, 0o644)?;
        node.sh("for v in ctdb ovd; do mount --bind /srv/shared/$v /mnt/nfs/$v; done")?;
        let said = node.sh("inuvika-ha ofs-config /root/scenario.toml --write 2>&1")?;
        let again = node.sh("inuvika-ha ofs-config /root/scenario.toml --write 2>&1")?;
        ensure!(again.contains("nothing to write"), "{said}\n{again}");
        node.sh("umount /mnt/nfs/ctdb /mnt/nfs/ovd")?;
    }
    Ok(())
}

/// Whether a node has the public address.
pub fn has_vip(node: &Node) -> Result<bool> {
    let said = node.run(["ip", "-o", "address", "show", "dev", Net::Srv.interface(), "to", &VIP.to_string()])?;
    Ok(!said.is_empty())
}

/// The node that serves the public address, and the other one.
pub fn holder(lab: &Lab) -> Result<(&Node, &Node)> {
    let [one, two] = servers(lab);
    match (has_vip(one)?, has_vip(two)?) {
        (true, false) => Ok((one, two)),
        (false, true) => Ok((two, one)),
        (first, second) => anyhow::bail!("the address on {}: {first}, on {}: {second}", one.name(), two.name()),
    }
}

/// Waits until the address is on `node` alone.
pub fn wait_serves(lab: &Lab, node: &Node) -> Result<Duration> {
    wait_for(LIMIT, &format!("the address on {}", node.name()), || {
        Ok(has_vip(node)?
            && servers(lab)
                .into_iter()
                .filter(|other| other.is_on())
                .all(|other| other.name() == node.name() || has_vip(other).is_ok_and(|has| !has)))
    })
}

/// When each of a node's daemons has begun, as systemd knows it: what was not restarted has the same.
pub fn begun(node: &Node) -> Result<String> {
    let mut all = String::new();
    for unit in UNITS {
        let argv = ["systemctl", "show", unit, "--property=Id,MainPID,ActiveEnterTimestampMonotonic,ActiveState"];
        all += &node.run(argv)?;
    }
    Ok(all)
}

/// The attributes that CTDB's events have set for a node, as crm_mon of another one shows them.
pub fn attributes(seen_by: &Node, node: &Node) -> Result<BTreeMap<String, String>> {
    let text = seen_by.run(["crm_mon", "--one-shot", "--show-node-attributes", "--output-as=xml"])?;
    let document = Element::parse(&text).context("understand crm_mon")?;
    let all = document.child("node_attributes").map(|part| part.all("node")).unwrap_or_default();
    let own = all.into_iter().find(|element| element.get("name") == node.cluster_name());
    let own = own.map(|element| element.all("attribute")).unwrap_or_default();
    Ok(own.into_iter().map(|one| (one.get("name").to_owned(), one.get("value").to_owned())).collect())
}

/// Waits until a node's attributes are these: its state, and the address that it serves.
pub fn wait_told(seen_by: &Node, node: &Node, state: &str, address: &str) -> Result<Duration> {
    wait_for(LIMIT, &format!("the attributes {state} and {address} of {}", node.name()), || {
        told(seen_by, node, state, address).map(|()| true)
    })
}

fn told(seen_by: &Node, node: &Node, state: &str, address: &str) -> Result<()> {
    let all = attributes(seen_by, node)?;
    let get = |name: &str| all.get(name).map(String::as_str).unwrap_or_default();
    let is_so = get("ofs-ctdb-state") == state && get("ofs-ctdb-addresses") == address;
    ensure!(is_so, "{} has {all:?}, wanted {state} and {address}", node.name());
    Ok(())
}

/// That CTDB on a node says of both that they are OK: every column of theirs is 0.
pub fn all_well(node: &Node) -> Result<()> {
    let said = node.run(["ctdb", "-X", "status"])?;
    ensure!(said.matches("|0|0|0|0|0|0|0|0|").count() == 2, "ctdb on {} says {said}", node.name());
    Ok(())
}

/// What has to be true whenever nothing is going on.
pub fn settled(lab: &Lab) -> Result<()> {
    let voter = lab.node("pcs3");
    let status = ovd::view(lab)?;
    ensure!(status.online().len() == NODES.len(), "{:?} are online", status.online());
    let mut wanted = servers(lab).map(Node::cluster_name);
    wanted.sort_unstable();
    for id in ALL {
        let mut nodes = status.nodes_of(id);
        nodes.sort_unstable();
        ensure!(nodes == wanted, "{id} runs on {nodes:?}: {:?}", ovd::recorded(&status));
    }
    let failed: Vec<_> = status.failures.iter().filter(|failure| failure.code != 190).collect();
    ensure!(failed.is_empty(), "{failed:?}");
    let (serves, other) = holder(lab)?;
    all_well(serves)?;
    all_well(other)?;
    told(voter, serves, "ok", &VIP.to_string())?;
    told(voter, other, "ok", "none")
}

/// Waits until all of that is true.
pub fn wait_settled(lab: &Lab, limit: Duration) -> Result<()> {
    let took = wait_for(limit, "all to be well", || settled(lab).map(|()| true))?;
    wait_idle(lab.node("pcs3"), LIMIT)?;
    eprintln!("ctdb_cluster: all is well after {:.0} s", took.as_secs_f32());
    settled(lab)
}

/// Waits until `pcs status` shows that code and reason of CTDB on a node.
pub fn wait_reason(lab: &Lab, node: &Node, code: i32, reason: &str) -> Result<Duration> {
    wait_for(LIMIT, &format!("{code} with the reason {reason:?}"), || {
        let failures = ovd::view(lab)?.failures;
        let is_it = |f: &Failure| {
            f.node == node.cluster_name()
                && f.operation.starts_with(CTDB)
                && f.code == code
                && f.reason.contains(reason)
        };
        ensure!(failures.iter().any(is_it), "told: {failures:?}");
        Ok(true)
    })
}

/// Whether a node has nothing of a file server.
pub fn has_nothing(node: &Node) -> Result<()> {
    let name = node.name();
    let daemons = node.output(["pgrep", "-l", "ctdb|smbd|nmbd"])?.stdout;
    ensure!(daemons.is_empty(), "{name} has {daemons}");
    ensure!(!has_vip(node)?, "{name} has the address");
    let left = node.output(["ls", "/run/inuvika-ha"])?.stdout;
    ensure!(left.is_empty(), "{name} has state: {left}");
    Ok(())
}
