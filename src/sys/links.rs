//! Network links and who of them has an address, asked from the kernel over rtnetlink.
//!
//! Addresses are decoded by netlink-packet-route. Of a link only four attributes are read here: the whole of it is some
//! 2 KB of statistics and settings, and one that a newer kernel has changed must not hide the link.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::{Emitable, Parseable};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{LinkFlags, LinkLayerType, LinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink::{self, Socket, Writer};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;

/// Length of `struct ifinfomsg`.
const LINK_HEADER: usize = 16;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;

/// A network link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in the kernel, unique in a network namespace.
    pub index: u32,
    /// Its name, like `eth0`.
    pub name: String,
    /// Its hardware address, when that has six bytes and is not all zero.
    pub mac: Option<[u8; 6]>,
    /// Whether an administrator has set it up.
    pub up: bool,
    /// Whether it also has a carrier.
    pub carrier: bool,
    /// Whether it speaks Ethernet (bridges, bonds, VLANs and veth do; loopback and tunnels do not).
    pub ethernet: bool,
    /// Whether it does without ARP and neighbour discovery.
    pub no_arp: bool,
    /// The bridge or bond it belongs to.
    pub master: Option<u32>,
}

/// The link that has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The link's number in the kernel.
    pub index: u32,
    /// The link's own name: never the address label, such as `eth0:1`.
    pub link: String,
    /// Prefix length of the address, in bits.
    pub prefix_len: u8,
    /// Duplicate address detection has not finished: the address cannot be used yet (IPv6).
    pub tentative: bool,
    /// Duplicate address detection found another host with it (IPv6).
    pub dad_failed: bool,
}

/// The link that has this address. When several have it, one that is not the loopback.
///
/// # Errors
/// What the kernel says, with its errno.
pub fn holder(ip: IpAddr) -> io::Result<Option<Holder>> {
    let mut all = holders(ip)?;
    all.sort_by_key(|holder| holder.link == "lo");
    Ok(all.into_iter().next())
}

/// All links that have this address (a real server of LVS has the virtual address on its loopback too).
///
/// # Errors
/// What the kernel says, with its errno.
pub fn holders(ip: IpAddr) -> io::Result<Vec<Holder>> {
    let mut socket = Socket::open(NETLINK_ROUTE)?;
    let mut question = AddressMessage::default();
    question.header.family = if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let reply = socket.dump(RTM_GETADDR, |message| emit(message, &question))?;

    let mut found = Vec::new();
    for message in reply.messages().filter(|message| message.kind == RTM_NEWADDR) {
        let address = AddressMessage::parse(message.body).map_err(io::Error::other)?;
        if own_address(&address) != Some(ip) {
            continue;
        }
        let Some(link) = by_index(&mut socket, address.header.index)? else { continue };
        let flags = flags_of(&address);
        found.push(Holder {
            index: link.index,
            link: link.name,
            prefix_len: address.header.prefix_len,
            tentative: flags.contains(AddressFlags::Tentative),
            dad_failed: flags.contains(AddressFlags::Dadfailed),
        });
    }
    Ok(found)
}

/// A network that this host is in by an address of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Name of the link.
    pub link: String,
    /// The network, without host bits.
    pub network: IpNet,
}

/// The networks that this host is in, each once; without those of one address alone, and without link-local ones.
///
/// # Errors
/// What the kernel says, with its errno.
pub fn networks() -> io::Result<Vec<Network>> {
    let names: HashMap<u32, String> = links()?.into_iter().map(|link| (link.index, link.name)).collect();
    let mut socket = Socket::open(NETLINK_ROUTE)?;
    // Of all families.
    let reply = socket.dump(RTM_GETADDR, |message| emit(message, &AddressMessage::default()))?;
    let mut found = Vec::new();
    for message in reply.messages().filter(|message| message.kind == RTM_NEWADDR) {
        let address = AddressMessage::parse(message.body).map_err(io::Error::other)?;
        let Some(own) = own_address(&address) else { continue };
        let Some(link) = names.get(&address.header.index) else { continue };
        let is_link_local = match own {
            IpAddr::V4(own) => own.is_link_local(),
            IpAddr::V6(own) => own.is_unicast_link_local(),
        };
        let Ok(network) = IpNet::new(own, address.header.prefix_len) else { continue };
        let network = Network { link: link.clone(), network: network.trunc() };
        if !is_link_local
            && network.network.prefix_len() < network.network.max_prefix_len()
            && !found.contains(&network)
        {
            found.push(network);
        }
    }
    Ok(found)
}

/// All links of this network namespace.
///
/// # Errors
/// What the kernel says, with its errno.
pub fn links() -> io::Result<Vec<Link>> {
    let mut socket = Socket::open(NETLINK_ROUTE)?;
    let question = LinkMessage::default();
    let reply = socket.dump(RTM_GETLINK, |message| emit(message, &question))?;
    Ok(reply.messages().filter(|message| message.kind == RTM_NEWLINK).filter_map(|m| link(m.body)).collect())
}

/// The link with this name.
///
/// # Errors
/// What the kernel says, with its errno.
pub fn by_name(name: &str) -> io::Result<Option<Link>> {
    // A question with a name needs kernel 2.6.33 for this attribute alone; alternative names would need more.
    let mut socket = Socket::open(NETLINK_ROUTE)?;
    let question = LinkMessage::default();
    one_link(&mut socket, |message| {
        emit(message, &question);
        message.text(IFLA_IFNAME, name);
    })
}

/// Hardware addresses of all links: what this host itself may answer with.
///
/// # Errors
/// What the kernel says, with its errno.
pub fn local_macs() -> io::Result<Vec<[u8; 6]>> {
    Ok(links()?.into_iter().filter_map(|link| link.mac).collect())
}

fn by_index(socket: &mut Socket, index: u32) -> io::Result<Option<Link>> {
    let mut question = LinkMessage::default();
    question.header.index = index;
    one_link(socket, |message| emit(message, &question))
}

/// Asks for one link; `None` when there is none.
fn one_link(socket: &mut Socket, fill: impl FnOnce(&mut Writer)) -> io::Result<Option<Link>> {
    match socket.get(RTM_GETLINK, fill) {
        Ok(reply) => Ok(reply.messages().find_map(|message| link(message.body))),
        Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ENODEV as i32) => Ok(None),
        Err(error) => Err(error),
    }
}

fn emit(message: &mut Writer, body: &impl Emitable) {
    let mut bytes = vec![0; body.buffer_len()];
    body.emit(&mut bytes);
    message.raw(&bytes);
}

/// Reads `struct ifinfomsg` and the attributes after it.
fn link(body: &[u8]) -> Option<Link> {
    let header: &[u8; LINK_HEADER] = body.first_chunk()?;
    let [_, _, t0, t1, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
    let layer = LinkLayerType::from(u16::from_ne_bytes([t0, t1]));
    let flags = LinkFlags::from_bits_retain(u32::from_ne_bytes([f0, f1, f2, f3]));

    let attributes = body.get(LINK_HEADER..)?;
    let mac = netlink::attribute(attributes, IFLA_ADDRESS).and_then(|value| <[u8; 6]>::try_from(value).ok());
    let master = netlink::attribute(attributes, IFLA_MASTER).and_then(|value| value.first_chunk().copied());
    Some(Link {
        index: u32::from_ne_bytes([i0, i1, i2, i3]),
        name: netlink::text(attributes, IFLA_IFNAME)?.to_owned(),
        mac: mac.filter(|mac| *mac != [0; 6]),
        up: flags.contains(LinkFlags::Up),
        carrier: flags.contains(LinkFlags::LowerUp),
        ethernet: layer == LinkLayerType::Ether && !flags.contains(LinkFlags::Loopback),
        no_arp: flags.contains(LinkFlags::Noarp),
        master: master.map(u32::from_ne_bytes),
    })
}

/// The host's own address: `Local` where there is one. On point-to-point links `Address` is the other end.
fn own_address(message: &AddressMessage) -> Option<IpAddr> {
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(ip) => Some(*ip),
        _ => None,
    });
    local.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(ip) => Some(*ip),
            _ => None,
        })
    })
}

/// The address flags: kernels since 3.14 send all of them in an attribute, those before only eight in the header.
fn flags_of(message: &AddressMessage) -> AddressFlags {
    let attribute = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Flags(flags) => Some(*flags),
        _ => None,
    });
    attribute.unwrap_or_else(|| AddressFlags::from_bits_retain(u32::from(message.header.flags.bits())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn loopback_holds_its_address() {
        let found = holder("127.0.0.1".parse().unwrap()).unwrap().unwrap();
        assert_eq!((found.link.as_str(), found.prefix_len, found.tentative), ("lo", 8, false));
        assert_eq!(holder("192.0.2.231".parse().unwrap()).unwrap(), None);
    }

    #[test]
    fn loopback_is_in_its_network() {
        let own = Network { link: "lo".into(), network: "127.0.0.0/8".parse().unwrap() };
        assert!(networks().unwrap().contains(&own));
    }

    #[test]
    fn links_are_found_by_name() {
        let lo = by_name("lo").unwrap().unwrap();
        assert_eq!((lo.index, lo.ethernet, lo.mac), (1, false, None));
        assert_eq!(links().unwrap().into_iter().find(|link| link.name == "lo"), Some(lo));
        assert_eq!(by_name("no-such-link").unwrap(), None);
    }

    #[test]
    fn short_messages_are_no_link() {
        for length in 0..LINK_HEADER + 4 {
            assert_eq!(link(&vec![0; length]), None);
        }
    }
}
