//! What is asked of the kernel.

use std::net::IpAddr;
use std::time::Duration;

use crate::sys::netlink::Writer;

use super::{CHECKSUM, ONE_PACKET, PERSISTENT, SCHEDULER_FLAGS, command, dest, part, service};
use crate::sys::ipvs::{Change, Family, Forwarding, Key, Protocol, RealServer, Service, Tunnel};

/// Address families as the kernel counts them (`AF_INET`, `AF_INET6`).
fn family_number(family: Family) -> u16 {
    match family {
        Family::V4 => 2,
        Family::V6 => 10,
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
