//! Where things run, in words.

use super::rule;
use crate::document::element::Element;
use std::collections::BTreeMap;

/// Where a resource is while all is well, and where it may be: node by node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It runs here.
    Runs,
    /// It may run here.
    May,
    /// It never runs here.
    Never,
}

/// The place of a resource on each of the nodes.
pub(super) fn places(configuration: &Element, id: &str, nodes: &[String]) -> Vec<Place> {
    let whole = container(configuration, id);
    let ids = [id, whole.map_or(id, Element::id)];
    let cloned = whole.is_some_and(|one| one.name == "clone");
    let group = configuration.all("group").into_iter().find(|group| group.named("primitive").any(|one| one.id() == id));
    let ids = [ids[0], ids[1], group.map_or(id, Element::id)];
    let leader = leader(configuration, id, 0);
    let score = |node: &str, ids: &[&str]| {
        let all = configuration.all("rsc_location");
        let of = all.iter().filter(|one| one.text("node") == node && ids.contains(&one.text("rsc")));
        let rules = all.iter().filter(|one| ids.contains(&one.text("rsc"))).flat_map(|one| one.all("rule"));
        let rules = rules.filter(|rule| rule::holds(rule, &rule::attributes(configuration, node)));
        of.copied().chain(rules).map(|one| one.text("score").to_owned()).collect::<Vec<_>>()
    };
    let never = |node: &str| score(node, &ids).iter().any(|score| score == "-INFINITY");
    let lead = [leader.as_str(), container(configuration, &leader).map_or(leader.as_str(), Element::id)];
    let liked = nodes.iter().filter(|node| !never(node)).max_by_key(|node| {
        let best = score(node, &lead).iter().filter_map(|score| score.parse::<i64>().ok()).max().unwrap_or(0);
        // Of equal ones the first.
        (best, std::cmp::Reverse(nodes.iter().position(|one| one == *node)))
    });
    let place = |node: &String| match (never(node), cloned || liked == Some(node)) {
        (true, _) => Place::Never,
        (false, true) => Place::Runs,
        (false, false) => Place::May,
    };
    nodes.iter().map(place).collect()
}

/// The clone or group that a resource is in.
fn container<'a>(configuration: &'a Element, id: &str) -> Option<&'a Element> {
    let outer = configuration.child("resources")?.children.iter();
    outer.filter(|one| one.name != "primitive").find(|one| one.all("primitive").iter().any(|inner| inner.id() == id))
}

/// What a resource follows, in the end.
fn leader(configuration: &Element, id: &str, depth: usize) -> String {
    let all = configuration.all("rsc_colocation");
    let next = all.iter().find(|one| one.text("rsc") == id && one.text("score") == "INFINITY" && depth < 20);
    next.map_or_else(|| id.to_owned(), |one| leader(configuration, one.text("with-rsc"), depth + 1))
}

/// Sentences about colocations and locations.
pub(super) fn sentences(configuration: &Element) -> Vec<String> {
    let mut all = Vec::new();
    for group in configuration.all("group") {
        let members: Vec<&str> = group.all("primitive").iter().map(|one| one.id()).collect();
        all.push(format!("{} is one group: {} are always on the same node.", group.id(), members.join(", ")));
    }
    for clone in configuration.all("clone").iter().filter(|one| says(one, "promotable", "true")) {
        let count = value(clone, "promoted-max").unwrap_or("1");
        all.push(format!("{}: {count} of its instances is promoted.", clone.id()));
    }
    for one in configuration.all("rsc_colocation").iter().filter(|one| one.get("rsc").is_none()) {
        let sets: Vec<String> = one.named("resource_set").map(set).collect();
        all.push(format!("{}: {} go together, with score {}.", one.id(), sets.join("; "), one.text("score")));
    }
    let mut with: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for one in configuration.all("rsc_colocation").iter().filter(|one| one.get("rsc").is_some()) {
        let role = |id: &str, role: &str| match one.get(role) {
            Some(role) => format!("{} ({})", one.text(id), role.to_lowercase()),
            None => one.text(id).to_owned(),
        };
        let key = (role("with-rsc", "with-rsc-role"), one.text("score").to_owned());
        with.entry(key).or_default().push(role("rsc", "rsc-role"));
    }
    for ((leads, score), follow) in with {
        let verb = if follow.len() == 1 { "runs" } else { "run" };
        let how = match score.as_str() {
            "INFINITY" => format!("only where {leads} does"),
            "-INFINITY" => format!("never where {leads} does"),
            other => format!("where {leads} does, with score {other}"),
        };
        all.push(format!("{} {verb} {how}.", follow.join(", ")));
    }
    let mut never: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in configuration.all("rsc_location").iter().filter(|one| one.get("node").is_some()) {
        let (resource, node, score) = (one.text("rsc"), one.text("node"), one.text("score"));
        match score {
            "-INFINITY" => never.entry(node.to_owned()).or_default().push(resource.to_owned()),
            _ => all.push(format!("{resource} is first on {node} (score {score}).")),
        }
    }
    let mut rules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in configuration.all("rsc_location").iter().filter(|one| !one.all("rule").is_empty()) {
        for rule in one.all("rule") {
            let tests: Vec<String> = rule.all("expression").into_iter().map(test).collect();
            let joint = format!(" {} ", rule.get("boolean-op").unwrap_or("and"));
            rules.entry(one.text("rsc").to_owned()).or_default().push(match rule.text("score") {
                "-INFINITY" => format!("never where {}", tests.join(&joint)),
                score => format!("{score} where {}", tests.join(&joint)),
            });
        }
    }
    for (resource, scores) in rules {
        all.push(format!("{resource} goes by what the nodes say: {}.", scores.join("; ")));
    }
    for (node, ids) in never {
        all.push(format!("Never on {node}: {}.", ids.join(", ")));
    }
    all
}

fn value<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let sets = element.named("meta_attributes").flat_map(|set| &set.children);
    sets.filter(|pair| pair.text("name") == name).find_map(|pair| pair.get("value"))
}

fn says(element: &Element, name: &str, text: &str) -> bool {
    value(element, name) == Some(text)
}

/// The members of a set.
fn set(set: &Element) -> String {
    let joint = if set.get("sequential") == Some("false") { " and " } else { ", " };
    set.named("resource_ref").map(Element::id).collect::<Vec<_>>().join(joint)
}

/// Sentences about who is told, and what is tried when a node has to be switched off.
pub(super) fn beside(configuration: &Element) -> Vec<String> {
    let mut all = Vec::new();
    for level in configuration.all("fencing-level") {
        let (node, number) = (level.text("target"), level.text("index"));
        all.push(format!("To switch off {node}, try {number}: {}.", level.text("devices").replace(',', " and ")));
    }
    for node in configuration.child("nodes").map(|nodes| nodes.children.as_slice()).unwrap_or_default() {
        let pairs = node.all("nvpair");
        let words: Vec<String> =
            pairs.iter().map(|pair| format!("{} {}", pair.text("name"), pair.text("value"))).collect();
        all.push(format!("{} has {}.", node.text("uname"), words.join(", ")));
    }
    for alert in configuration.all("alert") {
        let told: Vec<&str> = alert.named("recipient").map(|one| one.text("value")).collect();
        let told = if told.is_empty() { "runs".into() } else { format!("tells {}", told.join(", ")) };
        all.push(format!("When something happens, {} {told}.", alert.text("path")));
    }
    for tag in configuration.all("tag") {
        let members: Vec<&str> = tag.children.iter().map(Element::id).collect();
        all.push(format!("{} is a name for {}.", tag.id(), members.join(", ")));
    }
    all
}

fn test(expression: &Element) -> String {
    let attribute = expression.text("attribute");
    match (expression.text("operation"), expression.get("value")) {
        ("eq", Some(value)) => format!("{attribute} is {value}"),
        ("gte", Some(value)) => format!("{attribute} is at least {value}"),
        ("not_defined", _) => format!("{attribute} is not known"),
        ("defined", _) => format!("{attribute} is known"),
        (operation, value) => format!("{attribute} {operation} {}", value.unwrap_or_default()),
    }
}
