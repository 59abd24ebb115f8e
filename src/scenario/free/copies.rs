//! How many instances of a resource or group there are.

use super::pairs::{self, Pairs};
use crate::scenario::fault::Fault;
use crate::scenario::reader::{Item, Table};
use crate::scenario::setup::clone_id;

/// How many instances of something there are.
#[derive(Debug, PartialEq, Eq)]
pub enum Copies {
    /// One.
    One,
    /// One on every node; the meta attributes of the clone.
    Clone(Pairs),
    /// One on every node, of which some are promoted; the meta attributes of the clone.
    Promotable(Pairs),
}

impl Copies {
    /// Reads `clone` and `promotable`.
    pub(super) fn read(table: &mut Table<'_>) -> Result<Copies, Fault> {
        let clone = table.take("clone").map(meta).transpose()?.flatten();
        let promotable = table.take("promotable").map(meta).transpose()?.flatten();
        match (clone, promotable) {
            (None, None) => Ok(Copies::One),
            (Some(meta), None) => Ok(Copies::Clone(meta)),
            (None, Some(meta)) => Ok(Copies::Promotable(meta)),
            (Some(_), Some(_)) => {
                Err(table.fault("clone and promotable exclude each other: what is promotable is a clone"))
            }
        }
    }

    /// The id that constraints use for `id`.
    pub fn id(&self, id: &str) -> String {
        if *self == Copies::One { id.to_owned() } else { clone_id(id) }
    }

    /// Whether instances are promoted.
    pub(super) fn is_promotable(&self) -> bool {
        matches!(self, Copies::Promotable(_))
    }
}

/// `true`, or a table of meta attributes.
fn meta(item: Item<'_>) -> Result<Option<Pairs>, Fault> {
    if let Ok(yes) = item.boolean() {
        return Ok(yes.then(Vec::new));
    }
    if !item.is_table() {
        return Err(item.fault("must be true, or a table of meta attributes like { interleave = true }"));
    }
    pairs::but(item, &[("promotable", "the key promotable")]).map(Some)
}
