//! cib.xml of Heartbeat 2, as far as directors of LVS go: the address that moves, and where it likes to be.

use super::File;
use super::haresources::{Entry, Together, address};
use super::notes::Notes;
use crate::configuration::{Configuration, Location, Resource, cib, value};
use crate::document::element::Element;

/// What a cib.xml says.
#[derive(Debug, Default)]
pub(super) struct FromCib {
    /// The nodes.
    pub nodes: Vec<String>,
    /// The resources, each with the node that it likes best.
    pub lines: Vec<Together>,
    /// How strongly resources stay where they are.
    pub stickiness: Option<u32>,
}

/// Attributes of `<cib>` that are state.
const STATE: &[&str] = &[
    "admin_epoch",
    "epoch",
    "num_updates",
    "have_quorum",
    "have-quorum",
    "num_peers",
    "cib_feature_revision",
    "generated",
    "ccm_transition",
    "dc_uuid",
    "dc-uuid",
    "cib-last-written",
    "ignore_dtd",
    "crm_feature_set",
    "validate-with",
];
/// Properties, by their present names, and what becomes of them.
const PROPERTIES: &[(&str, &str)] = &[
    ("symmetric-cluster", "resources may run on every node that is not kept free of them"),
    ("no-quorum-policy", "a part without the majority stops everything: the generator sets it"),
    ("stonith-enabled", "follows from [[fencing]]"),
    ("stop-orphan-resources", "is so unless told otherwise"),
    ("stop-orphan-actions", "is so unless told otherwise"),
    ("remove-after-stop", "is gone: nothing that is stopped is forgotten"),
    ("transition-idle-timeout", "is called cluster-delay now, and its default does"),
    ("is-managed-default", "resources are managed unless told otherwise"),
];

pub(super) fn read(file: &File, notes: &mut Notes) -> Result<FromCib, String> {
    let base = file.base();
    let fault = |reason: String| format!("{}: {reason}", file.name);
    let document = Element::repair(&file.text).map_err(fault)?;
    let old = cib::read(&document.root).map_err(fault)?;
    if document.repaired > 0 {
        let count = document.repaired;
        notes.change(base, "", format!("{count} closing tags had lost their \"/\": read as if they had it"));
    }
    let state: Vec<&str> = document.root.attributes.iter().map(|(name, _)| name.as_str()).collect();
    let (known, unknown): (Vec<&str>, Vec<&str>) = state.into_iter().partition(|name| STATE.contains(name));
    if !known.is_empty() {
        notes.leave(base, &known.join(" "), "is state, no configuration");
    }
    unknown.iter().for_each(|name| notes.leave(base, name, "is not known"));
    let mut read = FromCib { nodes: old.nodes.iter().map(|node| node.name.clone()).collect(), ..FromCib::default() };
    for node in &old.nodes {
        for (name, text) in node.attributes.iter().filter(|(name, text)| !(name == "standby" && text == "off")) {
            notes.leave(
                base,
                &format!("node {}: {name}={text}", node.name),
                "attributes of nodes are set while it runs",
            );
        }
    }
    for (name, text) in &old.properties {
        let new = name.replace('_', "-");
        let shown = format!("{name}={text}");
        if new == "default-resource-stickiness" {
            match text.strip_prefix('-').unwrap_or(text).parse() {
                Ok(stickiness) if stickiness <= 1_000_000 => read.stickiness = Some(stickiness),
                _ => notes.leave(base, &shown, "is no stickiness from 0 to 1000000: 1000"),
            }
            continue;
        }
        let why =
            PROPERTIES.iter().find(|(known, _)| *known == new).map_or("is not known to the generator", |(_, why)| why);
        notes.leave(base, &shown, why);
    }
    for resource in &old.resources {
        let line = line(base, resource, &old, notes);
        read.lines.push(line);
    }
    for (what, id) in beside(&old) {
        notes.leave(base, &format!("{what} {id}"), "directors of LVS have one address and nothing with it");
    }
    Ok(read)
}

/// What says something of several resources.
fn beside(old: &Configuration) -> Vec<(&'static str, &str)> {
    let groups = old.groups.iter().map(|one| ("group", one.id.as_str()));
    let clones = old.clones.iter().map(|one| ("clone", one.id.as_str()));
    let colocations = old.colocations.iter().map(|one| ("colocation", one.id.as_str()));
    let orders = old.orders.iter().map(|one| ("order", one.id.as_str()));
    groups.chain(clones).chain(colocations).chain(orders).collect()
}

fn line(base: &str, resource: &Resource, old: &Configuration, notes: &mut Notes) -> Together {
    let param = |name: &str| value(&resource.params, name).unwrap_or_default();
    let prefix = if param("cidr_netmask").is_empty() { param("netmask") } else { param("cidr_netmask") };
    let word = [param("ip"), prefix, param("nic"), param("broadcast")].join("/");
    let is_address = ["IPaddr", "IPaddr2"].contains(&resource.kind());
    let entry = match address(&word).filter(|_| is_address) {
        Some((address, _)) => {
            let known = ["ip", "netmask", "cidr_netmask", "nic", "broadcast"];
            for (name, text) in resource.params.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
                notes.leave(
                    base,
                    &format!("{}: {name}={text}", resource.id),
                    "the generator gives IPaddr2 what it needs",
                );
            }
            if resource.kind() == "IPaddr" {
                notes.change(base, &resource.id, "IPaddr2 in place of IPaddr");
            }
            for one in &resource.operations {
                let times = format!(
                    "interval={} timeout={}",
                    one.interval.as_deref().unwrap_or("-"),
                    one.timeout.as_deref().unwrap_or("-")
                );
                notes.leave(
                    base,
                    &format!("{}: {} {times}", resource.id, one.name),
                    "the generator has times of its own",
                );
            }
            Entry::Address(address)
        }
        None => Entry::Script(format!("{} ({})", resource.id, resource.agent), Vec::new()),
    };
    let own = old.locations.iter().filter(|one| one.resource == resource.id);
    let mut node = String::new();
    for location in own {
        match preferred(location) {
            Some(name) if node.is_empty() => {
                notes.change(
                    base,
                    &location.id,
                    format!("{name} is the first director: where it starts when nothing else speaks"),
                );
                node = name;
            }
            _ if location.rules.iter().any(|rule| rule.by_attribute && rule.score.contains("ping")) => {
                notes.change(base, &location.id, "[router] counts for more than the first director and the stickiness");
            }
            _ => notes.leave(base, &location.id, "directors follow what they see: real servers and the router"),
        }
    }
    Together { place: base.to_owned(), node, resources: vec![entry] }
}

/// The node that a location likes.
fn preferred(location: &Location) -> Option<String> {
    let positive = |score: &str| crate::configuration::score(score).is_some_and(|score| score > 0);
    if let Some(node) = &location.node {
        return location.score.as_deref().is_some_and(positive).then(|| node.clone());
    }
    let [rule] = location.rules.as_slice() else { return None };
    let [only] = rule.expressions.as_slice() else { return None };
    let by_name = only.attribute == "#uname" && only.operation == "eq" && !rule.by_attribute && positive(&rule.score);
    only.value.clone().filter(|_| by_name)
}
