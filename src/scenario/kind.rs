//! Whether a value has the shape that an agent's parameter takes.

use super::names::seconds;
use crate::ocf::spec::Kind;
use ipnet::IpNet;
use std::net::IpAddr;

/// Whether `value` has the shape of `kind`. An empty value never has: leave the parameter out instead.
pub fn fits(kind: Kind, value: &str) -> bool {
    if value.is_empty() || value.chars().any(char::is_control) {
        return false;
    }
    match kind {
        Kind::Text => true,
        Kind::Integer { min, max } => value.parse::<i64>().is_ok_and(|n| (min..=max).contains(&n)),
        Kind::Seconds { min, max } => seconds(value).is_some_and(|n| (min..=max).contains(&n)),
        Kind::Boolean => {
            ["yes", "true", "1", "on", "no", "false", "0", "off"].contains(&value.to_ascii_lowercase().as_str())
        }
        Kind::Select(words) => words.contains(&value),
        Kind::Address => value.parse::<IpAddr>().is_ok(),
        Kind::Networks => networks(value).is_some(),
        Kind::Link => is_link(value),
        Kind::Path => value.starts_with('/'),
    }
}

/// The networks in a list separated by commas or white space; an address counts as a network of its own.
pub fn networks(list: &str) -> Option<Vec<IpNet>> {
    let one = |word: &str| word.parse().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
    list.split([',', ' ']).filter(|word| !word.is_empty()).map(one).collect()
}

fn is_link(name: &str) -> bool {
    name.len() <= 15
        && !name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace())
        && name != "."
        && name != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind() {
        let seconds = Kind::Seconds { min: 1, max: 60 };
        let table: &[(Kind, &[&str], &[&str])] = &[
            (Kind::Text, &["a b"], &["", "a\nb"]),
            (Kind::Integer { min: 1, max: 9 }, &["1", "9"], &["0", "10", "x", "1.0"]),
            (seconds, &["5", "5s", "1min"], &["0", "61s", "soon"]),
            (Kind::Boolean, &["yes", "OFF"], &["maybe"]),
            (Kind::Select(&["a", "b"]), &["a"], &["A", "c"]),
            (Kind::Address, &["10.0.0.1", "fd00::1"], &["10.0.0.1/24", "host"]),
            (Kind::Networks, &["10.0.0.0/8", "10.0.0.1,fd00::/8", "10.0.0.1 10.0.0.2"], &["10.0.0.0/33", "host"]),
            (Kind::Link, &["eth0", "br-ovd.10"], &["a/b", "a b", "sixteen-bytes-xx", "."]),
            (Kind::Path, &["/etc/x"], &["etc/x"]),
        ];
        for (kind, good, bad) in table {
            for value in *good {
                assert!(fits(*kind, value), "{kind:?} {value}");
            }
            for value in *bad {
                assert!(!fits(*kind, value), "{kind:?} {value}");
            }
        }
    }
}
