//! `[router]`: what nodes ask whether clients still reach them.

use super::fault::Fault;
use super::node::Node;
use super::reader::Table;
use super::virtual_ip::VirtualIp;
use std::net::IpAddr;

/// The resource's id in the cluster.
pub const ID: &str = "router";

/// What lies between the nodes and the clients.
#[derive(Debug)]
pub struct Router {
    /// Its addresses. One that answers is enough.
    pub addresses: Vec<IpAddr>,
}

impl Router {
    pub(super) fn read(table: Table<'_>, vip: &VirtualIp, nodes: &[Node]) -> Result<Router, Fault> {
        let mut table = table.only(&["address"])?;
        let words = table.need("address", "the address of the router towards the clients, or a list")?.texts()?;
        let mut addresses = Vec::new();
        for word in &words {
            // A name would have to be looked up, and a name server that is down would look like a router that is.
            let address: IpAddr = word.text.parse().map_err(|_| word.must_be("an IPv4 or IPv6 address"))?;
            if address.is_loopback() || address.is_multicast() || address.is_unspecified() {
                return Err(word.must_be("an address of another host"));
            }
            if address == vip.net.addr() {
                return Err(word.fault("is the virtual IP address: whoever has it always reaches it"));
            }
            if let Some(node) = nodes.iter().find(|node| node.addresses.contains(&address)) {
                return Err(
                    word.fault(format!("is an address of {}: it must be what all nodes have to reach", node.name))
                );
            }
            if addresses.contains(&address) {
                return Err(word.fault(format!("{address} is there already")));
            }
            if addresses.first().is_some_and(|first: &IpAddr| first.is_ipv4() != address.is_ipv4()) {
                return Err(word.fault("must all be IPv4 or all be IPv6: ocf:pacemaker:ping with fping asks one kind"));
            }
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(table.fault("address must name at least one"));
        }
        Ok(Router { addresses })
    }
}
