//! A cluster in which all is well, before anything has started.

use super::Model;
use crate::document::element::Element;
use crate::ocf::deadline::Deadline;
use crate::sys::process;
use std::io;

/// The configuration in a cluster whose nodes are all there and see all that they should.
pub(super) fn base(model: &Model) -> io::Result<Element> {
    let empty = process::run("cibadmin", &["--empty"], None, &Deadline::after(super::world::LIMIT))?;
    let mut cib =
        Element::read(&empty.text()).map_err(|reason| io::Error::other(format!("cibadmin --empty: {reason}")))?;
    for (name, value) in [("have-quorum", "1"), ("dc-uuid", "1"), ("epoch", "1"), ("num_updates", "0")] {
        cib.set(name, value);
    }
    let ids = || model.nodes.iter().enumerate().map(|(index, name)| ((index + 1).to_string(), name));
    let mut configuration = model.configuration.clone();
    // The cluster finds that out by itself; without it, watchdogs would be no fencing.
    let properties = configuration.child_mut("crm_config").and_then(|part| part.child_mut("cluster_property_set"));
    if let Some(set) = properties.filter(|_| model.watchdog) {
        let pair = [("id", "simulate-have-watchdog"), ("name", "have-watchdog"), ("value", "true")];
        set.children.push(Element::new("nvpair", &pair));
    }
    if let Some(nodes) = configuration.child_mut("nodes") {
        // Some have attributes already, and their name as their id.
        let known = std::mem::take(&mut nodes.children);
        nodes.children.extend(ids().map(|(id, name)| {
            let attributes = known.iter().filter(|one| one.text("uname") == name);
            let attributes = attributes.flat_map(|one| one.children.clone());
            Element::new("node", &[("id", &id), ("uname", name)]).with(attributes)
        }));
    }
    // A remote node's id is its name; whether it is there says its connection.
    let remotes = model.remotes.iter().map(|name| (name.clone(), name));
    let states = ids().chain(remotes).map(|(id, name)| {
        let mut state = Element::new("node_state", &[("id", &id), ("uname", name)]);
        let member = [("in_ccm", "true"), ("crmd", "online"), ("join", "member"), ("expected", "member")];
        let says: &[(&str, &str)] = if model.remotes.contains(name) { &[("remote_node", "true")] } else { &member };
        says.iter().for_each(|(what, value)| state.set(what, value));
        let mut set = Element::new("instance_attributes", &[("id", &format!("status-{id}"))]);
        for view in model.views.iter().filter(|view| !view.well.is_empty()) {
            let pair = format!("status-{id}-{}", view.name);
            set.children.push(Element::new("nvpair", &[("id", &pair), ("name", &view.name), ("value", &view.well)]));
        }
        // The agent says which instance is the best one: here the first node's.
        let better = model.nodes.len() - model.nodes.iter().position(|one| one == name).unwrap_or(0);
        for resource in &model.promotable {
            let (attribute, value) = (format!("master-{resource}"), better.to_string());
            let pair = format!("status-{id}-{attribute}");
            set.children.push(Element::new("nvpair", &[("id", &pair), ("name", &attribute), ("value", &value)]));
        }
        state.with([Element::new("transient_attributes", &[("id", &id)]).with([set])])
    });
    let status = Element::new("status", &[]).with(states);
    cib.children = vec![configuration, status];
    Ok(cib)
}
