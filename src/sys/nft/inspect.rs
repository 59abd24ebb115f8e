//! The comparison of our table with what was asked for.
//!
//! Only our table is asked about, so that the rules of others cost nothing. How many objects it holds stands in the
//! table itself: an added chain or set shows without listing the chains of the whole host.

use std::io;

use crate::sys::netlink::{Attributes, attribute, number, text};
use crate::sys::source_nat::{Found, SourceNat};

use super::expression::counted_packets;
use super::ranges::{Element, Ranges, key};
use super::snat;
use super::table::{ACCEPT, CHAIN, HOOK, INTERVAL, Layout, PRIORITY, Set, TYPE, key_type};
use super::wire::{Connection, Family, HEADER, command, means_absent, means_no_nftables, object};

/// `NFT_TABLE_F_DORMANT`: the table is there, its rules do not run.
const DORMANT: u32 = 1;

/// Somebody may replace the table between two of our questions: parts of it are then gone or do not fit together. So a
/// difference counts when it is still there at the last of so many looks.
const LOOKS: usize = 4;

/// Either the packets counted, or what differs.
type Comparison = Result<u64, String>;

/// Compares our table with what was asked for.
///
/// # Errors
/// What the kernel says, with its errno. A kernel without nftables has nothing of ours: `Absent`.
pub fn inspect(nat: &SourceNat) -> io::Result<Found> {
    inspect_table(&snat::table(nat)?)
}

/// Compares a table with what it should be.
pub(super) fn inspect_table(wanted: &Layout) -> io::Result<Found> {
    let mut connection = match Connection::open() {
        Err(error) if means_no_nftables(&error) => return Ok(Found::Absent),
        other => other?,
    };
    for _ in 1..LOOKS {
        match look(&mut connection, wanted) {
            Ok(Found::Differs(_)) => {}
            Err(error) if means_absent(&error) => {}
            Err(error) if means_no_nftables(&error) => return Ok(Found::Absent),
            other => return other,
        }
    }
    match look(&mut connection, wanted) {
        Err(error) if means_absent(&error) => Ok(Found::Differs("the table changes all the time".into())),
        other => other,
    }
}

fn look(connection: &mut Connection, wanted: &Layout) -> io::Result<Found> {
    let family = wanted.family;
    let reply = connection.get(command::GET_TABLE, family, |table| table.text(object::TABLE_NAME, &wanted.name))?;
    let Some(reply) = reply else { return Ok(Found::Absent) };
    let table = reply.messages().next().map(|message| message.attributes(HEADER)).unwrap_or_default();
    let flags = number(table, object::TABLE_FLAGS).unwrap_or_default();
    if flags & DORMANT != 0 {
        return Ok(Found::Differs("the table is dormant".into()));
    }

    let objects = number(table, object::TABLE_USE).unwrap_or_default();
    let mut look = Look { connection, wanted, family };
    let packets = match look.chain()? {
        Ok(()) => look.rules()?,
        Err(text) => Err(text),
    };
    Ok(match (packets, look.sets(objects)?) {
        (Ok(packets), None) => Found::Equal { packets },
        (Err(text), _) | (Ok(_), Some(text)) => Found::Differs(text),
    })
}

/// When the table has our chain and our sets and nothing else, whatever is in them, new rules and elements can take the place
/// of the old ones: then the names of the sets that have other elements. None when it has not.
pub(super) fn stale_sets(connection: &mut Connection, wanted: &Layout) -> io::Result<Option<Vec<&'static str>>> {
    let family = wanted.family;
    let reply = connection.get(command::GET_TABLE, family, |table| table.text(object::TABLE_NAME, &wanted.name))?;
    let Some(reply) = reply else { return Ok(None) };
    let table = reply.messages().next().map(|message| message.attributes(HEADER)).unwrap_or_default();
    let objects = number(table, object::TABLE_USE).unwrap_or_default();
    let mut look = Look { connection, wanted, family };
    if number(table, object::TABLE_FLAGS) != Some(0) || look.chain()?.is_err() || look.structure(objects)?.is_some() {
        return Ok(None);
    }
    let mut stale = Vec::new();
    for set in &wanted.sets {
        if look.elements(set)?.is_some() {
            stale.push(set.name);
        }
    }
    Ok(Some(stale))
}

struct Look<'a> {
    connection: &'a mut Connection,
    wanted: &'a Layout,
    family: Family,
}

impl Look<'_> {
    /// The chain hangs where it should.
    fn chain(&mut self) -> io::Result<Result<(), String>> {
        let reply = self.connection.get(command::GET_CHAIN, self.family, |chain| {
            chain.text(object::CHAIN_TABLE, &self.wanted.name);
            chain.text(object::CHAIN_NAME, CHAIN);
        })?;
        let Some(reply) = reply else { return Ok(Err(format!("chain {CHAIN} is missing"))) };
        let chain = reply.messages().next().map(|message| message.attributes(HEADER)).unwrap_or_default();
        Ok(compare_chain(chain))
    }

    /// The chain has our rules, each once and in our order.
    fn rules(&mut self) -> io::Result<Comparison> {
        let reply = self.connection.dump(command::GET_RULE, self.family, |rule| {
            rule.text(object::RULE_TABLE, &self.wanted.name);
            rule.text(object::RULE_CHAIN, CHAIN);
        })?;
        let listed: Vec<&[u8]> = reply
            .messages()
            .map(|message| message.attributes(HEADER))
            .filter(|rule| text(rule, object::RULE_TABLE) == Some(self.wanted.name.as_str()))
            .filter(|rule| text(rule, object::RULE_CHAIN) == Some(CHAIN))
            .map(|rule| attribute(rule, object::RULE_EXPRESSIONS).unwrap_or_default())
            .collect();
        let wanted = &self.wanted.rules;
        if listed.len() != wanted.len() {
            return Ok(Err(format!("chain {CHAIN} has {} rules instead of {}", listed.len(), wanted.len())));
        }
        let mut pairs = wanted.iter().zip(&listed);
        if let Some(((what, _), _)) = pairs.find(|((_, rule), listed)| !rule.same_as(listed)) {
            return Ok(Err(format!("the {what} differs")));
        }
        Ok(Ok(listed.last().and_then(|rule| counted_packets(rule)).unwrap_or_default()))
    }

    /// The table has our sets, with our elements in them, and no other object; `objects` is how many it has in all.
    fn sets(&mut self, objects: u32) -> io::Result<Option<String>> {
        if let Some(difference) = self.structure(objects)? {
            return Ok(Some(difference));
        }
        for set in &self.wanted.sets {
            if let Some(difference) = self.elements(set)? {
                return Ok(Some(format!("set {} {difference}", set.name)));
            }
        }
        Ok(None)
    }

    /// The table has our sets and no other object.
    fn structure(&mut self, objects: u32) -> io::Result<Option<String>> {
        let reply = self
            .connection
            .dump(command::GET_SET, self.family, |set| set.text(object::SET_TABLE, &self.wanted.name))?;
        let listed: Vec<&[u8]> = reply
            .messages()
            .map(|message| message.attributes(HEADER))
            .filter(|set| text(set, object::SET_TABLE) == Some(self.wanted.name.as_str()))
            .collect();
        let wanted = &self.wanted.sets;
        let name = |set: &[u8]| text(set, object::SET_NAME).unwrap_or_default().to_owned();
        if let Some(extra) = listed.iter().map(|set| name(set)).find(|name| wanted.iter().all(|set| set.name != name)) {
            return Ok(Some(format!("set {extra} is not ours")));
        }
        for set in wanted {
            let Some(found) = listed.iter().find(|found| name(found) == set.name) else {
                return Ok(Some(format!("set {} is missing", set.name)));
            };
            if !has_our_shape(found, self.family) {
                return Ok(Some(format!("set {} is of another type", set.name)));
            }
        }
        let ours = wanted.len() as u32 + 1;
        Ok((objects != ours).then(|| format!("the table holds {objects} chains and sets instead of {ours}")))
    }

    fn elements(&mut self, set: &Set) -> io::Result<Option<String>> {
        let reply = self.connection.dump(command::GET_ELEMENTS, self.family, |list| {
            list.text(object::ELEMENTS_TABLE, &self.wanted.name);
            list.text(object::ELEMENTS_SET, set.name);
        })?;
        let lists = reply.messages().filter_map(|m| attribute(m.attributes(HEADER), object::ELEMENTS_LIST));
        let elements: Option<Vec<Element>> = lists.flat_map(Attributes).map(|(_, entry)| element(entry)).collect();
        Ok(match elements {
            Some(elements) => set.ranges.difference(&Ranges::of_elements(self.family, elements)),
            None => Some("has an element that is no address".into()),
        })
    }
}

fn compare_chain(chain: &[u8]) -> Result<(), String> {
    let hook = attribute(chain, object::CHAIN_HOOK).unwrap_or_default();
    let priority = number(hook, object::HOOK_PRIORITY).map(|priority| priority as i32);
    if text(chain, object::CHAIN_TYPE) != Some(TYPE) || number(hook, object::HOOK_NUMBER) != Some(HOOK) {
        return Err(format!("chain {CHAIN} is not of type {TYPE} at hook postrouting"));
    }
    match priority {
        Some(PRIORITY) => {}
        Some(other) => return Err(format!("chain {CHAIN} has priority {other} instead of {PRIORITY}")),
        None => return Err(format!("chain {CHAIN} has no priority")),
    }
    if number(chain, object::CHAIN_POLICY) != Some(ACCEPT) {
        return Err(format!("chain {CHAIN} has another policy than accept"));
    }
    Ok(())
}

fn has_our_shape(set: &[u8], family: Family) -> bool {
    number(set, object::SET_FLAGS) == Some(INTERVAL)
        && number(set, object::SET_KEY_TYPE) == Some(key_type(family))
        && number(set, object::SET_KEY_LENGTH) == Some(u32::from(family.address_length()))
}

fn element(entry: &[u8]) -> Option<Element> {
    let value = attribute(attribute(entry, object::ELEMENT_KEY)?, object::DATA_VALUE)?;
    let flags = number(entry, object::ELEMENT_FLAGS).unwrap_or_default();
    Some(Element { key: key(value)?, end: flags & 1 == 1 })
}
