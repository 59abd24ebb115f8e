//! `ocf:inuvika:lvs-director`: a director of LVS without anything that has to run beside Pacemaker.
//!
//! The recurring monitor is the scheduler: each round asks all real servers, counts, and puts the kernel's table right. What
//! is wanted and what to change is `director`'s; here it becomes an agent.

pub mod by_hand;
mod config;
mod host;
mod monitor;
mod near;
mod round;
mod source;
pub mod spec;
mod sync;
mod tell;
#[cfg(test)]
mod tests;
mod timeouts;

use std::io;

use self::config::Config;
use crate::director::duties::Duties;
use crate::director::owned::Owned;
use crate::director::{health, owned, round as rounds};
use crate::ocf::agent::Agent;
use crate::ocf::alone::{Alone, Script};
use crate::ocf::check::Check;
use crate::ocf::exit::{Code, Failure};
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::spec::Spec;
use crate::sys::ipvs::{Ipvs, Key, NoIpvs, Service};

/// The agent.
#[derive(Debug)]
pub struct LvsDirector;

impl Agent for LvsDirector {
    type Config = Config;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn alone(&self) -> Alone {
        Alone::Loop(Script { after: &["$named"], older: None })
    }

    fn configure(&self, params: &Params) -> Result<Config, Failure> {
        Config::new(params)
    }

    fn validate(&self, config: &Config, op: &Operation) -> Vec<Check> {
        host::checks(config, op)
    }

    fn start(&self, config: &Config, op: &Operation) -> Result<(), Failure> {
        // Before anything else: without it there is nothing to undo either.
        open()?;
        let was_running = is_running(op);
        if !was_running {
            // A start that was killed may have left its counters: the first answer is to decide by itself.
            op.state.forget(health::FILE);
            op.state.forget(rounds::FILE);
        }
        let result = bring_up(config, op);
        if let (Err(failure), false) = (&result, was_running) {
            op.step(&format!("start failed, undoing: {failure}"));
            if let Err(trouble) = take_down(op) {
                op.log.warning(&format!("undo a failed start: {trouble}"));
            }
        }
        result
    }

    fn stop(&self, op: &Operation) -> Result<(), Failure> {
        take_down(op)
    }

    fn monitor(&self, config: &Config, op: &Operation) -> Vec<Check> {
        monitor::checks(config, op)
    }

    fn is_present(&self, op: &Operation) -> bool {
        is_running(op)
    }

    /// A failure here would have the cluster restart what runs, and take away all services for a mistake in one: what cannot
    /// be done is logged, and reported by the next monitor.
    fn reload(&self, config: &Config, op: &Operation) -> Result<(), Failure> {
        match put_in_force(config, op) {
            Err(failure) if is_running(op) => {
                op.log.error(&format!("reload: {failure}"));
                Ok(())
            }
            result => result,
        }
    }
}

/// A round with what is wanted now.
fn put_in_force(config: &Config, op: &Operation) -> Result<(), Failure> {
    let (farm, trouble) = source::in_force(config, op)?;
    trouble.iter().for_each(|line| op.log.warning(line));
    let asked = round::ask(&farm, op);
    op.step("real servers asked");
    let done = round::settle(&farm, asked, op)?;
    done.tell(config, op);
    if trouble.is_none() {
        source::remember(config, op);
    }
    Ok(())
}

/// One full round. It fails when the kernel takes none of the services: a mistake in one takes no other away, and is
/// reported by the monitor.
fn bring_up(config: &Config, op: &Operation) -> Result<(), Failure> {
    let (farm, text) = source::now(config)?;
    let asked = round::ask(&farm, op);
    op.step("real servers asked");
    let done = round::settle(&farm, asked, op)?;
    done.tell(config, op);
    let report = &done.report;
    if let Some(reason) = report.failures.first().filter(|_| report.services.iter().all(|row| row.found.is_none())) {
        return Err(Failure::generic(reason.clone()));
    }
    source::keep(config, text.as_deref(), op);
    let services = farm.services.len();
    op.log.info(&format!("{services} services, {} of {} real servers are well", report.healthy, report.servers));
    Ok(())
}

/// Removes all that this instance has made.
fn take_down(op: &Operation) -> Result<(), Failure> {
    let mut causes = Vec::new();
    let mut note = |what: &str, result: io::Result<()>| {
        if let Err(error) = result {
            causes.push(Failure::io(what, &error));
        }
    };
    note("stop the sync daemons", sync::stop(op));
    note("remove the source translation of near clients", near::remove(op));
    let strangers = strangers(op);
    let known = || source::last(op).map(|farm| farm.keys().collect()).unwrap_or_default();
    match owned::stop(&op.state, known, table) {
        Ok(removed) if removed.is_empty() => {}
        Ok(removed) => op.log.info(&format!("removed {}", removed.join(", "))),
        Err(error) => note("remove services", Err(error)),
    }
    if !strangers.is_empty() {
        let what = "as this resource makes them, but nothing says that it did: left, as they may be somebody else's; remove \
                    them by ipvsadm -D";
        op.log.warning(&format!("in the kernel's table: {}: {what}", strangers.join(", ")));
    }
    op.step(&format!("taken down, failures: {causes:?}"));
    match causes.into_iter().next() {
        Some(failure) => return Err(failure),
        None => tell::gone(op),
    }
    let duties = Duties::of(&op.state);
    if op.params.boolean("restore_sysctls") == Ok(true) {
        duties.put_back().iter().for_each(|line| op.log.info(line));
    } else {
        duties.forget();
    }
    Ok(())
}

/// Services that are as this instance would make them, when its memory is gone: somebody may have removed the state folder, or
/// another program may have made them.
fn strangers(op: &Operation) -> Vec<String> {
    if op.state.folder().join(owned::FILE).exists() {
        return Vec::new();
    }
    let Some(farm) = source::last(op) else { return Vec::new() };
    let listed = table().and_then(|kernel| kernel.map_or(Ok(Vec::new()), |mut kernel| kernel.list()));
    let is_there = |service: &Service| listed.iter().flatten().any(|entry| entry.service == *service);
    let services = farm.services.iter().map(|wanted| &wanted.service);
    services.filter(|service| is_there(service)).map(|service| service.key.to_string()).collect()
}

/// Opens the kernel's table; loads IPVS if need be.
fn open() -> Result<Ipvs, Failure> {
    Ipvs::open().map_err(|error| {
        if NoIpvs::is(&error) {
            Failure::new(Code::NotInstalled, error.to_string())
        } else {
            Failure::io("open IPVS", &error)
        }
    })
}

/// The kernel's table; none while IPVS is not loaded. Never loads it.
fn table() -> io::Result<Option<Ipvs>> {
    if Ipvs::is_loaded() { Ipvs::open().map(Some) } else { Ok(None) }
}

/// Whether this instance has a service in the kernel's table.
fn is_running(op: &Operation) -> bool {
    let ours: Vec<Key> = match Owned::read(&op.state) {
        Ok(owned) => owned.keys.into_iter().collect(),
        Err(_) => source::last(op).map(|farm| farm.keys().collect()).unwrap_or_default(),
    };
    if ours.is_empty() {
        return false;
    }
    let listed = table().and_then(|kernel| kernel.map_or(Ok(Vec::new()), |mut kernel| kernel.list()));
    // What cannot be read may be there.
    listed.map_or(true, |entries| entries.iter().any(|entry| ours.contains(&entry.service.key)))
}
