//! Brings Tomcat up until its webapps answer.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Applied;
use super::config::Config;
use super::monitor::taken;
use super::repository::Seen;
use super::round::Round;
use super::settings::Settings;
use super::stop::{await_reaped, stop_tomcat};
use super::strikes::Strikes;
use super::tomcat;
use super::webapps::Asked;
use crate::ocf::check::Verdict;
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::probe::alive;
use crate::sys::service::Service;

/// How long systemd may take to read a drop-in.
const CLAIM: Duration = Duration::from_secs(5);
/// How long a webapp may lack, or be another site's: Tomcat answers when it has deployed them. All else (a first request that is
/// slow, a connection to RabbitMQ) may take what start has left: to fail earlier would gain nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to find out whether somebody listens on a port of this node.
const KNOCK: Duration = Duration::from_secs(1);
/// How long the port of a Tomcat that has ended may stay in use.
const FREED: Duration = Duration::from_secs(3);

/// What is wrong with a script that leaves Tomcat the files into which start has let it complain.
const PRINTS: &str = "lets Tomcat print into a file in memory that nobody sees and that grows: let it redirect that, as \
                      Tomcat's catalina.sh start does";

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// End a Tomcat that does not answer (hung, or half started by a start that was killed), or whose webapps do not.
    Stop,
    /// Start it.
    Start,
    /// Wait until its port answers.
    AwaitAnswer,
    /// Wait until its webapps do.
    AwaitWebapps,
    /// Keep systemd's hands off it.
    Claim,
}

/// The steps, in order. systemd comes last: its reload takes time, in which Abiquo is served already. Pure.
pub fn plan(runs: bool, answers: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    if runs && !answers {
        steps.push(Step::Stop);
    }
    if !answers {
        steps.extend([Step::Start, Step::AwaitAnswer]);
    }
    steps.extend([Step::AwaitWebapps, Step::Claim]);
    steps
}

/// The action.
pub fn start(config: &Config, op: &Operation) -> Result<(), Failure> {
    let settings = config.settings().map_err(Failure::generic)?;
    let mut doubt = None;
    if let Some(repository) = &settings.repository {
        match Seen::of(repository, &op.deadline.within(config.dependency_timeout)) {
            Seen::Alive => op.step("the repository answers"),
            // Webapps would write to the disk below it.
            Seen::Missing(why) => return Err(Failure::generic(format!("{why}: mount it first"))),
            // Lost for everybody it would be no reason not to run; whether it is, the other nodes know.
            Seen::Silent(why) | Seen::Stale(why) => {
                op.log.warning(&format!("start goes on although {why}"));
                doubt = Some(why);
            }
        }
    }
    let webapps = config.tomcat.webapps();
    if webapps.is_empty() && config.webapps.is_none() {
        let folder = config.tomcat.base.join("webapps");
        return Err(Failure::generic(format!("no webapp of the Remote Services in {}", folder.display())));
    }
    let service = super::located(config, op)?;
    let (datacenter, repository) = (settings.datacenter.clone(), settings.repository.clone());
    let mut applied = Applied { service, main: None, webapps, datacenter, repository };
    let mut started = false;
    bring_up(config, &settings, op, &mut applied, &mut started).map_err(|cause| {
        op.step(&format!("undo after: {cause}"));
        let cause = match doubt {
            Some(doubt) => Failure::new(cause.code, format!("{cause}; {doubt}")),
            None => cause,
        };
        if !started {
            return cause;
        }
        // What has just begun has nothing to finish.
        match stop_tomcat(&applied.service, &config.tomcat, Duration::ZERO, op) {
            Err(second) => Failure::new(cause.code, format!("{cause}; undoing it failed too: {second}")),
            Ok(()) => cause,
        }
    })
}

fn bring_up(
    config: &Config,
    settings: &Settings,
    op: &Operation,
    applied: &mut Applied,
    started: &mut bool,
) -> Result<(), Failure> {
    let before = Applied::read(op).and_then(|before| before.main);
    let runs = !applied.service.processes().map_err(|e| Failure::io("look for processes", &e))?.is_empty();
    let answers = runs
        && alive::ask(config.address, &op.deadline.within(config.request_timeout)).is_ok()
        && has_port(&applied.service, config);
    op.step(&format!("runs: {runs}, answers: {answers}"));
    if runs && !answers {
        op.log.warning(&format!("{} runs, but does not answer: it is restarted", applied.service.name()));
    }
    applied.write(op)?;
    let mut steps = VecDeque::from(plan(runs, answers));
    while let Some(step) = steps.pop_front() {
        op.step(&format!("{step:?}"));
        match step {
            Step::Stop => {
                stop_tomcat(&applied.service, &config.tomcat, op.deadline.left() / 10, op)?;
            }
            Step::Start => {
                // Of a stop that was killed: it may have ended only now.
                await_reaped(before.as_slice(), op);
                free_port(config, &applied.service, op)?;
                *started = true;
                let limit = but_for_undoing(op);
                applied.service.start(&limit).map_err(|error| Failure::generic(error.to_string()))?;
                if applied.service.prints_to_start() {
                    op.log.warning(&format!("{} {PRINTS}", applied.service.name()));
                }
                // Already now: a kill in the middle of the long wait leaves a trace of what it was.
                applied.main = super::main_process(&applied.service);
                applied.write(op)?;
            }
            Step::AwaitAnswer => await_answer(config, &applied.service, &but_for_undoing(op))?,
            Step::AwaitWebapps => match await_webapps(config, settings, applied, *started, op) {
                Err(why) if !*started => {
                    op.log.warning(&format!("{} runs, but {why}: it is restarted", applied.service.name()));
                    steps = VecDeque::from(plan(true, false));
                }
                other => other?,
            },
            // The service is up: systemd's readiness to leave it alone must not take it down again.
            Step::Claim => {
                if let Err(error) = applied.service.claim(&op.deadline.within(CLAIM)) {
                    op.log.warning(&format!("keep systemd from restarting {}: {error}", applied.service.name()));
                }
            }
        }
    }
    applied.main = super::main_process(&applied.service);
    applied.write(op)?;
    if !answers {
        op.log.info(&format!("{} started, answers at {}", applied.service.name(), config.address));
    }
    Ok(())
}

/// The time that start has, without what taking it all back may need.
fn but_for_undoing(op: &Operation) -> Deadline {
    let reserve = (op.deadline.left() / 4).clamp(Duration::from_secs(1), Duration::from_secs(10));
    op.deadline.within(op.deadline.left().saturating_sub(reserve))
}

/// Waits until Tomcat answers; gives up when it has no process left.
fn await_answer(config: &Config, service: &Service, deadline: &Deadline) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let why = match alive::ask(config.address, &deadline.within(config.request_timeout)) {
            Ok(_) if has_port(service, config) => return Ok(()),
            // Between the look before the start and now.
            Ok(_) => return Err(Failure::generic(taken(config.address, service))),
            Err(why) => why,
        };
        if begun.elapsed() > Duration::from_millis(500) && service.processes().is_ok_and(|all| all.is_empty()) {
            return Err(ended(config, service));
        }
        if !deadline.sleep(Duration::from_millis(50)) {
            return Err(Failure::generic(format!(
                "{} is not up after {} s: {why}",
                service.name(),
                deadline.used().as_secs()
            )));
        }
    }
}

/// Refuses a port that somebody else has: Tomcat would run on without it, and the other one would give its answers. A Java machine
/// that was killed may have its port a moment longer than it is seen: the kernel ends one thread after the other.
fn free_port(config: &Config, service: &Service, op: &Operation) -> Result<(), Failure> {
    let limit = op.deadline.within(FREED);
    while TcpStream::connect_timeout(&config.address, KNOCK).is_ok() {
        if !limit.sleep(KNOCK / 10) {
            return Err(Failure::generic(taken(config.address, service)));
        }
    }
    Ok(())
}

/// Whether it is this Tomcat that has the port.
fn has_port(service: &Service, config: &Config) -> bool {
    service.processes().is_ok_and(|all| tomcat::has_port(&all, config.address.port()))
}

/// Waits until every webapp answers: well, or in trouble because of something that is down right now. Those of a Tomcat that was
/// not started now have had their time.
fn await_webapps(
    config: &Config,
    settings: &Settings,
    applied: &Applied,
    started: bool,
    op: &Operation,
) -> Result<(), Failure> {
    let Applied { webapps, datacenter, repository, .. } = applied;
    let webapps = config.webapps.as_ref().unwrap_or(webapps);
    let asked = Asked { webapps, datacenter, repository: repository.as_ref() };
    let whole = but_for_undoing(op);
    let patience = whole.within(PATIENCE);
    loop {
        let round = Round::of(config, asked, Some(settings), false, &whole.within(config.round()));
        let why = match round.is_up(config) {
            Ok(()) => {
                let checks = round.checks(config, &mut Strikes::default());
                for doubt in checks.iter().filter(|check| check.verdict > Verdict::Ok) {
                    op.log.warning(&format!("started all the same: {}", doubt.detail));
                }
                return Ok(());
            }
            Err(why) => why,
        };
        op.step(&why);
        if !applied.runs() {
            return Err(ended(config, &applied.service));
        }
        let limit = if started && !round.is_hopeless() { &whole } else { &patience };
        if !limit.sleep(Duration::from_millis(250)) {
            return Err(Failure::generic(why));
        }
    }
}

fn ended(config: &Config, service: &Service) -> Failure {
    let logs = config.tomcat.base.join("logs");
    Failure::generic(format!("{} has ended again: see {}", service.name(), logs.display()))
}
