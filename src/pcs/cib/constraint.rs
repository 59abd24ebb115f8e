//! Constraints. The ids are those of the pcs script, which knows its own constraints by them.

use crate::document::element::Element;
use crate::pcs::plan::{Action, Condition, Event, Expression, OrderKind, Part, Rule, Set, View, Weight};

/// The score that nothing outweighs.
const NEVER: &str = "-INFINITY";

pub(super) fn location(resource: &str, node: &str, rule: Rule) -> Element {
    let (word, score) = match rule {
        Rule::Score(score) => ("prefer", score.to_string()),
        Rule::Avoid => ("avoid", NEVER.to_owned()),
        Rule::Never => ("never", NEVER.to_owned()),
    };
    let id = format!("location-{resource}-{node}-{word}");
    let mut element =
        Element::new("rsc_location", &[("id", &id), ("rsc", resource), ("node", node), ("score", &score)]);
    if rule == Rule::Never {
        element.set("resource-discovery", "never");
    }
    element
}

pub(super) fn attraction(resource: &str, attribute: &str, view: &View, weight: Weight) -> Element {
    let (operation, value) = match view {
        View::Is(value) => ("eq", Some(value.clone())),
        View::AtLeast(number) => ("gte", Some(number.to_string())),
        View::Unknown => ("not_defined", None),
    };
    let id = format!("location-{resource}-{attribute}-{}", value.as_deref().unwrap_or("undefined"));
    let rule = format!("{id}-rule");
    let score = match weight {
        Weight::For(score) => score.to_string(),
        Weight::Never => NEVER.to_owned(),
    };
    let mut expression = Element::new("expression", &[("id", &format!("{rule}-expr"))]);
    expression.set("operation", operation);
    expression.set("attribute", attribute);
    if matches!(view, View::AtLeast(_)) {
        expression.set("type", "integer");
    }
    if let Some(value) = value {
        expression.set("value", &value);
    }
    let rule = Element::new("rule", &[("id", &rule), ("score", &score)]).with([expression]);
    Element::new("rsc_location", &[("id", &id), ("rsc", resource)]).with([rule])
}

/// A location by rule.
pub(super) fn by_rule(id: &str, part: &Part, score: &str, condition: &Condition) -> Element {
    let rule = format!("{id}-rule");
    let mut element = Element::new("rule", &[("id", &rule), ("score", score)]);
    if condition.expressions.len() > 1 {
        element.set("boolean-op", if condition.all { "and" } else { "or" });
    }
    if let Some(role) = part.role {
        element.set("role", role.word());
    }
    let all = condition.expressions.iter().enumerate();
    let element = element.with(all.map(|(index, one)| expression(&numbered(&format!("{rule}-expr"), index), one)));
    Element::new("rsc_location", &[("id", id), ("rsc", &part.resource)]).with([element])
}

fn expression(id: &str, what: &Expression) -> Element {
    let mut element = Element::new("expression", &[("id", id)]);
    match what {
        Expression::Defined(attribute) => {
            element.set("operation", "defined");
            element.set("attribute", attribute);
        }
        Expression::NotDefined(attribute) => {
            element.set("operation", "not_defined");
            element.set("attribute", attribute);
        }
        Expression::Compare { attribute, comparison, kind, value } => {
            element.set("operation", comparison.word());
            element.set("attribute", attribute);
            if let Some(kind) = kind {
                element.set("type", kind);
            }
            element.set("value", value);
        }
    }
    element
}

/// The first one has no number, as with pcs.
fn numbered(id: &str, index: usize) -> String {
    if index == 0 { id.to_owned() } else { format!("{id}-{index}") }
}

pub(super) fn colocation(part: &Part, with: &Part, score: &str) -> Element {
    let id = format!("colocation-{}-{}", part.resource, with.resource);
    let values = [("id", id.as_str()), ("rsc", &part.resource), ("with-rsc", &with.resource), ("score", score)];
    let mut element = Element::new("rsc_colocation", &values);
    for (name, part) in [("rsc-role", part), ("with-rsc-role", with)] {
        if let Some(role) = part.role {
            element.set(name, role.word());
        }
    }
    element
}

pub(super) fn order(first: &Event, then: &Event, kind: OrderKind, symmetrical: bool) -> Element {
    let id = format!("order-{}-{}", first.resource, then.resource);
    let values = [("id", id.as_str()), ("first", &first.resource), ("then", &then.resource), ("kind", kind.word())];
    let mut element = Element::new("rsc_order", &values);
    if first.action.is_some() || then.action.is_some() {
        // What is not said of the second is what is said of the first: here each has its own.
        element.set("first-action", first.action.unwrap_or(Action::Start).word());
        element.set("then-action", then.action.unwrap_or(Action::Start).word());
    }
    if !symmetrical {
        element.set("symmetrical", "false");
    }
    element
}

/// A colocation of sets.
pub(super) fn together(id: &str, sets: &[Set], score: &str) -> Element {
    let element = Element::new("rsc_colocation", &[("id", id), ("score", score)]);
    element.with(sets.iter().enumerate().map(|(index, one)| set(&numbered(&format!("{id}_set"), index), one, false)))
}

/// An order of sets.
pub(super) fn sequence(id: &str, sets: &[Set], kind: OrderKind, symmetrical: bool) -> Element {
    let mut element = Element::new("rsc_order", &[("id", id), ("kind", kind.word())]);
    if !symmetrical {
        element.set("symmetrical", "false");
    }
    element.with(sets.iter().enumerate().map(|(index, one)| set(&numbered(&format!("{id}_set"), index), one, true)))
}

fn set(id: &str, set: &Set, is_order: bool) -> Element {
    let mut element = Element::new("resource_set", &[("id", id)]);
    element.set("sequential", if set.sequential { "true" } else { "false" });
    if is_order {
        element.set("require-all", if set.require_all { "true" } else { "false" });
        if let Some(action) = set.action {
            element.set("action", action.word());
        }
    } else if let Some(role) = set.role {
        element.set("role", role.word());
    }
    element.with(set.resources.iter().map(|one| Element::new("resource_ref", &[("id", one)])))
}
