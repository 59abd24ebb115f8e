//! `ocf:inuvika:abiquo-rs`: Abiquo's Remote Services on one node: their Tomcat, judged by what the webapps in it answer.
//!
//! It replaces the resource tomcat-service (lsb:abiquo-tomcat) of the guide "Remote Services HA Using Pacemaker", which cannot
//! tell a Tomcat whose webapps are dead from a good one.

mod config;
mod dependencies;
mod fingerprint;
mod monitor;
mod passive;
mod properties;
mod repository;
mod round;
mod settings;
pub mod spec;
mod start;
mod stop;
mod strikes;
#[cfg(test)]
mod tests;
mod tomcat;
mod webapps;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::config::Config;
use self::settings::Repository;
use crate::ocf::agent::Agent;
use crate::ocf::alone::{Alone, Script};
use crate::ocf::check::Check;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::spec::Spec;
use crate::sys::service::{Process, Service};

/// How long systemd is asked for a control group: an answer takes milliseconds, and a stop needs its time for other things.
const LOCATE: Duration = Duration::from_secs(1);

/// The agent.
#[derive(Debug)]
pub struct AbiquoRs;

/// What start did: written before it acts, so that the next action after a kill knows where to look.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Applied {
    service: Service,
    /// The Java machine, once it runs.
    main: Option<Process>,
    /// The webapps that were there: one that is gone later is missed. Those that parameters name are not kept, as they may be
    /// taken out again.
    webapps: Vec<String>,
    /// The id that Tomcat has read from the properties.
    datacenter: String,
    /// Where it writes to, also when the properties are of no use any more.
    #[serde(default)]
    repository: Option<Repository>,
}

impl Applied {
    const FILE: &'static str = "applied";

    fn read(op: &Operation) -> Option<Self> {
        op.state.read(Self::FILE)
    }

    /// Whether the Tomcat that start has brought up has a process.
    fn runs(&self) -> bool {
        self.service.processes().is_ok_and(|all| !all.is_empty())
    }

    fn write(&self, op: &Operation) -> Result<(), Failure> {
        op.state.write(Self::FILE, self).map_err(|e| Failure::io("write state", &e))
    }
}

impl Agent for AbiquoRs {
    type Config = Config;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn alone(&self) -> Alone {
        Alone::Script(Script { after: &["$named", "rabbitmq-server", "redis", "redis-server"], older: None })
    }

    fn configure(&self, params: &Params) -> Result<Config, Failure> {
        Config::new(params)
    }

    fn validate(&self, config: &Config, op: &Operation) -> Vec<Check> {
        monitor::host(config, op)
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

    fn passive(&self, config: &Config, op: &Operation) -> Vec<Check> {
        passive::checks(config, op)
    }

    fn is_present(&self, op: &Operation) -> bool {
        // When nobody can tell, something may be there.
        Applied::read(op).is_some_and(|applied| applied.service.processes().map_or(true, |all| !all.is_empty()))
    }

    fn reload(&self, _config: &Config, _op: &Operation) -> Result<(), Failure> {
        // Every monitor reads its parameters anew.
        Ok(())
    }
}

/// The Tomcat of this host. systemd is asked for its control group only when the usual one is empty: a resource that a probe has
/// adopted has no memory of a start, and its monitors run every few seconds, too.
fn located(config: &Config, op: &Operation) -> Result<Service, Failure> {
    let mut service = config.tomcat.find()?;
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

/// The process of it that is nobody's child but init's: the Java machine.
fn main_process(service: &Service) -> Option<Process> {
    service.processes().ok().and_then(|all| all.into_iter().find(|process| process.top))
}
