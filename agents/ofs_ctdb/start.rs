//! Brings ctdbd up until its node takes part.

use std::time::{Duration, Instant};

use super::config::Config;
use super::daemon::at_boot;
use super::mount::Seen;
use super::site::{Generation, Site};
use super::status::Flag;
use super::{Applied, stop, vantage};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::probe::ctdb;
use crate::sys::links;
use crate::sys::service::Service;

/// How long systemd may take to read a drop-in.
const CLAIM: Duration = Duration::from_secs(5);
/// The pause between two questions while ctdbd comes up, which takes it some seconds.
const PAUSE: Duration = Duration::from_millis(300);

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// End a ctdbd that does not answer, and what is left of one that was killed.
    Stop,
    /// Start it.
    Start,
    /// Wait until its node takes part.
    AwaitNode,
    /// Keep systemd's hands off it and Samba: when the host shuts down, it would end Samba at once, and ovd-slaveserver may keep
    /// ctdbd, which has the address, for ten minutes more.
    Claim,
}

/// The steps, in order. Pure.
pub fn plan(runs: bool, answers: bool, left: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    if runs && !answers || !runs && left {
        steps.push(Step::Stop);
    }
    if !(runs && answers) {
        steps.push(Step::Start);
    }
    steps.extend([Step::AwaitNode, Step::Claim]);
    steps
}

/// The action.
pub fn start(config: &Config, op: &Operation) -> Result<(), Failure> {
    // Without the shared folders ctdbd has neither its lock nor, in the guide's set-up, its configuration.
    if let Some(why) = vantage::trouble(config, op) {
        return Err(Failure::generic(why));
    }
    let service = super::located(config, op)?;
    let site = site(config, &service, op)?;
    for hint in &site.hints {
        op.log.warning(hint);
    }
    let systemd = config.daemon.by_systemd();
    let samba = site.parts.iter().filter_map(|(part, name)| part.find(name.as_deref(), systemd)).collect();
    let addresses = site.public.iter().map(|public| public.net.addr()).collect();
    let mut applied = Applied { service, main: None, addresses, samba };
    let mut started = false;
    bring_up(config, op, &mut applied, &mut started).map_err(|cause| {
        op.step(&format!("undo after: {cause}"));
        if !started {
            return cause;
        }
        match stop::end(&applied, op.deadline.left() / 2, op) {
            Err(second) => Failure::new(cause.code, format!("{cause}; undoing it failed too: {second}")),
            Ok(()) => cause,
        }
    })
}

/// The configuration, which has to be one that this node can run with.
fn site(config: &Config, service: &Service, op: &Operation) -> Result<Site, Failure> {
    let limit = op.deadline.within(config.request_timeout * 2);
    let site = Generation::installed(&limit).and_then(|generation| Site::read(config, generation, &limit));
    let site = site.map_err(Failure::generic)?;
    if let Some(path) = site.lock_file() {
        let folder = path.parent().unwrap_or(path);
        if let Some(why) = Seen::of(folder, &limit).trouble() {
            return Err(Failure::generic(format!("recovery lock: {why}")));
        }
    }
    fits(&site)?;
    match at_boot(service, config.daemon.by_systemd()) {
        Some(how) => Err(Failure::generic(how)),
        None => Ok(site),
    }
}

/// Whether this is one of the nodes, with the interfaces for its addresses.
pub fn fits(site: &Site) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::io("ask the kernel for addresses", &error);
    let mut is_node = false;
    for address in &site.nodes {
        is_node |= links::holder(*address).map_err(failed)?.is_some();
    }
    if !is_node {
        let file = site.nodes_file.display();
        return Err(Failure::generic(format!("no address of {file} is on this node: wrong file, or its link is down")));
    }
    for name in site.public.iter().flat_map(|public| &public.links) {
        if links::by_name(name).map_err(failed)?.is_none() {
            return Err(Failure::generic(format!("public_addresses names {name}: this node has no such interface")));
        }
    }
    Ok(())
}

fn bring_up(config: &Config, op: &Operation, applied: &mut Applied, started: &mut bool) -> Result<(), Failure> {
    let runs = !applied.service.processes().map_err(|e| Failure::io("look for processes", &e))?.is_empty();
    let answers = runs && ctdb::pnn(&config.socket, &op.deadline.within(config.request_timeout)).is_ok();
    let left = applied.left();
    op.step(&format!("runs: {runs}, answers: {answers}, left: {left:?}"));
    if runs && !answers {
        op.log.warning(&format!("{} runs, but does not answer: it is restarted", applied.service.name()));
    }
    applied.write(op)?;
    for step in plan(runs, answers, left.is_some()) {
        op.step(&format!("{step:?}"));
        match step {
            Step::Stop => stop::end(applied, op.deadline.left() / 5, op)?,
            Step::Start => {
                *started = true;
                applied.service.start(&but_for_undoing(op)).map_err(|e| Failure::generic(e.to_string()))?;
                applied.main = super::main_process(&applied.service);
                applied.write(op)?;
            }
            Step::AwaitNode => await_node(config, op, applied)?,
            Step::Claim => {
                for service in applied.services() {
                    if let Err(error) = service.claim(&op.deadline.within(CLAIM)) {
                        op.log.warning(&format!("keep systemd's hands off {}: {error}", service.name()));
                    }
                }
            }
        }
    }
    applied.main = super::main_process(&applied.service);
    applied.write(op)
}

/// The time that start has, without what taking it all back may need.
fn but_for_undoing(op: &Operation) -> Deadline {
    let reserve = (op.deadline.left() / 4).clamp(Duration::from_secs(1), Duration::from_secs(15));
    op.deadline.within(op.deadline.left().saturating_sub(reserve))
}

/// Waits until the node takes part. One that an administrator has set aside does what it is told.
fn await_node(config: &Config, op: &Operation, applied: &Applied) -> Result<(), Failure> {
    let whole = but_for_undoing(op);
    let begun = Instant::now();
    let mut last = String::new();
    loop {
        let nodes = super::nodes(&whole.within(config.request_timeout));
        let own = nodes.as_ref().ok().and_then(|nodes| nodes.iter().find(|node| node.is_own));
        let why = match (own, own.and_then(|own| own.flag())) {
            (Some(own), None) => {
                op.log.info(&format!("{} is OK after {:.1} s", own.name(), begun.elapsed().as_secs_f32()));
                return Ok(());
            }
            (Some(own), Some(flag @ (Flag::PartiallyOnline | Flag::Disabled | Flag::Stopped))) => {
                op.log.warning(&format!("started all the same: {} is {}", own.name(), flag.word()));
                return Ok(());
            }
            (Some(own), Some(flag)) => format!("{} is {}", own.name(), flag.word()),
            // A question that has had no time says nothing.
            (None, _) if whole.passed() && !last.is_empty() => last,
            (None, _) => nodes.err().unwrap_or_default(),
        };
        op.step(&why);
        if begun.elapsed() > Duration::from_secs(1) && applied.service.processes().is_ok_and(|all| all.is_empty()) {
            return Err(Failure::generic(format!("{} has ended again: see the log of ctdb", applied.service.name())));
        }
        if !whole.sleep(PAUSE) {
            let took = op.deadline.used().as_secs();
            return Err(Failure::generic(format!("{why} after {took} s: ctdb event status legacy monitor")));
        }
        last = why;
    }
}

/// The checks of validate-all at level 10: can this host do it.
pub fn host(config: &Config, op: &Operation) -> Vec<Check> {
    let mut checks = Vec::new();
    let service = config.daemon.find();
    checks.push(Check::run("ctdb", || match &service {
        Err(failure) => (Verdict::Failed, failure.reason.clone()),
        Ok(service) => match at_boot(service, config.daemon.by_systemd()) {
            Some(how) => (Verdict::Degraded, how),
            None => (Verdict::Ok, service.name()),
        },
    }));
    let mut reachable = true;
    for path in [Some(&config.shared), config.data.as_ref()].into_iter().flatten() {
        checks.push(Check::run("shared folder", || {
            match Seen::of(path, &op.deadline.within(config.request_timeout)).trouble() {
                None => (Verdict::Ok, path.display().to_string()),
                Some(why) => {
                    reachable = false;
                    // The cluster mounts it before it starts this.
                    (Verdict::Degraded, why)
                }
            }
        }));
    }
    if service.is_err() || !reachable {
        return checks;
    }
    let limit = op.deadline.within(config.request_timeout * 2);
    let site = Generation::installed(&limit).and_then(|generation| Site::read(config, generation, &limit));
    checks.push(Check::run("configuration", || match site {
        Err(why) => (Verdict::Failed, why),
        Ok(site) => match (fits(&site), site.hints.first()) {
            (Err(failure), _) => (Verdict::Failed, failure.reason),
            (Ok(()), Some(hint)) => (Verdict::Degraded, hint.clone()),
            (Ok(()), None) => (Verdict::Ok, format!("{} nodes", site.nodes.len())),
        },
    }));
    checks
}
