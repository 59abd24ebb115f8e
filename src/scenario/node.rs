//! `[[node]]`: who votes and who may run the services.

use super::fault::Fault;
use super::free::pairs::{self, Pairs};
use super::names;
use super::reader::{Table, Word};
use super::setup::SetUp;
use std::net::IpAddr;

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It may run the services.
    Active,
    /// It only votes.
    Quorum,
}

/// A node of the cluster.
#[derive(Debug)]
pub struct Node {
    /// Its name in the cluster.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its address on each of the cluster's links.
    pub addresses: Vec<IpAddr>,
    /// Its permanent attributes.
    pub attributes: Pairs,
}

/// corosync knows at most this many links (knet).
const LINKS: usize = 8;
/// The word for a node that only votes.
const QUORUM: &str = "quorum";

pub(super) fn read(tables: Vec<Table<'_>>, setup: &SetUp, warnings: &mut Vec<String>) -> Result<Vec<Node>, Fault> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut last = None;
    for table in tables {
        let mut table = table.only(&["name", "role", "address", "attributes"])?;
        let name = table.need("name", names::HOST_NAME)?.text()?;
        if !names::is_host_name(&name.text) {
            return Err(name.must_be(names::HOST_NAME));
        }
        if nodes.iter().any(|node| node.name.eq_ignore_ascii_case(&name.text)) {
            return Err(name.fault(format!("{} is there already: every node needs a name of its own", name.text)));
        }
        let roles = format!("{} or {QUORUM}", setup.role);
        let role = table.need("role", &roles)?.text()?;
        let role = match role.text.as_str() {
            QUORUM => Role::Quorum,
            text if text == setup.role => Role::Active,
            _ => return Err(role.must_be(roles)),
        };
        let words = table.need("address", "one address, or a list with one for each link")?.texts()?;
        let mut addresses = Vec::new();
        for word in &words {
            let address = address(word)?;
            let taken = nodes.iter().flat_map(|node| &node.addresses).chain(&addresses).any(|other| *other == address);
            if taken {
                return Err(word.fault(format!("{address} is there already: every link of a node needs its own")));
            }
            addresses.push(address);
        }
        links_match(&table, &addresses, nodes.first())?;
        let attributes = table.take("attributes").map_or(Ok(Vec::new()), pairs::read)?;
        nodes.push(Node { name: name.text, role, addresses, attributes });
        last = Some(table);
    }
    let Some(table) = last else { return Ok(nodes) };
    if nodes.iter().filter(|node| node.role == Role::Active).count() < 2 {
        let message = format!("at least two nodes must have the role {}, else nothing can take over", setup.role);
        return Err(table.fault(message));
    }
    if let Some(doubt) = votes(nodes.len()) {
        warnings.push(table.fault(doubt).warning());
    }
    Ok(nodes)
}

fn address(word: &Word<'_>) -> Result<IpAddr, Fault> {
    let address: IpAddr = word.text.parse().map_err(|_| word.must_be("an IPv4 or IPv6 address"))?;
    if address.is_loopback() || address.is_multicast() || address.is_unspecified() {
        return Err(word.must_be("an address that other nodes can reach"));
    }
    Ok(address)
}

/// Every node needs one address for each link, and a link speaks one protocol.
fn links_match(table: &Table<'_>, addresses: &[IpAddr], first: Option<&Node>) -> Result<(), Fault> {
    if addresses.is_empty() || addresses.len() > LINKS {
        return Err(table.fault(format!("a node has 1 to {LINKS} addresses, one for each link")));
    }
    let Some(first) = first else { return Ok(()) };
    if first.addresses.len() != addresses.len() {
        let (name, count) = (&first.name, first.addresses.len());
        return Err(table.fault(format!("must have as many addresses as {name}, which has {count}")));
    }
    if first.addresses.iter().zip(addresses).any(|(a, b)| a.is_ipv4() != b.is_ipv4()) {
        return Err(table.fault(format!("must have IPv4 and IPv6 on the same links as {}", first.name)));
    }
    Ok(())
}

/// What is doubtful about a number of votes.
fn votes(count: usize) -> Option<String> {
    match count {
        2 => Some(
            "two votes: corosync gets two_node, so one node goes on alone and only fencing decides which; \
             a third node with the role quorum is safer"
                .into(),
        ),
        n if n % 2 == 0 => Some(format!(
            "{n} votes tolerate the loss of {} and no more, exactly as {} do, and a split into halves stops both",
            n / 2 - 1,
            n - 1
        )),
        _ => None,
    }
}
