//! Resources.

use crate::document::element::Element;
use crate::pcs::plan::{Operation, Resource, Setting};

/// What stands in place of a secret until the script runs.
pub fn placeholder(resource: &str, option: &str) -> String {
    format!("@{resource}:{option}@")
}

/// The nvpairs of the set `id`; those without value are left out.
pub(super) fn pairs(id: &str, pairs: &[(String, String)]) -> Vec<Element> {
    let set = pairs.iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, value)| {
        Element::new("nvpair", &[("id", &format!("{id}-{name}")), ("name", name), ("value", value)])
    })
    .collect()
}

/// A set of values; nothing when it is empty.
pub(super) fn set(kind: &str, owner: &str, mut values: Vec<(String, String)>) -> Option<Element> {
    let id = format!("{owner}-{kind}");
    values.sort();
    let pairs = pairs(&id, &values);
    (!pairs.is_empty()).then(|| Element::new(kind, &[("id", &id)]).with(pairs))
}

/// A resource, or a fencing device.
pub(super) fn primitive(resource: &Resource, is_fencing: bool) -> Element {
    let id = &resource.id;
    let mut element = Element::new("primitive", &[("id", id)]);
    match (is_fencing, resource.agent.splitn(3, ':').collect::<Vec<_>>().as_slice()) {
        (false, [class, provider, kind]) => {
            element.set("class", class);
            element.set("type", kind);
            element.set("provider", provider);
        }
        (false, [class, kind]) => {
            element.set("class", class);
            element.set("type", kind);
        }
        _ => {
            element.set("class", "stonith");
            element.set("type", &resource.agent);
        }
    }
    let values = resource.params.iter().filter_map(|(name, setting)| match setting {
        Setting::Unset => None,
        Setting::Text(value) => Some((name.clone(), value.clone())),
        Setting::SecretFile(_) => Some((name.clone(), placeholder(id, name))),
    });
    let parts = [
        set("instance_attributes", id, values.collect()),
        set("meta_attributes", id, resource.meta.clone()),
        operations(id, &resource.operations),
    ];
    element.with(parts.into_iter().flatten())
}

fn operations(owner: &str, all: &[Operation]) -> Option<Element> {
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    (!all.is_empty()).then(|| Element::new("operations", &[]).with(sorted.into_iter().map(|one| operation(owner, one))))
}

fn operation(owner: &str, operation: &Operation) -> Element {
    let Operation { name, interval, timeout, depth, role, on_fail } = operation;
    let id = format!("{owner}-{name}-interval-{interval}s");
    let mut element = Element::new("op", &[("name", name)]);
    element.set("interval", &format!("{interval}s"));
    element.set("timeout", &format!("{timeout}s"));
    if let Some(role) = role {
        element.set("role", role);
    }
    if let Some(then) = on_fail {
        element.set("on-fail", then.word());
    }
    element.set("id", &id);
    let level = (*depth > 0).then(|| vec![("OCF_CHECK_LEVEL".to_owned(), depth.to_string())]);
    element.with(level.and_then(|values| set("instance_attributes", &id, values)))
}

/// Takes the resource `id` out of `resources`.
fn take(resources: &mut Element, id: &str) -> Option<Element> {
    let at = resources.children.iter().position(|one| one.id() == id)?;
    Some(resources.children.remove(at))
}

/// Makes a clone of a resource that is there.
pub(super) fn clone(resources: &mut Element, resource: &str, meta: &[(String, String)]) {
    let id = crate::scenario::setup::clone_id(resource);
    let inner = take(resources, resource);
    let clone = Element::new("clone", &[("id", &id)]).with(inner);
    resources.children.push(clone.with(set("meta_attributes", &id, meta.to_vec())));
}

/// Makes a group of resources that are there.
pub(super) fn group(resources: &mut Element, id: &str, members: &[String], meta: &[(String, String)]) {
    let inner: Vec<_> = members.iter().filter_map(|member| take(resources, member)).collect();
    let group = Element::new("group", &[("id", id)]).with(inner);
    resources.children.push(group.with(set("meta_attributes", id, meta.to_vec())));
}

/// Makes a promotable clone of a resource that is there.
pub(super) fn promotable(resources: &mut Element, resource: &str, meta: &[(String, String)]) {
    let own = ("promotable".to_owned(), "true".to_owned());
    clone(resources, resource, &[meta, &[own]].concat());
}
