//! A whole cib.xml, of Heartbeat 2 or Pacemaker, as a cluster.

use super::File;
use super::cluster::{Cluster, Device, id};
use super::notes::Notes;
use crate::configuration::{Resource, cib};
use crate::document::element::Element;

pub(super) fn read(file: &File, cluster: &mut Cluster, notes: &mut Notes) -> Result<(), String> {
    let base = file.base();
    let fault = |reason: String| format!("{}: {reason}", file.name);
    let document = Element::repair(&file.text).map_err(fault)?;
    let old = cib::read(&document.root).map_err(fault)?;
    if document.repaired > 0 {
        let count = document.repaired;
        notes.change(base, "", format!("{count} closing tags had lost their \"/\": read as if they had it"));
    }
    let state: Vec<&str> = document.root.attributes.iter().map(|(name, _)| name.as_str()).collect();
    if !state.is_empty() {
        notes.leave(base, &state.join(" "), "is state, no configuration");
    }
    for node in &old.nodes {
        for (name, text) in node.attributes.iter().filter(|(name, text)| !(name == "standby" && text == "off")) {
            let why = "attributes of nodes are set while it runs, or as attributes of [[node]]";
            notes.leave(base, &format!("node {}: {name}={text}", node.name), why);
        }
        match node.votes {
            true => cluster.node(&node.name),
            false => notes.leave(base, &format!("node {}", node.name), "is a remote node: describe it as [[remote]]"),
        }
    }
    unread(&document.root, base, notes);
    for resource in &old.resources {
        if resource.is_fencing() {
            fencing(base, resource, cluster, notes);
            continue;
        }
        let mut resource = resource.clone();
        if resource.agent == "ocf:heartbeat:IPaddr" {
            notes.change(base, &resource.id, "IPaddr2 in place of IPaddr");
            resource.agent = "ocf:heartbeat:IPaddr2".into();
        }
        if let Some(name) = resource.agent.strip_prefix("heartbeat:") {
            let name = name.to_owned();
            notes.change(base, &format!("{} (heartbeat:{name})", resource.id), format!("lsb:{name}, from /etc/init.d"));
            resource.agent = format!("lsb:{name}");
        }
        if resource.agent.ends_with(":IPaddr2") {
            for (name, _) in resource.params.iter_mut().filter(|(name, _)| name == "netmask") {
                *name = "cidr_netmask".into();
            }
        }
        cluster.add(resource, base, notes);
    }
    let made = &mut cluster.configuration;
    made.groups.extend(old.groups);
    made.clones.extend(old.clones);
    made.colocations.extend(old.colocations);
    made.orders.extend(old.orders);
    made.locations.extend(old.locations);
    made.properties.extend(old.properties);
    made.defaults.extend(old.defaults);
    made.operation_defaults.extend(old.operation_defaults);
    Ok(())
}

/// What the reader of a configuration has no place for.
fn unread(root: &Element, base: &str, notes: &mut Notes) {
    let parts = ["crm_config", "nodes", "resources", "constraints", "rsc_defaults", "op_defaults"];
    let constraints = ["rsc_location", "rsc_colocation", "rsc_order"];
    let Some(whole) = root.child("configuration") else { return };
    let place = |element: &Element| format!("{base}:{}", element.line);
    for part in whole.children.iter().filter(|part| !parts.contains(&part.name.as_str())) {
        for element in &part.children {
            let text = format!("<{}> {}", element.name, element.text("id"));
            notes.leave(
                &place(element),
                &text,
                "is not carried over: see inuvika-ha-scenario(5) for a section that says it",
            );
        }
    }
    for element in whole.child("constraints").iter().flat_map(|part| &part.children) {
        if !constraints.contains(&element.name.as_str()) {
            let text = format!("<{}> {}", element.name, element.text("id"));
            notes.leave(&place(element), &text, "a constraint that is not carried over");
        }
    }
    for element in whole.child("resources").iter().flat_map(|part| &part.children) {
        if element.name == "bundle" || element.name == "template" {
            let text = format!("<{}> {}", element.name, element.text("id"));
            notes.leave(&place(element), &text, "is no resource of its own: scenarios have none of it");
        }
    }
    // Check levels of monitors, and what operations have beside their times.
    for operation in root.all("op").iter().filter(|one| !one.children.is_empty()) {
        let text = format!("<op> {}: its own attributes", operation.text("id"));
        notes.leave(&place(operation), &text, "see depth in op of [[resource]]");
    }
}

fn fencing(base: &str, resource: &Resource, cluster: &mut Cluster, notes: &mut Notes) {
    let mut device = Device { name: id(&resource.id), agent: resource.kind().to_owned(), ..Device::default() };
    if !device.agent.starts_with("fence_") {
        let why = "is no fence agent, but a plugin of Heartbeat: describe its device as [[fencing]]";
        return notes.leave(base, &format!("{} ({})", resource.id, resource.agent), why);
    }
    for (name, value) in &resource.params {
        device.about(base, name, value, notes);
    }
    cluster.fencing.push(device);
}
