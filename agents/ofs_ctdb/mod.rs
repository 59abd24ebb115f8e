//! `ocf:inuvika:ofs-ctdb`: Samba's CTDB on every OVD File Server, as a clone.
//!
//! The guide "File Server High Availability" has CTDB stand alone, and says itself that nobody is told of a fault. Here Pacemaker
//! looks after ctdbd; the addresses and Samba stay with CTDB.

pub mod arrange;
mod config;
mod daemon;
pub mod event;
mod files;
mod judge;
mod monitor;
mod mount;
mod since;
mod site;
pub mod spec;
mod start;
pub mod status;
mod stop;
#[cfg(test)]
mod tests;
mod vantage;

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::config::Config;
use self::status::Node;
use crate::ocf::agent::Agent;
use crate::ocf::alone::Alone;
use crate::ocf::check::Check;
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::spec::Spec;
use crate::sys::links;
use crate::sys::process;
use crate::sys::service::{Process, Service};

/// How long systemd is asked for a control group: an answer takes milliseconds, and a stop needs its time for other things.
const LOCATE: Duration = Duration::from_secs(1);

/// The agent.
#[derive(Debug)]
pub struct OfsCtdb;

/// What start found and did: written before it acts, so that the next action after a kill knows what to end. Stop asks nothing
/// else: the files lie on a file system that may hang by then.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Applied {
    service: Service,
    /// ctdbd, once it runs.
    main: Option<Process>,
    /// The public addresses, which nobody takes from this node when ctdbd is killed.
    addresses: Vec<IpAddr>,
    /// The parts of Samba that CTDB starts, which outlive it as well.
    samba: Vec<Service>,
}

impl Applied {
    const FILE: &'static str = "applied";

    fn read(op: &Operation) -> Option<Self> {
        op.state.read(Self::FILE)
    }

    fn write(&self, op: &Operation) -> Result<(), Failure> {
        op.state.write(Self::FILE, self).map_err(|e| Failure::io("write state", &e))
    }

    /// ctdbd, and the parts of Samba.
    fn services(&self) -> impl Iterator<Item = &Service> {
        std::iter::once(&self.service).chain(&self.samba)
    }

    /// What a ctdbd that is gone has left here, in words: an address that another node serves by now, a part of Samba.
    fn left(&self) -> Option<String> {
        let holder = |address: &&IpAddr| links::holder(**address).is_ok_and(|holder| holder.is_some());
        let address = self.addresses.iter().find(holder).map(|address| format!("{address} is still on this node"));
        address.or_else(|| {
            let part = self.samba.iter().find(|part| part.count().is_ok_and(|count| count > 0))?;
            Some(format!("{} goes on", part.name()))
        })
    }
}

impl Agent for OfsCtdb {
    type Config = Config;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn alone(&self) -> Alone {
        Alone::Never
    }

    fn configure(&self, params: &Params) -> Result<Config, Failure> {
        Config::new(params)
    }

    fn validate(&self, config: &Config, op: &Operation) -> Vec<Check> {
        start::host(config, op)
    }

    fn start(&self, config: &Config, op: &Operation) -> Result<(), Failure> {
        start::start(config, op)
    }

    fn stop(&self, op: &Operation) -> Result<(), Failure> {
        stop::stop(op)
    }

    fn monitor(&self, config: &Config, op: &Operation) -> Vec<Check> {
        monitor::checks(config, op)
    }

    fn is_present(&self, op: &Operation) -> bool {
        // When nobody can tell, something may be there.
        Applied::read(op).is_some_and(|applied| {
            applied.service.processes().map_or(true, |all| !all.is_empty()) || applied.left().is_some()
        })
    }

    fn reload(&self, _config: &Config, _op: &Operation) -> Result<(), Failure> {
        // Every monitor reads its parameters anew.
        Ok(())
    }
}

/// The ctdbd of this host. systemd is asked for its control group only when the usual one is empty.
fn located(config: &Config, op: &Operation) -> Result<Service, Failure> {
    let mut service = config.daemon.find()?;
    if service.processes().map_or(true, |all| all.is_empty()) {
        locate(&mut service, op);
    }
    Ok(service)
}

/// Asks systemd for the control group. Without an answer there is still the one that units have by default.
fn locate(service: &mut Service, op: &Operation) {
    if let Err(error) = service.locate(&op.deadline.within(LOCATE)) {
        op.step(&format!("no control group of {}: {error}", service.name()));
    }
}

/// The process of it that is nobody's child but init's: ctdbd itself.
fn main_process(service: &Service) -> Option<Process> {
    service.processes().ok().and_then(|all| all.into_iter().find(|process| process.top))
}

/// What ctdbd says of all nodes. The command asks every node that is not known to be lost for its interfaces, and by itself waits ten
/// seconds for each: one that has just died would make it late on all others.
///
/// # Errors
/// One line.
fn nodes(deadline: &Deadline) -> Result<Vec<Node>, String> {
    let output =
        process::run("ctdb", &["-t", "1", "-X", "status"], None, deadline).map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("ctdb -X status: {}", output.reason()));
    }
    status::parse(&output.text())
}
