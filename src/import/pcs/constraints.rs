//! Commands that make constraints.

use super::Done;
use super::values::{pairs, role};
use crate::configuration::{Expression, Location, Order, Rule};
use crate::import::cluster::{Cluster, id};
use crate::import::notes::Notes;

pub(super) fn constraint(words: &[&str], place: &str, cluster: &mut Cluster, notes: &mut Notes) -> Done {
    let option =
        |words: &[&str], name: &str| pairs(words).into_iter().find(|(key, _)| key == name).map(|(_, value)| value);
    match words {
        ["colocation", "add", rest @ ..] => {
            let rest: Vec<&str> = rest.iter().copied().filter(|word| *word != "with").collect();
            let (resource, resource_role, rest) = with_role(&rest)?;
            let (with, with_role, rest) = with_role(rest)?;
            // The form of 0.9: a score without its name.
            let bare = rest.first().filter(|word| !word.contains('=')).map(|word| (*word).to_owned());
            let score = option(rest, "score").or(bare).unwrap_or_else(|| "INFINITY".into());
            if cluster.configuration.within(with).first().is_some_and(|one| one.is_ping()) {
                let attribute = cluster
                    .configuration
                    .within(with)
                    .first()
                    .and_then(|one| crate::configuration::value(&one.params, "name").map(str::to_owned));
                let attribute = attribute.unwrap_or_else(|| "pingd".into());
                notes.change(
                    place,
                    &format!("colocation {resource} with {with}"),
                    format!(
                        "a ping clone never fails, so that does nothing: a rule on its attribute {attribute} instead"
                    ),
                );
                cluster.reach(resource, &attribute);
                return Ok(());
            }
            cluster.colocate(resource, with, with_role, &score);
            let last = cluster.configuration.colocations.last_mut();
            last.into_iter().for_each(|one| one.role = resource_role.map(str::to_owned));
            Ok(())
        }
        ["order", "set", ..] | ["colocation", "set", ..] => {
            Err("sets are not carried over: write [[order]] or [[colocation]]".into())
        }
        ["order", rest @ ..] => {
            let (first_action, rest) = action(rest);
            let Some((first, rest)) = rest.split_first() else { return Err("has no resource".into()) };
            let rest = rest.strip_prefix(&["then"]).unwrap_or(rest);
            let (then_action, rest) = action(rest);
            let Some((then, rest)) = rest.split_first() else { return Err("has no second resource".into()) };
            let kind = option(rest, "kind").unwrap_or_else(|| "Mandatory".into());
            let symmetrical = option(rest, "symmetrical").is_none_or(|word| word != "false");
            cluster.configuration.orders.push(Order {
                id: id(&format!("order-{first}-{then}")),
                first: (*first).to_owned(),
                first_action: first_action.map(str::to_owned),
                then: (*then).to_owned(),
                then_action: then_action.map(str::to_owned),
                kind,
                symmetrical,
            });
            Ok(())
        }
        ["location", resource, "prefers", nodes @ ..] => {
            place_on(resource, nodes, "", cluster);
            Ok(())
        }
        ["location", resource, "avoids", nodes @ ..] => {
            place_on(resource, nodes, "-", cluster);
            Ok(())
        }
        ["location", "add", name, resource, node, rest @ ..] => {
            let bare = rest.first().filter(|word| !word.contains('=')).map(|word| (*word).to_owned());
            let score = option(rest, "score").or(bare).unwrap_or_else(|| "INFINITY".into());
            let discovery = option(rest, "resource-discovery");
            let (node, score) = (Some((*node).to_owned()), Some(score));
            let resource = (*resource).to_owned();
            cluster.configuration.locations.push(Location {
                id: id(name),
                resource,
                node,
                score,
                discovery,
                rules: Vec::new(),
            });
            Ok(())
        }
        ["location", resource, "rule", rest @ ..] => rule(resource, rest, cluster),
        _ => Err("this constraint is not carried over".into()),
    }
}

/// A resource with a role before it.
fn with_role<'a, 'b>(words: &'b [&'a str]) -> Result<(&'a str, Option<&'a str>, &'b [&'a str]), String> {
    match words {
        [word, resource, rest @ ..]
            if ["master", "slave", "started", "promoted", "unpromoted"]
                .contains(&word.to_ascii_lowercase().as_str()) =>
        {
            Ok((resource, Some(role(word)).filter(|role| *role != "Started"), rest))
        }
        [resource, rest @ ..] => Ok((resource, None, rest)),
        [] => Err("names no two resources".into()),
    }
}

fn action<'a, 'b>(words: &'b [&'a str]) -> (Option<&'a str>, &'b [&'a str]) {
    match words {
        [word, rest @ ..] if ["start", "stop", "promote", "demote"].contains(word) => (Some(word), rest),
        words => (None, words),
    }
}

fn place_on(resource: &str, nodes: &[&str], sign: &str, cluster: &mut Cluster) {
    for word in nodes.iter().filter(|word| !word.starts_with("--")) {
        let (node, score) = word.split_once('=').unwrap_or((word, "INFINITY"));
        let score = match (sign, score.strip_prefix('-')) {
            ("-", Some(positive)) => positive.to_owned(),
            (sign, _) => format!("{sign}{score}"),
        };
        cluster.prefer(resource, node, &score);
    }
}

fn rule(resource: &str, words: &[&str], cluster: &mut Cluster) -> Done {
    let mut made = Rule { score: "INFINITY".into(), ..Rule::default() };
    // 0.12 has the whole expression as one word.
    let split: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let mut rest = split.as_slice();
    while let [word, tail @ ..] = rest {
        match word.split_once('=') {
            Some(("score", score)) => made.score = score.to_owned(),
            Some(("score-attribute", name)) => {
                made.score = name.to_owned();
                made.by_attribute = true;
            }
            Some(("role", _)) => return Err("a rule for one role is not carried over".into()),
            Some(_) => {}
            None => break,
        }
        rest = tail;
    }
    let mut ands = 0;
    loop {
        let (expression, tail) = match rest {
            [word @ ("defined" | "not_defined"), attribute, tail @ ..] => {
                let (attribute, operation) = ((*attribute).to_owned(), (*word).to_owned());
                (Expression { attribute, operation, value: None }, tail)
            }
            [
                attribute,
                word @ ("eq" | "ne" | "lt" | "gt" | "lte" | "gte"),
                kind @ ("string" | "integer" | "number" | "version"),
                value,
                tail @ ..,
            ] => {
                let _ = kind;
                let (attribute, operation) = ((*attribute).to_owned(), (*word).to_owned());
                (Expression { attribute, operation, value: Some((*value).to_owned()) }, tail)
            }
            [attribute, word @ ("eq" | "ne" | "lt" | "gt" | "lte" | "gte"), value, tail @ ..] => {
                let (attribute, operation) = ((*attribute).to_owned(), (*word).to_owned());
                (Expression { attribute, operation, value: Some((*value).to_owned()) }, tail)
            }
            _ => return Err("a rule of this form is not carried over".into()),
        };
        made.expressions.push(expression);
        rest = match tail {
            [] => break,
            ["or", tail @ ..] => {
                made.any = true;
                tail
            }
            ["and", tail @ ..] => {
                ands += 1;
                tail
            }
            _ => return Err("a rule of this form is not carried over".into()),
        };
    }
    if made.any && ands > 0 {
        return Err("and beside or is not carried over: write two [[location]]".into());
    }
    let id = id(&format!("location-{resource}-rule"));
    let taken = cluster.configuration.locations.iter().filter(|one| one.id.starts_with(&id)).count();
    let id = if taken == 0 { id } else { format!("{id}-{}", taken + 1) };
    cluster.configuration.locations.push(Location {
        id,
        resource: resource.to_owned(),
        rules: vec![made],
        ..Location::default()
    });
    Ok(())
}
