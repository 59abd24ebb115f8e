//! What starts after what: resources in columns, each to the right of all that it waits for.

use super::svg::{Canvas, Look, NAME, SMALL, width};
use crate::document::element::Element;
use std::collections::BTreeMap;

/// An order: first, then, and whether it holds only when both happen.
type Order = (String, String, bool);

const HEIGHT: u32 = 34;
const ROW: u32 = 48;
const GAP: u32 = 50;

/// Draws them from `top` down; where the drawing ends. Nothing when there are no orders.
pub(super) fn draw(canvas: &mut Canvas, configuration: &Element, left: u32, top: u32) -> (u32, u32) {
    let orders = reduced(orders(configuration));
    if orders.is_empty() {
        return (left, top);
    }
    let columns = columns(&orders);
    let mut place: BTreeMap<&str, (u32, u32, u32)> = BTreeMap::new();
    let deepest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let deepest = u32::try_from(deepest).unwrap_or(0);
    // Arrows past a column go above all boxes, each on a track of its own.
    let of = |id: &str| columns.iter().position(|column| column.iter().any(|one| one == id)).unwrap_or(0);
    let far = orders.iter().filter(|(first, then, _)| of(then) > of(first) + 1).count();
    let above = top + u32::try_from(far).unwrap_or(0) * 10;
    let mut x = left;
    for column in &columns {
        let wide = column.iter().map(|id| width(id, NAME)).max().unwrap_or(0) + 20;
        let count = u32::try_from(column.len()).unwrap_or(0);
        for (index, id) in column.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(0);
            let y = above + (deepest - count) * ROW / 2 + index * ROW;
            canvas.boxed((x, y), (wide, HEIGHT), Look::Plain);
            canvas.centred((x + wide / 2, y + 22), id, NAME);
            place.insert(id, (x, y, wide));
        }
        x += wide + GAP;
    }
    let mut track = 0;
    for (first, then, broken) in &orders {
        let (Some(from), Some(to)) = (place.get(first.as_str()), place.get(then.as_str())) else { continue };
        let (begin, end) = ((from.0 + from.2, from.1 + HEIGHT / 2), (to.0, to.1 + HEIGHT / 2));
        if of(then) > of(first) + 1 {
            let y = top + track * 10;
            track += 1;
            let shift = 12 + track * 6;
            let (out, down) = (from.0 + from.2 / 2 + shift, to.0 + to.2 / 2 - shift);
            canvas.arrow(&[(out, from.1), (out, y), (down, y), (down, to.1)], *broken);
        } else {
            canvas.arrow(&[begin, end], *broken);
        }
    }
    let bottom = above + deepest * ROW;
    let words = "from left to right: starts after, and stops before; broken: only when both start or stop";
    canvas.text((left, bottom + 6), words, SMALL);
    (x.saturating_sub(GAP), bottom + 14)
}

/// Which end of a group an order is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its last member: what waits for a group waits for that.
    Last,
    /// Its first member: that waits for what comes before a group.
    First,
}

/// The resource that an order is about. A clone goes by what is in it; an instance that is promoted is something of its own.
fn name(configuration: &Element, id: &str, end: End, action: &str) -> String {
    let clones = configuration.all("clone");
    let clone = clones.iter().find(|clone| clone.id() == id);
    let inner =
        clone.and_then(|clone| clone.child("primitive").or_else(|| clone.child("group"))).map_or(id, Element::id);
    let group = configuration.all("group").into_iter().find(|group| group.id() == inner);
    let mut members = group.into_iter().flat_map(|group| group.named("primitive")).map(Element::id);
    let member = if end == End::First { members.next() } else { members.last() };
    promoted(member.unwrap_or(inner), action)
}

fn promoted(id: &str, action: &str) -> String {
    if action == "promote" { format!("{id} (promoted)") } else { id.to_owned() }
}

/// The orders of a configuration, those of groups too.
fn orders(configuration: &Element) -> Vec<Order> {
    let mut all: Vec<Order> = Vec::new();
    for group in configuration.all("group") {
        let members = group.all("primitive");
        all.extend(members.windows(2).map(|two| (two[0].id().to_owned(), two[1].id().to_owned(), false)));
    }
    for order in configuration.all("rsc_order").iter().filter(|order| order.get("first").is_some()) {
        let action = order.get("first-action").unwrap_or("start");
        let first = name(configuration, order.text("first"), End::Last, action);
        let then = name(configuration, order.text("then"), End::First, order.get("then-action").unwrap_or(action));
        all.push((first, then, order.text("kind") == "Optional"));
    }
    for order in configuration.all("rsc_order") {
        let broken = order.text("kind") == "Optional";
        let sets: Vec<&Element> = order.named("resource_set").collect();
        let members = |set: &Element, end| {
            set.children.iter().map(|one| name(configuration, one.id(), end, set.text("action"))).collect::<Vec<_>>()
        };
        for set in sets.iter().filter(|set| set.get("sequential") != Some("false")) {
            let (before, after) = (members(set, End::Last), members(set, End::First));
            let pairs = before.into_iter().zip(after.into_iter().skip(1));
            all.extend(pairs.map(|(first, then)| (first, then, broken)));
        }
        for two in sets.windows(2) {
            for first in members(two[0], End::Last) {
                all.extend(members(two[1], End::First).into_iter().map(|then| (first.clone(), then, broken)));
            }
        }
    }
    // Before an instance is promoted it has started.
    let ids: Vec<&str> = configuration.all("primitive").into_iter().map(Element::id).collect();
    let is_there = |name: &str| all.iter().any(|(first, then, _)| first == name || then == name);
    let both = ids.into_iter().filter(|id| is_there(id) && is_there(&promoted(id, "promote")));
    let more: Vec<Order> = both.map(|id| (id.to_owned(), promoted(id, "promote"), false)).collect();
    all.extend(more);
    all
}

/// Without those that follow from others.
fn reduced(orders: Vec<Order>) -> Vec<Order> {
    let follows = |from: &str, to: &str, skip: usize| {
        let mut seen = vec![from.to_owned()];
        let mut index = 0;
        while let Some(at) = seen.get(index).cloned() {
            for (number, (first, then, _)) in orders.iter().enumerate() {
                let direct = number == skip || (first == from && then == to);
                if *first == at && !direct && !seen.contains(then) {
                    seen.push(then.clone());
                }
            }
            index += 1;
        }
        seen.iter().any(|one| one == to)
    };
    let keep = |index: &usize| orders.get(*index).is_some_and(|(first, then, _)| !follows(first, then, *index));
    (0..orders.len()).filter(keep).filter_map(|index| orders.get(index).cloned()).collect()
}

/// Each resource in the first column that is right of all that it waits for.
fn columns(orders: &[Order]) -> Vec<Vec<String>> {
    let mut level: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names: Vec<&str> = Vec::new();
    for (first, then, _) in orders {
        for id in [first.as_str(), then.as_str()] {
            if !names.contains(&id) {
                names.push(id);
            }
            level.entry(id).or_insert(0);
        }
    }
    // As often as there are resources: a circle, which no scenario should have, ends too.
    for _ in 0..names.len() {
        for (first, then, _) in orders {
            let least = level.get(first.as_str()).copied().unwrap_or(0) + 1;
            let there = level.entry(then).or_insert(0);
            *there = least.min(names.len()).max(*there);
        }
    }
    let last = level.values().copied().max().unwrap_or(0);
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); last + 1];
    for id in names {
        if let Some(column) = level.get(id).and_then(|level| columns.get_mut(*level)) {
            column.push(id.to_owned());
        }
    }
    columns.into_iter().filter(|column| !column.is_empty()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used, reason = "a test may panic")]
    fn groups_and_promoted_instances_are_ordered_by_their_parts() {
        let configuration = Element::read(
            r#"<c><resources><group id="g"><primitive id="a"/><primitive id="b"/></group><clone id="s-clone"><primitive id="s"/></clone>
            <primitive id="w"/></resources><constraints><rsc_order first="w" then="g"/><rsc_order first="g" then="s-clone"/>
            <rsc_order first="g" first-action="start" then="s-clone" then-action="promote"/></constraints></c>"#,
        );
        let names: Vec<String> =
            orders(&configuration.unwrap()).into_iter().map(|(first, then, _)| format!("{first} > {then}")).collect();
        assert_eq!(names, ["a > b", "w > a", "b > s", "b > s (promoted)", "s > s (promoted)"]);
    }

    #[test]
    fn what_follows_is_not_drawn_twice() {
        let order = |first: &str, then: &str| (first.to_owned(), then.to_owned(), false);
        let all = vec![order("a", "b"), order("a", "c"), order("b", "c"), order("a", "d")];
        let few = reduced(all);
        assert_eq!(few, [order("a", "b"), order("b", "c"), order("a", "d")]);
        assert_eq!(columns(&few), [vec!["a"], vec!["b", "d"], vec!["c"]]);
        assert!(!columns(&[order("a", "b"), order("b", "a")]).is_empty());
    }
}
