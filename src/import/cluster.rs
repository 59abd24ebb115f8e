//! What is gathered from files of a whole cluster, before it is written as a scenario.

use super::Answers;
use super::notes::{Notes, pair};
use super::write::quote;
use crate::configuration::{Colocation, Configuration, Expression, Location, Node, Pairs, Resource, Rule, value};
use crate::scenario::fencing::is_secret;
use crate::scenario::free::ids::{INTERVAL, is_usable};
use std::net::IpAddr;

/// The most nodes that are looked at: no cluster has as many.
pub(super) const MOST_NODES: usize = 200;
/// The most resources that are looked at.
pub(super) const MOST_RESOURCES: usize = 1000;

/// A cluster that is carried over.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    /// Its name.
    pub name: Option<String>,
    /// Names that stand for the addresses of a node, link by link.
    pub aliases: Vec<(String, Vec<String>)>,
    /// Milliseconds until a silent node counts as lost.
    pub token: Option<u64>,
    /// Everything else.
    pub configuration: Configuration,
    /// Fencing devices.
    pub fencing: Vec<Device>,
    /// Whether services of rgmanager become resources.
    pub is_free: bool,
    /// For every node the devices of each level, where there is more than one.
    pub levels: Vec<(String, u8, Vec<String>)>,
}

/// A fencing device.
#[derive(Debug, Default, Clone)]
pub(super) struct Device {
    /// Its name.
    pub name: String,
    /// The fence agent.
    pub agent: String,
    /// The nodes it switches off.
    pub nodes: Vec<String>,
    /// Its options; a secret only by name.
    pub options: Pairs,
}

impl Device {
    /// A parameter of a resource that is a device: the nodes it is for, or an option.
    pub fn about(&mut self, place: &str, name: &str, value: &str, notes: &mut Notes) {
        let mut add = |nodes: &mut dyn Iterator<Item = &str>| {
            for node in nodes.filter(|node| !node.is_empty()) {
                if !self.nodes.iter().any(|known| known == node) {
                    self.nodes.push(node.to_owned());
                }
            }
        };
        match name {
            "pcmk_host_list" => add(&mut value.split([',', ' '])),
            "pcmk_host_check" => {}
            "pcmk_host_map" => {
                add(&mut value.split([';', ' ']).filter_map(|entry| entry.split([':', '=']).next()));
                self.option(place, name, value, notes);
            }
            _ => self.option(place, name, value, notes),
        }
    }

    /// An option: of a secret only the file that is to hold it.
    pub fn option(&mut self, place: &str, name: &str, value: &str, notes: &mut Notes) {
        if self.options.iter().any(|(known, _)| known == name) {
            return;
        }
        if is_secret(name) {
            let file = secret_file(&self.name);
            notes.change(
                place,
                &pair(name, value),
                format!("a secret: write it into {file}, chmod 600, before the script runs"),
            );
        }
        self.options.push((name.to_owned(), value.to_owned()));
    }
}

/// Where the secret of a device is to be.
pub(super) fn secret_file(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect();
    format!("/etc/inuvika-ha/{plain}.secret")
}

/// The value of an option in TOML.
pub(super) fn option_value(device: &str, name: &str, value: &str) -> String {
    if is_secret(name) { format!("{{ file = {} }}", quote(&secret_file(device))) } else { quote(value) }
}

/// An id made of a text: what an id may not have becomes `_`.
pub(super) fn id(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    // Wherever it stands, pcs means something else by that: no number at the end would make it usable.
    let plain = plain.replace(INTERVAL, "_interval_").trim_matches('_').to_owned();
    match plain.bytes().next() {
        Some(b) if b.is_ascii_alphabetic() => plain,
        _ => format!("r_{plain}"),
    }
}

impl Cluster {
    /// An id that nothing has and no scenario refuses: the first of those wanted, else one with a number.
    pub fn unique(&self, wanted: &[&str]) -> String {
        let is_taken = |one: &String| {
            !is_usable(one) || self.configuration.knows(one) || self.fencing.iter().any(|device| device.name == *one)
        };
        let first = wanted.iter().map(|text| id(text)).find(|one| !is_taken(one));
        let from = if self.configuration.resources.len() < 50 { 2 } else { self.configuration.resources.len() };
        let base = wanted.last().map_or_else(|| "r".to_owned(), |text| id(text));
        // Not all numbers anew where there are many. Something at its end makes of any word one that means nothing.
        first.or_else(|| (from..).map(|n| format!("{base}_{n}")).find(|one| !is_taken(one))).unwrap_or(base)
    }

    /// A resource; false: there are too many.
    pub fn add(&mut self, resource: Resource, place: &str, notes: &mut Notes) -> bool {
        if self.configuration.resources.len() >= MOST_RESOURCES {
            let why = format!("one more than {MOST_RESOURCES} resources, which is more than a cluster has");
            notes.leave(place, &resource.id, why);
            return false;
        }
        self.configuration.resources.push(resource);
        true
    }

    /// A node, once.
    pub fn node(&mut self, name: &str) {
        let is_full = self.configuration.nodes.len() >= MOST_NODES;
        if !is_full && !name.is_empty() && self.configuration.nodes.iter().all(|node| node.name != name) {
            self.configuration.nodes.push(Node { name: name.into(), votes: true, ..Node::default() });
        }
    }

    /// A resource likes a node, or not.
    pub fn prefer(&mut self, resource: &str, node: &str, score: &str) {
        let id = id(&format!("location-{resource}-{node}"));
        let (resource, node, score) = (resource.to_owned(), Some(node.to_owned()), Some(score.to_owned()));
        self.configuration.locations.push(Location { id, resource, node, score, ..Location::default() });
    }

    /// A resource follows another.
    pub fn colocate(&mut self, resource: &str, with: &str, with_role: Option<&str>, score: &str) {
        let id = id(&format!("colocation-{resource}-{with}"));
        let (resource, with, score) = (resource.to_owned(), with.to_owned(), score.to_owned());
        let with_role = with_role.map(str::to_owned);
        self.configuration.colocations.push(Colocation { id, resource, role: None, with, with_role, score });
    }

    /// A resource never runs where this attribute is 0 or not there.
    pub fn reach(&mut self, resource: &str, attribute: &str) {
        let expression = |operation: &str, value: Option<&str>| Expression {
            attribute: attribute.into(),
            operation: operation.into(),
            value: value.map(str::to_owned),
        };
        let expressions = vec![expression("not_defined", None), expression("lt", Some("1"))];
        let rules = vec![Rule { score: "-INFINITY".into(), by_attribute: false, any: true, expressions }];
        let id = id(&format!("location-{resource}-{attribute}"));
        self.configuration.locations.push(Location { id, resource: resource.into(), rules, ..Location::default() });
    }

    /// Whether a default is said.
    pub fn usual(&mut self, name: &str, text: &str) {
        if value(&self.configuration.defaults, name).is_none() {
            self.configuration.defaults.push((name.into(), text.into()));
        }
    }

    /// The address of every node on every link; none: nobody knows.
    pub fn node_addresses(&self, answers: &Answers, notes: &mut Notes) -> Vec<(String, Option<Vec<IpAddr>>)> {
        let mut open = Vec::new();
        let mut all = Vec::new();
        for node in &self.configuration.nodes {
            let alias = self.aliases.iter().find(|(name, _)| *name == node.name);
            let by_alias = alias.and_then(|(_, names)| {
                let each: Option<Vec<IpAddr>> = names.iter().map(|name| answers.of(name)?.first().copied()).collect();
                each
            });
            let own = answers.of(&node.name).filter(|all| all.len() > 1 || by_alias.is_none());
            let known = own.or(by_alias);
            if known.is_none() {
                open.push(node.name.clone());
            }
            all.push((node.name.clone(), known));
        }
        if !open.is_empty() {
            notes.ask(format!(
                "node.address: the addresses of {} in the cluster's network (--address NAME=ADDRESS)",
                open.join(", ")
            ));
        }
        all
    }
}
