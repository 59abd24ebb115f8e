//! Rules that the unit of the failover guide leaves behind.
//!
//! It runs `iptables -t nat -I POSTROUTING -o NIC -d ADDRESS -j SNAT --to-source VIP`, once per address of a list, and a
//! crash or a changed setting leaves them. Ours would then not be the only ones: they also rewrite what must be kept.

use std::fmt;
use std::io;
use std::net::IpAddr;

use super::HOOK;
use super::listing::Rule;
use super::tool::{Tool, Variant};
use crate::ocf::deadline::Deadline;
use crate::sys::nft;

/// A rule in POSTROUTING of table `nat` that translates to exactly one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleRule {
    tool: Tool,
    rule: Rule,
}

impl fmt::Display for StaleRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -t nat -A {HOOK} {}", self.tool, self.rule.line)
    }
}

/// The rules of both variants of iptables that look like the guide's and translate to `to`.
///
/// No tool is run, and so no kernel module loaded, where there can be none.
///
/// # Errors
/// What the kernel or a tool says.
pub fn stale_rules(to: IpAddr, deadline: &Deadline) -> io::Result<Vec<StaleRule>> {
    let mut found = Vec::new();
    for variant in [Variant::Nft, Variant::Legacy] {
        if variant == Variant::Nft && nft::foreign_snat(to)?.is_empty() {
            continue;
        }
        let Some(tool) = Tool::of(variant, to.is_ipv6(), deadline)? else { continue };
        let listing = tool.listing(deadline)?;
        let rules = listing.rules_of(HOOK).filter(|rule| is_guides(rule, to));
        found.extend(rules.map(|rule| StaleRule { tool: tool.clone(), rule: rule.clone() }));
    }
    Ok(found)
}

/// Removes rules that [`stale_rules`] found. Those of one tool go together or not at all.
///
/// # Errors
/// What the tool said, the first time one failed; the other tool has been run all the same.
pub fn remove_stale(rules: &[StaleRule], deadline: &Deadline) -> io::Result<()> {
    let mut first_error = None;
    for variant in [Variant::Nft, Variant::Legacy] {
        for v6 in [false, true] {
            let of_tool = || rules.iter().filter(|stale| stale.tool.variant == variant && stale.tool.v6 == v6);
            let Some(first) = of_tool().next() else { continue };
            let script: String = of_tool().map(|stale| stale.rule.deletion()).collect();
            if let Err(error) = first.tool.restore(&script, deadline) {
                first_error = first_error.or(Some(error));
            }
        }
    }
    first_error.map_or(Ok(()), Err)
}

/// The unit's own form: link and destination, nothing else. A rule with further conditions is somebody's own and stays.
fn is_guides(rule: &Rule, to: IpAddr) -> bool {
    let host = if to.is_ipv4() { 32 } else { 128 };
    rule.target() == Some("SNAT")
        && rule.value("--to-source") == Some(&format!("{to}/{host}"))
        && rule.options().all(|option| matches!(option, "-o" | "-d" | "-j" | "--to-source"))
}
