//! A plan as a part of the cluster information base: its elements, with the ids that pcs gives them.

mod beside;
mod constraint;
mod dialect;
mod resource;

use super::plan::{Plan, Step};
use crate::document::element::Element;

pub use dialect::Cib;
pub(super) use dialect::make;
pub use resource::placeholder;

/// The id of the set with the cluster's properties.
pub const PROPERTIES: &str = "cib-bootstrap-options";
/// The id of the set with the defaults of all resources.
pub const DEFAULTS: &str = "rsc_defaults-meta_attributes";
/// The id of the set with the defaults of all operations.
pub const OPERATION_DEFAULTS: &str = "op_defaults-meta_attributes";

/// The configuration of a plan: `<configuration>`, without the nodes. Secrets are [`placeholder`]s.
pub fn configuration(plan: &Plan) -> Element {
    let mut properties = Element::new("cluster_property_set", &[("id", PROPERTIES)]);
    let mut defaults = Element::new("meta_attributes", &[("id", DEFAULTS)]);
    let mut resources = Element::new("resources", &[]);
    let mut constraints = Element::new("constraints", &[]);
    let mut nodes = Element::new("nodes", &[]);
    let mut operations = Element::new("meta_attributes", &[("id", OPERATION_DEFAULTS)]);
    let mut topology = Element::new("fencing-topology", &[]);
    let mut alerts = Element::new("alerts", &[]);
    let mut tags = Element::new("tags", &[]);
    for step in plan.sections.iter().flat_map(|section| &section.steps) {
        match step {
            // What is done before there is a configuration, what is in those of others, and what people do.
            Step::Auth | Step::ClusterSetup { .. } | Step::Agents | Step::ByHand(_) => {}
            Step::QuorumDevice(_) | Step::Sbd(_) => {}
            Step::Property(pairs) => properties.children.extend(resource::pairs(PROPERTIES, pairs)),
            Step::Defaults(pairs) => defaults.children.extend(resource::pairs(DEFAULTS, pairs)),
            Step::Stonith(device) => resources.children.push(resource::primitive(device, true)),
            Step::Primitive(one) => resources.children.push(resource::primitive(one, false)),
            Step::Clone { resource, meta } => resource::clone(&mut resources, resource, meta),
            Step::Promotable { resource, meta } => resource::promotable(&mut resources, resource, meta),
            Step::Group { id, members, meta } => resource::group(&mut resources, id, members, meta),
            Step::Remote(one) => resources.children.push(resource::primitive(one, false)),
            Step::OperationDefaults(pairs) => operations.children.extend(resource::pairs(OPERATION_DEFAULTS, pairs)),
            Step::NodeAttributes { node, attributes } => nodes.children.push(beside::node(node, attributes)),
            Step::Level { node, level, devices } => topology.children.push(beside::level(node, *level, devices)),
            Step::Alert(one) => alerts.children.push(beside::alert(one)),
            Step::Tag { id, members } => tags.children.push(beside::tag(id, members)),
            Step::Location { resource, node, rule } => {
                constraints.children.push(constraint::location(resource, node, *rule));
            }
            Step::Attraction { resource, attribute, view, weight } => {
                constraints.children.push(constraint::attraction(resource, attribute, view, *weight));
            }
            Step::Where { id, part, score, condition } => {
                constraints.children.push(constraint::by_rule(id, part, score, condition));
            }
            Step::Colocation { part, with, score } => {
                constraints.children.push(constraint::colocation(part, with, score));
            }
            Step::Together { id, sets, score } => constraints.children.push(constraint::together(id, sets, score)),
            Step::Order { first, then, kind, symmetrical } => {
                constraints.children.push(constraint::order(first, then, *kind, *symmetrical));
            }
            Step::Sequence { id, sets, kind, symmetrical } => {
                constraints.children.push(constraint::sequence(id, sets, *kind, *symmetrical));
            }
        }
    }
    // A remote node is known to the cluster by its connection alone.
    let is_remote = |name: &str| plan.steps().any(|step| matches!(step, Step::Remote(one) if one.id == name));
    for node in nodes.children.iter_mut().filter(|node| is_remote(node.text("uname"))) {
        node.set("type", "remote");
    }
    let wanted = |one: &Element| !one.children.is_empty();
    let operations = wanted(&operations).then(|| Element::new("op_defaults", &[]).with([operations]));
    let more = [topology, tags, alerts].into_iter().filter(wanted);
    Element::new("configuration", &[])
        .with([
            Element::new("crm_config", &[]).with([properties]),
            nodes,
            resources,
            constraints,
            Element::new("rsc_defaults", &[]).with([defaults]),
        ])
        .with(operations)
        .with(more)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::configuration;
    use crate::pcs::plan;
    use crate::scenario::read;

    const FILES: &str = include_str!("../../../pcs-examples/ovd-file-server/scenario.toml");

    #[test]
    fn clones_have_their_resource_and_ids_are_unique() {
        let whole = configuration(&plan(&read("s.toml", FILES).unwrap().scenario));
        let clones: Vec<_> = whole.all("clone").iter().map(|one| (one.id().to_owned(), one.children.len())).collect();
        assert!(clones.contains(&("ofs_ctdb-clone".into(), 2)), "{clones:?}");
        let mut ids = Vec::new();
        whole.clone().each(&mut |one| ids.extend(one.get("id").map(str::to_owned)));
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert!(count > 40 && ids.len() == count);
        assert!(!whole.write(0).contains("globally-unique"), "an empty value means none");
    }
}
