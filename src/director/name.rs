//! Names of virtual services and real servers: in messages, in reports, in the state folder.

use std::net::{IpAddr, SocketAddr};

use crate::sys::ipvs::{Change, Family, Forwarding, Key, Protocol, RealServer};

/// A virtual service: `tcp 192.0.2.10:80`, `mark 5 ipv4`.
pub fn service(key: Key) -> String {
    match key {
        Key::Address { protocol, address, port } => format!("{} {}", self::protocol(protocol), server(address, port)),
        Key::Mark { mark, family } => format!("mark {mark} {}", self::family(family)),
    }
}

/// The virtual service of this name.
pub fn key(name: &str) -> Option<Key> {
    let (kind, rest) = name.split_once(' ')?;
    if kind == "mark" {
        let (mark, family) = rest.split_once(' ')?;
        let family = [Family::V4, Family::V6].into_iter().find(|known| self::family(*known) == family)?;
        return Some(Key::Mark { mark: mark.parse().ok()?, family });
    }
    let known = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let protocol = known.into_iter().find(|known| protocol(*known) == kind)?;
    let to: SocketAddr = rest.parse().ok()?;
    Some(Key::Address { protocol, address: to.ip(), port: to.port() })
}

/// A real server: `192.0.2.21:80`, `[2001:db8::21]:80`.
pub fn server(address: IpAddr, port: u16) -> String {
    SocketAddr::new(address, port).to_string()
}

/// A way to forward, in the words of the configuration.
pub fn forwarding(method: Forwarding) -> &'static str {
    match method {
        Forwarding::Nat => "nat",
        Forwarding::Direct => "dr",
        Forwarding::Tunnel(_) => "tun",
        Forwarding::Local => "local",
        Forwarding::Bypass => "bypass",
    }
}

/// What a change is about: the service, and the real server when it is about one.
pub fn change(change: &Change) -> String {
    let of = |key: Key, address, port| format!("{} of {}", server(address, port), service(key));
    match change {
        Change::AddService(new) => format!("add service {} ({})", service(new.key), new.scheduler),
        Change::EditService(new) => format!("change service {} ({})", service(new.key), new.scheduler),
        Change::DeleteService(key) => format!("delete service {}", service(*key)),
        Change::AddServer(key, new) => format!("add {}", with(*key, new)),
        Change::EditServer(key, new) => format!("set {}", with(*key, new)),
        Change::DeleteServer(key, address, port) => format!("delete {}", of(*key, *address, *port)),
    }
}

fn with(key: Key, new: &RealServer) -> String {
    let name = server(new.address, new.port);
    format!("{name} of {}: {}, weight {}", service(key), forwarding(new.forwarding), new.weight)
}

fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    }
}

fn family(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for name in ["tcp 192.0.2.10:80", "udp [2001:db8::10]:53", "sctp 0.0.0.1:0", "mark 4294967295 ipv6"] {
            assert_eq!(key(name).map(service).as_deref(), Some(name));
        }
        for name in ["", "tcp", "tcp 192.0.2.10", "icmp 192.0.2.10:80", "mark x ipv4", "mark 5 ipv5", "mark 5"] {
            assert_eq!(key(name), None, "{name}");
        }
    }
}
