//! How long it takes at worst: until a failure is noticed, then the actions of the cluster, one after the other where they wait
//! for each other, each for as long as it may take.

use super::Model;
use super::action::Action;
use super::event::Event;
use super::world::State;
use std::collections::BTreeMap;

/// corosync's own token timeout in milliseconds (3.1 and later), and what every node above two adds.
const TOKEN: u32 = 3000;
const TOKEN_PER_NODE: u32 = 650;
/// Seconds that switching off a node may take: Pacemaker's default.
pub(super) const FENCING: u32 = 60;

/// A time like `10s`, `10`, `2min` or `1h` in seconds.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u32 = text.get(..digits)?.parse().ok()?;
    match text.get(digits..)? {
        "" | "s" | "sec" => Some(number),
        "ms" | "msec" => Some(number.div_ceil(1000)),
        "m" | "min" => number.checked_mul(60),
        "h" | "hr" => number.checked_mul(3600),
        _ => None,
    }
}

/// Seconds until the cluster has noticed: a node that is silent (token and consensus), a monitor that hangs.
pub(super) fn noticed(model: &Model, event: &Event) -> u32 {
    match event {
        Event::Nodes(_) => {
            let more = u32::try_from(model.nodes.len().saturating_sub(2)).unwrap_or(0);
            let token = model.token.unwrap_or(TOKEN).saturating_add(TOKEN_PER_NODE.saturating_mul(more));
            // The token, then the consensus: 1.2 times as long.
            (token.saturating_mul(22) / 10).div_ceil(1000)
        }
        // Of a remote node its connection's monitor.
        Event::Remote(_) | Event::Monitor(..) => {
            event.resource(model).and_then(|one| one.monitor).map_or(0, |(interval, timeout, _)| interval + timeout)
        }
        Event::Start(..) => event.resource(model).map_or(0, |one| one.start),
        Event::Stop(..) => event.resource(model).map_or(0, |one| one.stop),
        Event::Blind(..) | Event::AllBlind(_) | Event::Returns(_) => 0,
    }
}

/// Seconds that the actions of one step take.
pub(super) fn actions(model: &Model, state: &State) -> u32 {
    let after = order(model);
    let fenced = state.actions.iter().any(|action| matches!(action, Action::Fence(_)));
    let base = if fenced { model.fencing } else { 0 };
    let mut works = BTreeMap::new();
    for action in &state.actions {
        let (key, time) = match action {
            Action::Fence(_) | Action::Promote(..) | Action::Demote(..) => continue,
            Action::Start(id, _) => ((id.as_str(), true), model.one(id).map(|one| one.start)),
            Action::Stop(id, None) => ((id.as_str(), false), model.one(id).map(|_| 0)),
            Action::Stop(id, Some(_)) => ((id.as_str(), false), model.one(id).map(|one| one.stop)),
        };
        // Fencing devices have no part in it.
        if let Some(time) = time {
            let longest: &mut u32 = works.entry(key).or_insert(0);
            *longest = time.max(*longest);
        }
    }
    let mut done = BTreeMap::new();
    let keys: Vec<(&str, bool)> = works.keys().copied().collect();
    let promoted = state.actions.iter().filter_map(|action| match action {
        Action::Promote(id, _) => model.one(id).map(|one| one.promote),
        _ => None,
    });
    // Whatever is promoted has started before.
    let promoted = promoted.max().unwrap_or(0);
    keys.iter().map(|key| end(*key, &works, &after, base, &mut done, 0)).max().unwrap_or(base).saturating_add(promoted)
}

type Key<'a> = (&'a str, bool);

/// When an action ends. `depth` ends what would go round in a circle.
fn end<'a>(
    key: Key<'a>,
    works: &BTreeMap<Key<'a>, u32>,
    after: &[(String, String)],
    base: u32,
    done: &mut BTreeMap<Key<'a>, u32>,
    depth: usize,
) -> u32 {
    if let Some(end) = done.get(&key) {
        return *end;
    }
    let Some(time) = works.get(&key) else { return base };
    if depth > works.len() {
        return base;
    }
    let (id, starts) = key;
    let waits = works.keys().filter(|(other, kind)| match (starts, *kind) {
        (true, true) => after.iter().any(|(first, then)| first == other && then == id),
        (false, false) => after.iter().any(|(first, then)| first == id && then == other),
        // It starts when it has stopped.
        (true, false) => *other == id,
        (false, true) => false,
    });
    let begin = waits.map(|other| end(*other, works, after, base, done, depth + 1)).max().unwrap_or(base);
    let end = begin.max(base).saturating_add(*time);
    done.insert(key, end);
    end
}

/// Which resource starts after which: first, then. Of orders and groups.
fn order(model: &Model) -> Vec<(String, String)> {
    let inner = |id: &str| -> Vec<String> {
        let of = |kind| model.configuration.all(kind).into_iter().find(|one| one.id() == id);
        match of("clone").or_else(|| of("group")) {
            Some(outer) => outer.all("primitive").iter().map(|one| one.id().to_owned()).collect(),
            None => vec![id.to_owned()],
        }
    };
    let mut pairs = Vec::new();
    for order in model.configuration.all("rsc_order") {
        for first in inner(order.text("first")) {
            pairs.extend(inner(order.text("then")).into_iter().map(|then| (first.clone(), then)));
        }
    }
    for group in model.configuration.all("group") {
        let members = inner(group.id());
        pairs.extend(members.windows(2).map(|two| (two[0].clone(), two[1].clone())));
    }
    pairs
}

/// Seconds for people.
pub(super) fn text(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, 0) => "-".into(),
        (0, rest) => format!("{rest} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, rest) => format!("{minutes} min {rest} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        assert_eq!(
            ["10", "10s", "1500ms", "2min", "1h", "x", "3 parsecs", ""].map(seconds),
            [Some(10), Some(10), Some(2), Some(120), Some(3600), None, None, None]
        );
        assert_eq!([0, 5, 60, 200].map(text), ["-", "5 s", "1 min", "3 min 20 s"]);
    }
}
