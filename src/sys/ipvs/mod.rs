//! IPVS, the kernel's load balancer: its table as typed values.
//!
//! Names as in ipvsadm(8): a virtual service, its real servers ("destinations" in the kernel), scheduler, forwarding
//! method. What the kernel accepts wrongly is refused by who builds these values, not here.

mod daemon;
mod explain;
mod table;
#[cfg(test)]
mod tests;
mod wire;

pub use daemon::{Role, SyncDaemon, Timeouts};
pub use explain::{explain, explain_sync};
pub use table::{Ipvs, NoIpvs};

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The protocol of a virtual service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// An address family: that of a virtual service by firewall mark, which has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// What tells a virtual service from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Packets to an address and port; port 0 is every port.
    Address {
        /// Their protocol.
        protocol: Protocol,
        /// The virtual address.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// Packets that the packet filter has marked.
    Mark {
        /// The mark, 1 to 2^32 - 1.
        mark: u32,
        /// Of which family.
        family: Family,
    },
}

impl Key {
    /// Of which family its real servers are, unless they are wrapped.
    pub fn family(&self) -> Family {
        match self {
            Key::Address { address, .. } => Family::of(*address),
            Key::Mark { family, .. } => *family,
        }
    }
}

impl Family {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// How many bits an address has.
    pub fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }
}

impl Protocol {
    /// `tcp`, `udp` or `sctp`, as packet filters call them, too.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        }
    }
}

/// `tcp`, `udp` or `sctp`.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Such as `tcp 192.0.2.1:80`, `udp [2001:db8::1]:53`, `mark 7`, `mark 7 (IPv6)`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Address { protocol, address, port } => write!(f, "{protocol} {}", SocketAddr::new(*address, *port)),
            Key::Mark { mark, family: Family::V4 } => write!(f, "mark {mark}"),
            Key::Mark { mark, family: Family::V6 } => write!(f, "mark {mark} (IPv6)"),
        }
    }
}

/// One client stays with one real server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Persistence {
    /// How long after its last connection; whole seconds, at least 1.
    pub timeout: Duration,
    /// Clients that agree in so many leading bits of their address are one: 1 to 32, or to 128.
    pub prefix: u8,
    /// Persistence engine, such as `sip`.
    pub engine: Option<String>,
}

/// A virtual service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Service {
    /// Which.
    pub key: Key,
    /// The scheduler's name, such as `wlc`: the kernel's module is `ip_vs_NAME`.
    pub scheduler: String,
    /// `IP_VS_SVC_F_SCHED1..3`: what they mean is up to the scheduler (for `sh`: fallback, port).
    pub scheduler_flags: [bool; 3],
    /// Every UDP datagram is scheduled anew.
    pub one_packet: bool,
    /// Whether clients stay with their real server.
    pub persistence: Option<Persistence>,
}

/// How a packet is wrapped on its way to a real server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tunnel {
    /// IP in IP.
    Ipip,
    /// GUE to a UDP port, with or without checksums (`TUNNEL_ENCAP_FLAG_CSUM`).
    Gue {
        /// The port.
        port: u16,
        /// Whether with checksums.
        checksum: bool,
    },
    /// GRE, with or without checksums.
    Gre {
        /// Whether with checksums.
        checksum: bool,
    },
}

/// How a packet gets to a real server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Forwarding {
    /// Its destination is rewritten; answers come back through the director (masquerading, LVS-NAT).
    Nat,
    /// Its frame is sent to the real server's hardware address (direct routing, gatewaying, LVS-DR).
    Direct,
    /// It is wrapped (LVS-TUN).
    Tunnel(Tunnel),
    /// It stays on this host: how the kernel lists a real server whose address is the director's own.
    Local,
    /// It goes where its own address leads (`IP_VS_CONN_F_BYPASS`): only ever listed, never asked for.
    Bypass,
}

/// A real server of one virtual service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RealServer {
    /// Its address.
    pub address: IpAddr,
    /// Its port; that of the service unless NAT. 0 with a service of every port or a mark.
    pub port: u16,
    /// How packets get there.
    pub forwarding: Forwarding,
    /// Its share; 0 gets no new connection (quiesced). At most 65,535 here, though the kernel takes 2^31 - 1.
    pub weight: u32,
    /// No new connection above so many; 0 is no limit.
    pub upper_threshold: u32,
    /// Again below so many; 0 is three quarters of the upper one.
    pub lower_threshold: u32,
}

/// What the kernel counts of a real server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Connections {
    /// Established.
    pub active: u32,
    /// Ending, or without a state of their own (UDP).
    pub inactive: u32,
    /// Persistence entries.
    pub persistent: u32,
}

/// A virtual service as the kernel lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The service.
    pub service: Service,
    /// Its real servers by address and port, with what they have to do.
    pub servers: Vec<(RealServer, Connections)>,
}

/// One change of the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// A new virtual service.
    AddService(Service),
    /// Another scheduler, other flags or persistence for the one of this key.
    EditService(Service),
    /// No such service any more, nor its real servers.
    DeleteService(Key),
    /// A new real server.
    AddServer(Key, RealServer),
    /// Another weight, forwarding or threshold for the one of this address and port.
    EditServer(Key, RealServer),
    /// No such real server any more: its connections are cut, unless `expire_nodest_conn` is 0.
    DeleteServer(Key, IpAddr, u16),
}

impl Change {
    /// The service it is about.
    pub fn key(&self) -> &Key {
        match self {
            Change::AddService(service) | Change::EditService(service) => &service.key,
            Change::DeleteService(key)
            | Change::AddServer(key, _)
            | Change::EditServer(key, _)
            | Change::DeleteServer(key, _, _) => key,
        }
    }
}
