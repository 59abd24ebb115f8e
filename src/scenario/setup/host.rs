//! What a host needs for a service beside the service's agent: packages, units that the cluster starts, open ports, a login.

use super::Service;

/// Names that differ between the families of distributions.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// On Debian, Ubuntu and their relatives.
    pub deb: &'static [&'static str],
    /// On RHEL and its relatives.
    pub rpm: &'static [&'static str],
}

/// No names.
pub const NO_NAMES: Names = Names { deb: &[], rpm: &[] };

/// What a host needs.
#[derive(Debug)]
pub struct Host {
    /// Packages.
    pub packages: Names,
    /// Packages where the kernel is older than 4.18.
    pub old_kernel: Names,
    /// Units that must not start at boot, as the cluster starts what they do.
    pub off: Names,
    /// Units that the agent has something else for: they must not run at all.
    pub replaced: Names,
    /// What must be let in.
    pub ports: fn(&Service, ReadFile<'_>) -> Ports,
    /// How each of two nodes logs in on the other one.
    pub login: Option<fn(&Service) -> Login>,
}

/// Nothing.
pub const NOTHING: Host = Host {
    packages: NO_NAMES,
    old_kernel: NO_NAMES,
    off: NO_NAMES,
    replaced: NO_NAMES,
    ports: |_, _| Ports { open: Vec::new(), untold: Vec::new() },
    login: None,
};

/// Reads a file that a scenario names, which may not be there where scripts are written; why it cannot be read: a clause
/// without full stop.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// What must be let in.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// What is known.
    pub open: Vec<Port>,
    /// What is not: what somebody else has to let in, a few words each.
    pub untold: Vec<String>,
}

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The other nodes that may run the services.
    Runners,
    /// Clients: everybody.
    Everybody,
}

/// A port that must be open on nodes that may run the services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// `tcp`, `udp` or `sctp`.
    pub protocol: &'static str,
    /// The port, 1 to 65535.
    pub port: u16,
    /// To whom.
    pub from: From,
    /// What it is for, for the reader: a few words.
    pub why: &'static str,
}

/// How a node logs in on another one by ssh.
#[derive(Debug, PartialEq, Eq)]
pub struct Login {
    /// The private key.
    pub key: String,
    /// The file with the host keys.
    pub known_hosts: String,
    /// As which user.
    pub user: String,
    /// To which port.
    pub port: u16,
    /// The other node in ssh's words, or both nodes, of which each leaves itself out.
    pub peers: Vec<String>,
}
