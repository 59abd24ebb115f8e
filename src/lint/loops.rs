//! Constraints that nothing can satisfy.

use super::{Found, Subject};
use crate::configuration::Configuration;
use std::collections::{BTreeMap, BTreeSet};

/// What comes after what, each with the constraint that says so.
struct Graph<'a> {
    after: BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>,
}

/// The first and the last that starts of what an id stands for.
fn ends<'a>(configuration: &'a Configuration, id: &'a str) -> (&'a str, &'a str) {
    let within = configuration.within(id);
    match (within.first(), within.last()) {
        (Some(first), Some(last)) => (first.id.as_str(), last.id.as_str()),
        _ => (id, id),
    }
}

pub(super) fn order(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let mut graph = Graph { after: BTreeMap::new() };
    for group in &configuration.groups {
        for two in group.members.windows(2) {
            if let [first, then] = two {
                graph.after.entry(first).or_default().insert(then, &group.id);
            }
        }
    }
    let starts = |action: &Option<String>| matches!(action.as_deref(), None | Some("start" | "promote"));
    for one in &configuration.orders {
        // Serialize says only that they do not start at the same time.
        if starts(&one.first_action) && starts(&one.then_action) && one.kind != "Serialize" {
            let (first, then) = (ends(configuration, &one.first).1, ends(configuration, &one.then).0);
            graph.after.entry(first).or_default().insert(then, &one.id);
        }
    }
    let rest = graph.looped();
    let Some(path) = graph.walk(&rest) else { return Vec::new() };
    let constraints: BTreeSet<&str> = path
        .windows(2)
        .filter_map(|two| match two {
            [a, b] => graph.after.get(a).and_then(|after| after.get(b)).copied(),
            _ => None,
        })
        .collect();
    let about = constraints.into_iter().collect::<Vec<_>>().join(", ");
    let text = format!("a loop: {}: each waits for the one before it, and none ever starts", path.join(", then "));
    vec![Found::error(about, text, "take one of these orders out")]
}

impl<'a> Graph<'a> {
    /// What is left when everything that no loop goes through is taken away.
    fn looped(&self) -> BTreeSet<&'a str> {
        let mut rest: BTreeSet<&str> =
            self.after.iter().flat_map(|(first, then)| then.keys().chain([first])).copied().collect();
        loop {
            let leads =
                |id: &&str| self.after.get(*id).is_some_and(|after| after.keys().any(|then| rest.contains(then)));
            let kept: BTreeSet<&str> = rest.iter().copied().filter(leads).collect();
            if kept.len() == rest.len() {
                return rest;
            }
            rest = kept;
        }
    }

    /// A way round: its first is its last.
    fn walk(&self, rest: &BTreeSet<&'a str>) -> Option<Vec<&'a str>> {
        let mut path: Vec<&str> = vec![*rest.first()?];
        loop {
            let last = path.last()?;
            let next = self.after.get(last)?.keys().copied().find(|then| rest.contains(then))?;
            if let Some(at) = path.iter().position(|known| *known == next) {
                let mut round = path.split_off(at);
                round.push(next);
                return Some(round);
            }
            path.push(next);
        }
    }
}

/// What is in one place, each by a number that those together share.
pub(super) struct Together<'a> {
    number: BTreeMap<&'a str, usize>,
}

impl<'a> Together<'a> {
    /// By groups and by colocations that always hold.
    pub(super) fn of(configuration: &'a Configuration) -> Together<'a> {
        let mut together = Together { number: BTreeMap::new() };
        for resource in &configuration.resources {
            together.place(&resource.id);
        }
        for group in &configuration.groups {
            group.members.iter().for_each(|member| together.join(&group.id, member));
        }
        let is_clone = |id: &str| configuration.clones.iter().any(|one| one.id == id);
        for one in &configuration.colocations {
            // Two that follow a clone may follow two of its instances.
            let always = crate::configuration::score(&one.score).is_some_and(|score| score >= 1_000_000);
            if always
                && one.role.is_none()
                && one.with_role.is_none()
                && !is_clone(&one.resource)
                && !is_clone(&one.with)
            {
                together.join(&one.resource, &one.with);
            }
        }
        together
    }

    fn place(&mut self, id: &'a str) -> usize {
        let next = self.number.len();
        *self.number.entry(id).or_insert(next)
    }

    fn join(&mut self, a: &'a str, b: &'a str) {
        let (a, b) = (self.place(a), self.place(b));
        if a != b {
            self.number.values_mut().filter(|number| **number == b).for_each(|number| *number = a);
        }
    }

    /// Whether two are in one place.
    pub(super) fn same(&self, a: &str, b: &str) -> bool {
        a == b || matches!((self.number.get(a), self.number.get(b)), (Some(a), Some(b)) if a == b)
    }

    /// Everything that is in one place with it, itself as well.
    pub(super) fn with(&self, id: &str) -> Vec<&'a str> {
        let Some(wanted) = self.number.get(id) else { return Vec::new() };
        self.number.iter().filter(|(_, number)| *number == wanted).map(|(id, _)| *id).collect()
    }
}

pub(super) fn colocation(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let together = Together::of(configuration);
    let apart = |one: &&crate::configuration::Colocation| {
        let never = crate::configuration::score(&one.score).is_some_and(|score| score <= -1_000_000);
        never && one.role.is_none() && one.with_role.is_none()
    };
    let clash = configuration.colocations.iter().filter(apart).filter(|one| together.same(&one.resource, &one.with));
    let finding = |one: &crate::configuration::Colocation| {
        let text = format!(
            "{} never where {} is, and other constraints or a group keep them together: one of them never runs",
            one.resource, one.with
        );
        Found::error(one.id.clone(), text, "one of the two constraints")
    };
    clash.map(finding).collect()
}
