//! A plan in the words of crmsh, for `crm configure load update`.

use super::cib::{self, placeholder};
use super::dialect::{Dialect, Made, Wish};
use super::plan::{Operation, Plan, Resource, Rule, Setting, Step, View, Weight};
use super::{at_once, setting};
use crate::scenario::setup::clone_id;

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
        let what = plan.steps().find_map(Step::only_for_pcs)?;
        Some(format!("crmsh has no words for {what} yet: write pcs"))
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
    let sets = [("property".to_owned(), properties.collect::<Vec<_>>()), (defaults_of(), defaults.collect())];
    for (verb, words) in sets.iter().filter(|(_, words)| !words.is_empty()) {
        text.push_str(&format!("{verb} {}\n", words.join(" ")));
    }
    for section in plan.sections.iter().filter(|section| section.steps.iter().any(is_configuration)) {
        text.push_str(&format!("# {}\n", section.title));
        for step in &section.steps {
            text.push_str(&self::step(step));
        }
    }
    text
}

fn defaults_of() -> String {
    format!("rsc_defaults $id={}", quote(cib::DEFAULTS))
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
        // These come first.
        Step::Property(_) | Step::Defaults(_) => String::new(),
        Step::Stonith(device) => primitive(device, &format!("stonith:{}", device.agent)),
        Step::Primitive(resource) => primitive(resource, &resource.agent),
        Step::Clone { resource, meta } => {
            let meta = words(meta);
            let meta = if meta.is_empty() { meta } else { format!(" meta {meta}") };
            format!("clone {} {resource}{meta}\n", clone_id(resource))
        }
        Step::Group { id, members, .. } => format!("group {id} {}\n", members.join(" ")),
        Step::Location { resource, node, rule } => {
            let (word, how) = match rule {
                Rule::Score(score) => ("prefer", format!("{score}:")),
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
        Step::Colocation { part, with, score } => {
            let (resource, with) = (&part.resource, &with.resource);
            format!("colocation colocation-{resource}-{with} {}: {resource} {with}\n", score.replace("INFINITY", "inf"))
        }
        Step::Order { first, then, kind, .. } => {
            let (first, then, kind) = (&first.resource, &then.resource, kind.word());
            format!("order order-{first}-{then} {kind}: {first} {then}\n")
        }
        // Whoever asks for it is told: see Step::only_for_pcs.
        _ => String::new(),
    }
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
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""))
    }
}
