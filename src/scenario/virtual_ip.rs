//! `[virtual_ip]`: the address everything stands around.

use super::fault::Fault;
use super::node::Node;
use super::reader::{Table, Word};
use crate::ocf::params::fits;
use crate::ocf::spec::Kind;
use ipnet::IpNet;
use std::net::IpAddr;

/// The resource's id in the cluster.
pub const ID: &str = "virtual_ip";

/// The virtual IP address.
#[derive(Debug)]
pub struct VirtualIp {
    /// The address with its prefix length.
    pub net: IpNet,
    /// The link it is put on; IPaddr2 finds it out when there is none.
    pub nic: Option<String>,
    /// Whether a service has it ([`SetUp::own_address`](super::setup::SetUp)): then the cluster has no resource for it.
    pub own: bool,
}

/// The word for a cluster that has the address.
const CLUSTER: &str = "pacemaker";

impl VirtualIp {
    /// Reads the section; `service` is the word for a service that may have the address itself.
    pub(super) fn read(table: Table<'_>, nodes: &[Node], service: Option<&str>) -> Result<VirtualIp, Fault> {
        let mut allowed = vec!["address", "network", "nic"];
        allowed.extend(service.map(|_| "holder"));
        let mut table = table.only(&allowed)?;
        let word = table.need("address", "an address with prefix length, like 10.20.1.10/24")?.text()?;
        let network = table.take("network").map(|item| item.text()).transpose()?;
        let net = net(&word, network.as_ref())?;
        if let Some(node) = nodes.iter().find(|node| node.addresses.contains(&net.addr())) {
            return Err(word.fault(format!("{} is the address of {}: it must be free", net.addr(), node.name)));
        }
        let nic = table.take("nic").map(|item| item.text()).transpose()?;
        if let Some(nic) = nic.as_ref().filter(|nic| !fits(Kind::Link, &nic.text)) {
            return Err(nic.must_be(Kind::Link.allowed()));
        }
        if let Some(nic) = nic.as_ref().filter(|nic| nic.text == "lo") {
            return Err(nic.must_be("a link that other hosts can reach"));
        }
        let link_local = matches!(net.addr(), IpAddr::V6(address) if address.is_unicast_link_local());
        if link_local && nic.is_none() {
            return Err(word.fault(format!("{} means nothing without a link: give nic as well", net.addr())));
        }
        let holder = table.take("holder").map(|item| item.text()).transpose()?;
        let own = match (&holder, service) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(word), Some(service)) if word.text == service => true,
            (Some(word), Some(_)) if word.text == CLUSTER => false,
            (Some(word), Some(service)) => return Err(word.must_be(format!("{service} or {CLUSTER}"))),
        };
        if let Some(service) = service.filter(|_| own && nic.is_none()) {
            return Err(word.fault(format!("{service} has to be told a link for it: give nic as well")));
        }
        Ok(VirtualIp { net, nic: nic.map(|word| word.text), own })
    }
}

/// The address in its network, written as `address/prefix` or as an address and a network.
fn net(word: &Word<'_>, network: Option<&Word<'_>>) -> Result<IpNet, Fault> {
    let net = match network {
        None => word.text.parse().map_err(|_| word.must_be("an address with prefix length, like 10.20.1.10/24"))?,
        Some(network) => {
            let address: IpAddr =
                word.text.parse().map_err(|_| word.must_be("an address without prefix length beside network"))?;
            let net: IpNet = network.text.parse().map_err(|_| network.must_be("a network, like 10.20.1.0/24"))?;
            if !net.contains(&address) {
                return Err(word.fault(format!("{address} is not in the network {}", net.trunc())));
            }
            IpNet::new(address, net.prefix_len()).map_err(|_| network.must_be("a network, like 10.20.1.0/24"))?
        }
    };
    let address = net.addr();
    let unusable = match address {
        IpAddr::V4(address) => address.is_broadcast(),
        IpAddr::V6(address) => address.to_ipv4_mapped().is_some(),
    };
    if unusable || address.is_loopback() || address.is_multicast() || address.is_unspecified() {
        return Err(word.must_be("an address that other hosts can reach"));
    }
    if net.prefix_len() == 0 {
        return Err(network.unwrap_or(word).must_be("in a network with a prefix length of 1 or more"));
    }
    // A /31 and a /32 (and IPv6) have no address that belongs to all.
    let shared = address.is_ipv4() && net.prefix_len() < 31;
    if shared && (address == net.network() || address == net.broadcast()) {
        return Err(word.fault(format!("{address} is the network or broadcast address of {}", net.trunc())));
    }
    Ok(net)
}
