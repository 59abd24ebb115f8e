//! What Pacemaker manages: the resources in the cluster's configuration, their parameters and their operations' timeouts.
//!
//! cibadmin is asked for this node's copy; only options that it has had since Pacemaker 1.1.

mod sets;

use std::io;

use super::member;
use crate::document::element::Element;
use crate::ocf::deadline::Deadline;
use crate::sys::process;
use sets::{Sets, score};

/// Where Pacemaker keeps secrets, a folder for each resource, and what stands in their place in the configuration.
const SECRETS: &str = "/var/lib/pacemaker/lrm/secrets";
const IS_SECRET: &str = "lrm://";

/// The configuration of the cluster, as this node has it.
#[derive(Debug)]
pub struct Configuration(Element);

/// A primitive resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// Its agent, such as `ocf:inuvika:ovd-osm`.
    pub agent: String,
    /// Its parameters, each once.
    pub params: Vec<(String, String)>,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// Whether parameters depend on a rule: they are left out above.
    pub has_rules: bool,
    /// Whether Pacemaker starts and stops it: neither it nor what it is part of is unmanaged or in maintenance.
    pub is_managed: bool,
}

/// An operation of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name, such as `monitor`.
    pub name: String,
    /// Its check level.
    pub depth: String,
    /// Its role; empty for the usual one.
    pub role: String,
    /// Its timeout, as it is written there.
    pub timeout: String,
}

impl Configuration {
    /// Asks for it.
    ///
    /// # Errors
    /// Pacemaker's tools are not installed, no cluster runs here, or it does not answer in time.
    pub fn ask(deadline: &Deadline) -> io::Result<Self> {
        let output = process::run("cibadmin", &["-Q", "-l", "-A", "/cib/configuration"], None, deadline)?;
        if !output.status.success() {
            return Err(io::Error::other(format!("ask the cluster for its configuration: {}", output.reason())));
        }
        Self::read(&output.text()).map_err(io::Error::other)
    }

    fn read(text: &str) -> Result<Self, String> {
        let root = Element::read(text).map_err(|why| format!("the cluster's configuration: {why}"))?;
        Ok(Self(root))
    }

    /// All primitive resources.
    pub fn resources(&self) -> Vec<Resource> {
        let mut found = Vec::new();
        let default = self.sets(self.section("rsc_defaults"), "meta_attributes");
        let is_managed = !self.is_in_maintenance() && !is_left_alone(&default.values);
        if let Some(section) = self.section("resources") {
            self.collect(section, is_managed, &mut found);
        }
        found
    }

    /// Nodes in maintenance mode: nothing is managed there.
    pub fn nodes_in_maintenance(&self) -> Vec<String> {
        let nodes = self.section("nodes").into_iter().flat_map(|nodes| &nodes.children);
        let resting = |node: &&Element| is_true(self.sets(Some(node), "instance_attributes").get("maintenance"));
        nodes.filter(resting).map(|node| node.text("uname").to_owned()).collect()
    }

    fn is_in_maintenance(&self) -> bool {
        is_true(self.sets(self.section("crm_config"), "cluster_property_set").get("maintenance-mode"))
    }

    fn section(&self, name: &str) -> Option<&Element> {
        self.0.children.iter().find(|child| child.name == name)
    }

    fn collect(&self, parent: &Element, is_managed: bool, found: &mut Vec<Resource>) {
        for child in &parent.children {
            match child.name.as_str() {
                "primitive" => found.push(self.resource(child, is_managed)),
                "group" | "clone" | "master" | "bundle" => {
                    let meta = self.sets(Some(child), "meta_attributes");
                    self.collect(child, is_managed && !is_left_alone(&meta.values), found);
                }
                _ => {}
            }
        }
    }

    fn resource(&self, primitive: &Element, is_managed: bool) -> Resource {
        let template = primitive.get("template").and_then(|id| find(&self.0, id));
        let of = |name: &str| {
            let mut sets = self.sets(Some(primitive), name);
            sets.extend(self.sets(template, name));
            sets
        };
        let kind = template.filter(|_| primitive.get("type").is_none()).unwrap_or(primitive);
        let words = ["class", "provider", "type"].map(|name| kind.text(name));
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let params = of("instance_attributes");
        let operations = [Some(primitive), template].into_iter().flatten().flat_map(|owner| {
            let lists = owner.children.iter().filter(|child| child.name == "operations");
            lists.flat_map(|list| &self.meant(list).children).map(|op| self.operation(op))
        });
        Resource {
            id: primitive.id().to_owned(),
            agent: words.join(":"),
            operations: operations.collect(),
            has_rules: params.has_rules,
            params: params.values,
            is_managed: is_managed && !is_left_alone(&of("meta_attributes").values),
        }
    }

    fn operation(&self, op: &Element) -> Operation {
        let op = self.meant(op);
        let own = self.sets(Some(op), "instance_attributes");
        Operation {
            name: op.text("name").to_owned(),
            depth: own.get("OCF_CHECK_LEVEL").unwrap_or("0").to_owned(),
            role: op.text("role").to_owned(),
            timeout: op.text("timeout").to_owned(),
        }
    }

    /// The values in the sets called `name` of an element: of several values of one name that of the set with the highest score.
    fn sets(&self, owner: Option<&Element>, name: &str) -> Sets {
        let children = owner.into_iter().flat_map(|owner| &owner.children);
        let mut sets: Vec<&Element> = children.filter(|set| set.name == name).map(|set| self.meant(set)).collect();
        sets.sort_by_key(|set| std::cmp::Reverse(score(set.text("score"))));
        let mut found = Sets::default();
        for set in sets {
            if set.children.iter().any(|child| child.name == "rule") {
                found.has_rules = true;
                continue;
            }
            for pair in set.children.iter().filter(|child| child.name == "nvpair") {
                let meant = self.meant(pair);
                // One that refers to another may have a name of its own.
                let key = pair.get("name").unwrap_or_else(|| meant.text("name"));
                found.add(key, meant.text("value"));
            }
        }
        found
    }

    /// The element itself, or the one that it refers to.
    fn meant<'a>(&'a self, element: &'a Element) -> &'a Element {
        element.get("id-ref").and_then(|id| find(&self.0, id)).unwrap_or(element)
    }
}

impl Resource {
    /// Its parameters with what is kept apart from the configuration put in place.
    ///
    /// # Errors
    /// The file of a secret cannot be read: only root can.
    pub fn revealed(&self) -> io::Result<Vec<(String, String)>> {
        let value = |name: &str, value: &str| {
            if value != IS_SECRET {
                return Ok(value.to_owned());
            }
            let path = format!("{SECRETS}/{}/{name}", self.id);
            let read = std::fs::read_to_string(&path);
            read.map(|text| text.trim_end_matches('\n').to_owned())
                .map_err(|error| io::Error::new(error.kind(), format!("read the secret {path}: {error}")))
        };
        self.params.iter().map(|(name, text)| Ok((name.clone(), value(name, text)?))).collect()
    }

    /// The timeout of an operation, as it is written there: of the one with this check level, if there is one.
    pub fn timeout(&self, name: &str, depth: u8) -> Option<&str> {
        let all =
            || self.operations.iter().filter(|op| op.name == name && op.role != "Stopped" && !op.timeout.is_empty());
        let exact = all().find(|op| op.depth.parse() == Ok(depth));
        exact.or_else(|| all().next()).map(|op| op.timeout.as_str())
    }
}

/// All resources, with what Pacemaker manages on this node. None where no cluster runs, or none that answers by then: nobody is
/// to be kept from anything by that.
pub fn on_this_node(deadline: &Deadline) -> Vec<Resource> {
    let Ok(configuration) = Configuration::ask(deadline) else { return Vec::new() };
    let mut all = configuration.resources();
    let resting = configuration.nodes_in_maintenance();
    if !resting.is_empty() && member::own(deadline).is_ok_and(|own| resting.contains(&own)) {
        all.iter_mut().for_each(|resource| resource.is_managed = false);
    }
    all
}

fn is_left_alone(meta: &[(String, String)]) -> bool {
    let value = |name: &str| meta.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    is_true(value("maintenance")) || value("is-managed").is_some_and(|value| !is_true(Some(value)))
}

/// What Pacemaker takes for true.
fn is_true(value: Option<&str>) -> bool {
    value.is_some_and(|value| ["true", "yes", "on", "y", "1"].contains(&value.to_ascii_lowercase().as_str()))
}

fn find<'a>(element: &'a Element, id: &str) -> Option<&'a Element> {
    if element.get("id") == Some(id) {
        return Some(element);
    }
    element.children.iter().find_map(|child| find(child, id))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
