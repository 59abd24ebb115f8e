//! What the kernel says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::sys::netlink::Attributes;

use super::{CHECKSUM, FORWARDING, ONE_PACKET, PERSISTENT, SCHEDULER_FLAGS};
use super::{dest, name_of, service, u8_of, u16_of, u32_of};
use crate::sys::ipvs::{Connections, Family, Forwarding, Key, Persistence, Protocol, RealServer, Service, Tunnel};

fn family_of(number: u16) -> Option<Family> {
    match number {
        2 => Some(Family::V4),
        10 => Some(Family::V6),
        _ => None,
    }
}

fn address(family: Family, value: &[u8]) -> Option<IpAddr> {
    match family {
        Family::V4 => value.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes).into()),
        Family::V6 => value.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).into()),
    }
}

/// A port, in the order of the network.
fn port_of(value: &[u8]) -> Option<u16> {
    value.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn prefix(family: Family, netmask: &[u8]) -> Option<u8> {
    match family {
        Family::V4 => netmask.first_chunk().map(|bytes| u32::from_be_bytes(*bytes).leading_ones() as u8),
        Family::V6 => u32_of(netmask).and_then(|length| u8::try_from(length).ok()),
    }
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
