//! A plan in the words of crmsh, for `crm configure load update`.

use super::cib::{self, placeholder};
use super::dialect::{Dialect, Made, Wish};
use super::plan::constraint::{colocation_id, order_id};
use super::plan::{
    Action, Alert, Event, Expression, Operation, Part, Plan, Resource, Role, Rule, Set, Setting, Step, View, Weight,
};
use super::{at_once, setting};
use crate::scenario::setup::clone_id;
use std::collections::{BTreeMap, BTreeSet};

/// The dialect of crmsh.
#[derive(Debug)]
pub struct Crmsh;

/// Makes the dialect: it has one variant.
pub(super) fn make(variant: &str, _: &Wish) -> Made {
    match variant {
        "" => Ok(Box::new(Crmsh)),
        _ => Err(format!("crmsh has no variant {variant}: write crmsh")),
    }
}

impl Dialect for Crmsh {
    fn render(&self, plan: &Plan) -> String {
        at_once::script(plan, &at_once::Form::Crmsh(text(plan)), &texts(plan))
    }

    fn lacks(&self, plan: &Plan) -> Option<String> {
        let nodes: BTreeSet<&str> = levels(plan).map(|(node, ..)| node).collect();
        let gap = nodes.into_iter().find(|node| {
            let all: BTreeSet<u8> = levels(plan).filter(|(one, ..)| one == node).map(|(_, level, _)| level).collect();
            all.last().is_some_and(|last| usize::from(*last) != all.len())
        })?;
        Some(format!("crmsh numbers the levels of fencing without gaps, and those of {gap} have one: write pcs or cib"))
    }
}

/// The configuration of a plan. Secrets are [`placeholder`]s, and so are values that crmsh cannot read.
pub fn text(plan: &Plan) -> String {
    let mut text = String::new();
    // crmsh takes a second line of the same set for a second set.
    let steps = || plan.sections.iter().flat_map(|section| &section.steps);
    let properties =
        steps().filter_map(|step| if let Step::Property(pairs) = step { Some(words(pairs)) } else { None });
    let defaults = steps().filter_map(|step| if let Step::Defaults(pairs) = step { Some(words(pairs)) } else { None });
    let operations =
        steps().filter_map(|step| if let Step::OperationDefaults(pairs) = step { Some(words(pairs)) } else { None });
    let sets = [
        ("property".to_owned(), properties.collect::<Vec<_>>()),
        (format!("rsc_defaults $id={}", quote(cib::DEFAULTS)), defaults.collect()),
        (format!("op_defaults $id={}", quote(cib::OPERATION_DEFAULTS)), operations.collect()),
    ];
    for (verb, words) in sets.iter().filter(|(_, words)| !words.is_empty()) {
        text.push_str(&format!("{verb} {}\n", words.join(" ")));
    }
    for section in plan.sections.iter().filter(|section| section.steps.iter().any(is_configuration)) {
        text.push_str(&format!("# {}\n", section.title));
        for step in &section.steps {
            text.push_str(&self::step(step));
        }
    }
    // All levels of all nodes are one statement.
    let mut topology: BTreeMap<&str, BTreeMap<u8, String>> = BTreeMap::new();
    for (node, level, devices) in levels(plan) {
        topology.entry(node).or_default().insert(level, devices.join(","));
    }
    if !topology.is_empty() {
        text.push_str("fencing_topology");
        for (node, levels) in topology {
            text.push_str(&format!(" {node}: {}", levels.into_values().collect::<Vec<_>>().join(" ")));
        }
        text.push('\n');
    }
    text
}

/// The levels of fencing: node, level, devices.
fn levels(plan: &Plan) -> impl Iterator<Item = (&str, u8, &[String])> {
    plan.steps().filter_map(|step| match step {
        Step::Level { node, level, devices } => Some((node.as_str(), *level, devices.as_slice())),
        _ => None,
    })
}

fn is_configuration(step: &Step) -> bool {
    !self::step(step).is_empty()
}

/// Values that crmsh cannot read: it takes a backslash at the end for the begin of something.
fn texts(plan: &Plan) -> Vec<(String, String, String)> {
    let resources = setting::resources(plan);
    let values = resources.flat_map(|one| one.params.iter().map(|(name, setting)| (&one.id, name, setting)));
    let odd = values.filter_map(|(id, name, setting)| match setting {
        Setting::Text(value) if is_odd(value) => Some((id.clone(), name.clone(), value.clone())),
        _ => None,
    });
    odd.collect()
}

fn is_odd(value: &str) -> bool {
    value.ends_with('\\')
}

fn step(step: &Step) -> String {
    match step {
        Step::Auth | Step::ClusterSetup { .. } | Step::Agents | Step::ByHand(_) => String::new(),
        // Those of others.
        Step::QuorumDevice(_) | Step::Sbd(_) => String::new(),
        // These come first, or last.
        Step::Property(_) | Step::Defaults(_) | Step::OperationDefaults(_) | Step::Level { .. } => String::new(),
        Step::NodeAttributes { node, attributes } => format!("node {node} attributes {}\n", words(attributes)),
        Step::Remote(resource) => primitive(resource, &resource.agent),
        Step::Stonith(device) => primitive(device, &format!("stonith:{}", device.agent)),
        Step::Primitive(resource) => primitive(resource, &resource.agent),
        Step::Clone { resource, meta } => {
            format!("clone {} {resource}{}\n", clone_id(resource), also("meta", meta))
        }
        Step::Promotable { resource, meta } => {
            let own = ("promotable".to_owned(), "true".to_owned());
            format!("clone {} {resource}{}\n", clone_id(resource), also("meta", &[meta.as_slice(), &[own]].concat()))
        }
        Step::Group { id, members, meta } => format!("group {id} {}{}\n", members.join(" "), also("meta", meta)),
        Step::Location { resource, node, rule } => {
            let (word, how) = match rule {
                Rule::Score(score) => ("prefer", format!("{}:", weight(&score.to_string()))),
                Rule::Avoid => ("avoid", "-inf:".into()),
                Rule::Never => ("never", "resource-discovery=never -inf:".into()),
            };
            format!("location location-{resource}-{node}-{word} {resource} {how} {node}\n")
        }
        Step::Attraction { resource, attribute, view, weight } => {
            let (end, expression) = match view {
                View::Is(value) => (value.clone(), format!("{attribute} eq {}", quote(value))),
                View::AtLeast(number) => (number.to_string(), format!("{attribute} integer:gte {number}")),
                View::Unknown => ("undefined".into(), format!("not_defined {attribute}")),
            };
            let score = match weight {
                Weight::For(score) => score.to_string(),
                Weight::Never => "-inf".into(),
            };
            let id = format!("location-{resource}-{attribute}-{end}");
            format!("location {id} {resource} rule $id=\"{id}-rule\" {score}: {expression}\n")
        }
        Step::Where { id, part, score, condition } => {
            let role = part.role.map(|role| format!("$role={} ", role.word())).unwrap_or_default();
            let joint = if condition.all { " and " } else { " or " };
            let tests = condition.expressions.iter().map(test).collect::<Vec<_>>().join(joint);
            format!("location {id} {} rule $id=\"{id}-rule\" {role}{}: {tests}\n", part.resource, weight(score))
        }
        Step::Colocation { part, with, score } => {
            let id = colocation_id(&part.resource, &with.resource);
            let role = |part: &Part| suffix(&part.resource, part.role.map(Role::word));
            format!("colocation {id} {}: {} {}\n", weight(score), role(part), role(with))
        }
        Step::Together { id, sets, score } => {
            format!(
                "colocation {id} {}:{}\n",
                weight(score),
                sets.iter().map(|one| set(one, false)).collect::<String>()
            )
        }
        Step::Order { first, then, kind, symmetrical } => {
            let id = order_id(&first.resource, &then.resource);
            let (kind, either) = (kind.word(), either(*symmetrical));
            let both = first.action.is_some() || then.action.is_some();
            // What is not said of the second is what is said of the first: here each has its own.
            let action =
                |event: &Event| suffix(&event.resource, both.then(|| event.action.unwrap_or(Action::Start).word()));
            format!("order {id} {kind}: {} {}{either}\n", action(first), action(then))
        }
        Step::Sequence { id, sets, kind, symmetrical } => {
            let all: String = sets.iter().map(|one| set(one, true)).collect();
            format!("order {id} {}:{all}{}\n", kind.word(), either(*symmetrical))
        }
        Step::Alert(Alert { id, path, options, meta, recipients }) => {
            let to: String = recipients.iter().map(|one| format!(" to {}", always(&one.value))).collect();
            format!("alert {id} {}{}{}{to}\n", always(path), also("attributes", options), also("meta", meta))
        }
        Step::Tag { id, members } => format!("tag {id}: {}\n", members.join(" ")),
    }
}

fn weight(score: &str) -> String {
    score.replace("INFINITY", "inf")
}

fn either(symmetrical: bool) -> &'static str {
    if symmetrical { "" } else { " symmetrical=false" }
}

/// A resource with what is said of it.
fn suffix(resource: &str, word: Option<&str>) -> String {
    word.map_or_else(|| resource.to_owned(), |word| format!("{resource}:{word}"))
}

/// A set in brackets: without them, sets that follow each other would become one.
fn set(set: &Set, is_order: bool) -> String {
    let word = if is_order { set.action.map(Action::word) } else { set.role.map(Role::word) };
    let members: Vec<String> = set.resources.iter().map(|one| suffix(one, word)).collect();
    let all = if is_order { format!(" require-all={}", set.require_all) } else { String::new() };
    format!(" ( {} sequential={}{all} )", members.join(" "), set.sequential)
}

fn test(expression: &Expression) -> String {
    match expression {
        Expression::Defined(attribute) => format!("defined {attribute}"),
        Expression::NotDefined(attribute) => format!("not_defined {attribute}"),
        Expression::Compare { attribute, comparison, kind, value } => {
            let kind = kind.as_ref().map(|kind| format!("{kind}:")).unwrap_or_default();
            format!("{attribute} {kind}{} {}", comparison.word(), quote(value))
        }
    }
}

/// A word with values behind it, if there are any.
fn also(word: &str, pairs: &[(String, String)]) -> String {
    let values = words(pairs);
    if values.is_empty() { values } else { format!(" {word} {values}") }
}

fn primitive(resource: &Resource, agent: &str) -> String {
    let mut lines = vec![format!("primitive {} {agent}", resource.id)];
    let values = resource.params.iter().filter_map(|(name, setting)| match setting {
        Setting::Unset => None,
        Setting::Text(value) if !is_odd(value) => Some((name.clone(), value.clone())),
        Setting::Text(_) | Setting::SecretFile(_) => Some((name.clone(), placeholder(&resource.id, name))),
    });
    let values = words(&values.collect::<Vec<_>>());
    let meta = words(&resource.meta);
    lines.extend((!values.is_empty()).then(|| format!("params {values}")));
    lines.extend((!meta.is_empty()).then(|| format!("meta {meta}")));
    lines.extend(resource.operations.iter().map(operation));
    lines.join(" \\\n    ") + "\n"
}

fn operation(operation: &Operation) -> String {
    let Operation { name, interval, timeout, depth, role, on_fail } = operation;
    let mut text = format!("op {name} interval={interval}s timeout={timeout}s");
    if *depth > 0 {
        text.push_str(&format!(" OCF_CHECK_LEVEL={depth}"));
    }
    if let Some(role) = role {
        text.push_str(&format!(" role={role}"));
    }
    if let Some(then) = on_fail {
        text.push_str(&format!(" on-fail={}", then.word()));
    }
    text
}

fn words(pairs: &[(String, String)]) -> String {
    let set = pairs.iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, value)| format!("{name}={}", quote(value))).collect::<Vec<_>>().join(" ")
}

/// `word` as crmsh reads it back.
fn quote(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_./:@,+-".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) { word.to_owned() } else { always(word) }
}

/// `word` in quotes.
fn always(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""))
}
