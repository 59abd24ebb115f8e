//! What a director is asked for: virtual services, their real servers, how these are checked.
//!
//! Read from a file in TOML (its keys: [`keys`]) or from a few parameters. What the kernel accepts wrongly is refused here,
//! in one line that says where it stands and what to do.

mod check;
mod draft;
mod file;
pub mod keys;
mod needs;
mod questions;
mod rules;
mod simple;
mod values;
mod words;

#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod simple_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::check::Question;
use crate::ocf::instance::checksum;
use crate::sys::ipvs::{self, Forwarding, Key, RealServer, Role, Service, SyncDaemon};

pub use simple::Simple;

/// Everything that a director is asked for, checked.
#[derive(Debug, Clone)]
pub struct Farm {
    /// The virtual services, each key once, in the file's order.
    pub services: Vec<VirtualService>,
    /// What is asked of the real servers, each question once; [`WantedServer::question`] counts in here.
    pub questions: Vec<Question>,
    /// When and how often is asked.
    pub pace: Pace,
    /// The daemons that tell connections to the other directors.
    pub sync: Option<Sync>,
    /// How long the kernel remembers connections; none: as it is.
    pub timeouts: Timeouts,
    /// Whether clients on the real servers' own network are masqueraded.
    pub snat_clients: bool,
    /// What is allowed but doubtful, each one line.
    pub warnings: Vec<String>,
    drained: BTreeSet<Drained>,
    source: u32,
}

/// A virtual service with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualService {
    /// The service itself.
    pub service: Service,
    /// Its real servers, each address and port once, in the file's order; at least one.
    pub servers: Vec<WantedServer>,
    /// Who answers when no real server can; weight 1.
    pub sorry: Option<RealServer>,
    /// Real servers that have to be usable, at least 1, at most all.
    pub quorum: usize,
    /// What becomes of a real server that is down.
    pub on_failure: OnFailure,
    /// What is reported when no real server is usable.
    pub all_down: AllDown,
}

/// A real server as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedServer {
    /// As it stands in the kernel's table while it is well and not drained.
    pub server: RealServer,
    /// Its question's place in [`Farm::questions`]; none: it is always taken as well.
    pub question: Option<usize>,
}

/// What becomes of a real server that is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It keeps its place with weight 0: no new connections, the others may end.
    Quiesce,
    /// It is taken out.
    Remove,
}

/// What is reported when a service has no usable real server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllDown {
    /// Nothing when there is a sorry server, else a degraded state.
    Sorry,
    /// A degraded state.
    Degraded,
    /// A failure.
    Failed,
}

/// When and how often real servers are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From the begin of one round to the begin of the next.
    pub interval: Duration,
    /// For one question, all of it.
    pub timeout: Duration,
    /// Bad answers in a row that make a server down, at least 1.
    pub fall: u32,
    /// Good answers in a row that bring it back, at least 1.
    pub rise: u32,
    /// Questions at the same time, at least 1.
    pub concurrency: usize,
}

impl Default for Pace {
    fn default() -> Self {
        let (interval, timeout) = (Duration::from_secs(10), Duration::from_secs(3));
        Self { interval, timeout, fall: 2, rise: 1, concurrency: 256 }
    }
}

/// How connections are told to the other directors. What is none is up to the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    /// The network link.
    pub interface: String,
    /// Directors with the same number share connections.
    pub id: u8,
    /// Bytes in a message.
    pub max_length: Option<u16>,
    /// The multicast group.
    pub group: Option<IpAddr>,
    /// The UDP port.
    pub port: Option<u16>,
    /// Routers on the way, at most.
    pub ttl: Option<u8>,
}

impl Sync {
    /// The daemon in this role.
    pub fn daemon(&self, role: Role) -> SyncDaemon {
        let Sync { interface, id, max_length, group, port, ttl } = self.clone();
        SyncDaemon { role, interface, id, max_len: max_length, group, port, ttl }
    }
}

/// How long the kernel remembers connections; none: as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// Established TCP connections.
    pub tcp: Option<Duration>,
    /// Closed TCP connections.
    pub tcp_fin: Option<Duration>,
    /// UDP.
    pub udp: Option<Duration>,
}

impl Timeouts {
    /// As the kernel takes them, which leaves a zero as it is; none: nothing is to be set.
    pub fn to_set(&self) -> Option<ipvs::Timeouts> {
        let or_zero = Option::unwrap_or_default;
        let set = ipvs::Timeouts { tcp: or_zero(self.tcp), tcp_fin: or_zero(self.tcp_fin), udp: or_zero(self.udp) };
        (*self != Self::default()).then_some(set)
    }
}

/// A real server that gets no new connections, whatever its checks say; without a port in all services.
type Drained = (IpAddr, Option<u16>);

impl Farm {
    /// Reads the file called `path` in messages.
    ///
    /// # Errors
    /// One line: file, line, column, key, what is wrong, what to do.
    pub fn from_toml(text: &str, path: &str) -> Result<Farm, String> {
        file::read(text, path).map(|farm| Farm { source: checksum(text), ..farm })
    }

    /// Reads the parameters of a small set-up.
    ///
    /// # Errors
    /// One line: the parameter, what is wrong, what to do.
    pub fn simple(parameters: &Simple<'_>) -> Result<Farm, String> {
        simple::read(parameters).map(|farm| Farm { source: checksum(&format!("{parameters:?}")), ..farm })
    }

    /// Whether [`Farm::drain`] would read `list`.
    ///
    /// # Errors
    /// What is no address.
    pub fn check_drained(list: &str) -> Result<(), String> {
        endpoints(list).try_for_each(|word| words::endpoint(word).map(drop))
    }

    /// Drains the real servers in `list` too: addresses or `address:port`, separated by commas or white space. One that is
    /// not in the farm is only a warning: it must not be a failure to take a drained server out of the file first.
    ///
    /// # Errors
    /// What is no address.
    pub fn drain(&mut self, list: &str) -> Result<(), String> {
        for word in endpoints(list) {
            let (address, port) = words::endpoint(word)?;
            let is_it = |server: &WantedServer| matches((address, port), &server.server);
            if !self.services.iter().flat_map(|service| &service.servers).any(is_it) {
                self.warnings.push(format!("drained: there is no real server {word}"));
            }
            self.drained.insert((address, port));
        }
        Ok(())
    }

    /// Whether this real server is drained.
    pub fn is_drained(&self, server: &RealServer) -> bool {
        !self.drained.is_empty()
            && (self.drained.contains(&(server.address, None))
                || self.drained.contains(&(server.address, Some(server.port))))
    }

    /// A number that is another one when the farm is another one.
    pub fn mark(&self) -> u32 {
        if self.drained.is_empty() { self.source } else { checksum(&format!("{}{:?}", self.source, self.drained)) }
    }

    /// The services' keys.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.services.iter().map(|service| service.service.key)
    }

    /// The addresses of all services and of their real servers; some more than once.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let of_key = |key: Key| if let Key::Address { address, .. } = key { Some(address) } else { None };
        let of_servers = |service: &VirtualService| -> Vec<IpAddr> {
            service
                .servers
                .iter()
                .map(|wanted| &wanted.server)
                .chain(&service.sorry)
                .map(|server| server.address)
                .collect()
        };
        self.keys().filter_map(of_key).chain(self.services.iter().flat_map(of_servers))
    }

    /// Whether packets of a service are forwarded in the way that `is` says.
    fn forwards(&self, is: impl Fn(Forwarding) -> bool) -> bool {
        let all = self.services.iter().flat_map(|s| s.servers.iter().map(|w| &w.server).chain(&s.sorry));
        all.map(|server| server.forwarding).any(is)
    }
}

fn endpoints(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty())
}

fn matches((address, port): Drained, server: &RealServer) -> bool {
    server.address == address && port.is_none_or(|port| server.port == port)
}

/// Whether nobody but this host itself could use this address.
fn is_own(address: IpAddr) -> bool {
    address.is_loopback()
}

/// Whether no single server has this address.
fn is_nobody(address: IpAddr) -> bool {
    address.is_unspecified() || address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST)
}
