//! Values of a table in the file, each with its range.

use std::time::Duration;

use super::draft::{At, Said};
use crate::document::fault::Fault;
use crate::document::reader::Table;

/// A text that `read` understands.
pub(super) fn said<'a, T>(
    table: &mut Table<'a>,
    key: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<Said<'a, T>>, Fault> {
    let Some(item) = table.take(key) else { return Ok(None) };
    let word = item.text()?;
    let value = read(&word.text).map_err(|reason| word.fault(reason))?;
    Ok(Some(Said { at: At::File(word), value }))
}

/// One of some words.
pub(super) fn choice<T: Copy>(table: &mut Table<'_>, key: &str, choices: &[(&str, T)]) -> Result<Option<T>, Fault> {
    let Some(item) = table.take(key) else { return Ok(None) };
    let word = item.text()?;
    let found = choices.iter().find(|(name, _)| *name == word.text).map(|(_, value)| *value);
    let names: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    found.map(Some).ok_or_else(|| word.must_be(names.join(", ")))
}

/// A whole number within both.
pub(super) fn number<'a, T>(table: &mut Table<'a>, key: &str, min: T, max: T) -> Result<Option<Said<'a, T>>, Fault>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display + Copy,
{
    let Some(item) = table.take(key) else { return Ok(None) };
    let number = item.integer()?;
    let value = T::try_from(number).ok().filter(|value| (min..=max).contains(value));
    let value = value.ok_or_else(|| item.fault(format!("{number} is not allowed: must be {min} to {max}")))?;
    Ok(Some(Said { at: At::File(item.place()), value }))
}

pub(super) fn seconds(table: &mut Table<'_>, key: &str, max: u32) -> Result<Option<Duration>, Fault> {
    Ok(number(table, key, 1, max)?.map(|said| Duration::from_secs(said.value.into())))
}

/// The place of a key that is true.
pub(super) fn yes<'a>(table: &mut Table<'a>, key: &str) -> Result<Option<At<'a>>, Fault> {
    let Some(item) = table.take(key) else { return Ok(None) };
    Ok(item.boolean()?.then(|| At::File(item.place())))
}
