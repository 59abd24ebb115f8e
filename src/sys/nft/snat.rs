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
use super::ranges::Ranges;
use super::table::{Layout, Set};
use super::wire::Family;

const TCP_FLAGS_OFFSET: u8 = 13;
const FIN_SYN_RST_ACK: u8 = 0x17;
const SYN: u8 = 0x02;

/// The two sets, in the order they are made.
fn sets(nat: &SourceNat) -> Vec<Set> {
    let family = Family::of(nat.to);
    vec![
        Set { name: "keep", ranges: Ranges::of_networks(family, &nat.kept()) },
        Set { name: "dests", ranges: Ranges::of_networks(family, &nat.reached()) },
    ]
}

/// The rules of the chain, each with a few words for messages.
fn rules(nat: &SourceNat) -> Vec<(&'static str, Rule)> {
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
    vec![("rule for open connections", not_new), ("rule for udp ports", kept_ports), ("snat rule", snat_rule(nat))]
}

fn snat_rule(nat: &SourceNat) -> Rule {
    let family = Family::of(nat.to);
    let length = family.address_length();
    let (source, destination) = family.address_offsets();
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

/// The whole table.
///
/// # Errors
/// `InvalidInput` for unusable names.
pub(super) fn table(nat: &SourceNat) -> io::Result<Layout> {
    nat.check()?;
    Ok(Layout { name: nat.name.clone(), family: Family::of(nat.to), sets: sets(nat), rules: rules(nat) })
}

/// Puts the table in place, in one transaction: whatever table of this name was there is replaced.
///
/// # Errors
/// `InvalidInput` for unusable names, else what the kernel says, with its errno; then nothing has changed.
pub fn apply(nat: &SourceNat) -> io::Result<()> {
    table(nat)?.apply()
}
