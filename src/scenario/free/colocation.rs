//! `[[colocation]]`: what runs where something else runs, or does not.

use super::ids::Ids;
use super::score;
use super::set::{self, Of};
use crate::scenario::constraint::{Constraint, Part, colocation_id};
use crate::scenario::fault::Fault;
use crate::scenario::names;
use crate::scenario::reader::Table;

pub(super) fn read(table: Table<'_>, ids: &mut Ids) -> Result<Constraint, Fault> {
    let mut table = table.only(&["id", "resource", "with", "role", "with_role", "sets", "score"])?;
    if let Some(item) = table.take("sets") {
        let mut table = table.only(&["id", "score"])?;
        let id = table.need("id", names::ID)?.text()?;
        ids.claim(&id, "a constraint")?;
        let sets = set::read(item, Of::Colocation, ids)?;
        return Ok(Constraint::Together { id: id.text, sets, score: score::take(&mut table)? });
    }
    let mut table = table.only(&["resource", "with", "role", "with_role", "score"])?;
    let resource = table.need("resource", "what follows, or sets of resources")?.text()?;
    let with = table.need("with", "what it follows")?.text()?;
    let (one, other) = (ids.find(&resource)?, ids.find(&with)?);
    if one.id == other.id {
        return Err(with.fault("is the same resource: name what it runs with"));
    }
    if one.own && other.own {
        return Err(resource.fault("is placed by the set-up, and so is the other: leave this out"));
    }
    ids.claim_derived(&resource, colocation_id(&one.id, &other.id), "a constraint")?;
    let role = set::role(&mut table, "role", std::slice::from_ref(&one))?;
    let with_role = set::role(&mut table, "with_role", std::slice::from_ref(&other))?;
    Ok(Constraint::Colocation {
        part: Part { resource: one.id, role },
        with: Part { resource: other.id, role: with_role },
        score: score::take(&mut table)?,
    })
}
