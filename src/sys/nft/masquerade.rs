//! Clients of a virtual service that stand on the network of its real servers.
//!
//! A real server would answer such a client itself, not through the director, and the client would take the answer for a
//! stranger's. So the director takes the client's place:
//!
//! ```text
//! table ip NAME {
//!   set virtual { type ipv4_addr; flags interval; elements = { ... } }
//!   set clients { type ipv4_addr; flags interval; elements = { ... } }
//!   set servers { type ipv4_addr; flags interval; elements = { ... } }
//!   chain postrouting {
//!     type nat hook postrouting priority 90; policy accept;
//!     ct original ip daddr @virtual ip saddr @clients ip daddr @servers counter masquerade
//!   }
//! }
//! ```
//! - Connection tracking sees the connections of IPVS only with `net.ipv4.vs.conntrack = 1`.
//! - What was sent to a real server's own address, also by the director itself, keeps its source.

use std::io;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::sys::source_nat::{Found, check_name};

use super::expression::{Header, Rule};
use super::inspect::inspect_table;
use super::ranges::Ranges;
use super::table::{Layout, Set};
use super::wire::{Family, means_no_nftables};
use super::{has_table, remove_from};

/// Connections that get the director as their client, in a table of their own for each family that has any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masquerade {
    /// Name of the table. Letters, digits, `_`, `-`, `.`.
    pub name: String,
    /// Addresses of the virtual services.
    pub virtual_addresses: Vec<IpAddr>,
    /// The networks of these clients.
    pub clients: Vec<IpNet>,
    /// Addresses of the real servers.
    pub servers: Vec<IpAddr>,
}

impl Masquerade {
    /// Puts the tables in place; what else there was under this name is gone. Connections that are open stay as they are.
    ///
    /// # Errors
    /// `InvalidInput` for an unusable name, else what the kernel says, with its errno.
    pub fn apply(&self) -> io::Result<()> {
        check_name(&self.name)?;
        for family in [Family::V4, Family::V6] {
            match self.layout(family) {
                Some(layout) => layout.apply()?,
                None => {
                    remove_from(family, &self.name)?;
                }
            }
        }
        Ok(())
    }

    /// Compares the tables with what was asked for. Counted are the connections of both families.
    ///
    /// # Errors
    /// What the kernel says, with its errno.
    pub fn inspect(&self) -> io::Result<Found> {
        check_name(&self.name)?;
        let mut whole: Option<u64> = None;
        let mut absent = false;
        for family in [Family::V4, Family::V6] {
            let Some(layout) = self.layout(family) else {
                match has_table(family == Family::V6, &self.name) {
                    Ok(true) => return Ok(Found::Differs(format!("a table for {family} is there"))),
                    Err(error) if !means_no_nftables(&error) => return Err(error),
                    _ => continue,
                }
            };
            match inspect_table(&layout)? {
                Found::Equal { packets } => whole = Some(whole.unwrap_or_default() + packets),
                Found::Differs(text) => return Ok(Found::Differs(text)),
                Found::Absent => absent = true,
            }
        }
        Ok(match (whole, absent) {
            (Some(_), true) => Found::Differs("the table of one family is missing".into()),
            (Some(packets), false) => Found::Equal { packets },
            (None, true) => Found::Absent,
            // Nothing is wanted, and nothing is there.
            (None, false) => Found::Equal { packets: 0 },
        })
    }

    /// The table of a family; none when there is nothing to rewrite in it.
    fn layout(&self, family: Family) -> Option<Layout> {
        let hosts = |hosts: &[IpAddr]| networks(family, hosts.iter().map(|host| IpNet::from(*host)));
        let [virtual_addresses, clients, servers] =
            [hosts(&self.virtual_addresses), networks(family, self.clients.iter().copied()), hosts(&self.servers)];
        if virtual_addresses.is_empty() || clients.is_empty() || servers.is_empty() {
            return None;
        }
        let set = |name, networks: Vec<IpNet>| Set { name, ranges: Ranges::of_networks(family, &networks) };
        Some(Layout {
            name: self.name.clone(),
            family,
            sets: vec![set("virtual", virtual_addresses), set("clients", clients), set("servers", servers)],
            rules: vec![("masquerading rule", rule(family))],
        })
    }
}

fn networks(family: Family, all: impl Iterator<Item = IpNet>) -> Vec<IpNet> {
    all.filter(|network| Family::of(network.addr()) == family).collect()
}

fn rule(family: Family) -> Rule {
    let (source, destination) = family.address_offsets();
    let length = family.address_length();
    Rule::default()
        .original_destination(family)
        .lookup("virtual", false)
        .payload(Header::Network, source, length)
        .lookup("clients", false)
        .payload(Header::Network, destination, length)
        .lookup("servers", false)
        .counter()
        .masquerade()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::expression::expressions;
    use super::*;

    fn wanted() -> Masquerade {
        Masquerade {
            name: "test".into(),
            virtual_addresses: vec!["192.0.2.10".parse().unwrap()],
            clients: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/64".parse().unwrap()],
            servers: vec!["192.0.2.21".parse().unwrap(), "2001:db8::21".parse().unwrap()],
        }
    }

    #[test]
    fn a_family_without_services_clients_or_servers_has_no_table() {
        let all = wanted();
        assert!(all.layout(Family::V4).is_some() && all.layout(Family::V6).is_none());
        let v6 = Masquerade { virtual_addresses: vec!["2001:db8::10".parse().unwrap()], ..all.clone() };
        assert!(v6.layout(Family::V4).is_none() && v6.layout(Family::V6).is_some());
        assert!(Masquerade { clients: Vec::new(), ..all.clone() }.layout(Family::V4).is_none());
        assert!(Masquerade { servers: Vec::new(), ..all }.layout(Family::V4).is_none());
    }

    #[test]
    fn only_what_was_sent_to_a_virtual_address_is_rewritten() {
        for family in [Family::V4, Family::V6] {
            let rule = rule(family);
            let names: Vec<&str> = expressions(rule.bytes()).map(|(name, _)| name).collect();
            assert_eq!(names, ["ct", "lookup", "payload", "lookup", "payload", "lookup", "counter", "masq"]);
        }
        assert!(!rule(Family::V4).same_as(rule(Family::V6).bytes()));
    }
}
