//! Names that mean something else to a scenario or to pcs.

use crate::configuration::Configuration;
use crate::import::cluster::id;
use crate::import::notes::Notes;
use crate::scenario::free::ids::is_usable;
use std::collections::{BTreeMap, BTreeSet};

/// Gives resources and groups another id where no scenario takes theirs, wherever it is named.
pub(super) fn rename(all: &mut Configuration, notes: &mut Notes) {
    let old: Vec<String> =
        all.resources.iter().map(|one| one.id.clone()).chain(all.groups.iter().map(|one| one.id.clone())).collect();
    let mut taken: BTreeSet<String> = old.iter().cloned().collect();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for one in old.into_iter().filter(|one| !is_usable(one)) {
        if names.contains_key(&one) {
            continue;
        }
        let base = id(&one);
        let free = (1..).map(|n| format!("{base}_{n}")).find(|new| !taken.contains(new)).unwrap_or(base);
        notes.change("resources", &one, format!("is {free} now: a scenario or pcs means something else by that name"));
        taken.insert(free.clone());
        names.insert(one, free);
    }
    let change = |word: &mut String| {
        if let Some(new) = names.get(word) {
            word.clone_from(new);
        }
    };
    all.resources.iter_mut().for_each(|one| change(&mut one.id));
    for group in &mut all.groups {
        change(&mut group.id);
        group.members.iter_mut().for_each(change);
    }
    all.clones.iter_mut().for_each(|one| change(&mut one.of));
    for one in &mut all.colocations {
        change(&mut one.resource);
        change(&mut one.with);
    }
    for one in &mut all.orders {
        change(&mut one.first);
        change(&mut one.then);
    }
    all.locations.iter_mut().for_each(|one| change(&mut one.resource));
}
