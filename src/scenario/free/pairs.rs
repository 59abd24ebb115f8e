//! Tables of names and values: meta attributes, options, node attributes, defaults.

use crate::scenario::fault::Fault;
use crate::scenario::fencing::is_secret;
use crate::scenario::names;
use crate::scenario::reader::{Item, Word};

/// Names, each with its value.
pub type Pairs = Vec<(String, String)>;

/// What a name has to be: the cluster makes an id of it.
const NAME: &str = "a name: a letter or _, then letters, digits, . _ and -";

/// Reads a table.
pub fn read(item: Item<'_>) -> Result<Pairs, Fault> {
    but(item, &[])
}

/// Reads a table that must not have the names in `given`, which come from elsewhere.
pub(super) fn but(item: Item<'_>, given: &[(&str, &str)]) -> Result<Pairs, Fault> {
    let mut all = Vec::new();
    for (name, item) in item.table()?.entries() {
        check_name(&name)?;
        if let Some((_, place)) = given.iter().find(|(given, _)| *given == name.text) {
            return Err(name.fault(format!("comes from {place}: leave it out here")));
        }
        if is_secret(&name.text) {
            return Err(
                name.fault("is a secret, and everybody on a node may read this: give the program a file of its own")
            );
        }
        all.push((name.text, value(item)?.text));
    }
    Ok(all)
}

/// A name that the cluster makes part of an id.
pub(super) fn check_name(name: &Word<'_>) -> Result<(), Fault> {
    if names::is_id(&name.text) { Ok(()) } else { Err(name.must_be(NAME)) }
}

/// A value as one text; `true` and `false` stay these words.
pub(super) fn value(item: Item<'_>) -> Result<Word<'_>, Fault> {
    let boolean = item.boolean().ok();
    let mut value = item.scalar()?;
    if let Some(yes) = boolean {
        value.text = yes.to_string();
    }
    check_value(&value)?;
    Ok(value)
}

/// Whether the cluster and a shell carry a value unchanged.
pub(super) fn check_value(value: &Word<'_>) -> Result<(), Fault> {
    let odd = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    if value.text.is_empty() || value.text.chars().any(odd) {
        return Err(value.must_be("text without control characters, not empty"));
    }
    Ok(())
}
