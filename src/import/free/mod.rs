//! A cluster of any resources as a scenario without services of ours.

mod constraints;
mod ids;
mod operations;
mod resources;
mod settings;

use super::cluster::{Cluster, MOST_NODES};
use super::fencing::Fencing;
use super::lvs::{FENCING, node_address};
use super::notes::Notes;
use super::write::Writer;
use super::{Answers, Draft};
use crate::scenario::names::is_cluster_name;
use constraints::Constraints;
pub(super) use constraints::REACHES;
use resources::Resources;
use settings::Settings;
use std::net::IpAddr;

/// A scenario in its parts.
struct Scheme {
    name: String,
    detection: bool,
    nodes: Vec<(String, Option<Vec<IpAddr>>)>,
    resources: Resources,
    constraints: Constraints,
    settings: Settings,
    fencing: Fencing,
    accept_split_brain: bool,
}

/// `made_up`: the cluster's name where nobody has one.
pub(super) fn write(
    cluster: &mut Cluster,
    made_up: &str,
    answers: &Answers,
    notes: &mut Notes,
) -> Result<Draft, String> {
    if cluster.configuration.nodes.is_empty() {
        return Err("no file names the nodes: give the one that does as well".into());
    }
    if let [only] = cluster.configuration.nodes.as_slice() {
        let name = only.name.escape_debug();
        return Err(format!(
            "the files name one node, {name}: a cluster has at least two: give the file that names the other"
        ));
    }
    if cluster.configuration.nodes.len() >= MOST_NODES {
        return Err(format!("the files name {MOST_NODES} nodes or more: no cluster has as many"));
    }
    let name = match answers.cluster.clone().or_else(|| cluster.name.clone()) {
        Some(name) if is_cluster_name(&name) || answers.cluster.is_some() => name,
        Some(name) => {
            let why = format!(
                "is no name for a cluster of corosync: \"{made_up}\" in its place; --cluster NAME chooses another"
            );
            notes.change("[cluster]", &name, why);
            made_up.to_owned()
        }
        None => {
            notes.change("[cluster]", "name", format!("no file names the cluster: \"{made_up}\" is made up"));
            made_up.to_owned()
        }
    };
    ids::rename(&mut cluster.configuration, notes);
    let resources = Resources::of(cluster, notes);
    if resources.is_empty() {
        return Err("no file has a resource that can be carried over: the cluster would run nothing".into());
    }
    let constraints = Constraints::of(cluster, &resources, notes);
    let settings = Settings::of(cluster, notes);
    let nodes = cluster.node_addresses(answers, notes);
    let fencing = Fencing::of(cluster, notes);
    if fencing.is_empty() && !answers.accept_split_brain {
        notes.ask(FENCING);
    }
    if let Some(token) = cluster.token.filter(|token| *token > 1000) {
        let why = "a silent node counts as lost after corosync's own token timeout (3 s and more); see detection";
        notes.leave("totem", &format!("token of {token} ms"), why);
    }
    resources.ask(notes);
    let detection = cluster.token.is_some_and(|token| token <= 1000);
    let accept_split_brain = fencing.is_empty() && answers.accept_split_brain;
    let scheme = Scheme { name, detection, nodes, resources, constraints, settings, fencing, accept_split_brain };
    Ok(Draft { printed: scheme.write(false), answered: scheme.write(true) })
}

impl Scheme {
    fn write(&self, answered: bool) -> String {
        let mut text = Writer::default();
        text.text("setup", "free");
        if self.accept_split_brain || (answered && self.fencing.is_empty()) {
            text.gap();
            text.comment("Nobody switches off a node that is not heard of any more: two may run everything at once.");
            text.text("fencing", "none");
            text.plain("accept_split_brain", true);
        }
        text.section("cluster", false);
        text.text("name", &self.name);
        if self.detection {
            text.text("detection", "fast");
        }
        let like: &[IpAddr] = self.nodes.iter().find_map(|(_, known)| known.as_deref()).unwrap_or_default();
        for (index, (name, known)) in self.nodes.iter().enumerate() {
            text.section("node", true);
            text.text("name", name);
            text.text("role", "node");
            text.texts("address", &node_address(known.as_deref(), index, answered, like));
        }
        self.resources.write(&mut text, answered);
        self.constraints.write(&mut text);
        self.settings.write(&mut text);
        self.fencing.write(&mut text);
        text.finish()
    }
}
