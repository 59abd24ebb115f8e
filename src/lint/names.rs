//! Names in constraints that nothing has.

use super::{Found, Subject};
use std::collections::BTreeSet;

/// What rules call the name of a node.
const NODE: &str = "#uname";

pub(super) fn unknown_node(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    // Nodes of pacemaker_remote are resources, or guests of some.
    let remote = configuration.resources.iter().filter(|one| one.kind() == "remote").map(|one| one.id.as_str());
    let guests = configuration.resources.iter().filter_map(|one| crate::configuration::value(&one.meta, "remote-node"));
    let known: BTreeSet<&str> =
        configuration.nodes.iter().map(|node| node.name.as_str()).chain(remote).chain(guests).collect();
    if configuration.nodes.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for location in &configuration.locations {
        let expressions = location.rules.iter().flat_map(|rule| &rule.expressions);
        let in_rules = expressions.filter(|one| one.attribute == NODE).filter_map(|one| one.value.as_deref());
        for name in location.node.as_deref().into_iter().chain(in_rules).filter(|name| !known.contains(name)) {
            let text = format!("names the node {name}, which is not in the cluster: it has no effect");
            found.push(Found::error(location.id.clone(), text, "the node's name as \"crm_node -n\" says it there"));
        }
    }
    found
}

pub(super) fn unknown_resource(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let locations = configuration.locations.iter().map(|one| (&one.id, &one.resource));
    let colocations = configuration.colocations.iter().flat_map(|one| [(&one.id, &one.resource), (&one.id, &one.with)]);
    let orders = configuration.orders.iter().flat_map(|one| [(&one.id, &one.first), (&one.id, &one.then)]);
    let all: BTreeSet<(&String, &String)> = locations.chain(colocations).chain(orders).collect();
    let lost = all.into_iter().filter(|(_, name)| !name.is_empty() && !configuration.knows(name));
    let finding = |(id, name): (&String, &String)| {
        let text = format!("names {name}, which is no resource, group or clone");
        Found::error(id.clone(), text, "the id of what it is about, or no such constraint")
    };
    lost.map(finding).collect()
}
