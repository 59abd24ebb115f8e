//! Heartbeat's haresources: for every node, what it takes over as one.

use super::File;
use super::lines::lines;
use super::notes::Notes;
use std::net::IpAddr;

/// A line: resources that belong together, and the node that has them when all is well.
#[derive(Debug)]
pub(super) struct Together {
    /// `FILE:LINE`.
    pub place: String,
    /// The node.
    pub node: String,
    /// The resources, in the order they start in.
    pub resources: Vec<Entry>,
}

/// A resource.
#[derive(Debug)]
pub(super) enum Entry {
    /// An address.
    Address(Address),
    /// A script and its arguments.
    Script(String, Vec<String>),
}

/// An address as haresources has it: `ADDRESS/PREFIX/LINK/BROADCAST`.
#[derive(Debug)]
pub(super) struct Address {
    /// The address.
    pub address: IpAddr,
    /// The length of its network's prefix.
    pub prefix: Option<u8>,
    /// The link.
    pub nic: Option<String>,
    /// The address for all in its network.
    pub broadcast: Option<String>,
}

/// Reads a haresources; what it cannot use is told.
pub(super) fn read(file: &File, notes: &mut Notes) -> Vec<Together> {
    let mut all = Vec::new();
    for line in lines(file) {
        let words = line.words();
        let Some((node, rest)) = words.split_first() else { continue };
        if rest.is_empty() {
            notes.leave(&line.place, &line.text, "a node without resources");
            continue;
        }
        let resources = rest.iter().map(|word| entry(word, &line.place, notes)).collect();
        all.push(Together { place: line.place, node: node.clone(), resources });
    }
    all
}

fn entry(word: &str, place: &str, notes: &mut Notes) -> Entry {
    let mut parts = word.split("::").map(str::to_owned);
    let name = parts.next().unwrap_or_default();
    let arguments: Vec<String> = parts.collect();
    let bare = match (name.as_str(), arguments.as_slice()) {
        ("IPaddr" | "IPaddr2", [address]) => address,
        (_, []) => &name,
        _ => return Entry::Script(name, arguments),
    };
    match address(bare) {
        Some((address, rest)) => {
            if !rest.is_empty() {
                notes.leave(place, &rest, "is neither a prefix length, a link nor a broadcast address");
            }
            Entry::Address(address)
        }
        None => Entry::Script(name, arguments),
    }
}

/// Reads an address, and what behind it cannot be understood.
pub(super) fn address(word: &str) -> Option<(Address, String)> {
    let mut parts = word.split('/');
    let address = parts.next()?.parse().ok()?;
    let mut read = Address { address, prefix: None, nic: None, broadcast: None };
    let mut rest = Vec::new();
    for part in parts {
        let widest = if address.is_ipv4() { 32 } else { 128 };
        if let Some(prefix) = part.parse().ok().filter(|prefix| *prefix <= widest && read.prefix.is_none()) {
            read.prefix = Some(prefix);
        } else if let Some(prefix) = mask(part).filter(|_| read.prefix.is_none() && part.starts_with("255.")) {
            read.prefix = Some(prefix);
        } else if part.parse::<IpAddr>().is_ok() {
            read.broadcast = Some(part.to_owned());
        } else if !part.is_empty() && read.nic.is_none() && part.bytes().all(|b| b.is_ascii_graphic()) {
            // An alias, eth0:1, is the business of whoever puts the address there.
            read.nic = Some(part.split(':').next().unwrap_or(part).to_owned());
        } else {
            rest.push(part);
        }
    }
    Some((read, rest.join("/")))
}

/// The length of the prefix that a netmask has.
pub(super) fn mask(text: &str) -> Option<u8> {
    let bits = u32::from(text.parse::<std::net::Ipv4Addr>().ok()?);
    let ones = bits.leading_ones();
    (bits.count_ones() == ones).then(|| u8::try_from(ones).unwrap_or(32))
}

#[cfg(test)]
mod tests {
    use super::{address, mask};

    #[test]
    fn addresses_and_what_hangs_on_them() {
        let read = |word| {
            address(word).map(|(one, rest)| {
                let text = |text: Option<String>| text.unwrap_or_else(|| "-".into());
                format!("{} {:?} {} {} {rest}", one.address, one.prefix, text(one.nic), text(one.broadcast))
            })
        };
        for (word, expected) in [
            ("192.168.71.205/24/eth0/192.168.71.255", "192.168.71.205 Some(24) eth0 192.168.71.255 "),
            ("192.168.71.205", "192.168.71.205 None - - "),
            ("10.0.0.1/255.255.240.0/eth1:2", "10.0.0.1 Some(20) eth1 - "),
            ("10.0.0.1/24/24", "10.0.0.1 Some(24) 24 - "),
            ("10.0.0.1/eth0/eth1", "10.0.0.1 None eth0 - eth1"),
            ("2001:db8::1/64/eth0", "2001:db8::1 Some(64) eth0 - "),
        ] {
            assert_eq!(read(word).as_deref(), Some(expected), "{word}");
        }
        assert!(read("apache").is_none() && read("").is_none());
        assert_eq!((mask("255.255.255.0"), mask("255.0.255.0"), mask("x")), (Some(24), None, None));
    }
}
