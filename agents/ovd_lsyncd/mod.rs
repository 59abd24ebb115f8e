//! `ocf:inuvika:ovd-lsyncd`: the Session Manager's files, copied to the other node by an lsyncd of its own.
//!
//! It replaces the resource lsyncd of the OVD Session Manager failover guide, which pushes whatever the node has that starts
//! it, drops what is queued when it stops, and is never seen to stall.

mod config;
mod host;
mod lua;
mod monitor;
mod passive;
mod queue;
pub mod spec;
mod start;
mod status;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use self::config::Config;
use self::status::Status;
use crate::agents::cron;
use crate::ocf::agent::Agent;
use crate::ocf::alone::{Alone, Script};
use crate::ocf::check::Check;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::ocf::params::{Params, fits};
use crate::ocf::spec::{Kind, Spec};
use crate::replica::{self, Ready, Replica};
use crate::sys::cron_link::CronLink;
use crate::sys::process;
use crate::sys::service::{Process, Service};

/// How long a running push may go on after SIGTERM: all that it would have brought is flushed afterwards.
const GRACEFUL: Duration = Duration::from_secs(2);

/// The agent.
#[derive(Debug)]
pub struct OvdLsyncd;

/// What start did: written before it starts anything, so that the next action after a kill knows where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Applied {
    service: Service,
    cron: Option<CronLink>,
    replica: Replica,
    ready: Ready,
    /// Whether lsyncd runs with a configuration of the administrator's.
    config: bool,
    /// lsyncd itself, once it runs. None in what an older version has written.
    #[serde(default)]
    main: Option<Process>,
}

impl Applied {
    const FILE: &'static str = "applied";

    fn read(op: &Operation) -> Option<Self> {
        op.state.read(Self::FILE)
    }

    fn write(&self, op: &Operation) -> Result<(), Failure> {
        op.state.write(Self::FILE, self).map_err(|e| Failure::io("write state", &e))
    }

    /// Whether there is anything of it on this host.
    fn is_live(&self) -> bool {
        // Nobody can tell: then it may be.
        let runs = self.service.processes().map_or(true, |all| !all.is_empty());
        runs || !self.ready.pushing || self.cron.as_ref().is_some_and(cron::is_linked)
    }
}

impl Agent for OvdLsyncd {
    type Config = Config;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn alone(&self) -> Alone {
        Alone::Script(Script { after: &["$named", "ssh", "sshd"], older: None })
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
        let applied = Applied::read(op);
        let mut causes = Vec::new();
        // The cron job first: it works on what is about to go.
        let cron = applied.as_ref().and_then(|a| a.cron.clone()).or_else(|| cron::of_params(&op.params, op));
        if let Some(cron) = cron {
            cron::take(&cron, op).unwrap_or_else(|failure| causes.push(failure));
        }
        let queued = Status::read(&op.state.folder().join(lua::STATUS)).map_or(0, |(status, _)| status.queued());
        let service = applied.as_ref().map_or_else(|| daemon_of_params(&op.params, op), |a| a.service.clone());
        match stop_daemon(service, op) {
            // What still runs would push beside us.
            Err(failure) => causes.push(failure),
            Ok(()) => {
                if let Some(applied) = &applied {
                    replica::flush(&applied.replica, queued, op);
                }
            }
        }
        causes.into_iter().next().map_or(Ok(()), Err)
    }

    fn monitor(&self, config: &Config, op: &Operation) -> Vec<Check> {
        monitor::checks(config, op)
    }

    fn passive(&self, config: &Config, op: &Operation) -> Vec<Check> {
        passive::checks(config, op)
    }

    fn is_present(&self, op: &Operation) -> bool {
        Applied::read(op).is_some_and(|applied| applied.is_live())
    }

    fn reload(&self, config: &Config, op: &Operation) -> Result<(), Failure> {
        let Some(mut applied) = Applied::read(op) else { return Ok(()) };
        let wanted = cron_of(config, op);
        if let Some(old) = applied.cron.as_ref().filter(|old| Some(*old) != wanted.as_ref()) {
            cron::take(old, op)?;
        }
        applied.cron = wanted;
        // What stop and the checks of depth 10 go by; lsyncd itself knows nothing of these.
        applied.replica.max_lag = config.max_lag;
        applied.replica.pull_timeout = config.pull_timeout;
        applied.replica.flush_timeout = config.flush_timeout;
        applied.replica.backup_limit = config.backup_limit;
        applied.write(op)?;
        applied.cron.as_ref().map_or(Ok(()), |cron| cron::put(cron, op))
    }
}

/// Ends lsyncd and what it has started, until the kernel has no process of it.
fn stop_daemon(mut service: Service, op: &Operation) -> Result<(), Failure> {
    if let Err(error) = service.locate(&op.deadline.within(Duration::from_secs(1))) {
        op.step(&format!("no control group of {}: {error}", service.name()));
    }
    let graceful = GRACEFUL.min(op.deadline.left() / 5);
    // SIGTERM: lsyncd waits for a running push and forgets what is queued (runner.term of lsyncd.lua).
    let ended = service.stop(Signal::SIGTERM, graceful, &op.deadline).map_err(|e| Failure::generic(e.to_string()))?;
    op.step(&format!("{ended:?}"));
    if ended.ran {
        op.log.info(&format!("{} stopped", service.name()));
    }
    Ok(())
}

/// The cron job of this instance. None when it is not ours, or when nobody has asked for it and it is not there: the guide
/// has one, the package has none.
fn cron_of(config: &Config, op: &Operation) -> Option<CronLink> {
    let cron = config.cron.as_ref().filter(|cron| cron.asked || cron.target.exists())?;
    Some(cron.link(op))
}

/// The daemon from parameters that nobody has checked: its unit has the instance's name in any case.
fn daemon_of_params(params: &Params, op: &Operation) -> Service {
    let path = |name: &str| params.text(name).filter(|value| fits(Kind::Path, value)).map(PathBuf::from);
    let program = process::find(path("lsyncd").unwrap_or_else(|| host::LSYNCD.into()));
    host::daemon(program, path("config").as_deref(), op)
}
