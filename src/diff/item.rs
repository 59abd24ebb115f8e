//! What a configuration consists of, by what it means: ids that tools choose have no part in it.

use crate::document::element::Element;
use std::collections::BTreeMap;

/// Kind and name of something, with its parts and their values.
pub(super) type Items = BTreeMap<(String, String), BTreeMap<String, String>>;

/// Everything in a CIB's configuration.
pub(super) fn items(cib: &Element) -> Items {
    let mut items = Items::new();
    let configuration = cib.child("configuration").unwrap_or(cib);
    for section in &configuration.children {
        match section.name.as_str() {
            "crm_config" => {
                // Sets of our own agents, with what they remember, are no part of the configuration.
                let sets = section.children.iter().filter(|set| !set.id().starts_with("inuvika"));
                pairs(sets).for_each(|pair| one_value(&mut items, "property", pair));
            }
            "rsc_defaults" => pairs(section.children.iter()).for_each(|pair| one_value(&mut items, "default", pair)),
            "op_defaults" => {
                pairs(section.children.iter()).for_each(|pair| one_value(&mut items, "operation default", pair));
            }
            "nodes" => nodes(&mut items, section),
            "resources" => section.children.iter().for_each(|one| resource(&mut items, one, "")),
            "constraints" => section.children.iter().for_each(|one| constraint(&mut items, one)),
            "fencing-topology" => section.children.iter().for_each(|one| {
                let name = format!("{} of {}", one.text("index"), one.text("target"));
                let parts = BTreeMap::from([("devices".to_owned(), one.text("devices").to_owned())]);
                add(&mut items, "fencing level", &name, parts);
            }),
            "alerts" => section.children.iter().for_each(|one| alert(&mut items, one)),
            "tags" => section.children.iter().for_each(|one| {
                let parts = BTreeMap::from([("members".to_owned(), ids(one))]);
                add(&mut items, "tag", one.id(), parts);
            }),
            _ => {
                for one in &section.children {
                    add(&mut items, &one.name, one.id(), BTreeMap::new());
                }
            }
        }
    }
    items
}

const NODE: &str = "node";
const REMOTE: &str = "remote node";

fn add(items: &mut Items, kind: &str, name: &str, parts: BTreeMap<String, String>) {
    let mut name = name.to_owned();
    // What is there twice differs from what is there once.
    while items.contains_key(&(kind.to_owned(), name.clone())) {
        name.push_str(" (again)");
    }
    items.insert((kind.to_owned(), name), parts);
}

fn pairs<'a>(sets: impl Iterator<Item = &'a Element>) -> impl Iterator<Item = &'a Element> {
    sets.flat_map(|set| set.children.iter()).filter(|pair| pair.name == "nvpair")
}

fn one_value(items: &mut Items, kind: &str, pair: &Element) {
    let parts = BTreeMap::from([("value".to_owned(), pair.text("value").to_owned())]);
    add(items, kind, pair.text("name"), parts);
}

fn nodes(items: &mut Items, section: &Element) {
    for node in &section.children {
        let attributes = pairs(node.children.iter());
        let parts = attributes.map(|pair| (format!("attribute {}", pair.text("name")), pair.text("value").to_owned()));
        let kind = if node.text("type") == "remote" { REMOTE } else { NODE };
        add(items, kind, node.text("uname"), parts.collect());
    }
}

/// Leaves out what a cluster has beyond the scenario without differing from it: attributes may be what an agent remembers. Standby and
/// maintenance are what people do.
pub(super) fn leave_out_memory(there: &mut Items, wanted: &Items) {
    // A remote node is known by its connection, which is a resource.
    there.retain(|key, _| key.0 != REMOTE || wanted.contains_key(key));
    for (key, parts) in there.iter_mut().filter(|((kind, _), _)| kind == NODE || kind == REMOTE) {
        let said = |part: &str| wanted.get(key).is_some_and(|parts| parts.contains_key(part));
        parts.retain(|part, _| part == "attribute standby" || part == "attribute maintenance" || said(part));
    }
}

fn alert(items: &mut Items, element: &Element) {
    let mut parts = BTreeMap::from([("path".to_owned(), element.text("path").to_owned())]);
    for (kind, word) in [("instance_attributes", "option"), ("meta_attributes", "meta")] {
        for pair in pairs(element.children.iter().filter(|set| set.name == kind)) {
            parts.insert(format!("{word} {}", pair.text("name")), pair.text("value").to_owned());
        }
    }
    for one in element.named("recipient") {
        parts.insert(format!("recipient {}", one.text("value")), String::new());
    }
    add(items, "alert", element.id(), parts);
}

/// The ids of what is listed in an element.
fn ids(element: &Element) -> String {
    element.children.iter().map(Element::id).collect::<Vec<_>>().join(" ")
}

fn resource(items: &mut Items, element: &Element, inside: &str) {
    let mut parts = BTreeMap::new();
    if !inside.is_empty() {
        parts.insert("place".to_owned(), inside.to_owned());
    }
    for (kind, word) in [("instance_attributes", "option"), ("meta_attributes", "meta")] {
        for pair in pairs(element.children.iter().filter(|set| set.name == kind)) {
            parts.insert(format!("{word} {}", pair.text("name")), pair.text("value").to_owned());
        }
    }
    let kind = match element.name.as_str() {
        "primitive" => {
            let agent = [element.get("class"), element.get("provider"), element.get("type")];
            parts.insert("agent".into(), agent.into_iter().flatten().collect::<Vec<_>>().join(":"));
            element.all("op").into_iter().for_each(|one| operation(&mut parts, one));
            "resource"
        }
        other => other,
    };
    add(items, kind, element.id(), parts);
    let mut before = String::new();
    for member in element.children.iter().filter(|one| ["primitive", "group", "clone"].contains(&one.name.as_str())) {
        let place = match (element.name.as_str(), before.is_empty()) {
            ("group", false) => format!("{} after {before}", element.id()),
            _ => element.id().to_owned(),
        };
        resource(items, member, &place);
        member.id().clone_into(&mut before);
    }
}

fn operation(parts: &mut BTreeMap<String, String>, operation: &Element) {
    let role = operation.get("role").map(|role| format!(" role={role}")).unwrap_or_default();
    let name = format!("op {} interval={}{role}", operation.text("name"), operation.text("interval"));
    let skipped = ["id", "name", "interval", "role"];
    let attributes = operation.attributes.iter().filter(|(name, _)| !skipped.contains(&name.as_str()));
    let mut values: Vec<String> = attributes.map(|(name, value)| format!("{name}={value}")).collect();
    values.extend(pairs(operation.children.iter()).map(|pair| format!("{}={}", pair.text("name"), pair.text("value"))));
    values.sort();
    parts.insert(name, values.join(" "));
}

fn constraint(items: &mut Items, element: &Element) {
    let (kind, name, skipped): (&str, String, &[&str]) = match element.name.as_str() {
        "rsc_colocation" if element.get("rsc").is_some() => {
            ("colocation", format!("{} with {}", element.text("rsc"), element.text("with-rsc")), &["rsc", "with-rsc"])
        }
        "rsc_order" if element.get("first").is_some() => {
            ("order", format!("{} then {}", element.text("first"), element.text("then")), &["first", "then"])
        }
        "rsc_location" if element.get("node").is_some() => {
            ("location", format!("{} on {}", element.text("rsc"), element.text("node")), &["rsc", "node"])
        }
        "rsc_location" if element.children.iter().filter(|child| child.name == "rule").count() == 1 => {
            let rules = element.all("rule");
            let joint = rules.first().and_then(|rule| rule.get("boolean-op")).unwrap_or("and");
            let tests: Vec<String> = element.all("expression").into_iter().map(test).collect();
            let value = |part: &str| {
                let value = rules.first().and_then(|rule| rule.get(part))?;
                Some((part.to_owned(), value.to_owned()))
            };
            let parts = ["score", "role"].into_iter().filter_map(value);
            let name = format!("{} where {}", element.text("rsc"), tests.join(&format!(" {joint} ")));
            return add(items, "location", &name, parts.collect());
        }
        other => (other, element.id().to_owned(), &[]),
    };
    let mut parts: BTreeMap<String, String> = element
        .attributes
        .iter()
        .filter(|(name, value)| name != "id" && !skipped.contains(&name.as_str()) && !goes_without_saying(name, value))
        .cloned()
        .collect();
    for (number, set) in element.children.iter().filter(|child| child.name == "resource_set").enumerate() {
        let said = set.attributes.iter().filter(|(name, value)| name != "id" && !goes_without_saying(name, value));
        let mut words: Vec<String> = said.map(|(name, value)| format!("{name}={value}")).collect();
        words.sort();
        words.insert(0, ids(set));
        parts.insert(format!("set {}", number + 1), words.join(" "));
    }
    if kind == "order" || kind == "rsc_order" {
        parts.entry("kind".into()).or_insert_with(|| "Mandatory".into());
    }
    add(items, kind, &name, parts);
}

/// What a constraint does when nothing is said.
fn goes_without_saying(name: &str, value: &str) -> bool {
    matches!(
        (name, value),
        ("first-action" | "then-action" | "action", "start")
            | ("symmetrical" | "sequential" | "require-all", "true")
            | ("rsc-role" | "with-rsc-role", "Started")
    )
}

fn test(expression: &Element) -> String {
    let kind = expression.get("type").map(|kind| format!("{kind} ")).unwrap_or_default();
    let (attribute, operation) = (expression.text("attribute"), expression.text("operation"));
    match expression.get("value") {
        Some(value) => format!("{attribute} {operation} {kind}{value}"),
        None => format!("{operation} {attribute}"),
    }
}
