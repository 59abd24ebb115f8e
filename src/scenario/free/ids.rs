//! Every id of a scenario: all of them are in one space, and some mean something to pcs or Pacemaker.

use crate::scenario::fault::Fault;
use crate::scenario::reader::Word;
use crate::scenario::{names, repository, virtual_ip};
use std::collections::{BTreeMap, BTreeSet};

/// Words that pcs, or a script, takes for something else where an id may stand.
const WORDS: &[&str] = &[
    "Promoted",
    "Unpromoted",
    "Started",
    "Stopped",
    "Master",
    "Slave",
    "promoted",
    "unpromoted",
    "master",
    "slave",
    "start",
    "stop",
    "promote",
    "demote",
    "with",
    "then",
    "after",
    "set",
    "setoptions",
    "and",
    "or",
    "meta",
    "op",
    "options",
    "to",
    "rule",
    "any",
    "on",
    "where",
    "clone",
    "group",
    "bundle",
    "score",
    "all",
];
/// What pcs ends the names with that it gives to parts of a resource by itself.
const PARTS: &[&str] = &["-instance_attributes", "-meta_attributes", "-operations", "-rule", "-clone", "-utilization"];

/// What pcs has in the names that it gives to operations.
pub const INTERVAL: &str = "-interval-";

/// Whether something of a scenario may have this id, if nothing else has it.
pub fn is_usable(id: &str) -> bool {
    let reserved = [virtual_ip::ID, repository::ID, crate::alert::NAME];
    names::is_id(id) && meaning(id).is_none() && !reserved.contains(&id)
}

/// Why an id would be taken for something else.
fn meaning(id: &str) -> Option<String> {
    if WORDS.contains(&id) {
        return Some(format!("\"{id}\" means something else to pcs: choose another id"));
    }
    let part = PARTS.iter().find(|part| id.ends_with(**part)).copied();
    let part = part.or_else(|| id.contains(INTERVAL).then_some(INTERVAL))?;
    Some(format!("pcs gives names with \"{part}\" by itself: choose another id"))
}

/// What a name stands for.
#[derive(Debug, Clone)]
struct Target {
    /// The id that constraints use.
    id: String,
    /// Whether it comes from the set-up.
    own: bool,
    /// Whether instances of it are promoted.
    promotable: bool,
    /// Why no constraint may name it.
    hidden: Option<String>,
}

/// A resource that something is said of.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Whether it comes from the set-up.
    pub own: bool,
    /// Whether instances of it are promoted.
    pub promotable: bool,
}

/// Every id, and what the resources are called.
#[derive(Debug, Default)]
pub struct Ids {
    /// Each with what it is.
    taken: BTreeMap<String, &'static str>,
    /// By the name in the file.
    targets: BTreeMap<String, Target>,
    /// Members of groups.
    grouped: BTreeSet<String>,
}

impl Ids {
    /// Keeps an id for the set-up, whether it is used or not.
    pub fn reserve(&mut self, id: String) {
        self.taken.insert(id, "a resource of this set-up");
    }

    /// A resource of the set-up that constraints may name, by the id it has in constraints.
    pub fn own(&mut self, name: &str, id: &str) {
        for name in [name, id] {
            let target = Target { id: id.to_owned(), own: true, promotable: false, hidden: None };
            self.targets.insert(name.to_owned(), target);
        }
    }

    /// Takes a new id that stands in the file.
    pub fn claim(&mut self, word: &Word<'_>, what: &'static str) -> Result<(), Fault> {
        let id = word.text.as_str();
        if !names::is_id(id) {
            return Err(word.must_be(names::ID));
        }
        // What is there already first: that says more.
        if let Some(reason) = meaning(id).filter(|_| !self.taken.contains_key(id)) {
            return Err(word.fault(reason));
        }
        self.claim_derived(word, id.to_owned(), what)
    }

    /// Takes an id that follows from others.
    pub fn claim_derived(&mut self, word: &Word<'_>, id: String, what: &'static str) -> Result<(), Fault> {
        if let Some(other) = self.taken.get(&id) {
            let more = match what {
                "a constraint" => ": two of one kind about the same resources are one to the cluster; say it once",
                _ => ": give it another id",
            };
            return Err(word.fault(format!("{id} is {other} already{more}")));
        }
        self.taken.insert(id, what);
        Ok(())
    }

    /// A resource of the file that constraints may name.
    pub(super) fn resource(&mut self, name: &str, id: String, promotable: bool) {
        for name in [name.to_owned(), id.clone()] {
            self.targets.insert(name, Target { id: id.clone(), own: false, promotable, hidden: None });
        }
    }

    /// Notes that a resource is in a group now; false: it was in one already.
    pub(super) fn join(&mut self, member: &str) -> bool {
        self.grouped.insert(member.to_owned())
    }

    /// A resource that is in a group that has several instances: constraints have to name that.
    pub(super) fn hide(&mut self, name: &str, group: &str) {
        if let Some(target) = self.targets.get_mut(name) {
            target.hidden = Some(format!("is in {group}, which runs more than once: name {group}"));
        }
    }

    /// The resource that a word names.
    pub(super) fn find(&self, word: &Word<'_>) -> Result<Named, Fault> {
        let Some(target) = self.targets.get(&word.text) else {
            let known: Vec<_> = self.targets.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "there is none".to_owned() } else { known.join(", ") };
            return Err(word.must_be(format!("a resource or group of this file: {known}")));
        };
        if let Some(reason) = &target.hidden {
            return Err(word.fault(format!("{} {reason}", word.text)));
        }
        Ok(Named { id: target.id.clone(), own: target.own, promotable: target.promotable })
    }
}
