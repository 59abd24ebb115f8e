//! What a scenario has beside the services of its set-up, as steps.

use super::{never, section, setting};
use crate::pcs::plan::step::REMOTE;
use crate::pcs::plan::{Operation, Resource, Section, Setting, Step};
use crate::scenario::constraint::Constraint;
use crate::scenario::free::{Copies, Free, Level, Primitive, Remote, Tag};

/// What the resources of the set-up may need: attributes of nodes, remote nodes, properties, levels of fencing.
pub(super) fn before(free: &Free, sections: &mut Vec<Section>) {
    let mut settings = Vec::new();
    let some = |pairs: &Vec<(String, String)>| (!pairs.is_empty()).then(|| pairs.clone());
    settings.extend(some(&free.properties).map(Step::Property));
    settings.extend(some(&free.defaults).map(Step::Defaults));
    settings.extend(some(&free.operation_defaults).map(Step::OperationDefaults));
    if !settings.is_empty() {
        sections.push(section("settings of the scenario", &[], settings));
    }
    if !free.remotes.is_empty() {
        sections.push(section(
            "remote nodes",
            &[
                "They run resources, but neither corosync nor votes. The cluster connects to pacemaker_remote on them: each needs",
                "the cluster's key, /etc/pacemaker/authkey, the same as on all other nodes, and port 3121 open.",
            ],
            free.remotes.iter().map(remote).collect(),
        ));
    }
    let attributes = free.attributes.iter().cloned();
    let remote = free.remotes.iter().filter(|remote| !remote.attributes.is_empty());
    let attributes = attributes.chain(remote.map(|remote| (remote.name.clone(), remote.attributes.clone())));
    let attributes: Vec<_> = attributes.map(|(node, attributes)| Step::NodeAttributes { node, attributes }).collect();
    if !attributes.is_empty() {
        sections.push(section("attributes of nodes", &["Rules ask for them."], attributes));
    }
    if !free.levels.is_empty() {
        let level =
            |one: &Level| Step::Level { node: one.node.clone(), level: one.level, devices: one.devices.clone() };
        sections.push(section(
            "levels of fencing",
            &["All devices of a level have to work, one after the other; when one fails, the next level is tried."],
            free.levels.iter().map(level).collect(),
        ));
    }
}

/// Resources, groups, constraints, alerts, tags.
pub(super) fn after(free: &Free, voters: &[String]) -> Vec<Section> {
    let mut all = Vec::new();
    for one in &free.resources {
        let mut steps = vec![Step::Primitive(primitive(one))];
        steps.extend(copies(&one.id, &one.copies));
        all.push(section(&one.id, &[], steps));
    }
    for group in &free.groups {
        let (id, members, meta) = (group.id.clone(), group.members.clone(), group.meta.clone());
        let mut steps = vec![Step::Group { id, members, meta }];
        steps.extend(copies(&group.id, &group.copies));
        let why = "They start in this order in one place, and stop the other way round.";
        all.push(section(&group.id, &[why], steps));
    }
    let apart: Vec<Step> = free.outermost().flat_map(|id| never(&id, voters)).collect();
    if !apart.is_empty() {
        let why = "Nodes that only vote never run any of them, and are not asked at the start of the cluster.";
        all.push(section("nodes that only vote", &[why], apart));
    }
    if !free.constraints.is_empty() {
        let steps = free.constraints.iter().map(constraint).collect();
        all.push(section("where they run, and after what", &[], steps));
    }
    let alerts: Vec<Step> = free.alerts.iter().cloned().map(Step::Alert).collect();
    if !alerts.is_empty() {
        let why = "The program has to be on every node, and runs there as hacluster, on every node for itself.";
        all.push(section("who is told", &[why], alerts));
    }
    let tag = |tag: &Tag| Step::Tag { id: tag.id.clone(), members: tag.members.clone() };
    if !free.tags.is_empty() {
        all.push(section(
            "names for several",
            &["For people: they change nothing."],
            free.tags.iter().map(tag).collect(),
        ));
    }
    all
}

fn primitive(one: &Primitive) -> Resource {
    Resource {
        id: one.id.clone(),
        agent: one.agent.clone(),
        params: one.params.iter().map(|(name, value)| (name.clone(), setting(value))).collect(),
        meta: one.meta.clone(),
        operations: one.operations.clone(),
        whole: true,
    }
}

fn remote(one: &Remote) -> Step {
    let text = |name: &str, value: String| (name.to_owned(), Setting::Text(value));
    let mut params = vec![text("server", one.address.to_string())];
    params.extend(one.port.map(|port| text("port", port.to_string())));
    params.extend(one.reconnect_interval.clone().map(|time| text("reconnect_interval", time)));
    Step::Remote(Resource {
        id: one.name.clone(),
        agent: REMOTE.into(),
        params,
        meta: Vec::new(),
        operations: vec![
            Operation::plain("monitor", 30, 30),
            Operation::plain("start", 0, 60),
            Operation::plain("stop", 0, 60),
        ],
        whole: true,
    })
}

/// The clone that a resource or group is in.
fn copies(id: &str, copies: &Copies) -> Option<Step> {
    let resource = id.to_owned();
    Some(match copies {
        Copies::One => return None,
        Copies::Clone(meta) => {
            // One that was promotable before must not be that any more.
            let meta = meta.iter().cloned().chain([("promotable".to_owned(), String::new())]).collect();
            Step::Clone { resource, meta }
        }
        Copies::Promotable(meta) => Step::Promotable { resource, meta: meta.clone() },
    })
}

fn constraint(one: &Constraint) -> Step {
    match one.clone() {
        Constraint::Location { resource, node, rule } => Step::Location { resource, node, rule },
        Constraint::Where { id, part, score, condition } => {
            Step::Where { id, part, score: score.to_string(), condition }
        }
        Constraint::Colocation { part, with, score } => Step::Colocation { part, with, score: score.to_string() },
        Constraint::Together { id, sets, score } => Step::Together { id, sets, score: score.to_string() },
        Constraint::Order { first, then, kind, symmetrical } => Step::Order { first, then, kind, symmetrical },
        Constraint::Sequence { id, sets, kind, symmetrical } => Step::Sequence { id, sets, kind, symmetrical },
    }
}
