//! Rules of others that translate to the same source address: left behind by the unit of the failover guide, or by hand.
//!
//! iptables-nft keeps its rules in the tables `nat` of the families ip and ip6. They hold either the expression `nat`
//! with the address loaded before it, or iptables' own target SNAT with the structure of the kernel's x_tables.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;

use crate::sys::netlink::{attribute, number, text};

use super::expression::expressions;
use super::ranges::key;
use super::wire::object::{DATA_VALUE, RULE_CHAIN, RULE_EXPRESSIONS, RULE_HANDLE, RULE_TABLE};
use super::wire::{Connection, Family, HEADER, command, means_absent, means_no_nftables};

const TABLE: &str = "nat";

/// A rule in table `nat` that translates to an address of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRule {
    /// The chain it stands in.
    pub chain: String,
    /// Its number, as `nft -a list table` shows it.
    pub handle: u64,
    /// Whether it belongs to the family `ip6`, else `ip`.
    pub v6: bool,
    /// The address.
    pub to: IpAddr,
}

impl fmt::Display for ForeignRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.v6 { "ip6" } else { "ip" };
        write!(f, "{family} {TABLE} {} handle {}: snat to {}", self.chain, self.handle, self.to)
    }
}

/// The rules in table `nat` that translate to `to`; none when there is no such table.
///
/// # Errors
/// What the kernel says, with its errno.
pub fn foreign_snat(to: IpAddr) -> io::Result<Vec<ForeignRule>> {
    let family = Family::of(to);
    let reply = Connection::open()
        .and_then(|mut connection| connection.dump(command::GET_RULE, family, |rule| rule.text(RULE_TABLE, TABLE)));
    let reply = match reply {
        Err(error) if means_absent(&error) || means_no_nftables(&error) => return Ok(Vec::new()),
        other => other?,
    };
    let rules = reply.messages().map(|message| message.attributes(HEADER));
    let translating = rules
        .filter(|rule| text(rule, RULE_TABLE) == Some(TABLE))
        .filter(|rule| translates_to(attribute(rule, RULE_EXPRESSIONS).unwrap_or_default(), to));
    Ok(translating
        .map(|rule| ForeignRule {
            chain: text(rule, RULE_CHAIN).unwrap_or_default().to_owned(),
            handle: attribute(rule, RULE_HANDLE).and_then(<[u8]>::first_chunk).copied().map_or(0, u64::from_be_bytes),
            v6: to.is_ipv6(),
            to,
        })
        .collect())
}

/// Whether a rule ends in a source translation to `to`, or to a range that holds it.
fn translates_to(list: &[u8], to: IpAddr) -> bool {
    let wanted = match to {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let mut loaded: HashMap<u32, u128> = HashMap::new();
    expressions(list).any(|(name, data)| match name {
        "immediate" => {
            let value = attribute(data, 2).and_then(|value| attribute(value, DATA_VALUE)).and_then(key);
            if let (Some(register), Some(value)) = (number(data, 1), value) {
                loaded.insert(register, value);
            }
            false
        }
        "nat" => native_range(data, &loaded).is_some_and(|(first, last)| (first..=last).contains(&wanted)),
        "target" => compat_range(data, to).is_some_and(|(first, last)| (first..=last).contains(&wanted)),
        _ => false,
    })
}

/// The addresses of the expression `nat`, when it is a source translation.
fn native_range(data: &[u8], loaded: &HashMap<u32, u128>) -> Option<(u128, u128)> {
    const SOURCE: u32 = 0;
    if number(data, 1) != Some(SOURCE) {
        return None;
    }
    let lowest = number(data, 3)?;
    let highest = number(data, 4).unwrap_or(lowest);
    Some((*loaded.get(&lowest)?, *loaded.get(&highest)?))
}

/// The addresses of the iptables target SNAT. Its structure depends on the revision:
/// 0 (IPv4 only) is `nf_nat_ipv4_multi_range_compat`: number of ranges, flags, lowest and highest address;
/// 1 and 2 are `nf_nat_range` and `nf_nat_range2`: flags, then both addresses in 16 bytes each.
fn compat_range(data: &[u8], to: IpAddr) -> Option<(u128, u128)> {
    if text(data, 1) != Some("SNAT") {
        return None;
    }
    let info = attribute(data, 3)?;
    let length = if to.is_ipv4() { 4 } else { 16 };
    let (lowest, highest) = match number(data, 2)? {
        0 if to.is_ipv4() => (8, 12),
        1 | 2 => (4, 20),
        _ => return None,
    };
    let address = |offset: usize| info.get(offset..offset + length).and_then(key);
    Some((address(lowest)?, address(highest)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sys::netlink::Writer;

    fn target(name: &str, revision: u32, info: &[u8]) -> Vec<u8> {
        let mut list = Writer::default();
        list.nest(1, |expression| {
            expression.text(1, "target");
            expression.nest(2, |data| {
                data.text(1, name);
                data.number(2, revision);
                data.attribute(3, info);
            });
        });
        list.bytes().to_vec()
    }

    #[test]
    fn targets_of_every_revision_are_read() {
        let to: IpAddr = "192.0.2.10".parse().unwrap();
        let old = [1, 0, 0, 0, 1, 0, 0, 0, 192, 0, 2, 10, 192, 0, 2, 10, 0, 0, 0, 0];
        assert!(translates_to(&target("SNAT", 0, &old), to));
        assert!(!translates_to(&target("DNAT", 0, &old), to));
        let mut new = [0; 40];
        new[4..8].copy_from_slice(&[192, 0, 2, 1]);
        new[20..24].copy_from_slice(&[192, 0, 2, 20]);
        assert!(translates_to(&target("SNAT", 2, &new), to), "a range that holds it");
        assert!(!translates_to(&target("SNAT", 2, &new), "192.0.2.21".parse().unwrap()));
    }

    #[test]
    fn short_targets_are_passed_over() {
        for length in 0..16 {
            assert!(!translates_to(&target("SNAT", 0, &vec![0; length]), "192.0.2.10".parse().unwrap()));
            assert!(!translates_to(&target("SNAT", 1, &vec![0; length]), "2001:db8::1".parse().unwrap()));
        }
    }
}
