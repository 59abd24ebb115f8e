//! `ocf:inuvika:ovd-osm`: the OVD Session Manager on one node: its web server and its cron job.
//!
//! It replaces two resources of the OVD Session Manager failover guide: httpd (ocf:heartbeat:apache), whose check cannot see
//! a broken Session Manager, and osm_cron (ocf:heartbeat:symlink), which a package upgrade on the passive node defeats.

mod config;
mod content;
mod database;
mod monitor;
mod passive;
mod plan;
mod server;
mod settings;
pub mod spec;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use self::config::{Config, Server};
use self::plan::{Observed, Step, plan};
use crate::agents::cron;
use crate::ocf::agent::Agent;
use crate::ocf::alone::{Alone, Script};
use crate::ocf::check::Check;
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::spec::Spec;
use crate::sys::cron_link::CronLink;
use crate::sys::process;
use crate::sys::service::{Process, Service};

/// How long systemd is asked for a control group: an answer takes milliseconds, and a stop needs its time for other things.
const LOCATE: Duration = Duration::from_secs(1);

/// How long systemd may take to read a drop-in.
const CLAIM: Duration = Duration::from_secs(5);

/// How long the web server may take to say what is wrong with its configuration, after a start that failed.
const COMPLAINT: Duration = Duration::from_secs(3);

/// The agent.
#[derive(Debug)]
pub struct OvdOsm;

/// What start did: written before it acts, so that the next action after a kill knows where to look.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Applied {
    service: Service,
    cron: Option<CronLink>,
    /// The web server's main process, once it runs.
    main: Option<Process>,
}

impl Applied {
    const FILE: &'static str = "applied";

    fn read(op: &Operation) -> Option<Self> {
        op.state.read(Self::FILE)
    }

    /// Whether the web server that start has brought up has a process.
    fn runs(&self) -> bool {
        self.service.processes().is_ok_and(|all| !all.is_empty())
    }

    fn write(&self, op: &Operation) -> Result<(), Failure> {
        op.state.write(Self::FILE, self).map_err(|e| Failure::io("write state", &e))
    }
}

impl Agent for OvdOsm {
    type Config = Config;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn alone(&self) -> Alone {
        Alone::Script(Script { after: &["$named", "mariadb", "mysql", "ovd-lsyncd", "ovd-vip-src"], older: None })
    }

    fn configure(&self, params: &Params) -> Result<Config, Failure> {
        Config::new(params)
    }

    fn validate(&self, config: &Config, op: &Operation) -> Vec<Check> {
        monitor::host(config, op)
    }

    fn start(&self, config: &Config, op: &Operation) -> Result<(), Failure> {
        // Half-copied or missing settings: every page would be an error. The database itself is not asked: when nobody
        // reaches it, the service is to run all the same.
        database::settings(config).map_err(Failure::generic)?;
        let cron = cron_of(config, op);
        cron::need_table(cron.as_ref())?;
        let mut applied = Applied { service: located(config, op)?, cron, main: None };
        let mut done = Vec::new();
        bring_up(config, op, &mut applied, &mut done).map_err(|cause| undo(op, &applied, &done, cause))
    }

    fn stop(&self, op: &Operation) -> Result<(), Failure> {
        let applied = Applied::read(op);
        let mut causes = Vec::new();
        // The cron job first: it works on what is about to go.
        let cron = applied.as_ref().and_then(|a| a.cron.clone()).or_else(|| cron::of_params(&op.params, op));
        if let Some(cron) = &cron {
            cron::take(cron, op).unwrap_or_else(|failure| causes.push(failure));
        }
        let asked = op.params.seconds("graceful_timeout").ok().flatten().unwrap_or(Duration::from_secs(3));
        // The rest of the time is for those that do not want to go.
        let graceful = asked.min(op.deadline.left() * 3 / 5);
        let begun = Instant::now();
        let service = match applied {
            Some(applied) => Some(applied.service),
            None => Server::new(&op.params).and_then(|server| server.find()).ok(),
        };
        if let Some(service) = service {
            stop_server(service, graceful, op).unwrap_or_else(|failure| causes.push(failure));
        }
        // A job that began before the link went would work on the same database as the next one on the other node. It has had
        // the time that the requests had.
        if let Some(cron) = &cron {
            cron::end_jobs(cron, graceful.saturating_sub(begun.elapsed()), op);
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
        Applied::read(op).is_some_and(|applied| {
            let runs = applied.service.processes().map_or(true, |all| !all.is_empty());
            runs || applied.cron.as_ref().is_some_and(cron::is_linked)
        })
    }

    fn reload(&self, config: &Config, op: &Operation) -> Result<(), Failure> {
        // Every monitor reads its parameters anew; only the cron job has to follow at once.
        let Some(mut applied) = Applied::read(op) else { return Ok(()) };
        let wanted = cron_of(config, op);
        if let Some(old) = applied.cron.as_ref().filter(|old| Some(*old) != wanted.as_ref()) {
            cron::take(old, op)?;
        }
        applied.cron = wanted;
        applied.write(op)?;
        applied.cron.as_ref().map_or(Ok(()), |cron| cron::put(cron, op))
    }
}

/// Does what is missing, and notes what it has done.
fn bring_up(config: &Config, op: &Operation, applied: &mut Applied, done: &mut Vec<Step>) -> Result<(), Failure> {
    let runs = !applied.service.processes().map_err(|e| Failure::io("look for processes", &e))?.is_empty();
    let look = |cron: &CronLink| cron.look().map_err(|e| Failure::io("look at the cron link", &e));
    let patience = op.deadline.within(config.request_timeout);
    let answers = runs && monitor::await_answer(config, &applied.service, &patience).is_ok();
    let observed = Observed { runs, answers, cron: applied.cron.as_ref().map(look).transpose()? };
    op.step(&format!("found {observed:?}"));
    applied.write(op)?;
    for step in plan(&observed) {
        op.step(&format!("{step:?}"));
        match step {
            Step::StopServer => {
                op.log.warning(&format!("{} runs, but does not answer: it is restarted", applied.service.name()));
                // It may be busy rather than hung: what it does gets a little time. What is stopped gets none.
                stop_server(applied.service.clone(), op.deadline.left() / 10, op)?;
            }
            Step::StartServer => {
                done.push(step);
                applied.service.start(&but_for_undoing(op)).map_err(|e| complaint(&applied.service, &e, op))?;
            }
            Step::AwaitAnswer => {
                let limit = but_for_undoing(op);
                monitor::await_answer(config, &applied.service, &limit).map_err(Failure::generic)?;
            }
            Step::LinkCron => {
                done.push(step);
                applied.cron.as_ref().map_or(Ok(()), |cron| cron::put(cron, op))?;
            }
            // The service is up: systemd's readiness to leave it alone must not take it down again.
            Step::Claim => {
                if let Err(error) = applied.service.claim(&op.deadline.within(CLAIM)) {
                    op.log.warning(&format!("keep systemd from restarting {}: {error}", applied.service.name()));
                }
            }
        }
    }
    applied.main = applied.service.processes().ok().and_then(|all| all.into_iter().find(|p| p.top));
    applied.write(op)?;
    if !answers {
        op.log.info(&format!("{} started, answers at {}", applied.service.name(), config.vhost));
    }
    Ok(())
}

/// The time that start has, without what taking it all back may need.
fn but_for_undoing(op: &Operation) -> Deadline {
    let reserve = (op.deadline.left() / 4).clamp(Duration::from_secs(1), Duration::from_secs(10));
    op.deadline.within(op.deadline.left().saturating_sub(reserve))
}

/// Takes back what a failed start has done; what it found stays.
fn undo(op: &Operation, applied: &Applied, done: &[Step], cause: Failure) -> Failure {
    op.step(&format!("undo {done:?} after: {cause}"));
    let mut second = None;
    if done.contains(&Step::LinkCron)
        && let Some(cron) = &applied.cron
    {
        second = cron::take(cron, op).err();
    }
    if done.contains(&Step::StartServer) {
        second = stop_server(applied.service.clone(), Duration::ZERO, op).err().or(second);
    }
    match second {
        Some(second) => Failure::new(cause.code, format!("{cause}; undoing it failed too: {second}")),
        None => cause,
    }
}

/// Ends the web server: gracefully for a while, then at once, until the kernel has no process of it.
fn stop_server(mut service: Service, graceful: Duration, op: &Operation) -> Result<(), Failure> {
    locate(&mut service, op);
    // SIGWINCH: Apache's graceful-stop (httpd manual, "Stopping and Restarting").
    let ended = service.stop(Signal::SIGWINCH, graceful, &op.deadline).map_err(|e| Failure::generic(e.to_string()))?;
    op.step(&format!("{ended:?}"));
    if ended.killed > 0 {
        let text =
            format!("{}: {} processes killed after {:.1} s", service.name(), ended.killed, graceful.as_secs_f32());
        op.log.warning(&text);
    } else if ended.ran {
        op.log.info(&format!("{} stopped", service.name()));
    }
    service.release(&op.deadline).unwrap_or_else(|error| {
        op.log.warning(&format!("remove the drop-in of {}: {error}", service.name()));
    });
    Ok(())
}

/// The web server of this host. systemd is asked for its control group only when the usual one is empty: a resource that a
/// probe has adopted has no memory of a start, and its monitors run every few seconds, too.
fn located(config: &Config, op: &Operation) -> Result<Service, Failure> {
    let mut service = config.server.find()?;
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

/// The cron job of this instance; none when it is not ours.
fn cron_of(config: &Config, op: &Operation) -> Option<CronLink> {
    config.cron.as_ref().map(|cron| cron.link(op))
}

/// Why the web server did not start, in its own words where they can be had: a reason has few bytes, and its own words name
/// the file.
fn complaint(service: &Service, error: &std::io::Error, op: &Operation) -> Failure {
    let cause = error.to_string();
    let said = cause.strip_prefix(&format!("start {}: ", service.name())).unwrap_or(&cause);
    let own_words = said.contains("AH0");
    let program = match service {
        _ if own_words => return Failure::generic(said),
        Service::Direct { .. } => return Failure::generic(cause),
        _ => ["apachectl", "apache2ctl"].into_iter().find_map(process::find),
    };
    let limit = op.deadline.within(COMPLAINT);
    let said = program.and_then(|program| process::run(program, &["-t"], None, &limit).ok());
    let Some(said) = said.filter(|said| !said.status.success()) else { return Failure::generic(cause) };
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    // "AH00526: Syntax error on line 3 of FILE:", then what is wrong there.
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.contains("error")).take(2).map(str::trim).collect();
    if lines.is_empty() { Failure::generic(cause) } else { Failure::generic(lines.join(" ")) }
}
