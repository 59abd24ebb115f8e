//! The table that rewrites source addresses.
//!
//! ```text
//! table ip NAME {
//!   set keep  { type ipv4_addr; flags interval; elements = { ... } }
//!   set dests { type ipv4_addr; flags interval; elements = { ... } }
//!   chain postrouting {
//!     type nat hook postrouting priority 90; policy accept;
//!     tcp flags & (fin | syn | rst | ack) != syn return
//!     udp dport FIRST-LAST return
//!     oifname LINK ip saddr != TO ip daddr != @keep ip daddr @dests counter snat to TO
//!   }
//! }
//! ```
//! - Translation decides once per connection, at the first packet that connection tracking sees. With a connection that
//!   was open before tracking began this is one in its middle: rewriting it would break it, hence the first rule.
//! - Priority 90 stands before the usual 100, so that an older translation there does not win.
//! - No set is called `dst`: nft lists that name, but cannot read its own listing.

use std::io;
use std::net::IpAddr;

use crate::sys::source_nat::SourceNat;

use super::expression::{Comparison, Header, L4PROTO, OIFNAME, Rule};
use super::inspect::stale_sets;
use super::ranges::Ranges;
use super::wire::{APPEND, Batch, CREATE, Connection, Family, command, object};

/// The chain's name.
pub(super) const CHAIN: &str = "postrouting";
/// `NF_INET_POST_ROUTING`.
pub(super) const HOOK: u32 = 4;
/// Chains with smaller numbers come first; `NF_IP_PRI_NAT_SRC` is 100.
pub(super) const PRIORITY: i32 = 90;
/// `NF_ACCEPT`.
pub(super) const ACCEPT: u32 = 1;
/// The chain's type.
pub(super) const TYPE: &str = "nat";
/// `NFT_SET_INTERVAL`.
pub(super) const INTERVAL: u32 = 4;

/// `NFTNL_UDATA_SET_KEYBYTEORDER` = big endian, four bytes in host order: what nft itself stores for addresses.
const BYTE_ORDER: [u8; 2] = [0, 4];
/// A list of elements is one attribute, whose length has 16 bits; an IPv6 element takes 36 bytes.
const ELEMENTS_PER_COMMAND: usize = 1000;
const TCP_FLAGS_OFFSET: u8 = 13;
const FIN_SYN_RST_ACK: u8 = 0x17;
const SYN: u8 = 0x02;

/// A set of addresses in the table.
pub(super) struct Set {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub ranges: Ranges,
}

/// The two sets, in the order they are made.
pub(super) fn sets(nat: &SourceNat) -> [Set; 2] {
    let family = Family::of(nat.to);
    [
        Set { name: "keep", ranges: Ranges::of_networks(family, &nat.kept()) },
        Set { name: "dests", ranges: Ranges::of_networks(family, &nat.reached()) },
    ]
}

/// The key type of a set, in nft's numbering (`ipv4_addr` and `ipv6_addr`).
pub(super) fn key_type(family: Family) -> u32 {
    match family {
        Family::V4 => 7,
        Family::V6 => 8,
    }
}

/// The rules of the chain, each with a few words for messages.
pub(super) fn rules(nat: &SourceNat) -> [(&'static str, Rule); 3] {
    let (first_port, last_port) = nat.keep_udp_ports;
    let not_new = Rule::default()
        .meta(L4PROTO)
        .compare(Comparison::Equal, &[nix::libc::IPPROTO_TCP as u8])
        .payload(Header::Transport, TCP_FLAGS_OFFSET, 1)
        .mask_byte(FIN_SYN_RST_ACK)
        .compare(Comparison::NotEqual, &[SYN])
        .leave();
    let kept_ports = Rule::default()
        .meta(L4PROTO)
        .compare(Comparison::Equal, &[nix::libc::IPPROTO_UDP as u8])
        .payload(Header::Transport, 2, 2)
        .compare(Comparison::AtLeast, &first_port.to_be_bytes())
        .compare(Comparison::AtMost, &last_port.to_be_bytes())
        .leave();
    [("rule for open connections", not_new), ("rule for udp ports", kept_ports), ("snat rule", snat_rule(nat))]
}

fn snat_rule(nat: &SourceNat) -> Rule {
    let family = Family::of(nat.to);
    let length = family.address_length();
    let (source, destination) = match family {
        Family::V4 => (12, 16),
        Family::V6 => (8, 24),
    };
    let to = match nat.to {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut link = nat.oif.clone().into_bytes();
    link.resize(16, 0);
    Rule::default()
        .meta(OIFNAME)
        .compare(Comparison::Equal, &link)
        .payload(Header::Network, source, length)
        .compare(Comparison::NotEqual, &to)
        .payload(Header::Network, destination, length)
        .lookup("keep", true)
        .payload(Header::Network, destination, length)
        .lookup("dests", false)
        .counter()
        .source_nat(family as u32, &to)
}

/// Puts the table in place, in one transaction: whatever table of this name was there is replaced.
///
/// # Errors
/// `InvalidInput` for unusable names, else what the kernel says, with its errno; then nothing has changed.
pub fn apply(nat: &SourceNat) -> io::Result<()> {
    nat.check()?;
    let mut connection = Connection::open()?;
    // A packet reads at each chain anew which transaction counts. With two chains, the one that comes and the one that goes,
    // it can miss both, and its connection would keep its source; with one it finds the old rules or the new ones.
    if let Ok(Some(stale)) = stale_sets(&mut connection, nat)
        && connection.commit(refill(nat, &stale)).is_ok()
    {
        return Ok(());
    }
    connection.commit(replace(nat))
}

/// Other rules for a table that has our structure, and other elements for the sets that are `stale`. The others are left
/// alone: while a transaction ends, kernels can miss an element that goes and comes with it (up to 6.16 at least).
fn refill(nat: &SourceNat, stale: &[&str]) -> Batch {
    let family = Family::of(nat.to);
    let mut batch = Batch::default();
    // Without a handle: all rules of the chain; without a list: all elements.
    batch.add(command::DEL_RULE, 0, family, |rule| {
        rule.text(object::RULE_TABLE, &nat.name);
        rule.text(object::RULE_CHAIN, CHAIN);
    });
    for set in sets(nat).into_iter().filter(|set| stale.contains(&set.name)) {
        batch.add(command::DEL_ELEMENTS, 0, family, |list| {
            list.text(object::ELEMENTS_TABLE, &nat.name);
            list.text(object::ELEMENTS_SET, set.name);
        });
        add_elements(&mut batch, family, &nat.name, &set);
    }
    add_rules(&mut batch, family, nat);
    batch
}

/// The table as it should be, instead of the one that is there.
fn replace(nat: &SourceNat) -> Batch {
    let family = Family::of(nat.to);
    let mut batch = Batch::default();
    // Deleting needs a table to be there, so one is made first.
    batch.add(command::NEW_TABLE, CREATE, family, |table| table.text(object::TABLE_NAME, &nat.name));
    batch.add(command::DEL_TABLE, 0, family, |table| table.text(object::TABLE_NAME, &nat.name));
    batch.add(command::NEW_TABLE, CREATE, family, |table| {
        table.text(object::TABLE_NAME, &nat.name);
        table.number(object::TABLE_FLAGS, 0);
    });
    for (id, set) in (1..).zip(sets(nat)) {
        add_set(&mut batch, family, &nat.name, id, &set);
        add_elements(&mut batch, family, &nat.name, &set);
    }
    batch.add(command::NEW_CHAIN, CREATE, family, |chain| {
        chain.text(object::CHAIN_TABLE, &nat.name);
        chain.text(object::CHAIN_NAME, CHAIN);
        chain.nest(object::CHAIN_HOOK, |hook| {
            hook.number(object::HOOK_NUMBER, HOOK);
            hook.attribute(object::HOOK_PRIORITY, &PRIORITY.to_be_bytes());
        });
        chain.number(object::CHAIN_POLICY, ACCEPT);
        chain.text(object::CHAIN_TYPE, TYPE);
    });
    add_rules(&mut batch, family, nat);
    batch
}

fn add_rules(batch: &mut Batch, family: Family, nat: &SourceNat) {
    for (_, rule) in rules(nat) {
        batch.add(command::NEW_RULE, CREATE | APPEND, family, |message| {
            message.text(object::RULE_TABLE, &nat.name);
            message.text(object::RULE_CHAIN, CHAIN);
            message.nest(object::RULE_EXPRESSIONS, |list| list.raw(rule.bytes()));
        });
    }
}

fn add_set(batch: &mut Batch, family: Family, table: &str, id: u32, set: &Set) {
    batch.add(command::NEW_SET, CREATE, family, |message| {
        message.text(object::SET_TABLE, table);
        message.text(object::SET_NAME, set.name);
        message.number(object::SET_FLAGS, INTERVAL);
        message.number(object::SET_KEY_TYPE, key_type(family));
        message.number(object::SET_KEY_LENGTH, u32::from(family.address_length()));
        message.number(object::SET_ID, id);
        let byte_order = [BYTE_ORDER.as_slice(), &2u32.to_ne_bytes()].concat();
        message.attribute(object::SET_USERDATA, &byte_order);
    });
}

fn add_elements(batch: &mut Batch, family: Family, table: &str, set: &Set) {
    for elements in set.ranges.elements().chunks(ELEMENTS_PER_COMMAND) {
        batch.add(command::NEW_ELEMENTS, CREATE, family, |message| {
            message.text(object::ELEMENTS_TABLE, table);
            message.text(object::ELEMENTS_SET, set.name);
            message.nest(object::ELEMENTS_LIST, |list| {
                for element in elements {
                    list.nest(object::LIST_ENTRY, |entry| {
                        let key = set.ranges.key_bytes(*element);
                        entry.nest(object::ELEMENT_KEY, |value| value.attribute(object::DATA_VALUE, &key));
                        if element.end {
                            entry.number(object::ELEMENT_FLAGS, 1); // NFT_SET_ELEM_INTERVAL_END
                        }
                    });
                }
            });
        });
    }
}
