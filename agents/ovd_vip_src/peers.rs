//! What keeps its own source address, whatever the parameters say.
//!
//! The guide's rule with its default 0.0.0.0/0 rewrites corosync's own packets as well: the peers then see the node under
//! an address that is not in their configuration, and membership breaks when the virtual IP moves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::cluster::corosync;
use crate::cluster::names::{self, Hosts};
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;

/// An address of a cluster node, and how the node is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    /// The node.
    pub node: String,
    /// The address of one of its links.
    pub address: IpAddr,
}

/// All addresses in corosync's node list, this node's own included, and the names nobody could resolve.
///
/// Names are looked up in /etc/hosts; with a deadline also by the system's resolver (start), without one not (monitor).
pub fn of_cluster(resolver: Option<&Deadline>) -> Result<(Vec<Peer>, Vec<String>), Failure> {
    let rings = corosync::rings().map_err(|e| Failure::io(&format!("read {}", corosync::PATH), &e))?;
    let mut hosts = None;
    let (mut peers, mut unknown) = (Vec::new(), Vec::new());
    for ring in rings {
        let mut addresses: Vec<IpAddr> = match ring.address.parse() {
            Ok(address) => vec![address],
            Err(_) => hosts.get_or_insert_with(Hosts::read).addresses(&ring.address),
        };
        if let (true, Some(deadline)) = (addresses.is_empty(), resolver) {
            addresses = names::resolve(&ring.address, deadline);
        }
        if addresses.is_empty() {
            unknown.push(ring.address.clone());
        }
        peers.extend(addresses.into_iter().map(|address| Peer { node: ring.node.clone(), address }));
    }
    peers.sort();
    peers.dedup();
    Ok((peers, unknown))
}

/// The networks that keep their source: `exclude`, the virtual IP itself, the peers, and what is never routed through a
/// connection's address (loopback, link-local, multicast, limited broadcast: RFC 1122 3.2.1.3, RFC 4291 2.5.6 and 2.7).
pub fn keep(virtual_ip: IpAddr, exclude: &[IpNet], peers: &[Peer]) -> Vec<IpNet> {
    let mut keep = match virtual_ip {
        IpAddr::V4(_) => [
            (Ipv4Addr::LOCALHOST, 8),
            (Ipv4Addr::new(169, 254, 0, 0), 16),
            (Ipv4Addr::new(224, 0, 0, 0), 4),
            (Ipv4Addr::BROADCAST, 32),
        ]
        .into_iter()
        .filter_map(|(address, length)| Some(IpNet::V4(Ipv4Net::new(address, length).ok()?.trunc())))
        .collect::<Vec<_>>(),
        IpAddr::V6(_) => [
            (Ipv6Addr::LOCALHOST, 128),
            (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
            (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
        ]
        .into_iter()
        .filter_map(|(address, length)| Some(IpNet::V6(Ipv6Net::new(address, length).ok()?)))
        .collect(),
    };
    let same_family = |address: &IpAddr| address.is_ipv4() == virtual_ip.is_ipv4();
    keep.push(IpNet::from(virtual_ip));
    keep.extend(exclude);
    keep.extend(peers.iter().map(|peer| peer.address).filter(same_family).map(IpNet::from));
    IpNet::aggregate(&keep)
}
