//! What is neither a resource nor a constraint.

use super::resource::set;
use crate::document::element::Element;
use crate::pcs::plan::Alert;

/// Attributes of a node. Only the cluster knows its id: its name stands there.
pub(super) fn node(name: &str, attributes: &[(String, String)]) -> Element {
    let element = Element::new("node", &[("id", name), ("uname", name)]);
    element.with(set("instance_attributes", &format!("nodes-{name}"), attributes.to_vec()))
}

/// A level of fencing.
pub(super) fn level(node: &str, level: u8, devices: &[String]) -> Element {
    let (id, index) = (format!("fl-{node}-{level}"), level.to_string());
    let devices = devices.join(",");
    Element::new("fencing-level", &[("id", &id), ("target", node), ("index", &index), ("devices", &devices)])
}

/// An alert.
pub(super) fn alert(alert: &Alert) -> Element {
    let element = Element::new("alert", &[("id", &alert.id), ("path", &alert.path)]);
    let recipient = |id: &str, value: &str| Element::new("recipient", &[("id", id), ("value", value)]);
    element
        .with(set("meta_attributes", &alert.id, alert.meta.clone()))
        .with(set("instance_attributes", &alert.id, alert.options.clone()))
        .with(alert.recipients.iter().map(|one| recipient(&one.id, &one.value)))
}

/// A name for several resources.
pub(super) fn tag(id: &str, members: &[String]) -> Element {
    Element::new("tag", &[("id", id)]).with(members.iter().map(|one| Element::new("obj_ref", &[("id", one)])))
}
