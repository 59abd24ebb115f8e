//! `[[group]]`: resources that start one after the other in one place.

use super::copies::Copies;
use super::ids::Ids;
use super::pairs::{self, Pairs};
use super::primitive::Primitive;
use crate::scenario::fault::Fault;
use crate::scenario::names;
use crate::scenario::reader::Table;
use crate::scenario::setup::clone_id;

/// A group.
#[derive(Debug)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its resources, in the order they start in.
    pub members: Vec<String>,
    /// Its meta attributes.
    pub meta: Pairs,
    /// How many of it there are.
    pub copies: Copies,
}

impl Group {
    pub(super) fn read(table: Table<'_>, ids: &mut Ids, resources: &[Primitive]) -> Result<Group, Fault> {
        let mut table = table.only(&["id", "members", "meta", "clone", "promotable"])?;
        let id = table.need("id", names::ID)?.text()?;
        ids.claim(&id, "a group")?;
        let mut members: Vec<String> = Vec::new();
        for word in table.need("members", "the ids of [[resource]]s, in the order they start in")?.texts()? {
            let Some(member) = resources.iter().find(|one| one.id == word.text) else {
                return Err(word.must_be("the id of a [[resource]] of this file"));
            };
            if member.copies != Copies::One {
                return Err(word.fault("is a clone: clone the group instead"));
            }
            if members.contains(&word.text) || !ids.join(&word.text) {
                return Err(word.fault(format!("{} is in a group already", word.text)));
            }
            members.push(word.text);
        }
        if members.is_empty() {
            return Err(table.fault("members must name at least one"));
        }
        let copies = Copies::read(&mut table)?;
        if copies != Copies::One {
            ids.claim_derived(&id, clone_id(&id.text), "a clone")?;
            members.iter().for_each(|member| ids.hide(member, &id.text));
        }
        ids.resource(&id.text, copies.id(&id.text), copies.is_promotable());
        let meta = table.take("meta").map_or(Ok(Vec::new()), pairs::read)?;
        Ok(Group { id: id.text, members, meta, copies })
    }
}
