//! Source address translation by iptables, for kernels before 4.18, where nftables and iptables exclude each other.
//!
//! A chain of our own in table `nat`, with one jump to it as the first rule of POSTROUTING. All changes go through
//! `iptables-restore --noflush`, which takes a script as a whole or not at all: nobody sees half of it, and two writers
//! do not mix. Rules are read back from `-S`, the only listing that is the same for both variants of the tool.

mod listing;
mod stale;
mod tool;

pub use stale::{StaleRule, remove_stale, stale_rules};
pub use tool::{Tool, Variant};

use std::fmt::Write;
use std::io;

use ipnet::IpNet;

use super::source_nat::{Found, SourceNat, check_name};
use crate::ocf::deadline::Deadline;
use crate::ocf::instance::checksum;
use listing::{Listing, Rule};

/// Longest name of a chain (`XT_EXTENSION_MAXNAMELEN` without its NUL).
const CHAIN_NAME: usize = 28;
/// Where translation of sources happens.
const HOOK: &str = "POSTROUTING";

/// The name of the chain for a [`SourceNat::name`]: the same name, or its begin and a checksum when that is too long.
pub fn chain(name: &str) -> String {
    if name.len() <= CHAIN_NAME {
        return name.to_owned();
    }
    let begin: String = name.chars().take(CHAIN_NAME - 9).collect();
    format!("{begin}-{:08x}", checksum(name))
}

/// Puts the rules in place with the host's usual `iptables` (or `ip6tables`). What was there of ours is replaced.
///
/// # Errors
/// `InvalidInput` for unusable names, `NotFound` without iptables, `TimedOut`, else what the tool said.
pub fn apply(nat: &SourceNat, deadline: &Deadline) -> io::Result<()> {
    Tool::usual(nat.to.is_ipv6(), deadline)?.apply(nat, deadline)
}

/// Compares what there is with what was asked for.
///
/// # Errors
/// As [`apply`].
pub fn inspect(nat: &SourceNat, deadline: &Deadline) -> io::Result<Found> {
    Tool::usual(nat.to.is_ipv6(), deadline)?.inspect(nat, deadline)
}

/// Whether a chain of this name, or a jump to it, is in either family of either variant of the tool.
///
/// # Errors
/// As [`remove`].
pub fn is_present(name: &str, deadline: &Deadline) -> io::Result<bool> {
    check_name(name)?;
    let chain = chain(name);
    for tool in Tool::all(deadline)? {
        let listing = tool.listing(deadline)?;
        if listing.has_chain(&chain) || listing.jumps_to(&chain).next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes jumps, rules and chain in both families and from both variants of the tool, also when only a part is left.
/// False when nothing was there.
///
/// # Errors
/// The first one of [`apply`]'s; the other families and variants have been swept all the same.
pub fn remove(name: &str, deadline: &Deadline) -> io::Result<bool> {
    check_name(name)?;
    let mut removed = false;
    let mut first_error = None;
    for tool in Tool::all(deadline)? {
        match tool.remove(name, deadline) {
            Ok(some) => removed |= some,
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(removed), Err)
}

impl Tool {
    /// As [`apply()`], with this tool.
    ///
    /// # Errors
    /// As there.
    pub fn apply(&self, nat: &SourceNat, deadline: &Deadline) -> io::Result<()> {
        nat.check()?;
        self.again(deadline, || self.apply_once(nat, deadline))
    }

    fn apply_once(&self, nat: &SourceNat, deadline: &Deadline) -> io::Result<()> {
        let chain = chain(&nat.name);
        let mut script = format!(":{chain} - [0:0]\n");
        for jump in self.listing(deadline)?.jumps_to(&chain) {
            script += &jump.deletion();
        }
        for rule in rules(nat) {
            script += &rule;
        }
        let _ = writeln!(script, "-I {HOOK} 1 -j {chain}");
        self.restore(&script, deadline)
    }

    /// As [`inspect()`], with this tool.
    ///
    /// # Errors
    /// As there.
    pub fn inspect(&self, nat: &SourceNat, deadline: &Deadline) -> io::Result<Found> {
        nat.check()?;
        Ok(compare(nat, &self.listing(deadline)?))
    }

    /// As [`remove()`], with this tool in its family only.
    ///
    /// # Errors
    /// As there.
    pub fn remove(&self, name: &str, deadline: &Deadline) -> io::Result<bool> {
        check_name(name)?;
        self.again(deadline, || self.remove_once(name, deadline))
    }

    fn remove_once(&self, name: &str, deadline: &Deadline) -> io::Result<bool> {
        let chain = chain(name);
        let listing = self.listing(deadline)?;
        let mut script: String = listing.jumps_to(&chain).map(Rule::deletion).collect();
        if listing.has_chain(&chain) {
            let _ = write!(script, "-F {chain}\n-X {chain}\n");
        }
        if script.is_empty() {
            return Ok(false);
        }
        self.restore(&script, deadline)?;
        Ok(true)
    }
}

/// The rules of the chain, in the words of `iptables-restore`.
fn rules(nat: &SourceNat) -> Vec<String> {
    let (chain, oif, to) = (chain(&nat.name), &nat.oif, nat.to);
    let (first_port, last_port) = nat.keep_udp_ports;
    let mut rules = vec![
        format!("-A {chain} ! -o {oif} -j RETURN\n"),
        format!("-A {chain} -s {to} -j RETURN\n"),
        // In the middle of a connection that was open before tracking began: rewriting would break it.
        format!("-A {chain} -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j RETURN\n"),
        format!("-A {chain} -p udp -m udp --dport {first_port}:{last_port} -j RETURN\n"),
    ];
    rules.extend(IpNet::aggregate(&nat.kept()).iter().map(|network| format!("-A {chain} -d {network} -j RETURN\n")));
    let reached = IpNet::aggregate(&nat.reached());
    rules.extend(reached.iter().map(|network| format!("-A {chain} -d {network} -j SNAT --to-source {to}\n")));
    rules
}

/// What a listing of table `nat` says about our rules.
fn compare(nat: &SourceNat, listing: &Listing) -> Found {
    let chain = chain(&nat.name);
    let jumps = listing.jumps_to(&chain).count();
    if !listing.has_chain(&chain) && jumps == 0 {
        return Found::Absent;
    }
    let wanted: Vec<Rule> = rules(nat).iter().filter_map(|line| Rule::parse(line)).collect();
    let listed: Vec<&Rule> = listing.rules_of(&chain).collect();
    if listed.len() != wanted.len() {
        return Found::Differs(format!("chain {chain} has {} rules instead of {}", listed.len(), wanted.len()));
    }
    if let Some((wanted, _)) = wanted.iter().zip(&listed).find(|(wanted, listed)| !wanted.same_as(listed)) {
        return Found::Differs(format!("chain {chain} lacks or misplaces {}", wanted.line));
    }
    if jumps != 1 {
        return Found::Differs(format!("{jumps} jumps to chain {chain} instead of 1"));
    }
    let expected = Rule::parse(&format!("-A {HOOK} -j {chain}"));
    let first = listing.rules_of(HOOK).next();
    if !first.zip(expected).is_some_and(|(first, expected)| expected.same_as(first)) {
        return Found::Differs(format!("the jump to chain {chain} is not the first rule of {HOOK}"));
    }
    let translating = listed.iter().filter(|rule| rule.target() == Some("SNAT"));
    Found::Equal { packets: translating.map(|rule| rule.packets).sum() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
