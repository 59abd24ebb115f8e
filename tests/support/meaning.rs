//! What a configuration means: without the ids that tools choose, what goes without saying, and the order of what has none.

use inuvika_ha::document::element::Element;

/// What goes without saying.
const SILENT: [(&str, &str); 9] = [
    ("first-action", "start"),
    ("then-action", "start"),
    ("action", "start"),
    ("symmetrical", "true"),
    ("sequential", "true"),
    ("require-all", "true"),
    ("boolean-op", "and"),
    ("rsc-role", "Started"),
    ("with-rsc-role", "Started"),
];

/// What has an id of its own, and what consists of parts in an order.
const OWN: [&str; 10] = [
    "primitive",
    "clone",
    "group",
    "rsc_location",
    "rsc_colocation",
    "rsc_order",
    "resource_ref",
    "obj_ref",
    "alert",
    "tag",
];
const ORDERED: [&str; 4] = ["group", "resource_set", "rsc_order", "rsc_colocation"];

/// The sections that people configure.
const SECTIONS: [&str; 9] = [
    "crm_config",
    "nodes",
    "resources",
    "constraints",
    "rsc_defaults",
    "op_defaults",
    "fencing-topology",
    "alerts",
    "tags",
];

/// The meaning of a CIB, a line for each thing.
pub fn of(cib: &str) -> String {
    let cib = Element::read(cib).unwrap();
    let configuration = cib.child("configuration").unwrap();
    let part = |part| configuration.child(part).map(|part| meaning(part, false));
    // A section without anything in it may be there or not.
    SECTIONS.into_iter().filter_map(part).filter(|part| !part.ends_with("[]()")).collect::<Vec<_>>().join("\n")
}

fn meaning(element: &Element, is_ordered: bool) -> String {
    let own = OWN.contains(&&*element.name);
    let mut attributes: Vec<String> = element
        .attributes
        .iter()
        .filter(|(name, value)| (own || name != "id") && !SILENT.contains(&(name, value)))
        .map(|(name, value)| format!("{name}={:?}", today(value)))
        .collect();
    attributes.sort();
    // A set may be left without a value.
    let full = |child: &&Element| !child.name.ends_with("_attributes") || !child.children.is_empty();
    let children = element.children.iter().filter(full);
    let mut children: Vec<String> = children.map(|child| meaning(child, ORDERED.contains(&&*child.name))).collect();
    if !is_ordered {
        children.sort();
    }
    format!("{}[{}]({})", element.name, attributes.join(" "), children.join("\n"))
}

/// Roles had other names before Pacemaker 2.1.
fn today(value: &str) -> &str {
    match value {
        "Master" => "Promoted",
        "Slave" => "Unpromoted",
        value => value,
    }
}
