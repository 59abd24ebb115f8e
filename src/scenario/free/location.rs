//! `[[location]]`: where something runs, by the node's name or by its attributes.

use super::ids::Ids;
use super::{score, set};
use crate::scenario::constraint::{Comparison, Condition, Constraint, Expression, Part, Rule, Score, location_id};
use crate::scenario::fault::Fault;
use crate::scenario::names;
use crate::scenario::reader::{Item, Table, Word};

/// What Pacemaker knows of a node beside its attributes.
const SPECIAL: &[&str] = &["#uname", "#kind"];
/// As what values are compared.
const KINDS: &[&str] = &["string", "integer", "version"];
/// Words of the language of rules.
const WORDS: &[&str] =
    &["and", "or", "not", "to", "date", "date-spec", "duration", "defined", "not_defined", "in_range"];
const EXPRESSION: &str = "\"defined NAME\", \"not_defined NAME\", \"NAME eq VALUE\" (eq, ne, lt, gt, lte, gte) or \
                          \"NAME gte integer VALUE\" (string, integer, version)";

/// `runners`: nodes that may run something, `voters`: those that only vote.
pub(super) fn read(table: Table<'_>, runners: &[String], voters: &[&str], ids: &mut Ids) -> Result<Constraint, Fault> {
    let mut table = table.only(&["id", "resource", "node", "probe", "when", "match", "role", "score"])?;
    let resource = table.need("resource", "what is placed")?.text()?;
    let named = ids.find(&resource)?;
    if let Some(item) = table.take("when") {
        let mut table = table.only(&["id", "match", "role", "score"])?;
        let id = table.need("id", names::ID)?.text()?;
        ids.claim(&id, "a constraint")?;
        let score = score::take(&mut table)?;
        let condition = condition(item, &mut table, runners)?;
        let role = set::role(&mut table, "role", std::slice::from_ref(&named))?;
        return Ok(Constraint::Where { id: id.text, part: Part { resource: named.id, role }, score, condition });
    }
    let mut table = table.only(&["resource", "node", "probe", "score"])?;
    if named.own {
        return Err(resource.fault("is placed by the set-up: only a rule (id, when) may say more of it"));
    }
    let node = table.need("node", "a node of this file, or a rule: id and when")?.text()?;
    if voters.contains(&node.text.as_str()) {
        return Err(node.fault(format!("{} only votes: nothing runs there in any case", node.text)));
    }
    if !runners.contains(&node.text) {
        return Err(node.must_be(format!("a node of this file: {}", runners.join(", "))));
    }
    let score = score::take(&mut table)?;
    let rule = match (table.take("probe"), score) {
        (Some(item), _) if item.boolean()? => return Err(item.fault("is true in any case: leave it out")),
        (Some(_), Score::Never) => Rule::Never,
        (Some(item), _) => return Err(item.fault("a node where it may run has to be asked: score = \"-INFINITY\"")),
        (None, Score::Never) => Rule::Avoid,
        (None, score) => Rule::Score(score),
    };
    for rule in [Rule::Score(score), Rule::Avoid, Rule::Never] {
        ids.claim_derived(&node, location_id(&named.id, &node.text, rule), "a constraint")?;
    }
    Ok(Constraint::Location { resource: named.id, node: node.text, rule })
}

fn condition(item: Item<'_>, table: &mut Table<'_>, nodes: &[String]) -> Result<Condition, Fault> {
    let words = item.texts()?;
    let all = match table.take("match").map(Item::text).transpose()? {
        None if words.len() > 1 => return Err(table.fault("needs match = \"all\" or \"any\" with several expressions")),
        None => true,
        Some(word) => match word.text.as_str() {
            "all" => true,
            "any" => false,
            _ => return Err(word.must_be("all or any")),
        },
    };
    let expressions = words.iter().map(|word| expression(word, nodes)).collect::<Result<Vec<_>, _>>()?;
    if expressions.is_empty() {
        return Err(table.fault("when must have at least one expression"));
    }
    Ok(Condition { all, expressions })
}

fn expression(word: &Word<'_>, nodes: &[String]) -> Result<Expression, Fault> {
    let name = |text: &str| match SPECIAL.contains(&text) || names::is_id(text) && !WORDS.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(word.must_be(EXPRESSION)),
    };
    let parts: Vec<&str> = word.text.split_whitespace().collect();
    let (attribute, comparison, kind, value) = match parts.as_slice() {
        ["defined", attribute] => return Ok(Expression::Defined(name(attribute)?)),
        ["not_defined", attribute] => return Ok(Expression::NotDefined(name(attribute)?)),
        [attribute, comparison, value] => (attribute, comparison, None, value),
        [attribute, comparison, kind, value] if KINDS.contains(kind) => (attribute, comparison, Some(*kind), value),
        _ => return Err(word.must_be(EXPRESSION)),
    };
    let attribute = name(attribute)?;
    let Some(comparison) = Comparison::ALL.into_iter().find(|one| one.word() == *comparison) else {
        return Err(word.must_be(EXPRESSION));
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.:+-/".contains(&b);
    if !value.bytes().all(plain) || WORDS.contains(value) || KINDS.contains(value) {
        return Err(word.fault(format!("\"{value}\" cannot be compared with: letters, digits and _ . : + - / only")));
    }
    let fits = match kind {
        Some("integer") => value.parse::<i64>().is_ok(),
        Some("version") => value.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())),
        _ => true,
    };
    if !fits {
        return Err(word.fault(format!("\"{value}\" is no {}", kind.unwrap_or_default())));
    }
    if attribute == "#uname" && !nodes.iter().any(|node| node == value) {
        return Err(word.fault(format!("{value} is no node of this file that may run something: {}", nodes.join(", "))));
    }
    Ok(Expression::Compare { attribute, comparison, kind: kind.map(str::to_owned), value: (*value).to_owned() })
}
