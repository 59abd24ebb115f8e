//! What source address translation is asked for, and how the host's state compares with that.
//!
//! Two backends make it true: [`super::nft`] and, for kernels before 4.18, [`super::iptables`].

use std::io;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Longest name of a network link (`IFNAMSIZ` without its NUL).
const LINK_NAME: usize = 15;
/// Longest name we give a table. The kernel allows 255; a name has to stay readable in listings.
const TABLE_NAME: usize = 63;

/// New connections that leave by one link get a chosen source address.
///
/// Never rewritten: connections that already are established, packets that have `to` as their source, destinations in
/// `keep`, and the UDP ports `keep_udp_ports`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceNat {
    /// Name of our own table (nftables) and, shortened where needed, chain (iptables). Letters, digits, `_`, `-`, `.`.
    pub name: String,
    /// The link that connections leave by.
    pub oif: String,
    /// The source address they get.
    pub to: IpAddr,
    /// Where they go. Empty: everywhere. Networks of the other family are passed over: a list that holds no other
    /// rewrites nothing.
    pub destinations: Vec<IpNet>,
    /// Destinations that keep seeing the host's own address. Networks of the other family are passed over.
    pub keep: Vec<IpNet>,
    /// First and last UDP destination port that keep the host's own address.
    pub keep_udp_ports: (u16, u16),
}

/// What there is of a [`SourceNat`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Absent,
    /// Exactly what was asked for.
    Equal {
        /// Packets that were rewritten since it was applied: one per connection.
        packets: u64,
    },
    /// Something else; a few words say what.
    Differs(String),
}

impl SourceNat {
    /// Destinations in the family of `to`, with the whole of it for an empty list.
    pub fn reached(&self) -> Vec<IpNet> {
        if self.destinations.is_empty() { vec![self.everything()] } else { self.of_family(&self.destinations) }
    }

    /// Destinations of the family of `to` that are never rewritten.
    pub fn kept(&self) -> Vec<IpNet> {
        self.of_family(&self.keep)
    }

    /// Refuses names that the kernel or a tool would take for something else.
    ///
    /// # Errors
    /// `InvalidInput`, with the reason.
    pub fn check(&self) -> io::Result<()> {
        check_name(&self.name)?;
        let plain = |c: char| c.is_ascii_graphic() && !"/\"'\\".contains(c);
        if self.oif.is_empty() || self.oif.len() > LINK_NAME || !self.oif.chars().all(plain) {
            return Err(invalid(format!("use link {:?}: not a link name of 1 to {LINK_NAME} bytes", self.oif)));
        }
        let (first, last) = self.keep_udp_ports;
        if first > last {
            return Err(invalid(format!("keep udp ports {first}-{last}: the first is above the last")));
        }
        Ok(())
    }

    fn of_family(&self, networks: &[IpNet]) -> Vec<IpNet> {
        networks.iter().filter(|network| network.addr().is_ipv4() == self.to.is_ipv4()).copied().collect()
    }

    fn everything(&self) -> IpNet {
        match self.to {
            IpAddr::V4(_) => Ipv4Net::default().into(),
            IpAddr::V6(_) => Ipv6Net::default().into(),
        }
    }
}

/// Refuses a table name that is too long or has unusual characters.
///
/// # Errors
/// `InvalidInput`, with the reason.
pub fn check_name(name: &str) -> io::Result<()> {
    let usual = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let first_ok = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !first_ok || name.len() > TABLE_NAME || !name.chars().all(usual) {
        return Err(invalid(format!(
            "use table name {name:?}: not a letter followed by at most {} of letters, digits, _ - .",
            TABLE_NAME - 1
        )));
    }
    Ok(())
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn example() -> SourceNat {
        SourceNat {
            name: "inuvika_vip".into(),
            oif: "eth0".into(),
            to: "192.0.2.10".parse().unwrap(),
            destinations: Vec::new(),
            keep: Vec::new(),
            keep_udp_ports: (5404, 5412),
        }
    }

    #[test]
    fn an_empty_list_is_everything_and_a_foreign_one_is_nothing() {
        let mut nat = example();
        assert_eq!(nat.reached(), ["0.0.0.0/0".parse().unwrap()]);
        nat.destinations = vec!["2001:db8::/32".parse().unwrap()];
        assert_eq!(nat.reached(), []);
        nat.to = "2001:db8::1".parse().unwrap();
        assert_eq!(nat.reached(), nat.destinations);
        nat.destinations.clear();
        assert_eq!(nat.reached(), ["::/0".parse().unwrap()]);
    }

    #[test]
    fn names_that_would_end_a_line_or_a_word_are_refused() {
        assert!(example().check().is_ok());
        for oif in ["", "eth0 -j ACCEPT", "eth0\n-F", "a/b", "\"", "sixteen-bytes-xx"] {
            assert!(SourceNat { oif: oif.into(), ..example() }.check().is_err(), "{oif:?}");
        }
        for name in ["", "-x", "1st", "a b", "a\n", &"x".repeat(64)] {
            assert!(SourceNat { name: name.into(), ..example() }.check().is_err(), "{name:?}");
        }
        assert!(SourceNat { keep_udp_ports: (2, 1), ..example() }.check().is_err());
    }
}
