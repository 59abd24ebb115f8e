//! Where resources may be, and where somebody asks for them.

use super::{Found, Subject, is_false, names};
use crate::configuration::{Configuration, Location, Resource, score, value};

/// The locations that hold for a resource: its own, those of its group and of the clone around.
fn locations<'a>(configuration: &'a Configuration, resource: &'a Resource) -> impl Iterator<Item = &'a Location> {
    let within = move |location: &&Location| {
        location.resource == resource.id
            || configuration.within(&location.resource).iter().any(|one| one.id == resource.id)
    };
    configuration.locations.iter().filter(within)
}

fn is_never(location: &Location) -> bool {
    location.score.as_deref().and_then(score).is_some_and(|score| score <= -1_000_000)
}

/// Resources that constraints keep off a node, those that only follow them too.
fn banned<'a>(configuration: &'a Configuration, node: &str) -> Vec<&'a str> {
    let own = |resource: &&Resource| {
        locations(configuration, resource).any(|one| one.node.as_deref() == Some(node) && is_never(one))
    };
    let mut all: Vec<&str> = configuration.services().filter(own).map(|one| one.id.as_str()).collect();
    loop {
        let follows = |id: &str| {
            let mut leads = configuration.colocations.iter().filter(|one| {
                score(&one.score).is_some_and(|score| score >= 1_000_000)
                    && configuration.within(&one.resource).iter().any(|resource| resource.id == id)
            });
            leads.any(|one| {
                let with = configuration.within(&one.with);
                !with.is_empty() && with.iter().all(|resource| all.contains(&resource.id.as_str()))
            })
        };
        let more: Vec<&str> =
            configuration.services().map(|one| one.id.as_str()).filter(|id| !all.contains(id) && follows(id)).collect();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

pub(super) fn probed(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let services: Vec<&Resource> = configuration.services().collect();
    let mut found = Vec::new();
    for node in configuration.nodes.iter().filter(|node| node.votes) {
        if services.is_empty() || banned(configuration, &node.name).len() < services.len() {
            continue;
        }
        let asked = |resource: &&&Resource| {
            !locations(configuration, resource)
                .any(|one| one.node.as_deref() == Some(&node.name) && one.discovery.as_deref() == Some("never"))
        };
        let all: Vec<&str> = services.iter().filter(asked).map(|one| one.id.as_str()).collect();
        if !all.is_empty() {
            let text = format!(
                "nothing may run there, and yet it is asked for {}: one wrong answer, and the resource counts as running twice",
                names(&all)
            );
            let fix = format!("constraint location add ID RESOURCE {} -INFINITY resource-discovery=never", node.name);
            found.push(Found::warning(format!("node {}", node.name), text, fix));
        }
    }
    found
}

pub(super) fn nowhere(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    if !value(&configuration.properties, "symmetric-cluster").is_some_and(is_false) {
        return Vec::new();
    }
    let placed = |resource: &&Resource| {
        locations(configuration, resource).any(|one| !is_never(one) && (one.node.is_some() || !one.rules.is_empty()))
            || configuration.locations.iter().any(|one| one.resource.is_empty())
    };
    let all: Vec<&str> = configuration.services().filter(|one| !placed(one)).map(|one| one.id.as_str()).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let text = "never starts: with symmetric-cluster=false every resource needs a node that it may be on, those that follow others too";
    vec![Found::error(names(&all), text, "a location for each of them, or symmetric-cluster=true")]
}
