//! The table as bytes of generic netlink. Numbers after `linux/ip_vs.h`.
//!
//! What the kernel says is read without trust: an entry that does not make sense is left out. Attributes that it does
//! not send are those of an older kernel: before 3.18 no real server has a family, before 5.2 none has a tunnel type.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::sys::netlink::{Attributes, Writer};

use super::{Change, Connections, Family, Forwarding, Key, Persistence, Protocol, RealServer, Service, Tunnel};

/// Commands (`IPVS_CMD_*`).
pub mod command {
    pub const NEW_SERVICE: u8 = 1;
    pub const SET_SERVICE: u8 = 2;
    pub const DEL_SERVICE: u8 = 3;
    pub const GET_SERVICE: u8 = 4;
    pub const NEW_DEST: u8 = 5;
    pub const SET_DEST: u8 = 6;
    pub const DEL_DEST: u8 = 7;
    pub const GET_DEST: u8 = 8;
    pub const NEW_DAEMON: u8 = 9;
    pub const DEL_DAEMON: u8 = 10;
    pub const GET_DAEMON: u8 = 11;
    pub const SET_CONFIG: u8 = 12;
    pub const GET_CONFIG: u8 = 13;
}

/// What a message holds (`IPVS_CMD_ATTR_*`).
pub mod part {
    pub const SERVICE: u16 = 1;
    pub const DEST: u16 = 2;
    pub const DAEMON: u16 = 3;
    pub const TIMEOUT_TCP: u16 = 4;
    pub const TIMEOUT_TCP_FIN: u16 = 5;
    pub const TIMEOUT_UDP: u16 = 6;
}

/// Attributes of a virtual service (`IPVS_SVC_ATTR_*`).
mod service {
    pub const FAMILY: u16 = 1;
    pub const PROTOCOL: u16 = 2;
    pub const ADDRESS: u16 = 3;
    pub const PORT: u16 = 4;
    pub const MARK: u16 = 5;
    pub const SCHEDULER: u16 = 6;
    pub const FLAGS: u16 = 7;
    pub const TIMEOUT: u16 = 8;
    pub const NETMASK: u16 = 9;
    pub const ENGINE: u16 = 11;
}

/// Attributes of a real server (`IPVS_DEST_ATTR_*`).
mod dest {
    pub const ADDRESS: u16 = 1;
    pub const PORT: u16 = 2;
    pub const FORWARDING: u16 = 3;
    pub const WEIGHT: u16 = 4;
    pub const UPPER: u16 = 5;
    pub const LOWER: u16 = 6;
    pub const ACTIVE: u16 = 7;
    pub const INACTIVE: u16 = 8;
    pub const PERSISTENT: u16 = 9;
    pub const FAMILY: u16 = 11;
    pub const TUNNEL: u16 = 13;
    pub const TUNNEL_PORT: u16 = 14;
    pub const TUNNEL_FLAGS: u16 = 15;
}

/// `IP_VS_SVC_F_PERSISTENT`.
const PERSISTENT: u32 = 1;
/// `IP_VS_SVC_F_ONEPACKET`.
const ONE_PACKET: u32 = 4;
/// `IP_VS_SVC_F_SCHED1`; the other two follow.
const SCHEDULER_FLAGS: [u32; 3] = [8, 0x10, 0x20];
/// `IP_VS_CONN_F_FWD_MASK`.
const FORWARDING: u32 = 7;
/// `IP_VS_TUNNEL_ENCAP_FLAG_CSUM`.
const CHECKSUM: u16 = 1;

/// Address families as the kernel counts them (`AF_INET`, `AF_INET6`).
fn family_number(family: Family) -> u16 {
    match family {
        Family::V4 => 2,
        Family::V6 => 10,
    }
}

fn family_of(number: u16) -> Option<Family> {
    match number {
        2 => Some(Family::V4),
        10 => Some(Family::V6),
        _ => None,
    }
}

/// An address in the 16 bytes that the kernel wants for both families.
fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn address(family: Family, value: &[u8]) -> Option<IpAddr> {
    match family {
        Family::V4 => value.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes).into()),
        Family::V6 => value.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).into()),
    }
}

/// A number of one byte.
pub fn u8_of(value: &[u8]) -> Option<u8> {
    value.first().copied()
}

/// A number of two bytes in the order of the host.
pub fn u16_of(value: &[u8]) -> Option<u16> {
    value.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
}

/// A number of four bytes in the order of the host.
pub fn u32_of(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// A port, in the order of the network.
fn port_of(value: &[u8]) -> Option<u16> {
    value.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// A name up to its NUL.
pub fn name_of(value: &[u8]) -> Option<String> {
    let name = value.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(name).ok().map(str::to_owned)
}

impl Change {
    /// The command that makes this change.
    pub fn command(&self) -> u8 {
        match self {
            Change::AddService(_) => command::NEW_SERVICE,
            Change::EditService(_) => command::SET_SERVICE,
            Change::DeleteService(_) => command::DEL_SERVICE,
            Change::AddServer(..) => command::NEW_DEST,
            Change::EditServer(..) => command::SET_DEST,
            Change::DeleteServer(..) => command::DEL_DEST,
        }
    }

    /// Writes what that command needs.
    pub fn write(&self, message: &mut Writer) {
        match self {
            Change::AddService(service) | Change::EditService(service) => {
                message.nest(part::SERVICE, |inner| write_service(inner, service));
            }
            Change::DeleteService(key) => write_question(message, key),
            Change::AddServer(key, server) | Change::EditServer(key, server) => {
                write_question(message, key);
                message.nest(part::DEST, |inner| write_server(inner, server));
            }
            Change::DeleteServer(key, address, port) => {
                write_question(message, key);
                message.nest(part::DEST, |inner| write_server_key(inner, *address, *port));
            }
        }
    }
}

/// Writes which service is meant.
pub fn write_question(message: &mut Writer, key: &Key) {
    message.nest(part::SERVICE, |inner| write_key(inner, key));
}

fn write_key(message: &mut Writer, key: &Key) {
    message.attribute(service::FAMILY, &family_number(key.family()).to_ne_bytes());
    match key {
        Key::Address { protocol, address, port } => {
            let protocol: u16 = match protocol {
                Protocol::Tcp => 6,
                Protocol::Udp => 17,
                Protocol::Sctp => 132,
            };
            message.attribute(service::PROTOCOL, &protocol.to_ne_bytes());
            message.attribute(service::ADDRESS, &address_bytes(*address));
            message.attribute(service::PORT, &port.to_be_bytes());
        }
        Key::Mark { mark, .. } => message.attribute(service::MARK, &mark.to_ne_bytes()),
    }
}

fn write_service(message: &mut Writer, wanted: &Service) {
    write_key(message, &wanted.key);
    message.text(service::SCHEDULER, &wanted.scheduler);
    let mut flags = if wanted.one_packet { ONE_PACKET } else { 0 };
    for (bit, set) in SCHEDULER_FLAGS.iter().zip(wanted.scheduler_flags) {
        flags |= if set { *bit } else { 0 };
    }
    let family = wanted.key.family();
    let (mut timeout, mut prefix) = (0, family.bits());
    if let Some(persistence) = &wanted.persistence {
        flags |= PERSISTENT;
        timeout = seconds(persistence.timeout);
        prefix = persistence.prefix;
    }
    // `struct ip_vs_flags`: the flags, and which of them count.
    message.attribute(service::FLAGS, &[flags.to_ne_bytes(), u32::MAX.to_ne_bytes()].concat());
    message.attribute(service::TIMEOUT, &timeout.to_ne_bytes());
    message.attribute(service::NETMASK, &netmask(family, prefix));
    // One that is not there is taken away from a service that is edited.
    if let Some(engine) = wanted.persistence.as_ref().and_then(|persistence| persistence.engine.as_ref()) {
        message.text(service::ENGINE, engine);
    }
}

/// Whole seconds, as many as the kernel can hold.
pub fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// IPv4: a mask in the order of the network. IPv6: the length of the prefix.
fn netmask(family: Family, prefix: u8) -> [u8; 4] {
    match family {
        Family::V4 => u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0).to_be_bytes(),
        Family::V6 => u32::from(prefix).to_ne_bytes(),
    }
}

fn prefix(family: Family, netmask: &[u8]) -> Option<u8> {
    match family {
        Family::V4 => netmask.first_chunk().map(|bytes| u32::from_be_bytes(*bytes).leading_ones() as u8),
        Family::V6 => u32_of(netmask).and_then(|length| u8::try_from(length).ok()),
    }
}

fn write_server_key(message: &mut Writer, address: IpAddr, port: u16) {
    message.attribute(dest::FAMILY, &family_number(Family::of(address)).to_ne_bytes());
    message.attribute(dest::ADDRESS, &address_bytes(address));
    message.attribute(dest::PORT, &port.to_be_bytes());
}

fn write_server(message: &mut Writer, server: &RealServer) {
    write_server_key(message, server.address, server.port);
    let (method, tunnel) = match server.forwarding {
        Forwarding::Nat => (0u32, None),
        Forwarding::Local => (1, None),
        Forwarding::Tunnel(tunnel) => (2, Some(tunnel)),
        Forwarding::Direct => (3, None),
        Forwarding::Bypass => (4, None),
    };
    message.attribute(dest::FORWARDING, &method.to_ne_bytes());
    message.attribute(dest::WEIGHT, &server.weight.to_ne_bytes());
    message.attribute(dest::UPPER, &server.upper_threshold.to_ne_bytes());
    message.attribute(dest::LOWER, &server.lower_threshold.to_ne_bytes());
    let Some(tunnel) = tunnel else { return };
    let (kind, port, checksum) = match tunnel {
        Tunnel::Ipip => (0u8, 0u16, false),
        Tunnel::Gue { port, checksum } => (1, port, checksum),
        Tunnel::Gre { checksum } => (2, 0, checksum),
    };
    let flags = if checksum { CHECKSUM } else { 0 };
    message.attribute(dest::TUNNEL, &[kind]);
    message.attribute(dest::TUNNEL_PORT, &port.to_be_bytes());
    message.attribute(dest::TUNNEL_FLAGS, &flags.to_ne_bytes());
}

/// Reads the attributes of a virtual service.
pub fn read_service(attributes: &[u8]) -> Option<Service> {
    let (mut family, mut protocol, mut raw_address, mut port, mut mark) = (None, None, None, None, None);
    let (mut scheduler, mut flags, mut timeout, mut mask, mut engine) = (None, None, 0, None, None);
    for (kind, value) in Attributes(attributes) {
        match kind {
            service::FAMILY => family = u16_of(value).and_then(family_of),
            service::PROTOCOL => protocol = u16_of(value),
            service::ADDRESS => raw_address = Some(value),
            service::PORT => port = port_of(value),
            service::MARK => mark = u32_of(value),
            service::SCHEDULER => scheduler = name_of(value),
            service::FLAGS => flags = u32_of(value),
            service::TIMEOUT => timeout = u32_of(value)?,
            service::NETMASK => mask = Some(value),
            service::ENGINE => engine = name_of(value),
            _ => {}
        }
    }
    let (family, flags) = (family?, flags?);
    let key = match mark {
        Some(mark) => Key::Mark { mark, family },
        None => {
            let protocol = match protocol? {
                6 => Protocol::Tcp,
                17 => Protocol::Udp,
                132 => Protocol::Sctp,
                _ => return None,
            };
            Key::Address { protocol, address: address(family, raw_address?)?, port: port? }
        }
    };
    let persistence = match flags & PERSISTENT {
        0 => None,
        _ => Some(Persistence {
            timeout: Duration::from_secs(timeout.into()),
            prefix: prefix(family, mask?)?,
            engine: engine.filter(|name| !name.is_empty()),
        }),
    };
    Some(Service {
        key,
        scheduler: scheduler?,
        scheduler_flags: SCHEDULER_FLAGS.map(|bit| flags & bit != 0),
        one_packet: flags & ONE_PACKET != 0,
        persistence,
    })
}

/// Reads the attributes of a real server of a service of this family.
pub fn read_server(attributes: &[u8], family: Family) -> Option<(RealServer, Connections)> {
    let (mut family, mut raw_address, mut port, mut method) = (family, None, None, None);
    let (mut weight, mut upper, mut lower) = (None, 0, 0);
    let (mut tunnel, mut tunnel_port, mut tunnel_flags) = (0, 0, 0);
    let mut connections = Connections::default();
    for (kind, value) in Attributes(attributes) {
        match kind {
            dest::FAMILY => family = u16_of(value).and_then(family_of)?,
            dest::ADDRESS => raw_address = Some(value),
            dest::PORT => port = port_of(value),
            dest::FORWARDING => method = u32_of(value),
            dest::WEIGHT => weight = u32_of(value),
            dest::UPPER => upper = u32_of(value)?,
            dest::LOWER => lower = u32_of(value)?,
            dest::ACTIVE => connections.active = u32_of(value)?,
            dest::INACTIVE => connections.inactive = u32_of(value)?,
            dest::PERSISTENT => connections.persistent = u32_of(value)?,
            dest::TUNNEL => tunnel = u8_of(value)?,
            dest::TUNNEL_PORT => tunnel_port = port_of(value)?,
            dest::TUNNEL_FLAGS => tunnel_flags = u16_of(value)?,
            _ => {}
        }
    }
    let checksum = tunnel_flags & CHECKSUM != 0;
    let forwarding = match (method? & FORWARDING, tunnel) {
        (0, _) => Forwarding::Nat,
        (1, _) => Forwarding::Local,
        (2, 0) => Forwarding::Tunnel(Tunnel::Ipip),
        (2, 1) => Forwarding::Tunnel(Tunnel::Gue { port: tunnel_port, checksum }),
        (2, 2) => Forwarding::Tunnel(Tunnel::Gre { checksum }),
        (3, _) => Forwarding::Direct,
        (4, _) => Forwarding::Bypass,
        _ => return None,
    };
    let server = RealServer {
        address: address(family, raw_address?)?,
        port: port?,
        forwarding,
        weight: weight?,
        upper_threshold: upper,
        lower_threshold: lower,
    };
    Some((server, connections))
}
