//! `pcmk_host_map`: what a fencing device calls each node.

/// What is wrong with a map for a device that switches off exactly `nodes`. A node of the map that the device is not
/// for would be switched off by it all the same.
///
/// Entries are split as Pacemaker does it: at `;`, space and tab, then at `:` or `=`.
pub(super) fn check<'a>(map: &str, nodes: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    if map.contains('\\') || map.chars().any(|c| c.is_control() && c != '\t') {
        return Some("must not have backslashes or control characters".into());
    }
    let mut seen: Vec<&str> = Vec::new();
    for entry in map.split([';', ' ', '\t']).filter(|entry| !entry.is_empty()) {
        let parts: Vec<_> = entry.split([':', '=']).collect();
        let [node, plug] = parts.as_slice() else {
            return Some(format!("\"{entry}\" must be node:name, where name is what the device calls the node"));
        };
        if plug.is_empty() {
            return Some(format!("\"{entry}\" has no name after the node"));
        }
        if !nodes.clone().any(|known| known == *node) {
            return Some(format!("{node} is not among the nodes of this device: add it to node or leave it out here"));
        }
        if seen.contains(node) {
            return Some(format!("{node} is there twice"));
        }
        seen.push(node);
    }
    let missing = nodes.clone().find(|node| !seen.contains(node));
    missing.map(|node| format!("has no entry for {node}: every node of the device needs one"))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_map_has_exactly_the_nodes_of_the_device() {
        let nodes = ["a.priv", "b.priv"];
        for good in ["a.priv:1;b.priv:2", "b.priv=x a.priv:y;", "a.priv:vm-1\tb.priv:vm-2"] {
            assert_eq!(check(good, nodes.into_iter()), None, "{good}");
        }
        for (bad, reason) in [
            ("a.priv:1", "no entry for b.priv"),
            ("", "no entry for a.priv"),
            ("a.priv:1;b.priv:2;c.priv:3", "c.priv is not among the nodes"),
            ("a:1;b.priv:2", "a is not among the nodes"),
            ("A.priv:1;b.priv:2", "A.priv is not among the nodes"),
            ("a.priv;b.priv:2", "\"a.priv\" must be node:name"),
            ("a.priv:1:2;b.priv:2", "must be node:name"),
            ("a.priv:;b.priv:2", "has no name after the node"),
            ("a.priv:1;a.priv:2;b.priv:3", "a.priv is there twice"),
            ("a.priv:1,b.priv:2", "must be node:name"),
            ("a.priv:1\\;b.priv:2", "must not have backslashes"),
        ] {
            let found = check(bad, nodes.into_iter());
            assert!(found.as_ref().is_some_and(|found| found.contains(reason)), "{bad}: {found:?}");
        }
    }
}
