//! What nodes see each other and their clients by.

use super::{Found, Subject, names};
use crate::configuration::{Resource, value};

pub(super) fn single(subject: &Subject) -> Vec<Found> {
    let nodes = subject.configuration.nodes.iter().filter(|node| node.votes && node.links == Some(1));
    let all: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let text = "are linked by one network: one switch that fails takes the cluster apart, and nodes are fenced";
    vec![Found::warning(
        names(&all),
        text,
        "a second address for every node, in a network of its own: address = [\"...\", \"...\"]",
    )]
}

pub(super) fn with_ping(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let is_ping = |id: &str| {
        let within = configuration.within(id);
        !within.is_empty() && within.iter().all(|resource| resource.is_ping())
    };
    let found = configuration.colocations.iter().filter(|one| is_ping(&one.with));
    let finding = |one: &crate::configuration::Colocation| {
        let text = format!(
            "{} follows {}, which runs and does not fail whatever it reaches: nothing moves",
            one.resource, one.with
        );
        let fix = format!(
            "a location rule on its attribute in place of it: {} -INFINITY where not_defined pingd or pingd lt 1",
            one.resource
        );
        Found::error(one.id.clone(), text, fix)
    };
    found.map(finding).collect()
}

/// The node attribute that a resource publishes what it reaches in.
fn attribute(resource: &Resource) -> &str {
    value(&resource.params, "name").unwrap_or("pingd")
}

pub(super) fn unused(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let asked = |name: &str| {
        let rules = configuration.locations.iter().flat_map(|location| &location.rules);
        let mut rules = rules.filter(|rule| {
            (rule.by_attribute && rule.score == name) || rule.expressions.iter().any(|one| one.attribute == name)
        });
        rules.next().is_some()
    };
    let idle = configuration.resources.iter().filter(|one| one.is_ping() && !asked(attribute(one)));
    let finding = |one: &Resource| {
        let text = format!("no rule looks at {}: what it finds has no effect", attribute(one));
        let fix = format!(
            "a location rule for what has to reach clients: -INFINITY where not_defined {0} or {0} lt 1",
            attribute(one)
        );
        Found::warning(one.id.clone(), text, fix)
    };
    idle.map(finding).collect()
}
