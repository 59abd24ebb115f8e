//! The rules of one instance, whoever holds them.

use std::io;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::config::{Choice, Config};
use super::peers::{self, Peer};
use crate::cluster::corosync;
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;
use crate::ocf::instance::Instance;
use crate::sys::iptables::IptablesSnat;
use crate::sys::nft::snat::{self, SourceNat};
pub use crate::sys::nft::snat::Found;

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
            Choice::Auto if snat::can_translate() => Self::Nftables,
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

/// The name of the instance's nftables table.
pub fn table(instance: &Instance) -> String {
    format!("inuvika_vip_src_{}", instance.file_name())
}

/// The name of the instance's iptables chain: iptables takes 28 bytes at most, so a hash stands for the name.
pub fn chain(instance: &Instance) -> String {
    format!("inuvika-vip-src-{:08x}", instance.hash())
}

/// The rules that `config` asks for.
#[derive(Debug, Clone)]
pub struct Rules {
    backend: Backend,
    nat: SourceNat,
    chain: String,
}

impl Rules {
    /// Rules for connections leaving by `link`.
    pub fn new(config: &Config, instance: &Instance, backend: Backend, link: &str, peers: &[Peer]) -> Self {
        let keep: Vec<IpNet> = peers::keep(config.virtual_ip, &config.exclude, peers);
        let nat = SourceNat {
            table: table(instance),
            oif: link.to_owned(),
            to: config.virtual_ip,
            destinations: config.destinations.clone(),
            keep,
            keep_udp_ports: corosync::UDP_PORTS,
        };
        Self { backend, nat, chain: chain(instance) }
    }

    /// Compares what the kernel has with what is asked for.
    pub fn inspect(&self, deadline: &Deadline) -> io::Result<Found> {
        match self.backend {
            Backend::Nftables => self.nat.inspect(),
            Backend::Iptables => self.iptables().inspect(deadline),
        }
    }

    /// Writes them, replacing what is there.
    pub fn write(&self, deadline: &Deadline) -> io::Result<()> {
        match self.backend {
            Backend::Nftables => self.nat.apply(),
            Backend::Iptables => self.iptables().apply(deadline),
        }
    }

    fn iptables(&self) -> IptablesSnat {
        IptablesSnat::new(&self.chain, &self.nat)
    }
}
