//! A CIB as a configuration. Also one of Heartbeat 2, which had `<attributes>` around values.

use super::sets::pairs;
use super::{
    Colocation, Configuration, Copies, Expression, Group, Location, Node, Operation, Order, Pairs, Resource, Rule,
};
use crate::document::element::Element;

/// Reads a CIB from its outermost element.
///
/// # Errors
/// When it is no CIB.
pub fn read(root: &Element) -> Result<Configuration, String> {
    if root.name != "cib" {
        return Err(format!("line {}: <{}> is no CIB: it begins with <cib>", root.line, root.name));
    }
    let Some(part) = root.child("configuration") else {
        return Err(format!("line {}: has no <configuration>", root.line));
    };
    let mut read = Configuration::default();
    let section = |name: &str| part.child(name).into_iter();
    read.nodes = section("nodes").flat_map(|nodes| nodes.named("node")).map(node).collect();
    let sets =
        |name: &str, set: &str| -> Pairs { section(name).flat_map(|part| part.named(set)).flat_map(values).collect() };
    read.properties = sets("crm_config", "cluster_property_set");
    read.defaults = sets("rsc_defaults", "meta_attributes");
    read.operation_defaults = sets("op_defaults", "meta_attributes");
    for element in section("resources").flat_map(|part| &part.children) {
        resource(element, &mut read);
    }
    for element in section("constraints").flat_map(|part| &part.children) {
        constraint(element, &mut read);
    }
    Ok(read)
}

fn node(element: &Element) -> Node {
    let attributes = element.named("instance_attributes").flat_map(values).collect();
    let name = element.filled("uname").or(element.filled("id")).unwrap_or_default().to_owned();
    Node { name, attributes, votes: element.filled("type") != Some("remote"), links: None }
}

/// The values of a set of attributes.
fn values(set: &Element) -> Pairs {
    let inner = set.child("attributes").unwrap_or(set);
    inner.named("nvpair").map(|pair| (pair.text("name").to_owned(), pair.text("value").to_owned())).collect()
}

fn attributes(element: &Element, set: &str) -> Pairs {
    element.named(set).flat_map(values).collect()
}

fn resource(element: &Element, read: &mut Configuration) -> Option<String> {
    let id = element.text("id").to_owned();
    let meta = attributes(element, "meta_attributes");
    match element.name.as_str() {
        "primitive" => {
            let parts = [element.filled("class"), element.filled("provider"), element.filled("type")];
            let agent: Vec<&str> = parts.into_iter().flatten().collect();
            let params = attributes(element, "instance_attributes");
            let operations = element.named("operations").flat_map(|all| all.named("op")).map(operation).collect();
            read.resources.push(Resource { id: id.clone(), agent: agent.join(":"), params, meta, operations });
        }
        "group" => {
            let members = element.children.iter().filter_map(|child| resource(child, read)).collect();
            read.groups.push(Group { id: id.clone(), members, meta });
        }
        "clone" | "master" | "master_slave" => {
            let of = element.children.iter().find_map(|child| resource(child, read)).unwrap_or_default();
            let promotable = element.name != "clone" || super::value(&meta, "promotable") == Some("true");
            read.clones.push(Copies { id: id.clone(), of, meta, promotable });
        }
        // The resource in it runs in its containers: one for each copy.
        "bundle" => {
            let of = element.children.iter().find_map(|child| resource(child, read)).unwrap_or_default();
            read.clones.push(Copies { id: id.clone(), of, meta, promotable: false });
        }
        _ => return None,
    }
    Some(id)
}

fn operation(element: &Element) -> Operation {
    let text = |name: &str| element.get(name).map(str::to_owned);
    Operation {
        name: element.text("name").to_owned(),
        interval: text("interval"),
        timeout: text("timeout"),
        role: text("role"),
        on_fail: text("on-fail"),
    }
}

fn constraint(element: &Element, read: &mut Configuration) {
    let text = |name: &str| element.get(name).map(str::to_owned);
    let id = element.text("id").to_owned();
    match element.name.as_str() {
        "rsc_location" => {
            let set = element.all("resource_ref").first().map(|one| one.text("id").to_owned());
            read.locations.push(Location {
                id,
                resource: text("rsc").or(set).unwrap_or_default(),
                node: text("node"),
                score: text("score"),
                discovery: text("resource-discovery"),
                rules: element.named("rule").map(rule).collect(),
            });
        }
        "rsc_colocation" => {
            let score = text("score").or_else(|| text("score-attribute")).unwrap_or_else(|| "INFINITY".into());
            // Heartbeat 2 had from and to.
            match (text("rsc").or_else(|| text("from")), text("with-rsc").or_else(|| text("to"))) {
                (Some(resource), Some(with)) => {
                    let (role, with_role) = (text("rsc-role"), text("with-rsc-role"));
                    read.colocations.push(Colocation { id, resource, role, with, with_role, score });
                }
                _ => read.colocations.extend(pairs(element).into_iter().map(|(leads, follows)| Colocation {
                    id: id.clone(),
                    resource: follows.id,
                    role: follows.role,
                    with: leads.id,
                    with_role: leads.role,
                    score: score.clone(),
                })),
            }
        }
        "rsc_order" => {
            let old = match element.filled("score") {
                Some("0") => "Optional",
                _ => "Mandatory",
            };
            let kind = text("kind").unwrap_or_else(|| old.into());
            let symmetrical = element.filled("symmetrical") != Some("false") && kind != "Serialize";
            let order = |first: String, first_action, then: String, then_action| Order {
                id: id.clone(),
                first,
                first_action,
                then,
                then_action,
                kind: kind.clone(),
                symmetrical,
            };
            match (text("first"), text("then"), text("from"), text("to")) {
                (Some(first), Some(then), ..) => {
                    read.orders.push(order(first, text("first-action"), then, text("then-action")));
                }
                // Heartbeat 2: FROM is after TO, unless it says before.
                (_, _, Some(from), Some(to)) => match element.filled("type") {
                    Some("before") => read.orders.push(order(from, None, to, None)),
                    _ => read.orders.push(order(to, None, from, None)),
                },
                _ => read.orders.extend(pairs(element).into_iter().map(|(a, b)| order(a.id, a.action, b.id, b.action))),
            }
        }
        _ => {}
    }
}

fn rule(element: &Element) -> Rule {
    let attribute = element.filled("score-attribute").or(element.filled("score_attribute"));
    let expression = |one: &&Element| Expression {
        attribute: one.text("attribute").to_owned(),
        operation: one.text("operation").to_owned(),
        value: one.filled("value").map(str::to_owned),
    };
    Rule {
        score: attribute.or(element.filled("score")).unwrap_or("0").to_owned(),
        by_attribute: attribute.is_some(),
        any: element.filled("boolean-op").or(element.filled("boolean_op")) == Some("or"),
        expressions: element.all("expression").iter().map(expression).collect(),
    }
}
