//! Password-less ssh between two nodes as the failover guide has it: a key pair each, logins from the other's address only,
//! without terminal and forwarding; each node has host keys of its own and knows the other's.

use std::net::IpAddr;

use anyhow::{Context, Result};

use super::lab::{Lab, Machine, Net, Node, wait_for};

/// The key of the guide, as root's.
pub const IDENTITY: &str = "/root/.ssh/sync_rsa";
/// What the guide calls the other node.
pub const OTHER: &str = "the-other-osm";

/// The line of authorized_keys that lets the owner of a public key in from one address, with the guide's restrictions.
pub fn authorized(from: IpAddr, public: &str) -> String {
    let restrictions = "no-pty,no-user-rc,no-agent-forwarding,no-port-forwarding,no-X11-forwarding";
    format!("from=\"{from}\",{restrictions} {}\n", public.trim())
}

/// The line of known_hosts for a host with these names and this public key.
pub fn known(names: &[&str], public: &str) -> String {
    let key: Vec<&str> = public.split_whitespace().take(2).collect();
    format!("{} {}\n", names.join(","), key.join(" "))
}

/// Starts sshd on both nodes, now and at every boot, and makes them trust each other.
pub fn install(lab: &Lab, pair: [&str; 2]) -> Result<()> {
    let nodes = pair.map(|name| lab.node(name));
    std::thread::scope(|scope| {
        let threads = nodes.map(|node| scope.spawn(move || keys(node)));
        threads.into_iter().try_for_each(|thread| thread.join().ok().context("making keys panicked")?)
    })?;
    for (node, other) in [(nodes[0], nodes[1]), (nodes[1], nodes[0])] {
        let address = other.address(Net::Priv);
        let public = other.read_file(&format!("{IDENTITY}.pub"))?;
        node.write_file("/root/.ssh/authorized_keys", authorized(address, &public), 0o600)?;
        let host_key = other.read_file("/etc/ssh/ssh_host_ed25519_key.pub")?;
        let names = [&other.cluster_name(), OTHER, &address.to_string()];
        node.write_file("/root/.ssh/known_hosts", known(&names, &host_key), 0o600)?;
    }
    for (node, other) in [(nodes[0], nodes[1]), (nodes[1], nodes[0])] {
        let login = ["ssh", "-i", IDENTITY, "-o", "BatchMode=yes", &other.cluster_name(), "hostname"];
        let answers = || Ok(node.run_within(std::time::Duration::from_secs(10), &login)?.trim() == other.name());
        wait_for(std::time::Duration::from_secs(20), "the nodes to trust each other", answers)?;
    }
    Ok(())
}

/// The host's own keys are in every node's image: a node makes new ones. Its logind is of no use to a login, and at times
/// takes ten seconds to start.
fn keys(node: &Node) -> Result<()> {
    node.sh(&format!(
        "sed -i /pam_systemd/d /etc/pam.d/common-session
        rm -f /etc/ssh/ssh_host_*
        ssh-keygen -q -A
        install -d -m 700 /root/.ssh
        rm -f {IDENTITY} {IDENTITY}.pub
        ssh-keygen -q -t rsa -b 2048 -N '' -C root@{} -f {IDENTITY}
        ln -sf /lib/systemd/system/ssh.service /etc/systemd/system/multi-user.target.wants/ssh.service
        systemctl daemon-reload
        systemctl restart ssh.service",
        node.name()
    ))?;
    Ok(())
}
