//! What runs on every node that may run services, and what it says of where the address goes.

use super::{never, pairs, section, services};
use crate::pcs::ping;
use crate::pcs::plan::{Resource, Section, Step, View, Weight};
use crate::scenario::Scenario;
use crate::scenario::failover::Weighed;
use crate::scenario::router::Router;
use crate::scenario::setup::{Service, clone_id};

/// Meta attributes of a clone: anonymous, one for each node. interleave: what depends on an instance looks at the one of
/// its own node only.
const CLONE: &[(&str, &str)] =
    &[("interleave", "true"), ("globally-unique", ""), ("clone-max", ""), ("clone-node-max", ""), ("promotable", "")];

/// A resource on every node that may run services.
pub(super) fn cloned(resource: Resource, quorum: &[String]) -> Vec<Step> {
    let id = resource.id.clone();
    let voters = never(&clone_id(&id), quorum);
    let mut steps = vec![Step::Primitive(resource), Step::Clone { resource: id, meta: pairs(CLONE) }];
    steps.extend(voters);
    steps
}

/// The question to the router; `who` asks it.
pub(super) fn router(router: &Router, who: &str, quorum: &[String]) -> Section {
    let steps = cloned(ping::resource(router), quorum);
    let first = format!(
        "Every {who} asks the router towards the clients, and publishes whether it answers. It never fails itself."
    );
    let dampen = format!(
        "dampen: after a change the cluster waits until every {who} has asked: a router that is down moves nothing."
    );
    section("the router", &[&first, &dampen], steps)
}

/// A service on every node.
pub(super) fn service(service: &Service, quorum: &[String]) -> Section {
    let resource = services::primitive(service, pairs(service.kind.meta));
    section(service.kind.section, service.kind.why, cloned(resource, quorum))
}

/// Where the address goes by what the nodes reach; nothing when they do not say.
pub(super) fn reach(scenario: &Scenario) -> Option<Section> {
    let count = scenario.services.iter().find_map(|service| service.count.as_ref());
    if count.is_none() && scenario.router.is_none() {
        return None;
    }
    let reach = scenario.failover.reach(&Weighed::of(scenario.setup, &scenario.services));
    let attract = |attribute: &str, view, score| Step::Attraction {
        resource: scenario.anchor().into(),
        attribute: attribute.into(),
        view,
        weight: Weight::For(score),
    };
    let mut steps = Vec::new();
    if let Some(count) = count {
        steps.push(attract(&count.attribute, View::AtLeast(1), reach.any));
        steps.extend(reach.steps.iter().map(|number| attract(&count.attribute, View::AtLeast(*number), reach.step)));
        steps.push(attract(&count.attribute, View::Unknown, reach.all()));
    }
    if scenario.router.is_some() {
        let attribute = ping::attribute();
        steps.push(attract(&attribute, View::AtLeast(1), reach.router));
        steps.push(attract(&attribute, View::Unknown, reach.router));
    }
    let mut why = Vec::new();
    if !reach.moves {
        why.extend([
            "WARNING: no score is above this stickiness. What follows decides where nothing runs, and moves nothing.",
        ]);
    }
    why.extend(match count.map(|count| count.most) {
        None => &[][..],
        Some(Some(_)) => EIGHTHS,
        Some(None) => DOUBLINGS,
    });
    if scenario.setup.group.is_some() {
        why.extend(TOGETHER);
        return Some(section("clients reach them", &why, steps));
    }
    why.extend(REASONS);
    Some(section("where the virtual IP address goes", &why, steps))
}

const EIGHTHS: &[&str] = &[
    "Every director publishes how many real servers it sees well, counted in each service. One that sees any counts for",
    "more than all else: the address leaves a director that alone sees none. The numbers below make steps of equal weight:",
    "where nothing runs, the director that sees most comes first; what runs moves when another sees more by over half of",
    "all real servers (the first director: by half of them).",
];

const DOUBLINGS: &[&str] = &[
    "Every director publishes how many real servers it sees well, counted in each service. One that sees any counts for",
    "more than all else: the address leaves a director that alone sees none. How many there are stands in the file, so each",
    "doubling is a step of equal weight: where nothing runs, the director that sees most by far comes first.",
];

const TOGETHER: &[&str] = &[
    "The router counts for more than the first node and all that keeps the services where they are: they leave a node that",
    "alone has lost it. A colocation with the clone would not do that: it runs, and never fails, whatever it finds. A node",
    "that has not said anything yet is taken for one that reaches it. All scores are positive: the only node left serves.",
];

const REASONS: &[&str] = &[
    "The router counts for more than the steps, the first director and the stickiness: the address leaves a director that",
    "alone has lost it. A director that has not said something yet is taken for one that sees all: nothing leaves it",
    "before it has spoken. All scores are positive: the only director left serves, whatever it sees.",
];
