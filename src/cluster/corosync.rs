//! The node list of corosync.conf(5).

use std::fs;
use std::io;
use std::path::Path;

/// Where corosync reads its configuration.
pub const PATH: &str = "/etc/corosync/corosync.conf";

/// The UDP ports of corosync: the range that the firewall service "high-availability" opens (5405 plus the link number
/// with knet; 5404 and 5405 with udpu and udp).
pub const UDP_PORTS: (u16, u16) = (5404, 5412);

/// Where the host of a quorum device stands (corosync-qdevice(8)).
const DEVICE: [&str; 3] = ["quorum", "device", "net"];

/// One address of a node, as it is written there: an IP address or a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// `name`, or the address itself where the node has no name (corosync 2).
    pub node: String,
    /// `ring0_addr` ... `ring7_addr`.
    pub address: String,
}

/// The addresses of all nodes, this one included; empty where no corosync is configured (pacemaker_remote, a run by hand).
pub fn rings() -> io::Result<Vec<Ring>> {
    match fs::read(Path::new(PATH)) {
        // A comment in another encoding is no reason to know no peers.
        Ok(text) => Ok(parse(&String::from_utf8_lossy(&text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn parse(text: &str) -> Vec<Ring> {
    let mut sections: Vec<&str> = Vec::new();
    let mut rings = Vec::new();
    let (mut name, mut addresses) = (String::new(), Vec::new());
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(section) = line.strip_suffix('{') {
            sections.push(section.trim());
        } else if line == "}" {
            if sections == ["nodelist", "node"] {
                for address in addresses.drain(..) {
                    let node = if name.is_empty() { String::clone(&address) } else { name.clone() };
                    rings.push(Ring { node, address });
                }
                name.clear();
            }
            sections.pop();
        } else if let Some((key, value)) = line.split_once(':').filter(|_| sections == ["nodelist", "node"]) {
            match (key.trim(), value.trim()) {
                ("name", value) => name = value.to_owned(),
                (key, value) if key.starts_with("ring") && key.ends_with("_addr") => addresses.push(value.to_owned()),
                _ => {}
            }
        } else if let Some((_, host)) =
            line.split_once(':').filter(|(key, _)| key.trim() == "host" && sections == DEVICE)
        {
            // Its vote is needed most when the virtual IP moves: that connection must not depend on it.
            rings.push(Ring { node: "quorum device".to_owned(), address: host.trim().to_owned() });
        }
    }
    rings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_links_of_all_nodes_are_found() {
        let text = "totem {\n  version: 2\n  interface {\n    ring0_addr: 1.1.1.1\n  }\n}\nnodelist {\n  node {\n    \
                    ring0_addr: 192.168.100.11\n    ring1_addr: 10.20.1.11 # second link\n    name: osm1.priv\n    nodeid: 1\n  }\n\n  \
                    node {\n    ring0_addr: osm2.priv\n    nodeid: 2\n  }\n  node {\n    name: six\n    ring0_addr: fd00::3\n  }\n}\n";
        let device = "quorum {\n device {\n model: net\n net {\n host: qnetd.priv\n }\n }\n}\n";
        assert_eq!(parse(device).first().map(|r| r.address.as_str()), Some("qnetd.priv"));
        let got: Vec<_> = parse(text).into_iter().map(|r| format!("{}={}", r.node, r.address)).collect();
        assert_eq!(got, ["osm1.priv=192.168.100.11", "osm1.priv=10.20.1.11", "osm2.priv=osm2.priv", "six=fd00::3"]);
    }

    #[test]
    fn half_a_file_is_no_panic() {
        for text in
            ["nodelist {\n node {\n ring0_addr: 1.2.3.4", "}\n}\n}", "{", ":", "nodelist {\nnode {\nring0_addr:\n}\n}"]
        {
            let _ = parse(text);
        }
    }
}
