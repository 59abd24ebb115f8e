//! The lab's network: the bridges `ovd-srv` and `priv`, and what is plugged into them.
//!
//! Everything lies in the lab's own network namespace, so names and addresses are always the same and never meet
//! those of the host or of another lab.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};

use super::exec::control;

/// One of the two networks of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Net {
    /// `ovd-srv`, where the service address lives: 10.20.1.0/24 and fd00:20:1::/64, eth0 in the nodes.
    Srv,
    /// `priv`, the cluster's own: 192.168.100.0/24, eth1 in the nodes.
    Priv,
}

/// Both of them.
pub const NETS: [Net; 2] = [Net::Srv, Net::Priv];

impl Net {
    /// The name of its bridge.
    pub fn bridge(self) -> &'static str {
        match self {
            Self::Srv => "ovd-srv",
            Self::Priv => "priv",
        }
    }

    /// Where the nodes of the other side of a partition are plugged in.
    fn other_bridge(self) -> &'static str {
        match self {
            Self::Srv => "ovd-srv-cut",
            Self::Priv => "priv-cut",
        }
    }

    /// The interface in a node.
    pub fn interface(self) -> &'static str {
        match self {
            Self::Srv => "eth0",
            Self::Priv => "eth1",
        }
    }

    /// The bridge's end of a machine's link.
    fn port(self, machine: &str) -> String {
        format!("{machine}-{}", if self == Self::Srv { "s" } else { "p" })
    }

    /// The MAC address of machine number `number`.
    pub fn mac(self, number: u8) -> String {
        format!("02:00:00:00:{:02x}:{number:02x}", self as u8 + 1)
    }

    /// The IPv4 address of machine number `number`.
    pub fn address(self, number: u8) -> IpAddr {
        match self {
            Self::Srv => IpAddr::from([10, 20, 1, number]),
            Self::Priv => IpAddr::from([192, 168, 100, number]),
        }
    }
}

/// The IPv6 address of machine number `number` on `ovd-srv`; written with the same digits: 11 is fd00:20:1::11.
pub fn address6(number: u8) -> IpAddr {
    let digits = u16::from(number / 100 * 16 + number / 10 % 10) * 16 + u16::from(number % 10);
    IpAddr::from([0xfd00, 0x20, 0x1, 0, 0, 0, 0, digits])
}

/// How a machine's link is plugged in; it stays so when the machine is powered off and on.
#[derive(Debug, Clone, Copy, Default)]
struct Port {
    down: bool,
    cut: bool,
}

/// The bridges and the state of each machine's links.
#[derive(Debug, Default)]
pub struct Network {
    ports: Mutex<BTreeMap<(String, Net), Port>>,
}

impl Network {
    /// Makes the bridges.
    pub fn new() -> Result<Self> {
        let mut batch = String::from("link set lo up\n");
        for bridge in NETS.iter().flat_map(|net| [net.bridge(), net.other_bridge()]) {
            // No snooping: a cluster must not lose neighbour discovery to a querier that is not there.
            let _ = writeln!(batch, "link add {bridge} type bridge forward_delay 0 mcast_snooping 0");
            let _ = writeln!(batch, "link set dev {bridge} up{}", without_address());
        }
        control(&batch, &["ip", "-batch", "-"]).context("make the bridges")?;
        Ok(Self::default())
    }

    /// Makes a machine's network namespace and plugs it into `nets`, with the same MAC addresses each time.
    pub fn plug(&self, machine: &str, number: u8, nets: &[Net]) -> Result<()> {
        let ports = self.ports();
        let mut outside = format!("netns add {machine}\n");
        let mut inside = String::from("link set lo up\n");
        for &net in nets {
            let (port, interface) = (net.port(machine), net.interface());
            let mac = net.mac(number);
            let state = ports.get(&(machine.to_owned(), net)).copied().unwrap_or_default();
            let bridge = if state.cut { net.other_bridge() } else { net.bridge() };
            let up = if state.down { "down" } else { "up" };
            let _ = writeln!(
                outside,
                "link add {port} type veth peer name {interface} address {mac} netns {machine}\n\
                 link set dev {port} master {bridge} {up}{}",
                without_address()
            );
            let _ =
                writeln!(inside, "link set dev {interface} up\naddr add {}/24 dev {interface}", net.address(number));
            if net == Net::Srv && has_ipv6() {
                let _ = writeln!(inside, "addr add {}/64 dev {interface} nodad", address6(number));
            }
        }
        control(&outside, &["ip", "-batch", "-"]).with_context(|| format!("plug in {machine}"))?;
        control(&inside, &["ip", "-n", machine, "-batch", "-"])
            .with_context(|| format!("set up links of {machine}"))?;
        Ok(())
    }

    /// Takes a machine's links and its network namespace away, as a loss of power does; fine when they are gone.
    pub fn unplug(&self, machine: &str) -> Result<()> {
        let _ports = self.ports();
        for net in NETS {
            if self.plugged(machine, net) {
                control("", &["ip", "link", "del", &net.port(machine)])?;
            }
        }
        if Path::new("/run/netns").join(machine).exists() {
            control("", &["ip", "netns", "del", machine])?;
        }
        Ok(())
    }

    /// Whether a machine's link exists.
    pub fn plugged(&self, machine: &str, net: Net) -> bool {
        control("", &["ip", "-o", "link", "show", "dev", &net.port(machine)]).is_ok()
    }

    /// Pulls the cable of one machine out of one network. It stays out until `link_up`, also over a reboot.
    pub fn link_down(&self, machine: &str, net: Net) -> Result<()> {
        self.change(machine, net, |port| port.down = true)
    }

    /// Puts the cable back in.
    pub fn link_up(&self, machine: &str, net: Net) -> Result<()> {
        self.change(machine, net, |port| port.down = false)
    }

    /// Splits a network: `machines` see each other and nobody else; the links stay up.
    pub fn partition(&self, net: Net, machines: &[&str]) -> Result<()> {
        machines.iter().try_for_each(|machine| self.change(machine, net, |port| port.cut = true))
    }

    /// Ends all partitions and puts all cables back in.
    pub fn heal(&self) -> Result<()> {
        let all: Vec<_> = self.ports().keys().cloned().collect();
        all.iter().try_for_each(|(machine, net)| self.change(machine, *net, |port| *port = Port::default()))
    }

    fn change(&self, machine: &str, net: Net, change: impl FnOnce(&mut Port)) -> Result<()> {
        let mut ports = self.ports();
        let state = ports.entry((machine.to_owned(), net)).or_default();
        change(state);
        let state = *state;
        if !self.plugged(machine, net) {
            return Ok(());
        }
        let bridge = if state.cut { net.other_bridge() } else { net.bridge() };
        let up = if state.down { "down" } else { "up" };
        control("", &["ip", "link", "set", "dev", &net.port(machine), "master", bridge, up])
            .with_context(|| format!("set the {} link of {machine} {up}", net.bridge()))?;
        Ok(())
    }

    fn ports(&self) -> MutexGuard<'_, BTreeMap<(String, Net), Port>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}

/// For links that only carry: without it the kernel gives each an IPv6 address, and the controller would answer.
fn without_address() -> &'static str {
    if has_ipv6() { " addrgenmode none" } else { "" }
}

/// The number in the last place of a machine's addresses. Names of the guide have theirs; others count from 31.
pub fn number_of(name: &str, index: usize) -> Result<u8> {
    Ok(match name {
        "osm1" => 11,
        "osm2" => 12,
        "pcs3" => 13,
        "pcs4" => 14,
        "dbmy" => 21,
        "client" => 99,
        _ if name.len() > 13 => bail!("machine name {name} is too long for a link name"),
        _ => 31 + u8::try_from(index).context("too many machines")?,
    })
}
