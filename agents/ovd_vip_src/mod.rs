//! `ocf:inuvika:ovd-vip-src`: connections opened by the active node leave with the virtual IP address as their source.
//!
//! It replaces the unit cluster-vip-src of the OVD Session Manager failover guide, which inserts one iptables rule, cannot
//! see it vanish, doubles it after a crash and rewrites corosync's own packets.

mod config;
mod monitor;
mod peers;
mod plan;
mod rules;
pub mod spec;
#[cfg(test)]
mod tests;
mod vip;

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::config::{Choice, Config};
use self::peers::Peer;
use self::plan::{Observed, Step, plan};
use self::rules::{Backend, Found, Rules};
use crate::ocf::agent::Agent;
use crate::ocf::alone::{Alone, Script};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::exit::{Code, Failure};
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::spec::Spec;
use crate::sys::{iptables, nft};

/// How long a look at iptables may take, where somebody else may hold its lock.
const LOOK: Duration = Duration::from_secs(2);

/// How long names of cluster nodes may take to resolve at start.
const RESOLVE: Duration = Duration::from_secs(2);

/// The agent.
#[derive(Debug)]
pub struct OvdVipSrc;

/// What start did: written before it acts, so that the next action after a kill knows where to look.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Applied {
    backend: Backend,
    link: String,
    peers: Vec<Peer>,
    /// Names of nodes that nobody could resolve.
    #[serde(default)]
    unknown: Vec<String>,
    /// The other backend may hold rules as well, from before a change of `backend` that was not finished.
    #[serde(default)]
    both: bool,
    /// How many rules of others give the virtual IP as source: an administrator's own, left alone.
    #[serde(default)]
    others: usize,
}

impl Applied {
    const FILE: &'static str = "applied";

    fn read(op: &Operation) -> Option<Self> {
        op.state.read(Self::FILE)
    }
}

impl Agent for OvdVipSrc {
    type Config = Config;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn alone(&self) -> Alone {
        Alone::Script(Script { after: &["$named"], older: Some(spec::OLDER) })
    }

    fn configure(&self, params: &Params) -> Result<Config, Failure> {
        Config::new(params)
    }

    fn validate(&self, config: &Config, op: &Operation) -> Vec<Check> {
        monitor::host(config, op)
    }

    fn start(&self, config: &Config, op: &Operation) -> Result<(), Failure> {
        let link = vip::wait(config, op)?;
        bring_up(config, op, &link)
    }

    fn stop(&self, op: &Operation) -> Result<(), Failure> {
        let removed = sweep(op)?;
        if is_there(op) {
            return Err(Failure::generic(format!("rules of {} are still there after removal", op.instance.name())));
        }
        if removed {
            op.log.info("source address rules removed");
        }
        Ok(())
    }

    fn monitor(&self, config: &Config, op: &Operation) -> Vec<Check> {
        monitor::checks(config, op)
    }

    fn is_present(&self, op: &Operation) -> bool {
        is_there(op)
    }

    fn reload(&self, config: &Config, op: &Operation) -> Result<(), Failure> {
        // The virtual IP may be missing for a moment: reload changes rules, it does not judge the address.
        let link = match Applied::read(op) {
            Some(applied) => applied.link,
            None => vip::wait(config, op)?,
        };
        write(config, op, &link).map(|_| ())
    }
}

/// Writes the rules, then asks the network; takes everything back when something fails.
fn bring_up(config: &Config, op: &Operation, link: &str) -> Result<(), Failure> {
    // Rules first: they are right as soon as the address is here, and connections are opened meanwhile.
    let result = write(config, op, link).and_then(|written| {
        if config.arp_check {
            vip::nobody_else(config.virtual_ip, link, op)?;
        }
        Ok(written)
    });
    match result {
        Ok(true) => {
            op.log.info(&format!("new connections by {link} leave with source {}", config.virtual_ip));
            Ok(())
        }
        Ok(false) => Ok(()),
        Err(cause) => match sweep(op) {
            Ok(_) => Err(cause),
            Err(second) => Err(Failure::new(cause.code, format!("{cause}; undoing it failed too: {second}"))),
        },
    }
}

/// Brings the rules to what the parameters ask for; true when something had to be done.
fn write(config: &Config, op: &Operation, link: &str) -> Result<bool, Failure> {
    let before = Applied::read(op);
    let backend = Backend::choose(config.backend);
    let (peers, unknown) = peers::of_cluster(Some(&op.deadline.within(RESOLVE)))?;
    if !unknown.is_empty() {
        op.log.warning(&format!(
            "cannot resolve {} of {}: only corosync's UDP ports keep the node's source towards them",
            unknown.join(", "),
            crate::cluster::corosync::PATH
        ));
    }
    let rules = Rules::new(config, &op.instance, backend, link, &peers);
    let found = rules.inspect(&op.deadline).map_err(|e| Failure::io("read source address rules", &e))?;
    // A courtesy: not being able to look for the guide's leftovers must not keep the service from starting.
    let guide = iptables::stale_rules(config.virtual_ip, &op.deadline.within(LOOK)).unwrap_or_else(|error| {
        op.log.warning(&format!("cannot look for rules of cluster-vip-src: {error}"));
        Vec::new()
    });
    op.step(&format!("found {found:?}, {} rules of cluster-vip-src", guide.len()));
    let observed = Observed {
        rules: found,
        guide_rules: guide.len(),
        other_backend: before.is_some_and(|applied| applied.both || applied.backend == backend.other()),
    };
    let steps = plan(&observed);
    let both = observed.other_backend;
    let mut applied = Applied { backend, link: link.to_owned(), peers, unknown, both, others: 0 };
    let remember =
        |applied: &Applied| op.state.write(Applied::FILE, applied).map_err(|e| Failure::io("write state", &e));
    remember(&applied)?;
    for step in &steps {
        op.step(&format!("{step:?}"));
        match step {
            Step::WriteRules => rules.write(&op.deadline).map_err(|e| Failure::io("write source address rules", &e))?,
            Step::RemoveOtherBackend => {
                remove(backend.other(), op).map_err(|e| Failure::io("remove the other backend's rules", &e))?;
            }
            Step::RemoveGuideRules => {
                iptables::remove_stale(&guide, &op.deadline)
                    .map_err(|e| Failure::io("remove the rules of cluster-vip-src", &e))?;
                op.log.warning(&format!(
                    "removed {} rules of the guide's unit cluster-vip-src: disable that unit",
                    guide.len()
                ));
            }
        }
    }
    // What is left are rules that an administrator wrote with further conditions: known, and not ours to judge.
    applied.others = monitor::others(config, op).map_or(0, |rules| rules.len());
    if applied.others > 0 || applied.both {
        applied.both = false;
        remember(&applied)?;
    }
    if applied.others > 0 {
        op.log.warning(&format!("{} rules of others give the source {} too", applied.others, config.virtual_ip));
    }
    Ok(!steps.is_empty())
}

/// Removes everything of this instance, from both backends where both may hold something; true when something was there.
fn sweep(op: &Operation) -> Result<bool, Failure> {
    let mut removed = false;
    let mut causes = Vec::new();
    for backend in [Backend::Nftables, Backend::Iptables] {
        if backend == Backend::Iptables && !may_use_iptables(op) {
            continue;
        }
        match remove(backend, op) {
            Ok(something) => removed |= something,
            Err(error) => causes.push((backend, error)),
        }
    }
    op.step(&format!("swept: something was there: {removed}, failures: {causes:?}"));
    match causes.into_iter().next() {
        None => Ok(removed),
        Some((backend, error)) => Err(Failure::io(&format!("remove {backend:?} rules"), &error)),
    }
}

fn remove(backend: Backend, op: &Operation) -> io::Result<bool> {
    match backend {
        Backend::Nftables => nft::remove(&rules::name(&op.instance)),
        Backend::Iptables => iptables::remove(&rules::name(&op.instance), &op.deadline),
    }
}

/// Whether iptables may hold rules of this instance: running it costs processes and, on old kernels, loads modules that
/// shut nftables out, so it is asked only then.
fn may_use_iptables(op: &Operation) -> bool {
    let recorded = match Applied::read(op) {
        Some(applied) => applied.both || applied.backend == Backend::Iptables,
        // The memory is lost, so whoever has a table nat may have our chain in it.
        None => [false, true].iter().any(|v6| nft::has_table(*v6, "nat").unwrap_or(true)),
    };
    recorded || op.params.text("backend") == Some("iptables") || Backend::choose(Choice::Auto) == Backend::Iptables
}

/// Whether anything of this instance is in the kernel.
fn is_there(op: &Operation) -> bool {
    let name = rules::name(&op.instance);
    nft::tables(&name).is_ok_and(|all| all.iter().any(|table| table.name == name))
        || (may_use_iptables(op) && iptables::is_present(&name, &op.deadline).unwrap_or(false))
}

/// The answer of a check on rules that were found so.
fn judge(found: io::Result<Found>, link: &str, config: &Config) -> (Verdict, String) {
    match found {
        Ok(Found::Equal { packets }) => {
            (Verdict::Ok, format!("{link}: source {}, {packets} connections", config.virtual_ip))
        }
        Ok(Found::Absent) => {
            (Verdict::Stopped, format!("source address rules for {} are not there", config.virtual_ip))
        }
        Ok(Found::Differs(what)) => (Verdict::Failed, format!("source address rules were changed: {what}")),
        Err(error) => (Verdict::Failed, format!("read source address rules: {error}")),
    }
}

/// Failure for a virtual IP that is not where it should be.
fn not_here(config: &Config, detail: String) -> Failure {
    Failure::new(Code::Generic, format!("virtual IP {} {detail}", config.virtual_ip))
}
