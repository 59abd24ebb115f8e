//! Whether all nodes are well, in ctdbd's own words.
//!
//! The command `ctdb` costs more than everything else that a monitor does together: it loads some forty libraries. So only what is
//! beyond doubt is read here, every flag of every node at zero; anything else is left to the command.

use std::net::IpAddr;
use std::path::Path;

use super::{ADDRESS, address, ask, number, pnn};
use crate::ocf::deadline::Deadline;

/// Controls: the nodes with their flags, and the interfaces of public addresses.
const GET_NODEMAP: u32 = 91;
const GET_IFACES: u32 = 124;
/// The flag of a node that was taken out of the nodes file and keeps its number.
const DELETED: u32 = 0x10;
/// Bytes of a node in an answer: its number, its flags, its address.
const NODE: usize = 8 + ADDRESS;
/// Bytes of an interface in an answer, and where among them it says whether there is a link: after its name.
const INTERFACE: usize = 24;
const LINK: usize = 18;

/// Nodes of which all are well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Well {
    /// The number of the one that was asked.
    pub own: u32,
    /// All of them, by number and private address.
    pub nodes: Vec<(u32, IpAddr)>,
}

/// The nodes, if all of them are well, and the interfaces of this one have a link. None: something is amiss, or not understood.
///
/// # Errors
/// One line that says what did not happen.
pub fn well(path: &Path, deadline: &Deadline) -> Result<Option<Well>, String> {
    let own = pnn(path, deadline)?;
    let (_, map) = ask(path, GET_NODEMAP, deadline)?;
    let (_, interfaces) = ask(path, GET_IFACES, deadline)?;
    let nodes = nodes(&map).filter(|nodes| nodes.iter().any(|(number, _)| *number == own));
    Ok(nodes.filter(|_| linked(&interfaces)).map(|nodes| Well { own, nodes }))
}

/// The nodes of an answer; none when one of them has a flag, or when it is of another shape.
fn nodes(data: &[u8]) -> Option<Vec<(u32, IpAddr)>> {
    let mut all = Vec::new();
    for entry in entries(data, NODE)? {
        match number(entry, 4)? {
            0 => all.push((number(entry, 0)?, address(entry.get(8..)?)?)),
            flags if flags & DELETED != 0 => {}
            _ => return None,
        }
    }
    Some(all)
}

/// Whether every interface of an answer has a link.
fn linked(data: &[u8]) -> bool {
    let has_link = |entry: &[u8]| entry.get(LINK..LINK + 2).is_some_and(|state| state != [0, 0]);
    entries(data, INTERFACE).is_some_and(|mut all| all.all(has_link))
}

/// The parts of a list, which begins with their number and has nothing after them.
fn entries(data: &[u8], size: usize) -> Option<impl Iterator<Item = &[u8]>> {
    let count = usize::try_from(number(data, 0)?).ok()?;
    let list = data.get(4..)?;
    (list.len() == count.checked_mul(size)?).then(|| list.chunks_exact(size))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// Lists as ctdbd writes them.
    fn list(parts: &[Vec<u8>]) -> Vec<u8> {
        let count = u32::try_from(parts.len()).unwrap();
        [count.to_ne_bytes().as_slice(), &parts.concat()].concat()
    }

    fn node(number: u32, flags: u32) -> Vec<u8> {
        let mut entry = [number.to_ne_bytes(), flags.to_ne_bytes()].concat();
        entry.extend(super::super::INET.to_ne_bytes());
        entry.extend([0, 0, 192, 168, 33, 11 + u8::try_from(number).unwrap()]);
        entry.resize(NODE, 0);
        entry
    }

    fn interface(name: &str, state: u16) -> Vec<u8> {
        let mut entry = name.as_bytes().to_vec();
        entry.resize(LINK, 0);
        entry.extend(state.to_ne_bytes());
        entry.resize(INTERFACE, 0);
        entry
    }

    #[test]
    fn only_nodes_without_a_flag_are_well() {
        let both = nodes(&list(&[node(0, 0), node(1, 0)])).unwrap();
        assert_eq!(both, [(0, "192.168.33.11".parse().unwrap()), (1, "192.168.33.12".parse().unwrap())]);
        for flags in [0x01, 0x02, 0x04, 0x08, 0x20, 0x40, 0x8000_0000] {
            assert_eq!(nodes(&list(&[node(0, 0), node(1, flags)])), None, "{flags:#x}");
        }
        assert_eq!(nodes(&list(&[node(0, DELETED), node(1, 0)])).unwrap().len(), 1);
    }

    #[test]
    fn an_interface_without_a_link_is_not_well() {
        assert!(linked(&list(&[interface("lan0", 1), interface("lan1", 1)])) && linked(&list(&[])));
        assert!(!linked(&list(&[interface("lan0", 1), interface("lan1", 0)])));
    }

    #[test]
    fn another_shape_is_not_well() {
        let (map, links) = (list(&[node(0, 0), node(1, 0)]), list(&[interface("lan0", 1)]));
        for length in 0..map.len() {
            assert_eq!(nodes(&map[..length]), None, "{length}");
        }
        for length in 0..links.len() {
            assert!(!linked(&links[..length]), "{length}");
        }
        assert_eq!(nodes(&[map.as_slice(), &[0]].concat()), None);
        let mut huge = map;
        huge[..4].copy_from_slice(&[0xff; 4]);
        assert_eq!(nodes(&huge), None);
    }
}
