//! The rules of one instance, whoever holds them.

use std::io;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::config::{Choice, Config};
use super::peers::{self, Peer};
use crate::cluster::corosync;
use crate::ocf::deadline::Deadline;
use crate::ocf::instance::Instance;
pub use crate::sys::source_nat::Found;
use crate::sys::source_nat::SourceNat;
use crate::sys::{iptables, nft};

/// Who holds the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// A table of our own, over netlink.
    Nftables,
    /// A chain of our own in iptables' nat table.
    Iptables,
}

impl Backend {
    /// The backend for `choice` on this kernel.
    pub fn choose(choice: Choice) -> Self {
        match choice {
            Choice::Nftables => Self::Nftables,
            Choice::Iptables => Self::Iptables,
            Choice::Auto if nft::can_translate() => Self::Nftables,
            Choice::Auto => Self::Iptables,
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Nftables => Self::Iptables,
            Self::Iptables => Self::Nftables,
        }
    }
}

/// The name of the instance's nftables table, from which iptables' chain has its name too.
pub fn name(instance: &Instance) -> String {
    format!("inuvika_vip_src_{}", instance.file_name())
}

/// The rules that `config` asks for.
#[derive(Debug, Clone)]
pub struct Rules {
    backend: Backend,
    nat: SourceNat,
}

impl Rules {
    /// Rules for connections leaving by `link`.
    pub fn new(config: &Config, instance: &Instance, backend: Backend, link: &str, peers: &[Peer]) -> Self {
        let keep: Vec<IpNet> = peers::keep(config.virtual_ip, &config.exclude, peers);
        let nat = SourceNat {
            name: name(instance),
            oif: link.to_owned(),
            to: config.virtual_ip,
            destinations: config.destinations.clone(),
            keep,
            keep_udp_ports: corosync::UDP_PORTS,
        };
        Self { backend, nat }
    }

    /// Compares what the kernel has with what is asked for.
    pub fn inspect(&self, deadline: &Deadline) -> io::Result<Found> {
        match self.backend {
            Backend::Nftables => nft::inspect(&self.nat),
            Backend::Iptables => iptables::inspect(&self.nat, deadline),
        }
    }

    /// Writes them, replacing what is there.
    pub fn write(&self, deadline: &Deadline) -> io::Result<()> {
        match self.backend {
            Backend::Nftables => nft::apply(&self.nat),
            Backend::Iptables => iptables::apply(&self.nat, deadline),
        }
    }
}
