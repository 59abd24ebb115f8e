//! What `ctdb -X status` says, by the names of its columns: 4.17 has put one between the others.

use std::net::IpAddr;

/// One node of CTDB's own cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub number: u32,
    /// Its private address.
    pub address: IpAddr,
    /// Whether it is the one that was asked.
    pub is_own: bool,
    flags: Vec<Flag>,
}

/// What a node can be beside well, in the order of weight: the first one says why it does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// It cannot be reached.
    Disconnected,
    /// Its state is not known yet.
    Unknown,
    /// CTDB has excluded it for a while, because it disturbed the others.
    Banned,
    /// An administrator has stopped it (`ctdb stop`).
    Stopped,
    /// An administrator has disabled it (`ctdb disable`).
    Disabled,
    /// One of its own checks has failed.
    Unhealthy,
    /// One of its interfaces has no link; it serves over the others.
    PartiallyOnline,
}

const COLUMNS: [(&str, Flag); 7] = [
    ("Disconnected", Flag::Disconnected),
    ("Unknown", Flag::Unknown),
    ("Banned", Flag::Banned),
    ("Stopped", Flag::Stopped),
    ("Disabled", Flag::Disabled),
    ("Unhealthy", Flag::Unhealthy),
    ("PartiallyOnline", Flag::PartiallyOnline),
];

impl Node {
    /// One without a flag; `own` is the number of the node that was asked.
    pub fn well(number: u32, address: IpAddr, own: u32) -> Self {
        Self { number, address, is_own: number == own, flags: Vec::new() }
    }

    /// Its heaviest flag; none: it is well.
    pub fn flag(&self) -> Option<Flag> {
        self.flags.iter().min().copied()
    }

    /// For people: `node 1 (192.168.33.12)`.
    pub fn name(&self) -> String {
        format!("node {} ({})", self.number, self.address)
    }
}

impl Flag {
    /// What a node with it is.
    pub fn word(self) -> &'static str {
        match self {
            Flag::Disconnected => "disconnected",
            Flag::Unknown => "unknown",
            Flag::Banned => "banned",
            Flag::Stopped => "stopped",
            Flag::Disabled => "disabled",
            Flag::Unhealthy => "unhealthy",
            Flag::PartiallyOnline => "partially-online",
        }
    }
}

/// The nodes.
///
/// # Errors
/// One line: what is missing or not understood.
pub fn parse(text: &str) -> Result<Vec<Node>, String> {
    let mut lines = text.lines().filter_map(cells);
    // Older versions write a line about time-outs first.
    let header = lines.find(|cells| cells.first() == Some(&"Node")).ok_or("ctdb -X status has no header")?;
    let column = |name: &str| header.iter().position(|cell| *cell == name);
    let needed = |name: &str| column(name).ok_or_else(|| format!("ctdb -X status has no column {name}"));
    let (number, address, own) = (needed("Node")?, needed("IP")?, needed("ThisNode")?);
    for name in ["Disconnected", "Banned", "Disabled", "Unhealthy", "Stopped"] {
        needed(name)?;
    }
    let mut nodes = Vec::new();
    for cells in lines {
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        let wrong = || format!("ctdb -X status: line '{}' is not understood", cells.join("|"));
        if cells.len() < header.len() {
            return Err(wrong());
        }
        let has = |name: &str| match column(name).map(cell) {
            None | Some("0") => Some(false),
            Some("1") => Some(true),
            Some(_) => None,
        };
        let mut flags = Vec::new();
        for (name, flag) in COLUMNS {
            if has(name).ok_or_else(wrong)? {
                flags.push(flag);
            }
        }
        let number = cell(number).parse().map_err(|_| wrong())?;
        let address = cell(address).parse().map_err(|_| wrong())?;
        nodes.push(Node { number, address, is_own: cell(own) == "Y", flags });
    }
    if nodes.iter().filter(|node| node.is_own).count() == 1 {
        Ok(nodes)
    } else {
        Err("ctdb -X status does not say which node this is".to_owned())
    }
}

/// The cells of `|a|b|`; none for a line of another kind.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?;
    Some(inner.strip_suffix('|').unwrap_or(inner).split('|').map(str::trim).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "|Node|IP|Disconnected|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|\n";
    const NEW: &str =
        "|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|\n";

    fn flags(text: &str) -> Vec<Option<Flag>> {
        parse(text).unwrap().iter().map(Node::flag).collect()
    }

    #[test]
    fn columns_are_found_by_name_in_both_generations() {
        let old = format!("{OLD}|0|192.168.33.11|0|0|0|1|0|0|0|Y|\n|1|192.168.33.12|0|1|0|0|0|1|0|N|\n");
        let new = format!("{NEW}|0|192.168.33.11|0|0|0|0|1|0|0|0|Y|\n|1|192.168.33.12|0|0|1|0|0|0|1|0|N|\n");
        for text in [old, new] {
            assert_eq!(flags(&text), [Some(Flag::Unhealthy), Some(Flag::Banned)], "{text}");
            let nodes = parse(&text).unwrap();
            assert_eq!(nodes[1].name(), "node 1 (192.168.33.12)");
            assert!(nodes[0].is_own && !nodes[1].is_own);
        }
    }

    #[test]
    fn the_heaviest_flag_is_the_reason() {
        for (cells, flag) in [
            ("0|0|0|0|0|0|0|0", None),
            ("0|0|0|0|0|0|0|1", Some(Flag::PartiallyOnline)),
            ("0|0|0|1|1|0|0|0", Some(Flag::Disabled)),
            ("0|0|1|0|1|0|1|0", Some(Flag::Banned)),
            ("0|0|0|1|0|1|1|0", Some(Flag::Stopped)),
            ("0|1|0|0|0|0|0|0", Some(Flag::Unknown)),
            ("1|0|0|0|1|0|1|0", Some(Flag::Disconnected)),
        ] {
            let text = format!("noise\n{NEW}|0|fd00::11|{cells}|Y|\n");
            assert_eq!(flags(&text), [flag], "{cells}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (text, said) in [
            (String::new(), "no header"),
            ("|Node|IP|ThisNode|\n".to_owned(), "no column Disconnected"),
            (NEW.to_owned(), "which node this is"),
            (format!("{NEW}|0|10.0.0.1|0|0|Y|\n"), "is not understood"),
            (format!("{NEW}|0|here|0|0|0|0|0|0|0|0|Y|\n"), "is not understood"),
            (format!("{NEW}|0|10.0.0.1|0|0|x|0|0|0|0|0|Y|\n"), "is not understood"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(rows in prop::collection::vec("[|0-9A-Za-z.: ]{0,60}", 0..6)) {
            let _ = parse(&rows.join("\n"));
            let _ = parse(&format!("{NEW}{}", rows.join("\n")));
        }
    }
}
