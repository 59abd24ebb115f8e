//! Firewalls on a file server: rules written by hand, and the ones of Debian with commands of their own, ufw and firewalld.
//! Judges: who gets through, from the other node and from a client, before and after; what the firewall says of itself anew.

mod packages;
mod passage;

use anyhow::{Context, Result, ensure};

pub use packages::fetch;

use crate::file_server;
use crate::script::{again, ended, run};
use crate::support::lab::{Lab, Machine, Net, Node};
use passage::{Listeners, Passage, listen};

/// The node of the file server, with its addresses on both networks of the lab, and whoever listens there.
fn server(lab: &Lab) -> Result<(&Node, Listeners<'_>)> {
    let node = lab.node("osm2");
    file_server::script(node, &["192.168.100", "10.20.1"])?;
    // With all but its firewall as it has to be.
    ended(node, "FIREWALL=mine", "", 0)?;
    Ok((node, listen(node, &passages(lab))?))
}

/// Where the node is asked: by the other node on both networks, and by the client, who is on one.
fn passages(lab: &Lab) -> Vec<Passage<'_>> {
    let (peer, node) = (lab.node("osm1"), lab.node("osm2"));
    let (cluster, service) = (node.address(Net::Priv), node.address(Net::Srv));
    let from = |who: &'static str, port, to, open| {
        let machine: &dyn Machine = if who == "osm1" { peer } else { &lab.client };
        Passage { machine, to, port, open }
    };
    vec![
        from("osm1", "tcp:2224", cluster, true),
        from("osm1", "tcp:2224", service, true),
        from("osm1", "udp:5405", cluster, true),
        from("osm1", "udp:5412", service, true),
        from("osm1", "udp:5413", cluster, false),
        from("osm1", "tcp:4379", cluster, true),
        from("client", "tcp:4379", service, false),
        from("client", "tcp:445", service, true),
        from("client", "tcp:1113", service, true),
        from("client", "tcp:3333", service, false),
        from("osm1", "tcp:3333", cluster, false),
    ]
}

/// Runs the script behind a firewall that is closed, and looks who gets in then, and after the firewall has read its own files anew.
fn opened(lab: &Lab, node: &Node, name: &str, reload: &str) -> Result<()> {
    let passages = passages(lab);
    for one in passages.iter().filter(|one| one.open) {
        ensure!(!one.is_open(node)?, "{name} lets {one} in before anybody has told it");
    }
    let dry = ended(node, "", "--dry-run", 0)?;
    ensure!(dry.contains(&format!("    firewall: {name}")) && !dry.contains("Dry run: 0 changes"), "{dry}");
    let text = ended(node, "", "", 0)?;
    let look = |when: &str| -> Result<()> {
        for one in &passages {
            let open = one.is_open(node)?;
            ensure!(open == one.open, "{name}, {when}: {one}: open is {open}: {text}{}", node.sh("nft list ruleset")?);
        }
        Ok(())
    };
    look("prepared")?;
    again(node)?;
    node.sh(reload)?;
    look("read anew")
}

/// ufw has one set of rules for all links.
pub fn ufw(lab: &Lab) -> Result<()> {
    let (node, _listeners) = server(lab)?;
    packages::install(node)?;
    node.sh("ufw --force reset && ufw --force enable")?;
    let result = opened(lab, node, "ufw", "ufw reload");
    let rules = node.sh("ufw status")?;
    node.sh("ufw --force reset && ufw --force disable")?;
    result?;
    // pcsd answers members of the cluster alone.
    ensure!(
        rules.lines().filter(|line| line.starts_with("2224/tcp")).all(|line| !line.contains("Anywhere")),
        "{rules}"
    );
    Ok(())
}

/// firewalld has a zone for each link.
pub fn firewalld(lab: &Lab) -> Result<()> {
    let (node, _listeners) = server(lab)?;
    packages::install(node)?;
    node.sh("systemctl start firewalld; firewall-cmd --permanent --zone=internal --add-interface=eth1; firewall-cmd --reload")?;
    let result = opened(lab, node, "firewalld, zone internal public, for clients public", "firewall-cmd --reload");
    let zone = node.sh("firewall-cmd --zone=internal --list-ports");
    node.sh("systemctl stop firewalld; rm -rf /etc/firewalld/zones; mkdir /etc/firewalld/zones")?;
    result?;
    // What is for clients is open where they are, and nowhere else.
    ensure!(zone?.trim().is_empty(), "clients are let in from the network of the cluster");
    Ok(())
}

/// What somebody has written by hand is not edited, but what it lacks is named until it is there.
pub fn by_hand(lab: &Lab) -> Result<()> {
    let (node, _listeners) = server(lab)?;
    node.sh(
        "nft 'add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }'
        nft add rule inet filter input ct state established,related accept
        nft add rule inet filter input iif lo accept",
    )?;
    let result = named(lab, node);
    node.sh("nft delete table inet filter")?;
    result
}

fn named(lab: &Lab, node: &Node) -> Result<()> {
    let text = ended(node, "", "", 3)?;
    let rules: Vec<_> = text.lines().filter_map(|line| line.split_once(" for input: ").map(|(_, rule)| rule)).collect();
    ensure!(rules.contains(&"ip saddr 192.168.100.13 udp dport 5404-5412 accept"), "{text}");
    let passages = passages(lab);
    let first = passages.first().context("no passage")?;
    ensure!(!first.is_open(node)?, "the rules let {first} in");
    for rule in &rules {
        node.sh(&format!("nft add rule inet filter input {rule}"))?;
    }
    for one in &passages {
        ensure!(one.is_open(node)? == one.open, "after {rules:?}: {one}");
    }
    let open = node.output(["bash", "-c", "FIREWALL=mine /root/prepare.sh </dev/null"])?;
    ensure!(open.ok() && open.stdout.contains("firewall: mine"), "{}", open.describe());
    let output = run(node, "", "")?;
    ensure!(output.ok() && !output.stdout.contains("for input:"), "{}", output.describe());
    Ok(())
}
