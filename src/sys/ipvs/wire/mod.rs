//! The table as bytes of generic netlink. Numbers after `linux/ip_vs.h`.
//!
//! What the kernel says is read without trust: an entry that does not make sense is left out. Attributes that it does
//! not send are those of an older kernel: before 3.18 no real server has a family, before 5.2 none has a tunnel type.

mod read;
mod write;

pub use read::{read_server, read_service};
pub use write::{seconds, write_question};

/// Commands (`IPVS_CMD_*`).
pub mod command {
    pub const NEW_SERVICE: u8 = 1;
    pub const SET_SERVICE: u8 = 2;
    pub const DEL_SERVICE: u8 = 3;
    pub const GET_SERVICE: u8 = 4;
    pub const NEW_DEST: u8 = 5;
    pub const SET_DEST: u8 = 6;
    pub const DEL_DEST: u8 = 7;
    pub const GET_DEST: u8 = 8;
    pub const NEW_DAEMON: u8 = 9;
    pub const DEL_DAEMON: u8 = 10;
    pub const GET_DAEMON: u8 = 11;
    pub const SET_CONFIG: u8 = 12;
    pub const GET_CONFIG: u8 = 13;
}

/// What a message holds (`IPVS_CMD_ATTR_*`).
pub mod part {
    pub const SERVICE: u16 = 1;
    pub const DEST: u16 = 2;
    pub const DAEMON: u16 = 3;
    pub const TIMEOUT_TCP: u16 = 4;
    pub const TIMEOUT_TCP_FIN: u16 = 5;
    pub const TIMEOUT_UDP: u16 = 6;
}

/// Attributes of a virtual service (`IPVS_SVC_ATTR_*`).
mod service {
    pub const FAMILY: u16 = 1;
    pub const PROTOCOL: u16 = 2;
    pub const ADDRESS: u16 = 3;
    pub const PORT: u16 = 4;
    pub const MARK: u16 = 5;
    pub const SCHEDULER: u16 = 6;
    pub const FLAGS: u16 = 7;
    pub const TIMEOUT: u16 = 8;
    pub const NETMASK: u16 = 9;
    pub const ENGINE: u16 = 11;
}

/// Attributes of a real server (`IPVS_DEST_ATTR_*`).
mod dest {
    pub const ADDRESS: u16 = 1;
    pub const PORT: u16 = 2;
    pub const FORWARDING: u16 = 3;
    pub const WEIGHT: u16 = 4;
    pub const UPPER: u16 = 5;
    pub const LOWER: u16 = 6;
    pub const ACTIVE: u16 = 7;
    pub const INACTIVE: u16 = 8;
    pub const PERSISTENT: u16 = 9;
    pub const FAMILY: u16 = 11;
    pub const TUNNEL: u16 = 13;
    pub const TUNNEL_PORT: u16 = 14;
    pub const TUNNEL_FLAGS: u16 = 15;
}

/// `IP_VS_SVC_F_PERSISTENT`.
const PERSISTENT: u32 = 1;
/// `IP_VS_SVC_F_ONEPACKET`.
const ONE_PACKET: u32 = 4;
/// `IP_VS_SVC_F_SCHED1`; the other two follow.
const SCHEDULER_FLAGS: [u32; 3] = [8, 0x10, 0x20];
/// `IP_VS_CONN_F_FWD_MASK`.
const FORWARDING: u32 = 7;
/// `IP_VS_TUNNEL_ENCAP_FLAG_CSUM`.
const CHECKSUM: u16 = 1;

/// A number of one byte.
pub fn u8_of(value: &[u8]) -> Option<u8> {
    value.first().copied()
}

/// A number of two bytes in the order of the host.
pub fn u16_of(value: &[u8]) -> Option<u16> {
    value.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
}

/// A number of four bytes in the order of the host.
pub fn u32_of(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// A name up to its NUL.
pub fn name_of(value: &[u8]) -> Option<String> {
    let name = value.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(name).ok().map(str::to_owned)
}
