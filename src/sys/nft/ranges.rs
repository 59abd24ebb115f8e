//! Networks as the ranges of addresses that an nftables interval set is made of.
//!
//! The kernel keeps a range as two elements: its first address, and the address after its last one with an end mark. A
//! range up to the family's last address has no second element, and sets that do not begin at 0 begin with an end mark.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::wire::Family;

/// Addresses of one family: sorted ranges (first and last address) that neither overlap nor touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges {
    family: Family,
    list: Vec<(u128, u128)>,
}

/// One element of an interval set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// The address.
    pub key: u128,
    /// Whether it is the first one behind a range.
    pub end: bool,
}

impl Ranges {
    /// The ranges that networks cover. All of them must be of this family.
    pub fn of_networks(family: Family, networks: &[IpNet]) -> Self {
        let ranges = networks.iter().map(|network| (value(network.network()), value(network.broadcast())));
        Self::merged(family, ranges.collect())
    }

    /// The ranges that a listed set covers.
    pub fn of_elements(family: Family, mut elements: Vec<Element>) -> Self {
        // Where ranges touch, both marks stand at one address: the end of the first, then the begin of the second.
        elements.sort_by_key(|element| (element.key, !element.end));
        let mut ranges = Vec::new();
        let mut open = None;
        for element in elements {
            if let (Some(first), true) = (open, element.key > 0) {
                ranges.push((first, element.key - 1));
            }
            open = (!element.end).then_some(element.key);
        }
        ranges.extend(open.map(|first| (first, last_address(family))));
        Self::merged(family, ranges)
    }

    /// The elements of a set with these ranges.
    pub fn elements(&self) -> Vec<Element> {
        let mut elements = Vec::with_capacity(2 * self.list.len() + 1);
        if self.list.first().is_some_and(|(first, _)| *first > 0) {
            elements.push(Element { key: 0, end: true });
        }
        for (first, last) in &self.list {
            elements.push(Element { key: *first, end: false });
            if *last != last_address(self.family) {
                elements.push(Element { key: last + 1, end: true });
            }
        }
        elements
    }

    /// The bytes of a key, in network order.
    pub fn key_bytes(&self, element: Element) -> Vec<u8> {
        let bytes = element.key.to_be_bytes();
        let skip = bytes.len() - usize::from(self.family.address_length());
        bytes.get(skip..).unwrap_or_default().to_vec()
    }

    /// What `found` lacks or has too many compared with `self`, in a few words with an address.
    pub fn difference(&self, found: &Ranges) -> Option<String> {
        let lacks = self.list.iter().find(|range| !found.list.contains_sorted(range));
        let extra = found.list.iter().find(|range| !self.list.contains_sorted(range));
        match (lacks, extra) {
            (None, None) => None,
            (Some(range), None) => Some(format!("lacks {}", self.shown(*range))),
            (None, Some(range)) => Some(format!("has {} too", self.shown(*range))),
            (Some(lacks), Some(extra)) => Some(format!("has {} and lacks {}", self.shown(*extra), self.shown(*lacks))),
        }
    }

    fn merged(family: Family, mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.sort_unstable();
        let mut list: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match list.last_mut() {
                Some(previous) if first <= previous.1.saturating_add(1) => previous.1 = previous.1.max(last),
                _ => list.push((first, last)),
            }
        }
        Self { family, list }
    }

    fn shown(&self, (first, last): (u128, u128)) -> impl fmt::Display {
        let (from, to) = (address(self.family, first), address(self.family, last));
        if first == last { from.to_string() } else { format!("{from}-{to}") }
    }
}

/// Look-up in a sorted list.
trait ContainsSorted<T> {
    fn contains_sorted(&self, item: &T) -> bool;
}

impl<T: Ord> ContainsSorted<T> for Vec<T> {
    fn contains_sorted(&self, item: &T) -> bool {
        self.binary_search(item).is_ok()
    }
}

fn value(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn address(family: Family, value: u128) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4((value as u32).into()),
        Family::V6 => IpAddr::V6(value.into()),
    }
}

fn last_address(family: Family) -> u128 {
    match family {
        Family::V4 => u128::from(u32::MAX),
        Family::V6 => u128::MAX,
    }
}

/// Reads a key of either family; `None` when it has another length.
pub fn key(bytes: &[u8]) -> Option<u128> {
    match bytes.len() {
        4 => bytes.first_chunk().map(|key| u128::from(u32::from_be_bytes(*key))),
        16 => bytes.first_chunk().map(|key| u128::from_be_bytes(*key)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn ranges(networks: &[&str]) -> Ranges {
        let networks: Vec<IpNet> = networks.iter().map(|network| network.parse().unwrap()).collect();
        let family = networks.first().map_or(Family::V4, |network| Family::of(network.addr()));
        Ranges::of_networks(family, &networks)
    }

    #[test]
    fn networks_are_merged_and_sorted() {
        assert_eq!(ranges(&["10.0.1.0/24", "10.0.0.0/24", "10.0.0.77/32"]), ranges(&["10.0.0.0/23"]));
        assert_eq!(ranges(&["10.0.0.7/8"]), ranges(&["10.0.0.0/8"]), "host bits are ignored");
        assert_eq!(ranges(&["0.0.0.0/0", "10.0.0.0/8"]), ranges(&["0.0.0.0/0"]));
        assert_eq!(ranges(&["::/0", "ff00::/8"]), ranges(&["::/0"]));
    }

    #[test]
    fn elements_of_ranges_become_the_same_ranges() {
        let cases: &[&[&str]] = &[
            &[],
            &["0.0.0.0/0"],
            &["0.0.0.0/8"],
            &["255.255.255.255/32"],
            &["10.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"],
            &["10.0.1.0/24", "10.0.2.0/24"],
            &["::/0"],
            &["fe80::/10", "ff00::/8", "2001:db8::1/128"],
        ];
        for networks in cases {
            let ranges = ranges(networks);
            assert_eq!(Ranges::of_elements(ranges.family, ranges.elements()), ranges, "{networks:?}");
        }
    }

    #[test]
    fn ends_at_the_last_address_are_left_open() {
        let mark = |key, end| Element { key, end };
        assert_eq!(ranges(&["0.0.0.0/0"]).elements(), [mark(0, false)]);
        assert_eq!(ranges(&["255.255.255.255/32"]).elements(), [mark(0, true), mark(0xffff_ffff, false)]);
        let first = ranges(&["10.0.0.0/8"]).elements();
        assert_eq!(first, [mark(0, true), mark(0x0a00_0000, false), mark(0x0b00_0000, true)]);
    }

    #[test]
    fn touching_ranges_of_others_are_read_as_one() {
        let mark = |key, end| Element { key, end };
        let listed = vec![mark(0, true), mark(8, false), mark(16, true), mark(16, false), mark(24, true)];
        assert_eq!(Ranges::of_elements(Family::V4, listed), ranges(&["0.0.0.8/29", "0.0.0.16/29"]));
    }

    #[test]
    fn differences_name_an_address() {
        let want = ranges(&["10.0.0.0/8", "192.0.2.1/32"]);
        assert_eq!(want.difference(&want.clone()), None);
        assert_eq!(want.difference(&ranges(&["10.0.0.0/8"])).unwrap(), "lacks 192.0.2.1");
        let more = ranges(&["10.0.0.0/8", "192.0.2.1/32", "198.51.100.0/24"]);
        assert_eq!(want.difference(&more).unwrap(), "has 198.51.100.0-198.51.100.255 too");
        let other = ranges(&["10.0.0.0/9", "192.0.2.1/32"]);
        let text = "has 10.0.0.0-10.127.255.255 and lacks 10.0.0.0-10.255.255.255";
        assert_eq!(want.difference(&other).unwrap(), text);
    }

    #[test]
    fn keys_of_other_lengths_are_refused() {
        assert_eq!(key(&[10, 0, 0, 1]), Some(0x0a00_0001));
        assert_eq!(key(&[0; 8]), None);
        assert_eq!(key(&[]), None);
    }
}
