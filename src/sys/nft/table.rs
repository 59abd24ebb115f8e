//! A table of our own: sets of addresses and one chain where sources are translated.

use std::io;

use super::expression::Rule;
use super::inspect::stale_sets;
use super::ranges::Ranges;
use super::wire::{APPEND, Batch, CREATE, Connection, Family, command, object};

/// The chain's name.
pub(super) const CHAIN: &str = "postrouting";
/// `NF_INET_POST_ROUTING`.
pub(super) const HOOK: u32 = 4;
/// Chains with smaller numbers come first; `NF_IP_PRI_NAT_SRC` is 100.
pub(super) const PRIORITY: i32 = 90;
/// `NF_ACCEPT`.
pub(super) const ACCEPT: u32 = 1;
/// The chain's type.
pub(super) const TYPE: &str = "nat";
/// `NFT_SET_INTERVAL`.
pub(super) const INTERVAL: u32 = 4;

/// `NFTNL_UDATA_SET_KEYBYTEORDER` = big endian, four bytes in host order: what nft itself stores for addresses.
const BYTE_ORDER: [u8; 2] = [0, 4];
/// A list of elements is one attribute, whose length has 16 bits; an IPv6 element takes 36 bytes.
const ELEMENTS_PER_COMMAND: usize = 1000;
/// A set of addresses in the table.
pub(super) struct Set {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub ranges: Ranges,
}

/// A table as it has to be. Its name has been checked.
pub(super) struct Layout {
    /// Its name.
    pub name: String,
    /// The family it is for.
    pub family: Family,
    /// Its sets, in the order they are made.
    pub sets: Vec<Set>,
    /// The rules of its chain, each with a few words for messages. The last one counts packets.
    pub rules: Vec<(&'static str, Rule)>,
}

impl Layout {
    /// Puts the table in place, in one transaction: whatever table of this name was there is replaced.
    ///
    /// # Errors
    /// What the kernel says, with its errno; then nothing has changed.
    pub fn apply(&self) -> io::Result<()> {
        let mut connection = Connection::open()?;
        // A packet reads at each chain anew which transaction counts. With two chains, the one that comes and the one that
        // goes, it can miss both, and its connection would keep its source; with one it finds the old rules or the new ones.
        if let Ok(Some(stale)) = stale_sets(&mut connection, self)
            && connection.commit(self.refill(&stale)).is_ok()
        {
            return Ok(());
        }
        connection.commit(self.replace())
    }

    /// Other rules for a table that has our structure, and other elements for the sets that are `stale`. The others are left
    /// alone: while a transaction ends, kernels can miss an element that goes and comes with it (up to 6.16 at least).
    fn refill(&self, stale: &[&str]) -> Batch {
        let mut batch = Batch::default();
        // Without a handle: all rules of the chain; without a list: all elements.
        batch.add(command::DEL_RULE, 0, self.family, |rule| {
            rule.text(object::RULE_TABLE, &self.name);
            rule.text(object::RULE_CHAIN, CHAIN);
        });
        for set in self.sets.iter().filter(|set| stale.contains(&set.name)) {
            batch.add(command::DEL_ELEMENTS, 0, self.family, |list| {
                list.text(object::ELEMENTS_TABLE, &self.name);
                list.text(object::ELEMENTS_SET, set.name);
            });
            add_elements(&mut batch, self.family, &self.name, set);
        }
        self.add_rules(&mut batch);
        batch
    }

    /// The table as it should be, instead of the one that is there.
    fn replace(&self) -> Batch {
        let family = self.family;
        let mut batch = Batch::default();
        // Deleting needs a table to be there, so one is made first.
        batch.add(command::NEW_TABLE, CREATE, family, |table| table.text(object::TABLE_NAME, &self.name));
        batch.add(command::DEL_TABLE, 0, family, |table| table.text(object::TABLE_NAME, &self.name));
        batch.add(command::NEW_TABLE, CREATE, family, |table| {
            table.text(object::TABLE_NAME, &self.name);
            table.number(object::TABLE_FLAGS, 0);
        });
        for (id, set) in (1..).zip(&self.sets) {
            add_set(&mut batch, family, &self.name, id, set);
            add_elements(&mut batch, family, &self.name, set);
        }
        batch.add(command::NEW_CHAIN, CREATE, family, |chain| {
            chain.text(object::CHAIN_TABLE, &self.name);
            chain.text(object::CHAIN_NAME, CHAIN);
            chain.nest(object::CHAIN_HOOK, |hook| {
                hook.number(object::HOOK_NUMBER, HOOK);
                hook.attribute(object::HOOK_PRIORITY, &PRIORITY.to_be_bytes());
            });
            chain.number(object::CHAIN_POLICY, ACCEPT);
            chain.text(object::CHAIN_TYPE, TYPE);
        });
        self.add_rules(&mut batch);
        batch
    }

    fn add_rules(&self, batch: &mut Batch) {
        let family = self.family;
        for (_, rule) in &self.rules {
            batch.add(command::NEW_RULE, CREATE | APPEND, family, |message| {
                message.text(object::RULE_TABLE, &self.name);
                message.text(object::RULE_CHAIN, CHAIN);
                message.nest(object::RULE_EXPRESSIONS, |list| list.raw(rule.bytes()));
            });
        }
    }
}

/// The key type of a set, in nft's numbering (`ipv4_addr` and `ipv6_addr`).
pub(super) fn key_type(family: Family) -> u32 {
    match family {
        Family::V4 => 7,
        Family::V6 => 8,
    }
}

fn add_set(batch: &mut Batch, family: Family, table: &str, id: u32, set: &Set) {
    batch.add(command::NEW_SET, CREATE, family, |message| {
        message.text(object::SET_TABLE, table);
        message.text(object::SET_NAME, set.name);
        message.number(object::SET_FLAGS, INTERVAL);
        message.number(object::SET_KEY_TYPE, key_type(family));
        message.number(object::SET_KEY_LENGTH, u32::from(family.address_length()));
        message.number(object::SET_ID, id);
        let byte_order = [BYTE_ORDER.as_slice(), &2u32.to_ne_bytes()].concat();
        message.attribute(object::SET_USERDATA, &byte_order);
    });
}

fn add_elements(batch: &mut Batch, family: Family, table: &str, set: &Set) {
    for elements in set.ranges.elements().chunks(ELEMENTS_PER_COMMAND) {
        batch.add(command::NEW_ELEMENTS, CREATE, family, |message| {
            message.text(object::ELEMENTS_TABLE, table);
            message.text(object::ELEMENTS_SET, set.name);
            message.nest(object::ELEMENTS_LIST, |list| {
                for element in elements {
                    list.nest(object::LIST_ENTRY, |entry| {
                        let key = set.ranges.key_bytes(*element);
                        entry.nest(object::ELEMENT_KEY, |value| value.attribute(object::DATA_VALUE, &key));
                        if element.end {
                            entry.number(object::ELEMENT_FLAGS, 1); // NFT_SET_ELEM_INTERVAL_END
                        }
                    });
                }
            });
        });
    }
}
