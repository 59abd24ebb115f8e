//! Where resources are and in which order they start: what of it a scenario takes.

use super::resources::{Resources, is_value};
use crate::configuration::{Colocation, Expression, Location, Order, Rule, score};
use crate::import::cluster::Cluster;
use crate::import::notes::Notes;
use crate::import::write::{Writer, quote};
use crate::scenario::names::is_id;

/// Constraints in the words of a scenario.
#[derive(Debug, Default)]
pub(super) struct Constraints {
    colocations: Vec<Colocation>,
    orders: Vec<Order>,
    locations: Vec<Location>,
}

/// What a node counts for that reaches what is pinged: more than the stickiness of any group.
pub(in crate::import) const REACHES: u32 = 100_000;

/// What a constraint is worth, as a scenario writes it.
fn worth(text: Option<&str>) -> Option<String> {
    match score(text.unwrap_or("INFINITY"))? {
        1_000_000.. => Some("INFINITY".into()),
        ..=-1_000_000 => Some("-INFINITY".into()),
        number => Some(number.to_string()),
    }
}

/// The most constraints of one kind that are looked at.
const MOST: usize = 1000;

impl Constraints {
    pub(super) fn of(cluster: &Cluster, resources: &Resources, notes: &mut Notes) -> Constraints {
        let old = &cluster.configuration;
        let mut made = Constraints::default();
        for one in old.colocations.iter().take(MOST) {
            if let Err(why) = made.colocation(one, resources) {
                notes.leave("constraints", &format!("{}: {} with {}", one.id, one.resource, one.with), why);
            }
        }
        for one in old.orders.iter().take(MOST) {
            if let Err(why) = made.order(one, resources) {
                notes.leave("constraints", &format!("{}: {} then {}", one.id, one.first, one.then), why);
            }
        }
        for one in old.locations.iter().take(MOST) {
            if let Err(why) = made.location(one, cluster, resources, notes) {
                notes.leave("constraints", &format!("{}: {}", one.id, one.resource), why);
            }
        }
        let all =
            [("colocation", old.colocations.len()), ("order", old.orders.len()), ("location", old.locations.len())];
        for (kind, rest) in all.into_iter().filter(|(_, count)| *count > MOST) {
            notes.leave("constraints", kind, format!("the {} that come after the first {MOST}", rest - MOST));
        }
        made
    }

    fn colocation(&mut self, one: &Colocation, resources: &Resources) -> Result<(), &'static str> {
        const UNKNOWN: &str = "names what is not carried over";
        let (resource, roles) = resources.find(&one.resource).ok_or(UNKNOWN)?;
        let (with, with_roles) = resources.find(&one.with).ok_or(UNKNOWN)?;
        let group = |id: &str| resources.group(id).map(str::to_owned);
        if resource == with || (group(&resource).is_some() && group(&resource) == group(&with)) {
            return Err("is said by their group already");
        }
        if self.colocations.iter().any(|other| other.resource == resource && other.with == with) {
            return Err("two about the same resources are one to the cluster: the first one counts");
        }
        let score = worth(Some(&one.score)).ok_or("has no number as its score")?;
        let role = role(one.role.as_deref(), roles)?;
        let with_role = self::role(one.with_role.as_deref(), with_roles)?;
        self.colocations.push(Colocation { id: String::new(), resource, role, with, with_role, score });
        Ok(())
    }

    fn order(&mut self, one: &Order, resources: &Resources) -> Result<(), &'static str> {
        const UNKNOWN: &str = "names what is not carried over";
        let (first, roles) = resources.find(&one.first).ok_or(UNKNOWN)?;
        let (then, then_roles) = resources.find(&one.then).ok_or(UNKNOWN)?;
        if first == then || self.orders.iter().any(|other| other.first == first && other.then == then) {
            return Err("is said already");
        }
        if !["Mandatory", "Optional", "Serialize"].contains(&one.kind.as_str()) {
            return Err("is neither Mandatory, Optional nor Serialize");
        }
        let first_action = action(one.first_action.as_deref(), roles)?;
        let then_action = action(one.then_action.as_deref(), then_roles)?;
        self.orders.push(Order { first, first_action, then, then_action, ..one.clone() });
        Ok(())
    }

    fn location(
        &mut self,
        one: &Location,
        cluster: &Cluster,
        resources: &Resources,
        notes: &mut Notes,
    ) -> Result<(), &'static str> {
        let (resource, _) = resources.find(&one.resource).ok_or("names what is not carried over")?;
        let is_node = |name: &str| cluster.configuration.nodes.iter().any(|node| node.name == name);
        let made = match (&one.node, one.rules.as_slice()) {
            (Some(node), []) => self.by_node(resource, node, one)?,
            (None, [rule]) => match rule.expressions.as_slice() {
                _ if rule.by_attribute && rule.score.contains("ping") && is_id(&rule.score) => {
                    let why =
                        "one that is reached is enough: a rule of a scenario has a number, no attribute, as its score";
                    notes.change("constraints", &one.id, why);
                    let reaches = Expression {
                        attribute: rule.score.clone(),
                        operation: "gt".into(),
                        value: Some("integer 0".into()),
                    };
                    let rules = vec![Rule { expressions: vec![reaches], ..Rule::default() }];
                    let (id, score) = (self.name(&one.id), Some(REACHES.to_string()));
                    Location { id, resource, rules, score, ..Location::default() }
                }
                _ if rule.by_attribute => {
                    return Err(
                        "its score is the value of a node attribute: a rule of a scenario has a number of its own",
                    );
                }
                [] => return Err("is about dates, or about nothing"),
                [Expression { attribute, operation, value: Some(node) }]
                    if attribute == "#uname" && operation == "eq" =>
                {
                    self.by_node(resource, node, &Location { score: Some(rule.score.clone()), ..one.clone() })?
                }
                all => {
                    for expression in all {
                        check(expression, &is_node)?;
                    }
                    let score = worth(Some(&rule.score)).ok_or("has no number as its score")?;
                    let id = self.name(&one.id);
                    let rules = vec![Rule { score: score.clone(), ..rule.clone() }];
                    Location { id, resource, rules, score: Some(score), ..Location::default() }
                }
            },
            _ => return Err("has several rules, or none: a scenario has one for each [[location]]"),
        };
        if made.node.as_deref().is_some_and(|node| !is_node(node)) {
            return Err("names a node that is not there");
        }
        self.locations.push(made);
        Ok(())
    }

    fn by_node(&self, resource: String, node: &str, one: &Location) -> Result<Location, &'static str> {
        let same = |other: &&Location| other.resource == resource && other.node.as_deref() == Some(node);
        if self.locations.iter().any(|other| same(&other)) {
            return Err("two about the same resource and node are one to the cluster: the first one counts");
        }
        let score = worth(one.score.as_deref()).ok_or("has no number as its score")?;
        let discovery = one.discovery.clone().filter(|word| word == "never" && score == "-INFINITY");
        Ok(Location { resource, node: Some(node.to_owned()), score: Some(score), discovery, ..Location::default() })
    }

    /// An id for a rule that is nobody's.
    fn name(&self, wanted: &str) -> String {
        let known = |id: &str| self.locations.iter().any(|other| other.id == id);
        let wanted = format!("where-{}", super::super::cluster::id(wanted));
        (1..)
            .map(|n| if n == 1 { wanted.clone() } else { format!("{wanted}-{n}") })
            .find(|id| !known(id))
            .unwrap_or(wanted)
    }

    pub(super) fn write(&self, text: &mut Writer) {
        for one in &self.colocations {
            text.section("colocation", true);
            text.text("resource", &one.resource);
            text.text("with", &one.with);
            one.role.iter().for_each(|role| text.text("role", role));
            one.with_role.iter().for_each(|role| text.text("with_role", role));
            score_key(text, Some(&one.score));
        }
        for one in &self.orders {
            text.section("order", true);
            text.text("first", &one.first);
            text.text("then", &one.then);
            one.first_action.iter().for_each(|action| text.text("first_action", action));
            one.then_action.iter().for_each(|action| text.text("then_action", action));
            if one.kind != "Mandatory" {
                text.text("kind", &one.kind);
            }
            if !one.symmetrical && one.kind != "Serialize" {
                text.plain("symmetrical", false);
            }
        }
        for one in &self.locations {
            text.section("location", true);
            if !one.id.is_empty() {
                text.text("id", &one.id);
            }
            text.text("resource", &one.resource);
            one.node.iter().for_each(|node| text.text("node", node));
            for rule in &one.rules {
                let words: Vec<String> = rule.expressions.iter().map(words).collect();
                if words.len() > 1 {
                    text.text("match", if rule.any { "any" } else { "all" });
                }
                text.list("when", &words);
            }
            score_key(text, one.score.as_deref());
            if one.discovery.is_some() {
                text.plain("probe", false);
            }
        }
    }
}

/// Numbers stand without quotes.
fn score_key(text: &mut Writer, score: Option<&str>) {
    match score {
        None | Some("INFINITY") => {}
        Some("-INFINITY") => text.plain("score", quote("-INFINITY")),
        Some(number) => text.plain("score", number),
    }
}

fn words(one: &Expression) -> String {
    match &one.value {
        None => format!("{} {}", one.operation, one.attribute),
        Some(value) => format!("{} {} {value}", one.attribute, one.operation),
    }
}

fn role(word: Option<&str>, has_roles: bool) -> Result<Option<String>, &'static str> {
    match word {
        None | Some("" | "Started") => Ok(None),
        Some(_) if !has_roles => Err("has a role, of something that is not promotable"),
        Some("Promoted" | "Master") => Ok(Some("Promoted".into())),
        Some("Unpromoted" | "Slave") => Ok(Some("Unpromoted".into())),
        Some(_) => Err("has a role that is not known"),
    }
}

fn action(word: Option<&str>, has_roles: bool) -> Result<Option<String>, &'static str> {
    match word {
        None | Some("") => Ok(None),
        Some(word @ ("start" | "stop")) => Ok(Some(word.to_owned())),
        Some(word @ ("promote" | "demote")) if has_roles => Ok(Some(word.to_owned())),
        Some(_) => Err("has an action that is not known, or of something that is not promotable"),
    }
}

/// Whether a scenario takes the expression.
fn check(one: &Expression, is_node: &impl Fn(&str) -> bool) -> Result<(), &'static str> {
    const WORDS: &[&str] =
        &["and", "or", "not", "to", "date", "date-spec", "duration", "defined", "not_defined", "in_range"];
    const KINDS: &[&str] = &["string", "integer", "number", "version"];
    const FORM: &str = "a rule of this form is not carried over";
    let special = ["#uname", "#kind"].contains(&one.attribute.as_str());
    if !special && (!is_id(&one.attribute) || WORDS.contains(&one.attribute.as_str())) {
        return Err(FORM);
    }
    let Some(value) = one.value.as_deref() else {
        return if ["defined", "not_defined"].contains(&one.operation.as_str()) { Ok(()) } else { Err(FORM) };
    };
    // A value may come with its kind before it.
    let (kind, value) = value.split_once(' ').map_or((None, value), |(kind, value)| (Some(kind), value));
    let plain = is_value(value) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:+-/".contains(&b));
    let fits = match kind {
        None | Some("string") => true,
        Some("integer") => value.parse::<i64>().is_ok(),
        Some(_) => false,
    };
    let known = ["eq", "ne", "lt", "gt", "lte", "gte"].contains(&one.operation.as_str());
    if !plain || !fits || !known || WORDS.contains(&value) || KINDS.contains(&value) {
        return Err(FORM);
    }
    if one.attribute == "#uname" && !is_node(value) {
        return Err("names a node that is not there");
    }
    Ok(())
}
