//! Rules about attributes that the scenario itself gives to nodes. What agents publish is not known here.

use crate::document::element::Element;
use std::collections::BTreeMap;

/// The attributes that a node is given.
pub(super) fn attributes<'a>(configuration: &'a Element, node: &str) -> BTreeMap<&'a str, &'a str> {
    let nodes = configuration.child("nodes").map(|nodes| nodes.children.as_slice()).unwrap_or_default();
    let own = nodes.iter().filter(|one| one.text("uname") == node).flat_map(|one| one.all("nvpair"));
    own.map(|pair| (pair.text("name"), pair.text("value"))).collect()
}

/// Whether a rule holds on a node with these attributes: by what is given. Any other attribute has no value yet, as after the
/// cluster's start.
pub(super) fn holds(rule: &Element, given: &BTreeMap<&str, &str>) -> bool {
    let mut tests = rule.named("expression").map(|one| test(one, given));
    match rule.get("boolean-op") {
        Some("or") => tests.any(|holds| holds),
        // What none of these tests decides (a date, a rule in a rule) is not said to hold.
        _ => rule.named("expression").count() == rule.children.len() && tests.all(|holds| holds),
    }
}

fn test(expression: &Element, given: &BTreeMap<&str, &str>) -> bool {
    let has = given.get(expression.text("attribute")).copied();
    let (Some(has), Some(wants)) = (has, expression.get("value")) else {
        // Of what agents publish, most is defined a moment later.
        return expression.text("operation") == "defined" && has.is_some();
    };
    let order = match (has.parse::<f64>(), wants.parse::<f64>()) {
        (Ok(has), Ok(wants)) => has.partial_cmp(&wants),
        _ => Some(has.cmp(wants)),
    };
    match expression.text("operation") {
        "eq" => has == wants,
        "ne" => has != wants,
        "lt" => order.is_some_and(std::cmp::Ordering::is_lt),
        "lte" => order.is_some_and(std::cmp::Ordering::is_le),
        "gt" => order.is_some_and(std::cmp::Ordering::is_gt),
        "gte" => order.is_some_and(std::cmp::Ordering::is_ge),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::holds;
    use crate::document::element::Element;
    use std::collections::BTreeMap;

    #[test]
    fn a_rule_holds_by_what_a_node_is_given() {
        let given = BTreeMap::from([("rack", "b"), ("cpus", "12")]);
        for (rule, expected) in [
            (r#"<expression attribute="rack" operation="eq" value="b"/>"#, true),
            (r#"<expression attribute="rack" operation="ne" value="b"/>"#, false),
            (r#"<expression attribute="cpus" operation="gt" value="8"/>"#, true),
            (r#"<expression attribute="cpus" operation="defined"/>"#, true),
            (r#"<expression attribute="pingd" operation="not_defined"/>"#, false),
            (
                r#"<expression attribute="rack" operation="eq" value="b"/><date_expression operation="in_range"/>"#,
                false,
            ),
            (
                r#"<expression attribute="rack" operation="eq" value="b"/><expression attribute="x" operation="eq" value="1"/>"#,
                false,
            ),
        ] {
            assert_eq!(holds(&Element::read(&format!("<rule>{rule}</rule>")).unwrap(), &given), expected, "{rule}");
        }
        let either = r#"<rule boolean-op="or"><expression attribute="x" operation="eq" value="1"/><expression attribute="rack" operation="eq" value="b"/></rule>"#;
        assert!(holds(&Element::read(either).unwrap(), &given));
    }
}
