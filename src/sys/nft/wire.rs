//! nftables over netlink: numbers of the protocol, questions, and batches that the kernel takes as a whole or not at all.
//!
//! Numbers after `linux/netfilter/nf_tables.h`. Every command of a batch asks for an acknowledgement, because the kernel
//! reports each failure at the command that caused it.

use std::io;
use std::net::IpAddr;

use nix::errno::Errno;

use crate::sys::netlink::message::ACK;
use crate::sys::netlink::{Reply, Socket, Writer};

const NETLINK_NETFILTER: isize = 12;
/// `NFNL_SUBSYS_NFTABLES`, as it stands in the upper byte of a message's kind.
const SUBSYSTEM: u16 = 10 << 8;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
/// Length of `struct nfgenmsg`, which opens every message.
pub const HEADER: usize = 4;

/// `NLM_F_CREATE`: make it when it is missing.
pub const CREATE: u16 = 0x400;
/// `NLM_F_APPEND`: put the rule at the end.
pub const APPEND: u16 = 0x800;

/// Commands (`enum nf_tables_msg_types`).
#[expect(missing_docs, reason = "the names are the kernel's")]
pub mod command {
    pub const NEW_TABLE: u16 = 0;
    pub const GET_TABLE: u16 = 1;
    pub const DEL_TABLE: u16 = 2;
    pub const NEW_CHAIN: u16 = 3;
    pub const GET_CHAIN: u16 = 4;
    pub const NEW_RULE: u16 = 6;
    pub const GET_RULE: u16 = 7;
    pub const DEL_RULE: u16 = 8;
    pub const NEW_SET: u16 = 9;
    pub const GET_SET: u16 = 10;
    pub const NEW_ELEMENTS: u16 = 12;
    pub const GET_ELEMENTS: u16 = 13;
    pub const DEL_ELEMENTS: u16 = 14;
}

/// Attributes of objects (`enum nft_*_attributes`).
#[expect(missing_docs, reason = "the names are the kernel's")]
pub mod object {
    pub const TABLE_NAME: u16 = 1;
    pub const TABLE_FLAGS: u16 = 2;
    pub const TABLE_USE: u16 = 3;

    pub const CHAIN_TABLE: u16 = 1;
    pub const CHAIN_NAME: u16 = 3;
    pub const CHAIN_HOOK: u16 = 4;
    pub const CHAIN_POLICY: u16 = 5;
    pub const CHAIN_TYPE: u16 = 7;
    pub const HOOK_NUMBER: u16 = 1;
    pub const HOOK_PRIORITY: u16 = 2;

    pub const RULE_TABLE: u16 = 1;
    pub const RULE_CHAIN: u16 = 2;
    pub const RULE_HANDLE: u16 = 3;
    pub const RULE_EXPRESSIONS: u16 = 4;

    pub const SET_TABLE: u16 = 1;
    pub const SET_NAME: u16 = 2;
    pub const SET_FLAGS: u16 = 3;
    pub const SET_KEY_TYPE: u16 = 4;
    pub const SET_KEY_LENGTH: u16 = 5;
    pub const SET_ID: u16 = 10;
    pub const SET_USERDATA: u16 = 13;

    pub const ELEMENTS_TABLE: u16 = 1;
    pub const ELEMENTS_SET: u16 = 2;
    pub const ELEMENTS_LIST: u16 = 3;
    pub const ELEMENT_KEY: u16 = 1;
    pub const ELEMENT_FLAGS: u16 = 3;
    /// Kind of each entry in a list of rules' expressions or of set elements.
    pub const LIST_ENTRY: u16 = 1;
    /// `NFTA_DATA_VALUE`: plain bytes where a verdict could stand too.
    pub const DATA_VALUE: u16 = 1;
}

/// An address family with tables of its own (`NFPROTO_*`). `inet` is not among them: it translates since 5.2 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Tables called `ip` by nft.
    V4 = 2,
    /// Tables called `ip6`.
    V6 = 10,
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

impl Family {
    /// The family of an address.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// Where source and destination stand in the header.
    pub fn address_offsets(self) -> (u8, u8) {
        match self {
            Family::V4 => (12, 16),
            Family::V6 => (8, 24),
        }
    }

    /// The length of an address in bytes.
    pub fn address_length(self) -> u8 {
        match self {
            Family::V4 => 4,
            Family::V6 => 16,
        }
    }
}

/// Writes `struct nfgenmsg`.
fn header(message: &mut Writer, family: u8, resource: u16) {
    let [high, low] = resource.to_be_bytes();
    message.raw(&[family, 0, high, low]);
}

/// Whether an error means that this kernel has no nftables, so that there is nothing of ours either.
pub fn means_no_nftables(error: &io::Error) -> bool {
    // EINVAL is nfnetlink's answer to a question for a subsystem that nobody has registered.
    let unknown = [Errno::EPROTONOSUPPORT, Errno::EAFNOSUPPORT, Errno::EOPNOTSUPP, Errno::EINVAL];
    error.raw_os_error().is_some_and(|errno| unknown.contains(&Errno::from_raw(errno)))
}

/// Whether the object that was asked for is not there.
pub fn means_absent(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENOENT as i32)
}

/// A connection to nftables.
pub struct Connection(Socket);

impl Connection {
    /// Opens one.
    pub fn open() -> io::Result<Self> {
        Ok(Self(Socket::open(NETLINK_NETFILTER)?))
    }

    /// One object; `None` when it is not there.
    pub fn get(&mut self, command: u16, family: Family, fill: impl FnOnce(&mut Writer)) -> io::Result<Option<Reply>> {
        let reply = self.0.get(SUBSYSTEM | command, |message| {
            header(message, family as u8, 0);
            fill(message);
        });
        match reply {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if means_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A list of objects. `fill` narrows it as far as the kernel can (older ones list more than was asked for).
    pub fn dump(&mut self, command: u16, family: Family, fill: impl Fn(&mut Writer)) -> io::Result<Reply> {
        self.0.dump(SUBSYSTEM | command, |message| {
            header(message, family as u8, 0);
            fill(message);
        })
    }

    /// Has the kernel carry out a batch. The error is that of the first command that failed; then nothing has changed.
    pub fn commit(&mut self, batch: Batch) -> io::Result<()> {
        let begin = self.0.next_seq();
        let mut bytes = Writer::default();
        bytes.message(BATCH_BEGIN, 0, begin, |message| header(message, 0, 10));
        let mut last = begin;
        for command in &batch.commands {
            last = self.0.next_seq();
            bytes.message(SUBSYSTEM | command.kind, command.flags | ACK, last, |message| {
                header(message, command.family as u8, 0);
                message.raw(command.body.bytes());
            });
        }
        let end = self.0.next_seq();
        bytes.message(BATCH_END, 0, end, |message| header(message, 0, 10));
        self.0.send(bytes.bytes())?;

        // An error that concerns the whole batch comes with the number of its begin.
        while last != begin {
            for answer in self.0.receive()?.filter(|answer| (begin..=end).contains(&answer.seq)) {
                if let Some(errno) = answer.errno() {
                    return Err(io::Error::from_raw_os_error(errno));
                }
                if answer.seq == last {
                    last = begin;
                }
            }
        }
        Ok(())
    }
}

/// Commands that take effect together.
#[derive(Default)]
pub struct Batch {
    commands: Vec<Command>,
}

struct Command {
    kind: u16,
    flags: u16,
    family: Family,
    body: Writer,
}

impl Batch {
    /// Appends a command whose attributes `fill` writes.
    pub fn add(&mut self, kind: u16, flags: u16, family: Family, fill: impl FnOnce(&mut Writer)) {
        let mut body = Writer::default();
        fill(&mut body);
        self.commands.push(Command { kind, flags, family, body });
    }
}
