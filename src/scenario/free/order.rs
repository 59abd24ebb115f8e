//! `[[order]]`: what comes after what.

use super::ids::Ids;
use super::set::{self, Of};
use crate::scenario::constraint::{Constraint, Event, OrderKind, order_id};
use crate::scenario::fault::Fault;
use crate::scenario::names;
use crate::scenario::reader::{Item, Table};

pub(super) fn read(table: Table<'_>, ids: &mut Ids) -> Result<Constraint, Fault> {
    let keys = ["id", "first", "then", "first_action", "then_action", "sets", "kind", "symmetrical"];
    let mut table = table.only(&keys)?;
    let kind = kind(&mut table)?;
    let symmetrical = match table.take("symmetrical") {
        None => kind != OrderKind::Serialize,
        Some(item) => {
            let yes = item.boolean()?;
            if yes && kind == OrderKind::Serialize {
                return Err(item.fault("means nothing with kind Serialize: leave it out"));
            }
            yes
        }
    };
    if let Some(item) = table.take("sets") {
        let mut table = table.only(&["id"])?;
        let id = table.need("id", names::ID)?.text()?;
        ids.claim(&id, "a constraint")?;
        return Ok(Constraint::Sequence { id: id.text, sets: set::read(item, Of::Order, ids)?, kind, symmetrical });
    }
    let mut table = table.only(&["first", "then", "first_action", "then_action"])?;
    let first = table.need("first", "what starts first, or sets of resources")?.text()?;
    let then = table.need("then", "what starts then")?.text()?;
    let (one, other) = (ids.find(&first)?, ids.find(&then)?);
    if one.id == other.id {
        return Err(then.fault("is the same resource: name what comes after it"));
    }
    if one.own && other.own {
        return Err(first.fault("is ordered by the set-up, and so is the other: leave this out"));
    }
    ids.claim_derived(&first, order_id(&one.id, &other.id), "a constraint")?;
    let first_action = set::action(&mut table, "first_action", std::slice::from_ref(&one))?;
    let then_action = set::action(&mut table, "then_action", std::slice::from_ref(&other))?;
    Ok(Constraint::Order {
        first: Event { resource: one.id, action: first_action },
        then: Event { resource: other.id, action: then_action },
        kind,
        symmetrical,
    })
}

fn kind(table: &mut Table<'_>) -> Result<OrderKind, Fault> {
    let Some(word) = table.take("kind").map(Item::text).transpose()? else { return Ok(OrderKind::Mandatory) };
    let all = [OrderKind::Mandatory, OrderKind::Optional, OrderKind::Serialize];
    let known = all.into_iter().find(|kind| kind.word() == word.text);
    known.ok_or_else(|| word.must_be("Mandatory, Optional or Serialize"))
}
