//! Resources, groups and clones: what of them a scenario takes.

use super::operations::{operation, operations};
use crate::configuration::{Pairs, Resource, value};
use crate::import::cluster::{Cluster, secret_file};
use crate::import::notes::{Notes, pair};
use crate::import::write::{Writer, quote, quoted_key};
use crate::scenario::fencing::is_secret;
use crate::scenario::free::agent;
use crate::scenario::names::is_id;

/// What stands where nobody knows an address.
pub(super) const OPEN: &str = "?";
/// Meta attributes that have another name now.
const RENAMED: &[(&str, &str)] =
    &[("master-max", "promoted-max"), ("master-node-max", "promoted-node-max"), ("resource-failure-stickiness", "")];

/// A resource with everything that it keeps.
#[derive(Debug)]
struct One {
    resource: Resource,
    stopped: bool,
}

/// A group of them.
#[derive(Debug)]
struct Together {
    id: String,
    members: Vec<String>,
    meta: Pairs,
}

/// Several instances.
#[derive(Debug)]
struct Copies {
    of: String,
    /// The id that the old cluster had for them.
    id: String,
    promotable: bool,
    meta: Pairs,
}

/// What is carried over.
#[derive(Debug, Default)]
pub(super) struct Resources {
    all: Vec<One>,
    groups: Vec<Together>,
    clones: Vec<Copies>,
}

impl Resources {
    pub(super) fn of(cluster: &Cluster, notes: &mut Notes) -> Resources {
        let old = &cluster.configuration;
        let mut made = Resources::default();
        for resource in old.services() {
            if made.all.iter().any(|one| one.resource.id == resource.id) {
                notes.leave("resources", &resource.id, "is there already");
            } else if let Some(one) = One::of(resource, notes) {
                made.all.push(one);
            }
        }
        for group in &old.groups {
            let is_there = |id: &&String| made.all.iter().any(|one| one.resource.id == **id);
            let mut members: Vec<String> = Vec::new();
            for member in group.members.iter().filter(is_there) {
                let elsewhere = made.groups.iter().any(|other| other.members.contains(member));
                if elsewhere || members.contains(member) {
                    notes.leave("resources", &format!("group {}: {member}", group.id), "is in a group already");
                } else {
                    members.push(member.clone());
                }
            }
            if members.is_empty() {
                notes.leave("resources", &format!("group {}", group.id), "nothing in it is carried over");
                continue;
            }
            let meta = meta(&group.id, &group.meta, notes);
            made.groups.push(Together { id: group.id.clone(), members, meta });
        }
        for clone in &old.clones {
            let grouped = made.groups.iter().any(|group| group.members.contains(&clone.of));
            if !made.is_outer(&clone.of) || grouped || made.clones.iter().any(|other| other.of == clone.of) {
                notes.leave("resources", &format!("clone {}", clone.id), "what it has several of is not carried over");
                continue;
            }
            let meta = meta(&clone.id, &clone.meta, notes).into_iter().filter(|(name, _)| name != "promotable");
            let (of, id, meta) = (clone.of.clone(), clone.id.clone(), meta.collect());
            made.clones.push(Copies { of, id, promotable: clone.promotable, meta });
        }
        made.no_strangers(notes);
        made
    }

    /// Members of a cloned group cannot be clones, and roles are for what is promotable alone.
    fn no_strangers(&mut self, notes: &mut Notes) {
        for one in &mut self.all {
            let id = &one.resource.id;
            let promotable = self.clones.iter().any(|clone| clone.of == *id && clone.promotable);
            one.resource.operations.retain(|operation| {
                let role = operation.role.as_deref().is_some_and(|role| ["Promoted", "Unpromoted"].contains(&role));
                if role && !promotable {
                    notes.leave(
                        "resources",
                        &format!("{id}: op {}", operation.name),
                        "has a role that nothing here has",
                    );
                }
                promotable || !role
            });
        }
    }

    fn is_outer(&self, id: &str) -> bool {
        self.all.iter().any(|one| one.resource.id == id) || self.groups.iter().any(|one| one.id == id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The name by which a scenario's constraints know something of that id, and whether it has roles; none: they do not.
    pub(super) fn find(&self, id: &str) -> Option<(String, bool)> {
        let id = self.clones.iter().find(|clone| clone.id == id).map_or(id, |clone| clone.of.as_str());
        let within = self.groups.iter().find(|group| group.members.iter().any(|member| member == id));
        if within.is_some_and(|group| self.clones.iter().any(|clone| clone.of == group.id)) || !self.is_outer(id) {
            return None;
        }
        Some((id.to_owned(), self.clones.iter().any(|clone| clone.of == id && clone.promotable)))
    }

    /// The group, if any, that a resource is in.
    pub(super) fn group(&self, id: &str) -> Option<&str> {
        self.groups.iter().find(|one| one.members.iter().any(|member| member == id)).map(|one| one.id.as_str())
    }

    /// Asks what is open.
    pub(super) fn ask(&self, notes: &mut Notes) {
        for one in self.all.iter().filter(|one| value(&one.resource.params, "ip") == Some(OPEN)) {
            notes.ask(format!(
                "resource {}: params.ip: the address, which the files only name (--address NAME=ADDRESS)",
                one.resource.id
            ));
        }
    }

    pub(super) fn write(&self, text: &mut Writer, answered: bool) {
        for (index, one) in self.all.iter().enumerate() {
            let Resource { id, agent, params, meta, operations } = &one.resource;
            text.section("resource", true);
            text.text("id", id);
            text.text("agent", agent);
            for (name, said) in params {
                let said = match said.as_str() {
                    OPEN if answered && name == "ip" => quote(&format!("198.51.100.{}", index % 250 + 1)),
                    _ if is_secret(name) => format!("{{ file = {} }}", quote(&secret_file(id))),
                    said => quote(said),
                };
                text.plain(&format!("params.{}", quoted_key(name)), said);
            }
            pairs(text, "meta", meta);
            if one.stopped {
                text.text("target", "stopped");
            }
            if !operations.is_empty() {
                let lines: Vec<String> = operations.iter().map(|one| format!("    {},\n", operation(one))).collect();
                text.plain("op", format!("[\n{}]", lines.concat()));
            }
            self.copies(text, id);
        }
        for group in &self.groups {
            text.section("group", true);
            text.text("id", &group.id);
            text.list("members", &group.members);
            pairs(text, "meta", &group.meta);
            self.copies(text, &group.id);
        }
    }

    fn copies(&self, text: &mut Writer, id: &str) {
        let Some(clone) = self.clones.iter().find(|clone| clone.of == id) else { return };
        let key = if clone.promotable { "promotable" } else { "clone" };
        match clone.meta.as_slice() {
            [] => text.plain(key, true),
            some => {
                let some: Vec<String> =
                    some.iter().map(|(name, said)| format!("{} = {}", quoted_key(name), quote(said))).collect();
                text.plain(key, format!("{{ {} }}", some.join(", ")));
            }
        }
    }
}

fn pairs(text: &mut Writer, table: &str, all: &Pairs) {
    for (name, said) in all {
        text.text(&format!("{table}.{}", quoted_key(name)), said);
    }
}

/// Whether a scenario takes this as a value.
pub(super) fn is_value(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

impl One {
    fn of(resource: &Resource, notes: &mut Notes) -> Option<One> {
        let id = resource.id.clone();
        if let Some(why) = agent::fault(&resource.agent) {
            notes.leave("resources", &format!("{id} ({})", resource.agent), why);
            return None;
        }
        let mut params: Pairs = Vec::new();
        for (name, said) in &resource.params {
            let what = format!("{id}: {}", pair(name, said));
            if params.iter().any(|(known, _)| known == name) || !is_id(name) || !is_value(said) {
                notes.leave("resources", &what, "is said twice, or no parameter with a value");
                continue;
            }
            if is_secret(name) {
                let file = secret_file(&id);
                let why = format!("a secret: write it into {file}, chmod 600, before the script runs");
                notes.change("resources", &what, why);
            }
            params.push((name.clone(), said.clone()));
        }
        let mut meta = meta(&id, &resource.meta, notes);
        let role = value(&meta, "target-role").map(str::to_lowercase);
        meta.retain(|(name, _)| name != "target-role" && name != "clone-max");
        let operations = operations(&id, &resource.operations, notes);
        let agent = resource.agent.clone();
        Some(One {
            resource: Resource { id, agent, params, meta, operations },
            stopped: role.as_deref() == Some("stopped"),
        })
    }
}

/// Meta attributes by their present names.
fn meta(id: &str, all: &[(String, String)], notes: &mut Notes) -> Pairs {
    let mut kept: Pairs = Vec::new();
    for (name, said) in all {
        let new = name.replace('_', "-");
        let new = RENAMED.iter().find(|(old, _)| *old == new).map_or(new.as_str(), |(_, new)| new);
        if !is_id(new) || is_secret(new) || !is_value(said) || kept.iter().any(|(known, _)| known == new) {
            notes.leave(
                "resources",
                &format!("{id}: meta {}", pair(name, said)),
                "Pacemaker has no such meta attribute any more",
            );
        } else {
            kept.push((new.to_owned(), said.clone()));
        }
    }
    kept
}
