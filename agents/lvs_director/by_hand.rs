//! A director without a cluster manager: what the command line looks at, tries and runs.

use std::net::IpAddr;
use std::time::Duration;

use super::config::Config;
use super::spec::SPEC;
use super::{source, table};
use crate::director::check::{self, Answer, Limits, Question};
use crate::director::duties::{self, Duties};
use crate::director::farm::Farm;
use crate::director::report::Report;
use crate::director::round::{look, now};
use crate::ocf::action::Action;
use crate::ocf::agent::{Outcome, Registered};
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;
use crate::ocf::instance::Instance;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::recorded::Recorded;
use crate::sys::links;

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(20);

/// A director with its parameters.
#[derive(Debug)]
pub struct Director {
    instance: Instance,
    params: Params,
    config: Config,
}

impl Director {
    /// Names of those that were started on this host.
    pub fn started() -> Vec<String> {
        Recorded::all(SPEC.name).into_iter().map(|record| record.instance).collect()
    }

    /// The one called `instance` with these parameters; without any, with those of its last start on this host.
    ///
    /// # Errors
    /// What is wrong with the parameters, or that nothing of this name was started here.
    pub fn new(instance: &str, given: &[(String, String)]) -> Result<Self, Failure> {
        let instance = Instance::new(instance);
        let mut params = Params::none(&SPEC);
        for (name, value) in given {
            params.set(name, value)?;
        }
        if given.is_empty() {
            let record = Recorded::find(SPEC.name, Some(&instance)).ok_or_else(|| {
                Failure::generic(format!(
                    "no director {} was started on this host: give its parameters",
                    instance.name()
                ))
            })?;
            record.fill(&mut params)?;
        }
        params.check()?;
        Ok(Self { config: Config::new(&params)?, instance, params })
    }

    /// What is wanted now.
    ///
    /// # Errors
    /// The file of `config` cannot be read, or what is wrong in it.
    pub fn farm(&self) -> Result<Farm, Failure> {
        source::now(&self.config).map(|(farm, _)| farm)
    }

    /// What is wanted and what is there, with the health that the last round has seen. Nothing is asked or changed.
    ///
    /// # Errors
    /// Neither its configuration nor the last good copy can be read, or the kernel's table cannot.
    pub fn look(&self) -> Result<Report, Failure> {
        let op = self.operation(Action::Monitor, None, LOOK);
        let (farm, trouble) = source::in_force(&self.config, &op)?;
        let listed = table().and_then(|kernel| kernel.map_or(Ok(Vec::new()), |mut kernel| kernel.list()));
        let entries = listed.map_err(|error| Failure::io("read the kernel's table", &error))?;
        let mut report = look(&farm, &op.state, &entries, now());
        let drifted = Duties::of(&op.state).drifted(&duties::wanted(&farm.needs(super::round::networks_of(&farm))));
        report.notes.extend(trouble.into_iter().chain(drifted));
        Ok(report)
    }

    /// Carries out an action as Pacemaker would call it; a monitor does its round when one is due. What went wrong is in the log.
    pub fn act(&self, action: Action, interval: Option<Duration>, limit: Duration) -> Outcome {
        let op = self.operation(action, interval, limit);
        let outcome = super::LvsDirector.perform(&op);
        memory::log_outcome(&op, &outcome, false);
        outcome
    }

    fn operation(&self, action: Action, interval: Option<Duration>, limit: Duration) -> Operation {
        Operation::of_program(&SPEC, action, &self.instance, &self.params, interval, limit)
    }
}

/// Asks all real servers once, each question once. Neither the kernel nor the state of any director is looked at.
pub fn ask(farm: &Farm) -> Vec<(&Question, Answer)> {
    let questions = u32::try_from(farm.questions.len()).unwrap_or(u32::MAX);
    let rounds = 1 + questions / u32::try_from(farm.pace.concurrency.max(1)).unwrap_or(u32::MAX);
    // Time for all of them, should all hang.
    let deadline = Deadline::after(farm.pace.timeout * (rounds + 1));
    let limits = Limits { timeout: farm.pace.timeout, concurrency: farm.pace.concurrency, deadline };
    farm.questions.iter().zip(check::ask(&farm.questions, &limits)).collect()
}

/// Where an address is, seen from this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It is one of this host's own.
    Here(String),
    /// In a network of this link.
    Near(links::Network),
    /// Behind a router.
    Far,
}

/// Where `address` is.
///
/// # Errors
/// The kernel cannot be asked.
pub fn place(address: IpAddr) -> Result<Place, Failure> {
    let read = || -> std::io::Result<Place> {
        if let Some(holder) = links::holder(address)? {
            return Ok(Place::Here(holder.link));
        }
        let mut networks = links::networks()?;
        networks.sort_by_key(|net| std::cmp::Reverse(net.network.prefix_len()));
        Ok(networks.into_iter().find(|net| net.network.contains(&address)).map_or(Place::Far, Place::Near))
    };
    read().map_err(|error| Failure::io("read the addresses of this host", &error))
}
