//! Sets of resources, which constraints are about.

use super::ids::{Ids, Named};
use crate::scenario::constraint::{Action, Role, Set};
use crate::scenario::fault::Fault;
use crate::scenario::reader::{Item, Table, Word};

/// What constraint the sets are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Colocation,
    Order,
}

/// Reads `sets`.
pub(super) fn read(item: Item<'_>, of: Of, ids: &Ids) -> Result<Vec<Set>, Fault> {
    let place = item.place();
    let mut all: Vec<Set> = Vec::new();
    for table in item.tables()? {
        let more: &[&str] = if of == Of::Order { &["action", "require_all"] } else { &["role"] };
        let mut table = table.only(&[&["resources", "sequential"], more].concat())?;
        let mut set = Set { resources: Vec::new(), sequential: true, require_all: true, role: None, action: None };
        let words = table.need("resources", "the resources of the set")?.texts()?;
        let named = words.iter().map(|word| ids.find(word)).collect::<Result<Vec<_>, _>>()?;
        for (word, one) in words.iter().zip(&named) {
            if set.resources.contains(&one.id) || all.iter().any(|other| other.resources.contains(&one.id)) {
                return Err(word.fault(format!("{} is in these sets already", word.text)));
            }
            set.resources.push(one.id.clone());
        }
        if let Some(item) = table.take("sequential") {
            set.sequential = item.boolean()?;
        }
        if let Some(item) = table.take("require_all") {
            set.require_all = item.boolean()?;
            if !set.require_all && set.sequential {
                return Err(
                    item.fault("one of them is enough only where they do not depend on each other: sequential = false")
                );
            }
        }
        set.role = role(&mut table, "role", &named)?;
        set.action = action(&mut table, "action", &named)?;
        if set.resources.is_empty() {
            return Err(table.fault("resources must name at least one"));
        }
        all.push(set);
    }
    if all.iter().map(|set| set.resources.len()).sum::<usize>() < 2 {
        return Err(place.fault("must have two resources or more, else nothing is said"));
    }
    Ok(all)
}

/// Takes a role of the resources, which have to have roles.
pub(super) fn role(table: &mut Table<'_>, key: &str, of: &[Named]) -> Result<Option<Role>, Fault> {
    let Some(word) = table.take(key).map(Item::text).transpose()? else { return Ok(None) };
    let role = match word.text.as_str() {
        "Promoted" => Role::Promoted,
        "Unpromoted" => Role::Unpromoted,
        _ => return Err(word.must_be("Promoted or Unpromoted")),
    };
    promotable(&word, of)?;
    Ok(Some(role))
}

/// Takes what happens to the resources.
pub(super) fn action(table: &mut Table<'_>, key: &str, of: &[Named]) -> Result<Option<Action>, Fault> {
    let Some(word) = table.take(key).map(Item::text).transpose()? else { return Ok(None) };
    let all = [Action::Start, Action::Stop, Action::Promote, Action::Demote];
    let Some(action) = all.into_iter().find(|action| action.word() == word.text) else {
        return Err(word.must_be("start, stop, promote or demote"));
    };
    if matches!(action, Action::Promote | Action::Demote) {
        promotable(&word, of)?;
    }
    Ok(Some(action))
}

fn promotable(word: &Word<'_>, of: &[Named]) -> Result<(), Fault> {
    match of.iter().find(|one| !one.promotable) {
        Some(one) => Err(word.fault(format!("{} is not promotable: it has no roles", one.id))),
        None => Ok(()),
    }
}
