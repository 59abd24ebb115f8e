//! The rules of our chain, as the expressions nftables runs, and the comparison with rules that the kernel lists.
//!
//! Listed rules have more attributes than were sent (defaults are filled in, newer kernels add some) and counters move.
//! So a rule is the same when it has the same expressions in the same order, and every attribute that was known when
//! this was written has the value sent or its default. Attributes that kernels may invent later do not count.

use crate::sys::netlink::{Attributes, Writer, attribute, text};

use super::wire::Family;
use super::wire::object::{DATA_VALUE, LIST_ENTRY};

const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;
/// `NFT_REG_1`, the only register we use.
const REGISTER: u32 = 1;

/// `NFT_META_OIFNAME` and `NFT_META_L4PROTO`.
pub const OIFNAME: u32 = 7;
/// See [`OIFNAME`].
pub const L4PROTO: u32 = 16;

/// Which header a payload expression reads (`enum nft_payload_bases`).
#[derive(Debug, Clone, Copy)]
pub enum Header {
    /// IPv4 or IPv6.
    Network = 1,
    /// TCP, UDP and so on.
    Transport = 2,
}

/// How values are compared (`enum nft_cmp_ops`).
#[derive(Debug, Clone, Copy)]
pub enum Comparison {
    /// Equal.
    Equal = 0,
    /// Not equal.
    NotEqual = 1,
    /// Less or equal.
    AtMost = 3,
    /// Greater or equal.
    AtLeast = 5,
}

/// A rule under construction. Each method appends one expression that works on the one register.
#[derive(Debug, Default, Clone)]
pub struct Rule(Writer);

impl Rule {
    /// Loads a property of the packet.
    pub fn meta(mut self, key: u32) -> Self {
        self.push("meta", |data| {
            data.number(1, REGISTER);
            data.number(2, key);
        });
        self
    }

    /// Loads bytes of a header.
    pub fn payload(mut self, header: Header, offset: u8, length: u8) -> Self {
        self.push("payload", |data| {
            data.number(1, REGISTER);
            data.number(2, header as u32);
            data.number(3, u32::from(offset));
            data.number(4, u32::from(length));
        });
        self
    }

    /// Loads the address that the connection's first packet was sent to, before anything rewrote it.
    pub fn original_destination(mut self, family: Family) -> Self {
        const ORIGINAL: u8 = 0;
        let key = match family {
            Family::V4 => 20, // NFT_CT_DST_IP
            Family::V6 => 22, // NFT_CT_DST_IP6
        };
        self.push("ct", |data| {
            data.number(1, REGISTER);
            data.number(2, key);
            data.attribute(3, &[ORIGINAL]);
        });
        self
    }

    /// Keeps the bits in `mask` of one loaded byte.
    pub fn mask_byte(mut self, mask: u8) -> Self {
        self.push("bitwise", |data| {
            data.number(1, REGISTER);
            data.number(2, REGISTER);
            data.number(3, 1);
            data.nest(4, |value| value.attribute(DATA_VALUE, &[mask]));
            data.nest(5, |value| value.attribute(DATA_VALUE, &[0]));
        });
        self
    }

    /// Ends the rule unless what is loaded compares with `value`.
    pub fn compare(mut self, comparison: Comparison, value: &[u8]) -> Self {
        self.push("cmp", |data| {
            data.number(1, REGISTER);
            data.number(2, comparison as u32);
            data.nest(3, |data| data.attribute(DATA_VALUE, value));
        });
        self
    }

    /// Ends the rule unless what is loaded is in a set (or is not, when `inverted`).
    pub fn lookup(mut self, set: &str, inverted: bool) -> Self {
        self.push("lookup", |data| {
            data.text(1, set);
            data.number(2, REGISTER);
            data.number(5, u32::from(inverted));
        });
        self
    }

    /// Counts packets and bytes from here.
    pub fn counter(mut self) -> Self {
        self.push("counter", |data| {
            data.attribute(1, &[0; 8]);
            data.attribute(2, &[0; 8]);
        });
        self
    }

    /// Leaves the chain: the packet keeps its source.
    pub fn leave(mut self) -> Self {
        const RETURN: i32 = -5;
        self.push("immediate", |data| {
            data.number(1, 0); // the verdict's register
            data.nest(2, |value| value.nest_unmarked(2, |verdict| verdict.attribute(1, &RETURN.to_be_bytes())));
        });
        self
    }

    /// Rewrites the source to `address`.
    pub fn source_nat(mut self, family: u32, address: &[u8]) -> Self {
        self.push("immediate", |data| {
            data.number(1, REGISTER);
            data.nest(2, |value| value.attribute(DATA_VALUE, address));
        });
        self.push("nat", |data| {
            data.number(1, 0); // NFT_NAT_SNAT
            data.number(2, family);
            data.number(3, REGISTER);
        });
        self
    }

    /// Rewrites the source to the first address of the link that the packet leaves by.
    pub fn masquerade(mut self) -> Self {
        self.push("masq", |_| {});
        self
    }

    /// The list of expressions, as it is sent.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Whether a listed rule does the same as this one.
    pub fn same_as(&self, listed: &[u8]) -> bool {
        let (mut ours, mut theirs) = (expressions(self.bytes()), expressions(listed));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(ours), Some(theirs)) if same_expression(ours, theirs) => {}
                _ => return false,
            }
        }
    }

    fn push(&mut self, name: &str, fill: impl FnOnce(&mut Writer)) {
        self.0.nest(LIST_ENTRY, |expression| {
            expression.text(EXPRESSION_NAME, name);
            expression.nest(EXPRESSION_DATA, fill);
        });
    }
}

/// The expressions of a listed rule, as name and attributes. Those that cannot be read have an empty name.
pub fn expressions(list: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    Attributes(list).map(|(_, entry)| {
        let name = text(entry, EXPRESSION_NAME).unwrap_or_default();
        (name, attribute(entry, EXPRESSION_DATA).unwrap_or_default())
    })
}

/// Packets that the counter in a listed rule has seen.
pub fn counted_packets(list: &[u8]) -> Option<u64> {
    let (_, counter) = expressions(list).find(|(name, _)| *name == "counter")?;
    attribute(counter, 2)?.first_chunk().map(|packets| u64::from_be_bytes(*packets))
}

/// An attribute the kernel fills in when it was not sent, with its value.
type Default = (u16, u32);

/// The highest attribute that counts for an expression, and the values that are filled in.
fn known(name: &str) -> (u16, &'static [Default]) {
    match name {
        "nat" => (7, &[(4, REGISTER), (7, 1)]), // highest address = lowest address; the flag "addresses are given"
        "bitwise" => (7, &[(6, 0)]),            // operation: mask and xor, named since 5.6
        "lookup" => (5, &[]),
        "counter" => (0, &[]),
        _ => (4, &[]),
    }
}

fn same_expression((our_name, ours): (&str, &[u8]), (their_name, theirs): (&str, &[u8])) -> bool {
    if our_name != their_name {
        return false;
    }
    let (highest, defaults) = known(our_name);
    (1..=highest).all(|kind| {
        let (sent, listed) = (attribute(ours, kind), attribute(theirs, kind));
        let default = defaults.iter().find(|(defaulted, _)| *defaulted == kind);
        match default {
            Some((_, value)) => listed.is_none_or(|listed| listed == value.to_be_bytes()),
            None => sent == listed,
        }
    })
}
