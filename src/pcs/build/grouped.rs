//! The address and the services as a group: each needs those before it.

use super::services::{self, attraction};
use super::{everywhere, never, pairs, preference, section};
use crate::pcs::plan::{Resource, Section, Step};
use crate::pcs::{filesystem, ipaddr2};
use crate::scenario::Scenario;
use crate::scenario::node::Role;
use crate::scenario::setup::Service;
use crate::scenario::{repository, virtual_ip};

/// What a server that everybody has lost makes fail on every node is tried again after this time, not only when the failures of the
/// services are forgotten.
const AGAIN: &[(&str, &str)] = &[("failure-timeout", "10min")];

/// What is mounted, the address, the services, then the group of them and where it goes.
pub(super) fn sections(group: &str, services: &[&Service], scenario: &Scenario, quorum: &[String]) -> Vec<Section> {
    let mut all = Vec::new();
    let mut members = Vec::new();
    if let Some(one) = &scenario.repository {
        members.push(repository::ID.to_owned());
        all.push(section(
            "the repository",
            &[
                "Mounted on the active node, before anything else, and nowhere else.",
                "failure-timeout: a start that failed, as its server was gone, is tried again after this time.",
            ],
            vec![Step::Primitive(Resource { meta: pairs(AGAIN), ..filesystem::resource(one) })],
        ));
    }
    members.push(virtual_ip::ID.to_owned());
    let address = scenario.virtual_ip.iter().map(ipaddr2::resource);
    let address = address.map(|plain| Step::Primitive(Resource { meta: pairs(AGAIN), ..plain })).collect();
    all.push(section("the virtual IP address", scenario.setup.address, address));
    for service in services {
        members.push(service.kind.section.to_owned());
        all.push(services::member(service));
    }
    all.push(together(group, members, scenario, quorum));
    all.extend(everywhere::reach(scenario));
    for service in services {
        if let Some(vantage) = service.kind.vantage {
            let (steps, why) = attraction(scenario, &format!("{}-{vantage}", service.kind.section), NEEDS);
            all.push(Section { title: format!("what {} needs", service.kind.section), why, steps: steps.into() });
        }
    }
    all
}

/// What the nodes publish their view of, for the reader.
const NEEDS: &str = "what the services need";

fn together(group: &str, members: Vec<String>, scenario: &Scenario, quorum: &[String]) -> Section {
    let mut steps = vec![Step::Group { id: group.to_owned(), members, meta: Vec::new() }];
    let first = scenario.nodes.iter().find(|node| node.role == Role::Active);
    let rule = preference(scenario);
    steps.extend(first.map(|node| Step::Location { resource: group.to_owned(), node: node.name.clone(), rule }));
    steps.extend(never(group, quorum));
    let mut why = vec![
        "A group: they start in this order in one place, and stop the other way round. One that is restarted takes those",
        "behind it along. The first node of the scenario is where they start the first time; the preference is too weak to",
        "move them back there later (score 1 against the stickiness).",
    ];
    if !quorum.is_empty() {
        why.push(scenario.setup.voters);
    }
    section("they stay together", &why, steps)
}
