//! `[[remote]]`: a node that runs resources with pacemaker_remote, but neither corosync nor votes.

use super::ids::Ids;
use super::pairs::{self, Pairs};
use crate::ocf::params::seconds;
use crate::scenario::fault::Fault;
use crate::scenario::names;
use crate::scenario::node::Node;
use crate::scenario::reader::{Item, Table};
use std::net::IpAddr;

/// A remote node.
#[derive(Debug)]
pub struct Remote {
    /// Its name, which is the id of the resource, too.
    pub name: String,
    /// Where it answers.
    pub address: IpAddr,
    /// On which port, when it is not 3121.
    pub port: Option<u16>,
    /// How long the cluster waits before it connects again to one it has lost, as Pacemaker takes it.
    pub reconnect_interval: Option<String>,
    /// Its attributes.
    pub attributes: Pairs,
}

impl Remote {
    pub(super) fn read(table: Table<'_>, nodes: &[Node], ids: &mut Ids) -> Result<Remote, Fault> {
        let mut table = table.only(&["name", "address", "port", "reconnect_interval", "attributes"])?;
        let name = table.need("name", names::HOST_NAME)?.text()?;
        if !names::is_host_name(&name.text) {
            return Err(name.must_be(names::HOST_NAME));
        }
        if nodes.iter().any(|node| node.name.eq_ignore_ascii_case(&name.text)) {
            return Err(name.fault(format!("{} is there already: every node needs a name of its own", name.text)));
        }
        ids.claim(&name, "a remote node")?;
        let word = table.need("address", "its address")?.text()?;
        let address: IpAddr = word.text.parse().map_err(|_| word.must_be("an IPv4 or IPv6 address"))?;
        if let Some(node) = nodes.iter().find(|node| node.addresses.contains(&address)) {
            return Err(word.fault(format!("is an address of {}: a node is either a member or remote", node.name)));
        }
        if address.is_loopback() || address.is_multicast() || address.is_unspecified() {
            return Err(word.must_be("an address that other nodes can reach"));
        }
        let port = match table.take("port") {
            None => None,
            Some(item) => match u16::try_from(item.integer()?).ok().filter(|port| *port > 0) {
                Some(port) => Some(port),
                None => return Err(item.fault("must be a port from 1 to 65535")),
            },
        };
        let interval = table.take("reconnect_interval").map(Item::text).transpose()?;
        if let Some(word) = interval.as_ref().filter(|word| seconds(&word.text).is_none()) {
            return Err(word.must_be(names::TIME));
        }
        let attributes = table.take("attributes").map_or(Ok(Vec::new()), pairs::read)?;
        let reconnect_interval = interval.map(|word| word.text);
        Ok(Remote { name: name.text, address, port, reconnect_interval, attributes })
    }
}
