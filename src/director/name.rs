//! Names of services, real servers and changes: in messages, in reports, in the state folder.

use std::net::{IpAddr, SocketAddr};

use crate::sys::ipvs::{Change, Family, Forwarding, Key, Protocol, RealServer};

/// The virtual service of this name, as its key is displayed.
pub fn key(name: &str) -> Option<Key> {
    if let Some(rest) = name.strip_prefix("mark ") {
        let (mark, family) = rest.strip_suffix(" (IPv6)").map_or((rest, Family::V4), |mark| (mark, Family::V6));
        return Some(Key::Mark { mark: mark.parse().ok()?, family });
    }
    let (kind, to) = name.split_once(' ')?;
    let known = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let protocol = known.into_iter().find(|known| known.to_string() == kind)?;
    let to: SocketAddr = to.parse().ok()?;
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
    let of = |key: Key, address, port| format!("{} of {}", server(address, port), key);
    match change {
        Change::AddService(new) => format!("add service {} ({})", new.key, new.scheduler),
        Change::EditService(new) => format!("change service {} ({})", new.key, new.scheduler),
        Change::DeleteService(key) => format!("delete service {}", key),
        Change::AddServer(key, new) => format!("add {}", with(*key, new)),
        Change::EditServer(key, new) => format!("set {}", with(*key, new)),
        Change::DeleteServer(key, address, port) => format!("delete {}", of(*key, *address, *port)),
    }
}

fn with(key: Key, new: &RealServer) -> String {
    let name = server(new.address, new.port);
    format!("{name} of {}: {}, weight {}", key, forwarding(new.forwarding), new.weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for name in ["tcp 192.0.2.10:80", "udp [2001:db8::10]:53", "sctp 0.0.0.1:0", "mark 4294967295 (IPv6)", "mark 5"]
        {
            assert_eq!(key(name).map(|key| key.to_string()).as_deref(), Some(name));
        }
        for name in ["", "tcp", "tcp 192.0.2.10", "icmp 192.0.2.10:80", "mark x", "mark 5 (IPv5)", "mark"] {
            assert_eq!(key(name), None, "{name}");
        }
    }
}
