//! The checked parameters of `ovd-vip-src`.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::ocf::exit::Failure;
use crate::ocf::params::Params;

/// Who rewrites the source, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Whoever can on this kernel.
    Auto,
    /// nftables over netlink.
    Nftables,
    /// The iptables programs.
    Iptables,
}

/// The parameters of one instance.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source that new connections get.
    pub virtual_ip: IpAddr,
    /// The link they leave by; none: the link that has the virtual IP.
    pub nic: Option<String>,
    /// Where they go to; empty: everywhere.
    pub destinations: Vec<IpNet>,
    /// What keeps its source beside what always does.
    pub exclude: Vec<IpNet>,
    /// Who rewrites.
    pub backend: Choice,
    /// Whether the network is asked for another holder of the virtual IP.
    pub arp_check: bool,
}

impl Config {
    /// Reads the parameters.
    pub fn new(params: &Params) -> Result<Self, Failure> {
        let virtual_ip =
            params.address("virtual_ip")?.ok_or_else(|| Failure::configured("parameter virtual_ip is required"))?;
        if virtual_ip.is_unspecified() || virtual_ip.is_multicast() || virtual_ip.is_loopback() {
            let reason = format!("parameter virtual_ip: {virtual_ip} cannot be the source of a connection");
            return Err(Failure::configured(reason));
        }
        let networks = |name: &str| {
            let networks = params.networks(name)?;
            match networks.iter().find(|net| net.addr().is_ipv4() != virtual_ip.is_ipv4()) {
                Some(other) => Err(Failure::configured(format!(
                    "parameter {name}: {other} is not {} like virtual_ip {virtual_ip}",
                    if virtual_ip.is_ipv4() { "IPv4" } else { "IPv6" }
                ))),
                None => Ok(networks),
            }
        };
        Ok(Self {
            virtual_ip,
            nic: params.text("nic").map(str::to_owned),
            destinations: networks("destinations")?,
            exclude: networks("exclude")?,
            backend: match params.text("backend") {
                Some("nftables") => Choice::Nftables,
                Some("iptables") => Choice::Iptables,
                _ => Choice::Auto,
            },
            arp_check: params.boolean("arp_check")?,
        })
    }
}
