//! The services that are where the address is.

use super::{after, never, pairs, section};
use crate::pcs::plan::{OrderKind, Resource, Section, Setting, Step, View, Weight};
use crate::scenario::Scenario;
use crate::scenario::failover::{Weighed, Weights};
use crate::scenario::setup::{self, NEVER, OK, Service};
use crate::scenario::virtual_ip;

/// What a service has without which the others are of no use: they follow it to another node.
const CRITICAL: &[(&str, &str)] = &[("critical", "true")];

/// What a service has that is no reason to move the others: it is repaired in place as often as it takes.
const NOT_CRITICAL: &[(&str, &str)] =
    &[("critical", "false"), ("migration-threshold", "INFINITY"), ("failure-timeout", "10min")];

/// A service as a resource.
pub(super) fn primitive(service: &Service, meta: Vec<(String, String)>) -> Resource {
    let setting = |value: &Option<String>| value.clone().map_or(Setting::Unset, Setting::Text);
    Resource {
        id: service.kind.section.into(),
        agent: format!("ocf:inuvika:{}", service.spec.name),
        params: service.params.iter().map(|(name, value)| ((*name).into(), setting(value))).collect(),
        meta,
        operations: setup::operations(service.spec),
        whole: false,
    }
}

/// A service that follows the address.
pub(super) fn follower(service: &Service, scenario: &Scenario, quorum: &[String]) -> Section {
    let id = service.kind.section;
    let critical = pairs(if service.kind.critical { CRITICAL } else { NOT_CRITICAL });
    let resource = primitive(service, [critical, pairs(service.kind.meta)].concat());
    let everywhere = resource.is_asked_everywhere();
    let mut steps = vec![Step::Primitive(resource)];
    steps.extend(never(id, quorum));
    steps.push(Step::Colocation { part: id.into(), with: virtual_ip::ID.into(), score: "INFINITY".into() });
    steps.push(after(virtual_ip::ID, id, OrderKind::Optional));
    let there = |name: &&&str| scenario.services.iter().any(|other| other.kind.section == **name);
    for then in service.kind.before.iter().filter(there) {
        steps.push(after(id, *then, OrderKind::Optional));
    }
    let mut why = service.kind.why.to_vec();
    if !service.kind.critical {
        why.extend([
            "critical=false: nothing else moves when it fails. migration-threshold=INFINITY: however often it is lost, it",
            "is put back where it is. failure-timeout: a start that failed is tried again after this time.",
        ]);
    }
    why.push("kind=Optional: it starts after the address and stops before it; an address that recovers in place does");
    why.push("not restart it.");
    if everywhere {
        why.extend(PASSIVE);
    }
    let views;
    if let Some(vantage) = service.kind.vantage {
        let (attraction, reason) = attraction(scenario, &format!("{id}-{vantage}"), "the database");
        steps.extend(attraction);
        views = reason;
        why.extend(views.iter().map(String::as_str));
    }
    if let Some(replica) = service.kind.replica {
        steps.extend(copies(scenario, &format!("{id}-{replica}")));
        why.extend(COPIES);
    }
    section(id, &why, steps)
}

/// A service that is a member of a group, which says where it goes.
pub(super) fn member(service: &Service) -> Section {
    let critical = pairs(if service.kind.critical { CRITICAL } else { NOT_CRITICAL });
    let resource = primitive(service, [critical, pairs(service.kind.meta)].concat());
    let mut why = service.kind.why.to_vec();
    if resource.is_asked_everywhere() {
        why.extend(PASSIVE);
    }
    section(service.kind.section, &why, vec![Step::Primitive(resource)])
}

const PASSIVE: &[&str] = &[
    "The monitor with role=Stopped runs on every node where it is not to run, and reports a second one.",
    "on-fail=ignore: one that hangs three times does not keep the passive node from taking over. One that runs there",
    "and that the cluster has not started is reported in the log of that node; whoever has started it has to end it.",
];

const COPIES: &[&str] = &[
    "The active node publishes how good the other one's copy is. Where nothing runs, a node with a whole copy comes before",
    "the first node. It counts for less than the stickiness: nothing that runs moves because of it. It counts for less",
    "than a database that only the other node reaches, too. A node that has never had a whole copy serves nothing.",
];

/// What makes the services start where the newest data are. A node of which nothing is known, or whose copy is old, has
/// neither: when it is the only one left, it must serve.
fn copies(scenario: &Scenario, attribute: &str) -> [Step; 2] {
    let score = weights(scenario).replica;
    let step = |value: &str, weight| Step::Attraction {
        resource: scenario.anchor().into(),
        attribute: attribute.into(),
        view: View::Is(value.into()),
        weight,
    };
    [step(OK, Weight::For(score)), step(NEVER, Weight::Never)]
}

/// What makes the services leave a node for one that sees something they need, and why it does.
///
/// The scores are positive: a node with a negative one may run nothing, so a database that nobody sees would stop
/// everything.
pub(super) fn attraction(scenario: &Scenario, attribute: &str, what: &str) -> ([Step; 2], Vec<String>) {
    let weights = weights(scenario);
    let step = |view, score| Step::Attraction {
        resource: scenario.anchor().into(),
        attribute: attribute.into(),
        view,
        weight: Weight::For(score),
    };
    let steps = [step(View::Is(OK.into()), weights.database), step(View::Unknown, weights.database / 2)];
    let why = match weights.moves {
        true => vec![
            format!("Every node publishes whether it reaches {what}. Everything moves when the active node has lost it and"),
            "another has not: the score of a node that says ok is above all that keeps them here together. When all have".into(),
            "lost it, nothing moves. A node that says nothing yet is in between: half of the score neither attracts".into(),
            "services from a node that says lost, nor lets those of a node that has just started go.".into(),
        ],
        false => vec![
            format!("WARNING: every node publishes whether it reaches {what}, but nothing moves because of it: no score"),
            "is above this stickiness.".into(),
        ],
    };
    (steps, why)
}

/// The scores of node attributes.
pub(super) fn weights(scenario: &Scenario) -> Weights {
    scenario.failover.weights(&Weighed::of(scenario.setup, &scenario.services))
}
