//! The synchronisation of connections between directors, and how long the kernel keeps connections.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::sys::netlink::generic::HEADER;
use crate::sys::netlink::{Attributes, Writer, attribute};

use super::table::Ipvs;
use super::wire::{command, name_of, part, seconds, u8_of, u16_of, u32_of};

/// Attributes of a daemon (`IPVS_DAEMON_ATTR_*`).
mod number {
    pub const ROLE: u16 = 1;
    pub const INTERFACE: u16 = 2;
    pub const ID: u16 = 3;
    pub const MAX_LEN: u16 = 4;
    pub const GROUP: u16 = 5;
    pub const GROUP6: u16 = 6;
    pub const PORT: u16 = 7;
    pub const TTL: u16 = 8;
}

/// What a synchronisation daemon does. A director may run both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Tells the others of its connections.
    Master,
    /// Listens, and keeps those connections ready.
    Backup,
}

/// A synchronisation daemon: a thread of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncDaemon {
    /// Which.
    pub role: Role,
    /// The link that it multicasts on, with an address.
    pub interface: String,
    /// The group of directors, 0 to 255: a backup passes over what comes with another. 0 in a backup takes all.
    pub id: u8,
    /// Longest message in bytes, 52 to 65,515; by default what fits the link. Kernel 4.3 or newer, as all that follow.
    pub max_len: Option<u16>,
    /// Multicast group; 224.0.0.81 by default.
    pub group: Option<IpAddr>,
    /// UDP port; 8848 by default.
    pub port: Option<u16>,
    /// Time to live of the messages; 1 by default.
    pub ttl: Option<u8>,
}

/// How long connections are kept without a packet. Whole seconds; zero leaves what is set when it is set, and is what a
/// kernel lists that was built without that protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP, established.
    pub tcp: Duration,
    /// TCP, ending.
    pub tcp_fin: Duration,
    /// UDP.
    pub udp: Duration,
}

impl Role {
    /// `IP_VS_STATE_MASTER`, `IP_VS_STATE_BACKUP`.
    fn state(self) -> u32 {
        match self {
            Role::Master => 1,
            Role::Backup => 2,
        }
    }
}

impl SyncDaemon {
    /// Whether a listed daemon is what is asked for here: an option that is not given agrees with all.
    pub fn is_run_by(&self, listed: &SyncDaemon) -> bool {
        fn agrees<T: PartialEq>(wanted: &Option<T>, listed: &Option<T>) -> bool {
            wanted.is_none() || wanted == listed
        }
        (self.role, &self.interface, self.id) == (listed.role, &listed.interface, listed.id)
            && agrees(&self.max_len, &listed.max_len)
            && agrees(&self.group, &listed.group)
            && agrees(&self.port, &listed.port)
            && agrees(&self.ttl, &listed.ttl)
    }

    fn write(&self, message: &mut Writer) {
        message.attribute(number::ROLE, &self.role.state().to_ne_bytes());
        message.text(number::INTERFACE, &self.interface);
        message.attribute(number::ID, &u32::from(self.id).to_ne_bytes());
        if let Some(length) = self.max_len {
            message.attribute(number::MAX_LEN, &length.to_ne_bytes());
        }
        match self.group {
            Some(IpAddr::V4(group)) => message.attribute(number::GROUP, &group.octets()),
            Some(IpAddr::V6(group)) => message.attribute(number::GROUP6, &group.octets()),
            None => {}
        }
        if let Some(port) = self.port {
            message.attribute(number::PORT, &port.to_ne_bytes());
        }
        if let Some(ttl) = self.ttl {
            message.attribute(number::TTL, &[ttl]);
        }
    }

    fn read(attributes: &[u8]) -> Option<Self> {
        let (mut role, mut interface, mut id) = (None, None, None);
        let (mut max_len, mut group, mut port, mut ttl) = (None, None, None, None);
        for (kind, value) in Attributes(attributes) {
            match kind {
                number::ROLE => role = u32_of(value),
                number::INTERFACE => interface = name_of(value),
                number::ID => id = u32_of(value),
                number::MAX_LEN => max_len = u16_of(value),
                number::GROUP => group = value.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes).into()),
                number::GROUP6 => group = value.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).into()),
                number::PORT => port = u16_of(value),
                number::TTL => ttl = u8_of(value),
                _ => {}
            }
        }
        let role = [Role::Master, Role::Backup].into_iter().find(|known| Some(known.state()) == role)?;
        Some(Self { role, interface: interface?, id: u8::try_from(id?).ok()?, max_len, group, port, ttl })
    }
}

impl Ipvs {
    /// The daemons that run.
    ///
    /// # Errors
    /// What the kernel says, with its errno.
    pub fn sync_daemons(&mut self) -> io::Result<Vec<SyncDaemon>> {
        let reply = self.0.dump(command::GET_DAEMON, |_| {})?;
        let parts = reply.messages().filter_map(|message| attribute(message.attributes(HEADER), part::DAEMON));
        Ok(parts.filter_map(SyncDaemon::read).collect())
    }

    /// Starts a daemon.
    ///
    /// # Errors
    /// What the kernel says, with its errno, for [`super::explain_sync`].
    pub fn start_sync(&mut self, daemon: &SyncDaemon) -> io::Result<()> {
        self.0.carry_out(command::NEW_DAEMON, |message| message.nest(part::DAEMON, |inner| daemon.write(inner)))
    }

    /// Stops the daemon of a role.
    ///
    /// # Errors
    /// What the kernel says, with its errno; ESRCH when none runs.
    pub fn stop_sync(&mut self, role: Role) -> io::Result<()> {
        self.0.carry_out(command::DEL_DAEMON, |message| {
            message.nest(part::DAEMON, |inner| inner.attribute(number::ROLE, &role.state().to_ne_bytes()));
        })
    }

    /// How long connections are kept.
    ///
    /// # Errors
    /// What the kernel says, with its errno.
    pub fn timeouts(&mut self) -> io::Result<Timeouts> {
        let reply = self.0.get(command::GET_CONFIG)?;
        let answer = reply.messages().next().map(|message| message.attributes(HEADER)).unwrap_or_default();
        let timeout = |kind| {
            let seconds = attribute(answer, kind).and_then(u32_of).unwrap_or_default();
            Duration::from_secs(seconds.into())
        };
        Ok(Timeouts {
            tcp: timeout(part::TIMEOUT_TCP),
            tcp_fin: timeout(part::TIMEOUT_TCP_FIN),
            udp: timeout(part::TIMEOUT_UDP),
        })
    }

    /// Sets how long connections are kept, for those that come from now on.
    ///
    /// # Errors
    /// What the kernel says, with its errno; EINVAL for more than about 24 days.
    pub fn set_timeouts(&mut self, timeouts: &Timeouts) -> io::Result<()> {
        self.0.carry_out(command::SET_CONFIG, |message| {
            message.attribute(part::TIMEOUT_TCP, &seconds(timeouts.tcp).to_ne_bytes());
            message.attribute(part::TIMEOUT_TCP_FIN, &seconds(timeouts.tcp_fin).to_ne_bytes());
            message.attribute(part::TIMEOUT_UDP, &seconds(timeouts.udp).to_ne_bytes());
        })
    }
}
