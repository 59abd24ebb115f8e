//! Constraints. The ids are those of the pcs script, which knows its own constraints by them.

use crate::cluster::element::Element;
use crate::pcs::plan::{OrderKind, Rule, View, Weight};

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

pub(super) fn colocation(resource: &str, with: &str, score: &str) -> Element {
    let id = format!("colocation-{resource}-{with}");
    Element::new("rsc_colocation", &[("id", &id), ("rsc", resource), ("with-rsc", with), ("score", score)])
}

pub(super) fn order(first: &str, then: &str, kind: OrderKind) -> Element {
    let id = format!("order-{first}-{then}");
    Element::new("rsc_order", &[("id", &id), ("first", first), ("then", then), ("kind", kind.word())])
}
