//! What only some scripts can do: a function for each kind of step, in a file of its own, in the scripts that have such a step.

use super::layout::command;
use super::older;
use super::steps::words;
use super::target::Target;
use crate::pcs::container::Container;
use crate::pcs::plan::{Action, Alert, Condition, Event, OrderKind, Part, Plan, QuorumDevice, Sbd, Set, Step};

/// A function, and which steps need it.
type Verb = (&'static str, fn(&Step) -> bool);

const VERBS: &[Verb] = &[
    (include_str!("verbs/quorum_device.sh"), |step| matches!(step, Step::QuorumDevice(_))),
    (include_str!("verbs/sbd.sh"), |step| matches!(step, Step::Sbd(_))),
    (include_str!("verbs/operation_defaults.sh"), |step| matches!(step, Step::OperationDefaults(_))),
    (include_str!("verbs/attributes.sh"), |step| matches!(step, Step::NodeAttributes { .. })),
    (include_str!("verbs/level.sh"), |step| matches!(step, Step::Level { .. })),
    (include_str!("verbs/own.sh"), |step| match step {
        Step::Remote(_) => true,
        Step::Primitive(resource) => resource.whole,
        _ => false,
    }),
    (include_str!("verbs/remote.sh"), |step| matches!(step, Step::Remote(_))),
    (include_str!("verbs/promotable.sh"), |step| matches!(step, Step::Promotable { .. })),
    (include_str!("verbs/meta.sh"), |step| matches!(step, Step::Group { meta, .. } if !meta.is_empty())),
    (include_str!("verbs/roles.sh"), |step| match step {
        Step::Where { .. } | Step::Together { .. } | Step::Sequence { .. } => true,
        Step::Colocation { part, with, .. } => part.role.is_some() || with.role.is_some(),
        _ => false,
    }),
    (include_str!("verbs/place.sh"), |step| matches!(step, Step::Where { .. })),
    (
        include_str!("verbs/colocation_of_roles.sh"),
        |step| matches!(step, Step::Colocation { part, with, .. } if part.role.is_some() || with.role.is_some()),
    ),
    (include_str!("verbs/order_of_actions.sh"), |step| match step {
        Step::Order { first, then, symmetrical, .. } => !is_plain(first, then, *symmetrical),
        _ => false,
    }),
    (include_str!("verbs/sets.sh"), |step| matches!(step, Step::Together { .. } | Step::Sequence { .. })),
    (include_str!("verbs/alert.sh"), |step| matches!(step, Step::Alert(_))),
    (include_str!("verbs/tag.sh"), |step| matches!(step, Step::Tag { .. })),
];

/// What no others may add to.
const ONLY: &str = include_str!("verbs/only.sh");
/// The place of what a version does not have.
const WITHOUT: &str = include_str!("verbs/without.sh");

/// The functions that the steps of a plan need.
pub(super) fn functions(plan: &Plan, target: &Target) -> String {
    let is_left_out = |step: &&Step| older::is_left_out(step, target);
    let done = |needs: &fn(&Step) -> bool| plan.steps().filter(|step| !is_left_out(step)).any(needs);
    let without = plan.steps().find(is_left_out).map(|_| WITHOUT);
    let only = plan.steps().find_map(|step| Container::of(step, plan)).map(|_| ONLY);
    VERBS.iter().filter(|(_, needs)| done(needs)).map(|(text, _)| *text).chain(only).chain(without).collect()
}

/// The meta attributes of a group.
pub(super) fn meta(step: &Step) -> String {
    match step {
        Step::Group { id, meta, .. } if !meta.is_empty() => {
            command("", "meta", &[vec![id.clone()], words(meta)].concat())
        }
        _ => String::new(),
    }
}

fn is_plain(first: &Event, then: &Event, symmetrical: bool) -> bool {
    first.action.is_none() && then.action.is_none() && symmetrical
}

fn kind(kind: OrderKind) -> String {
    format!("kind={}", kind.word())
}

pub(super) fn order(first: &Event, then: &Event, how: OrderKind, symmetrical: bool) -> String {
    if is_plain(first, then, symmetrical) {
        return command("", "order", &[then.resource.clone(), "after".into(), first.resource.clone(), kind(how)]);
    }
    let action = |event: &Event| event.action.unwrap_or(Action::Start).word().to_owned();
    let words = [
        action(then),
        then.resource.clone(),
        "after".into(),
        action(first),
        first.resource.clone(),
        kind(how),
        format!("symmetrical={symmetrical}"),
    ];
    command("", "order_of_actions", &words)
}

pub(super) fn colocation(part: &Part, with: &Part, score: &str, today: bool) -> String {
    let score = format!("score={score}");
    if part.role.is_none() && with.role.is_none() {
        return command("", "colocation", &[part.resource.clone(), "with".into(), with.resource.clone(), score]);
    }
    let role = |part: &Part| part.role.map_or("any", |role| older::role(role, today)).to_owned();
    let words = [role(part), part.resource.clone(), "with".into(), role(with), with.resource.clone(), score];
    command("", "colocation_of_roles", &words)
}

pub(super) fn place(id: &str, part: &Part, score: &str, condition: &Condition, today: bool) -> String {
    let mut words = vec![id.to_owned(), part.resource.clone(), format!("score={score}")];
    words.extend(part.role.map(|role| format!("role={}", older::role(role, today))));
    words.push("where".into());
    let join = if condition.all { "and" } else { "or" };
    for (index, expression) in condition.expressions.iter().enumerate() {
        words.extend((index > 0).then(|| join.to_owned()));
        words.extend(expression.words());
    }
    command("", "place", &words)
}

pub(super) fn together(id: &str, sets: &[Set], score: &str, today: bool) -> String {
    let words = [vec![id.to_owned(), format!("score={score}")], self::sets(sets, Some(today))].concat();
    command("", "together", &words)
}

pub(super) fn sequence(id: &str, sets: &[Set], how: OrderKind, symmetrical: bool) -> String {
    let words = [vec![id.to_owned(), kind(how), format!("symmetrical={symmetrical}")], self::sets(sets, None)].concat();
    command("", "sequence", &words)
}

/// `roles`: whether they have the names of today; none: an order, which has actions instead.
fn sets(sets: &[Set], roles: Option<bool>) -> Vec<String> {
    let mut words = Vec::new();
    for set in sets {
        words.push("set".into());
        words.extend(set.resources.iter().cloned());
        words.push(format!("sequential={}", set.sequential));
        match roles {
            None => {
                words.push(format!("require-all={}", set.require_all));
                words.extend(set.action.map(|action| format!("action={}", action.word())));
            }
            Some(today) => words.extend(set.role.map(|role| format!("role={}", older::role(role, today)))),
        }
    }
    words
}

pub(super) fn alert(alert: &Alert) -> String {
    let mut words = vec![alert.id.clone(), alert.path.clone()];
    for (part, pairs) in [("options", &alert.options), ("meta", &alert.meta)] {
        if !pairs.is_empty() {
            words.push(part.into());
            words.extend(super::steps::words(pairs));
        }
    }
    for one in &alert.recipients {
        words.extend(["to".into(), one.id.clone(), one.value.clone()]);
    }
    command("", "alert", &words)
}

pub(super) fn quorum_device(device: &QuorumDevice) -> String {
    let words = [format!("host={}", device.host), format!("algorithm={}", device.algorithm)];
    command("", "quorum_device", &words)
}

/// `dash`: what stands before the names of devices.
pub(super) fn sbd(sbd: &Sbd, dash: &str) -> String {
    let mut words = vec![format!("{dash}watchdog={}", sbd.watchdog)];
    words.extend(sbd.devices.iter().map(|device| format!("{dash}device={device}")));
    words.push(format!("SBD_WATCHDOG_TIMEOUT={}", sbd.timeout));
    command("", "sbd", &words)
}
