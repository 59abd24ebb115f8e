//! Services of rgmanager, in cluster.conf below `<rm>`, as groups of resources.

mod agents;
mod domains;

use super::cluster::Cluster;
use super::cman::{place, tag};
use super::notes::{Notes, pair};
use crate::configuration::{Group, Order, Pairs};
use crate::document::element::Element;
use domains::Domains;
use std::collections::BTreeMap;

/// The deepest that resources stand in each other. rgmanager itself allows ten.
const DEEPEST: usize = 20;
/// The most resources of one service.
const MOST: usize = 200;
/// The order in which the children of a service start, whatever order they stand in; others come last.
const ORDER: &[&str] = &["lvm", "fs", "clusterfs", "netfs", "nfsexport", "nfsclient", "ip", "smb", "script"];
/// Attributes of a service that are read here.
const READ: &[&str] = &[
    "name",
    "domain",
    "autostart",
    "recovery",
    "exclusive",
    "max_restarts",
    "restart_expire_time",
    "depend",
    "depend_mode",
];

/// A service that became a group or a resource.
struct Service<'a> {
    element: &'a Element,
    /// The id that constraints name.
    id: String,
}

/// What is gathered while services are read.
struct Reading<'a, 'b> {
    base: &'a str,
    /// What stands below `<resources>`, by kind and name.
    shared: BTreeMap<(&'a str, &'a str), &'a Element>,
    cluster: &'b mut Cluster,
    notes: &'b mut Notes,
}

/// Reads `<rm>`.
pub(super) fn read(rm: &Element, base: &str, cluster: &mut Cluster, notes: &mut Notes) {
    for (name, value) in &rm.attributes {
        notes.leave(&place(base, rm), &format!("<rm> {}", pair(name, value)), "is about rgmanager itself");
    }
    let domains = Domains::read(rm, base, cluster, notes);
    let mut shared = BTreeMap::new();
    for element in rm.named("resources").flat_map(|all| &all.children) {
        shared.insert((element.name.as_str(), agents::name(element)), element);
    }
    let mut reading = Reading { base, shared, cluster, notes };
    let mut services = Vec::new();
    for element in &rm.children {
        match element.name.as_str() {
            "failoverdomains" | "resources" => {}
            "service" | "vm" => {
                let Some(id) = reading.service(element) else { continue };
                domains.place(element, &id, base, reading.cluster, reading.notes);
                services.push(Service { element, id });
            }
            _ => reading.notes.leave(&place(base, element), &tag(element), "is not known"),
        }
    }
    for service in &services {
        reading.exclusive(service, &services);
        reading.depend(service, &services);
    }
    reading.unused(rm);
}

impl<'a> Reading<'a, '_> {
    fn at(&self, element: &Element) -> String {
        place(self.base, element)
    }

    /// The id of the group or resource that a service becomes.
    fn service(&mut self, element: &'a Element) -> Option<String> {
        let name = element.filled("name").unwrap_or("service");
        let mut all = Vec::new();
        match element.name.as_str() {
            "vm" => all.push(element),
            _ => self.flat(element, 0, &mut all),
        }
        let group = (all.len() > 1).then(|| self.cluster.unique(&[name, &format!("{name}-group")]));
        let mut members = Vec::new();
        for one in all {
            // A name that constraints use is the group's, so the group's id is taken before there is one.
            let taken = group.as_deref().unwrap_or_default();
            let Some(resource) = agents::resource(one, name, taken, self.base, self.cluster, self.notes) else {
                continue;
            };
            let id = resource.id.clone();
            let at = self.at(one);
            members.extend(self.cluster.add(resource, &at, self.notes).then_some(id));
        }
        let meta = self.meta(element);
        match (members.as_slice(), group) {
            ([], _) => {
                self.notes.leave(&self.at(element), &tag(element), "nothing in it is carried over");
                None
            }
            ([only], None) => {
                let all = &mut self.cluster.configuration.resources;
                all.iter_mut().filter(|one| one.id == *only).for_each(|one| one.meta.extend(meta.clone()));
                Some(only.clone())
            }
            (_, group) => {
                let id = group.unwrap_or_else(|| self.cluster.unique(&[name]));
                self.cluster.configuration.groups.push(Group { id: id.clone(), members, meta });
                Some(id)
            }
        }
    }

    /// The resources below an element in the order they start in.
    fn flat(&mut self, element: &'a Element, depth: usize, all: &mut Vec<&'a Element>) {
        let rank = |one: &&Element| ORDER.iter().position(|kind| *kind == one.name).unwrap_or(ORDER.len());
        let mut children: Vec<&'a Element> = element.children.iter().collect();
        children.sort_by_key(rank);
        for child in children {
            if depth >= DEEPEST || all.len() >= MOST {
                self.notes.leave(&self.at(child), &tag(child), "too deep, or one too many");
                continue;
            }
            match child.filled("ref") {
                None => all.push(child),
                Some(name) => match self.shared.get(&(child.name.as_str(), name)) {
                    Some(known) => all.push(known),
                    None => self.notes.leave(&self.at(child), &tag(child), "there is no such resource"),
                },
            }
            if child.get("__independent_subtree").is_some_and(|word| word != "0") {
                let why =
                    "a failure of it restarted it alone, or nothing: in a group what stands after it restarts, too";
                self.notes.leave(&self.at(child), &format!("<{}> __independent_subtree", child.name), why);
            }
            self.flat(child, depth + 1, all);
        }
    }

    /// How a service is started and what becomes of it when it fails, as meta attributes.
    fn meta(&mut self, element: &Element) -> Pairs {
        let at = self.at(element);
        let mut meta: Pairs = Vec::new();
        let mut add = |name: &str, value: String| meta.push((name.to_owned(), value));
        if element.get("autostart").is_some_and(is_off) {
            self.notes.change(&at, "autostart=0", "is there, but not started: target-role=Stopped");
            add("target-role", "Stopped".into());
        }
        let number =
            |name: &str| element.filled(name).and_then(|text| text.parse::<u32>().ok()).filter(|n| *n < 100_000);
        match element.filled("recovery") {
            Some("relocate") => add("migration-threshold", "1".into()),
            None | Some("restart") => {
                if let Some(most) = number("max_restarts").filter(|n| *n > 0) {
                    add("migration-threshold", (most + 1).to_string());
                }
            }
            Some(word) => {
                let why = "after a failure it would stay stopped: op with on_fail = \"stop\" does that";
                self.notes.leave(&at, &format!("recovery={word}"), why);
            }
        }
        if let Some(seconds) = number("restart_expire_time").filter(|n| *n > 0) {
            add("failure-timeout", format!("{seconds}s"));
        }
        for (name, value) in element.attributes.iter().filter(|(name, _)| !READ.contains(&name.as_str())) {
            if element.name == "service" && name != "ref" {
                self.notes.leave(&at, &format!("<service> {}", pair(name, value)), "Pacemaker has no such thing");
            }
        }
        meta
    }

    /// A service that wants a node for itself.
    fn exclusive(&mut self, one: &Service<'_>, all: &[Service<'_>]) {
        if one.element.get("exclusive").is_none_or(is_off) {
            return;
        }
        for other in all.iter().filter(|other| other.id != one.id) {
            let known = self.cluster.configuration.colocations.iter().any(|known| {
                (known.resource == one.id && known.with == other.id)
                    || (known.resource == other.id && known.with == one.id)
            });
            if !known {
                self.cluster.colocate(&one.id, &other.id, None, "-INFINITY");
            }
        }
    }

    /// A service that needs another.
    fn depend(&mut self, one: &Service<'_>, all: &[Service<'_>]) {
        let Some(word) = one.element.filled("depend") else { return };
        let name = word.strip_prefix("service:").or_else(|| word.strip_prefix("vm:")).unwrap_or(word);
        let Some(other) = all.iter().find(|other| other.element.filled("name") == Some(name) && other.id != one.id)
        else {
            return self.notes.leave(&self.at(one.element), &format!("depend={word}"), "there is no such service");
        };
        let kind = if one.element.filled("depend_mode") == Some("soft") { "Optional" } else { "Mandatory" };
        self.cluster.configuration.orders.push(Order {
            id: format!("order-{}-{}", other.id, one.id),
            first: other.id.clone(),
            then: one.id.clone(),
            kind: kind.into(),
            symmetrical: true,
            ..Order::default()
        });
    }

    /// Resources that no service uses.
    fn unused(&mut self, rm: &Element) {
        let mut used = Vec::new();
        for element in rm.children.iter().filter(|one| one.name == "service") {
            for (kind, name) in self.shared.keys() {
                if element.all(kind).iter().any(|one| one.filled("ref") == Some(name)) {
                    used.push((*kind, *name));
                }
            }
        }
        let rest: Vec<&Element> =
            self.shared.iter().filter(|(key, _)| !used.contains(key)).map(|(_, one)| *one).collect();
        for element in rest {
            self.notes.leave(&self.at(element), &tag(element), "no service uses it");
        }
    }
}

fn is_off(word: &str) -> bool {
    ["0", "no", "off", "false", ""].contains(&word)
}
