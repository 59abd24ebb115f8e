//! What `monitor` and `validate-all` look at on the node where the resource runs. Nothing here changes the service.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::config::Config;
use super::database::{View, publish};
use super::settings::Settings;
use super::{Applied, content, cron_of};
use crate::agents::cron;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::ocf::state;
use crate::probe::alive;
use crate::sys::cron_link::CronLink;
use crate::sys::service::{Process, Service};

/// How the reason begins when the web server takes a connection and says nothing.
const NO_ANSWER: &str = "no answer from";

/// The checks of monitor.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    let applied = Applied::read(op);
    let service = match applied.as_ref().map(|a| Ok(a.service.clone())).unwrap_or_else(|| super::located(config, op)) {
        Ok(service) => service,
        Err(failure) => return vec![Check::run("web server", || (Verdict::Stopped, failure.reason))],
    };
    let cron = cron_of(config, op);
    let mut runs = false;
    let server = Check::run("web server", || match main_process(&service, applied.as_ref()) {
        Some(main) => {
            runs = true;
            (Verdict::Ok, format!("{}, main process {}", service.name(), main.pid))
        }
        None => match service.count() {
            Err(error) => (Verdict::Failed, format!("look for processes of {}: {error}", service.name())),
            Ok(count) => {
                runs = count > 0;
                judge_processes(&service, count, applied.as_ref(), cron.as_ref())
            }
        },
    });
    if server.verdict == Verdict::Stopped {
        return vec![server];
    }
    let mut checks = vec![server];
    if runs
        && applied.is_none()
        && let Some(text) = adopted(&service)
    {
        // The one moment at which the cluster takes it over.
        if op.is_probe() {
            op.log.warning(&text);
        }
        // Nothing is wrong with it, and a monitor changes nothing.
        checks.push(Check::run("start", || (Verdict::Ok, text)));
    }
    if runs {
        let limit = op.deadline.within(config.request_timeout);
        checks.push(Check::run("answer", || answer(config.vhost, &service, op, &limit)));
    }
    if let Some(cron) = &cron {
        // A Session Manager that ran before the cluster came is adopted as it is, without a restart: its next start makes the
        // link.
        checks.push(Check::run("cron job", || cron::judge(cron, applied.is_some() && !op.is_probe())));
    }
    // What hangs already is not asked further: a slow monitor would only delay the stop.
    let hangs = checks.iter().any(|check| check.name != "cron job" && check.verdict == Verdict::Failed);
    if op.depth >= 10 && !hangs {
        checks.push(Check::run("page", || content::check(config, op)));
    }
    if op.depth >= 20 && !hangs {
        database(config, op, &mut checks);
    }
    checks
}

/// What a person should know of a Session Manager that the cluster has found running and never started; by whatever name the
/// question comes.
fn adopted(service: &Service) -> Option<String> {
    let name = service.name();
    let read = |file: &PathBuf| serde_json::from_slice::<Applied>(&fs::read(file).ok()?).ok();
    let started =
        state::instances_with(Applied::FILE).iter().filter_map(read).any(|other| other.service.name() == name);
    (!started)
        .then(|| format!("{name} runs, but was never started by the cluster: restart the resource once to claim it"))
}

/// The main process that start has seen, if it lives. Without systemd nothing but a look at every process of the host tells
/// how many there are, and a monitor does not need to know.
fn main_process(service: &Service, applied: Option<&Applied>) -> Option<Process> {
    let main = applied?.main.filter(|_| !matches!(service, Service::Systemd { .. }))?;
    main.now()
}

fn judge_processes(
    service: &Service,
    count: usize,
    applied: Option<&Applied>,
    cron: Option<&CronLink>,
) -> (Verdict, String) {
    let name = service.name();
    if count == 0 {
        // The link makes the cron job run here, so this is no clean stop: Pacemaker has to call ours.
        return match cron.is_some_and(cron::is_linked) {
            true => (Verdict::Failed, format!("{name} has no process left, and the cron job still runs here")),
            false => (Verdict::Stopped, format!("{name} is not running")),
        };
    }
    match orphans(service, applied) {
        Some((main, left)) => {
            (Verdict::Failed, format!("main process {} of {name} is gone, {left} are left", main.pid))
        }
        None => (Verdict::Ok, format!("{name}, {count} processes")),
    }
}

/// The main process when it is gone and has left others behind. systemd ends those by itself; and a restart by hand leaves
/// one main process, only another one than before.
fn orphans(service: &Service, applied: Option<&Applied>) -> Option<(Process, usize)> {
    let main = applied?.main.filter(|_| !matches!(service, Service::Systemd { .. }))?;
    let processes = service.processes().ok()?;
    let lives = processes.iter().any(|p| p.pid == main.pid && p.started == main.started);
    let tops = processes.iter().filter(|p| p.top).count();
    (!lives && tops != 1).then_some((main, tops))
}

/// A server that has no worker free for a while is busy, and a restart would cut what its users do: the first time without
/// an answer is degraded, the next one a failure; a probe, which follows any cleanup, is a first time. Processes that are stopped
/// cannot get any better.
fn answer(vhost: SocketAddr, service: &Service, op: &Operation, limit: &Deadline) -> (Verdict, String) {
    match alive::ask(vhost, limit) {
        Ok(line) => (Verdict::Ok, format!("{vhost}: {line}")),
        Err(why) => {
            let processes = service.processes().unwrap_or_default();
            let stopped = processes.iter().filter(|p| matches!(p.state, 'T' | 't')).count();
            let blocked = processes.iter().filter(|p| p.state == 'D').count();
            let all = processes.len();
            let hint = match (stopped, blocked) {
                (0, 0) => String::new(),
                (0, _) => format!(": {blocked} of {all} processes wait for a disk"),
                _ => format!(": {stopped} of {all} processes are stopped (SIGSTOP)"),
            };
            let late = why.starts_with(NO_ANSWER) && stopped == 0 && (op.is_recurring() || op.is_probe());
            let again = || !op.is_probe() && memory::last_reason(op).is_some_and(|last| last.starts_with(NO_ANSWER));
            // That this host cannot ask is no fault of the server, and no restart cures it.
            let is_asked = !why.starts_with(alive::NOT_ASKED);
            let verdict = if !is_asked || (late && !again()) { Verdict::Degraded } else { Verdict::Failed };
            (verdict, format!("{why}{hint}"))
        }
    }
}

fn database(config: &Config, op: &Operation, checks: &mut Vec<Check>) {
    let mut seen = None;
    checks.push(Check::run("database", || {
        let view = View::of(config, op);
        seen = Some(view.clone());
        view.judge(config)
    }));
    // Runs by hand are questions; only the cluster's own let the cluster know.
    if let Some(view) = seen.filter(|_| op.is_recurring()) {
        checks.push(Check::run("node attribute", || (Verdict::Ok, publish(&view, op))));
    }
}

/// The checks of validate-all at level 10: can this host do it.
pub fn host(config: &Config, op: &Operation) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut maintenance = false;
    checks.push(Check::run("settings", || match Settings::read(&config.settings) {
        Err(why) => (Verdict::Failed, why),
        Ok(settings) if settings.is_local() => {
            (Verdict::Degraded, "the database is on this node: the other node would have another one".to_owned())
        }
        Ok(settings) => {
            maintenance = settings.maintenance;
            (Verdict::Ok, config.settings.display().to_string())
        }
    }));
    checks.push(Check::run("web server", || match (config.server.masked(), config.server.find()) {
        (Some(unit), found) => {
            let service = Service::Systemd { unit: unit.clone(), cgroup: None };
            let runs =
                service.processes().is_ok_and(|all| !all.is_empty()) || Applied::read(op).is_some_and(|a| a.runs());
            judge_masked(&unit, runs, found.is_ok())
        }
        (None, Err(failure)) => (Verdict::Failed, failure.reason),
        (None, Ok(service)) => match service.at_boot() {
            Some(how) => (Verdict::Degraded, how),
            None => (Verdict::Ok, service.name()),
        },
    }));
    let server = config.server.find().ok().filter(|server| server.processes().is_ok_and(|all| !all.is_empty()));
    let adopted = server.as_ref().and_then(adopted);
    checks.extend(adopted.map(|text| Check::run("start", || (Verdict::Degraded, text))));
    checks.extend(cron_of(config, op).as_ref().map(cron::validate));
    checks.push(Check::run("database", || match View::of(config, op) {
        View::Answers => (Verdict::Ok, "answers SELECT 1".to_owned()),
        View::Refuses(why) | View::Lost(why) | View::Unknown(why) => (Verdict::Degraded, why),
    }));
    if maintenance {
        checks.push(Check::run("maintenance", || (Verdict::Ok, "the farm is in maintenance mode".to_owned())));
    }
    checks
}

/// A masked unit that runs goes on doing so, and so does one that an LSB script of the same name may start; but after its
/// end it may be gone for good.
pub fn judge_masked(unit: &str, runs: bool, has_script: bool) -> (Verdict, String) {
    let remedy = format!("systemctl unmask {unit}");
    match (runs, has_script) {
        (true, _) => (Verdict::Degraded, format!("{unit} is masked: it runs, but cannot be started again: {remedy}")),
        (false, true) => (Verdict::Degraded, format!("{unit} is masked, its LSB script may not start it: {remedy}")),
        (false, false) => (Verdict::Failed, format!("{unit} is masked: it cannot be started: {remedy}")),
    }
}

/// Waits until the web server answers; gives up when it has no process left.
pub fn await_answer(config: &Config, service: &Service, deadline: &Deadline) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let why = match alive::ask(config.vhost, &deadline.within(config.request_timeout)) {
            Ok(_) => return Ok(()),
            Err(why) => why,
        };
        if begun.elapsed() > Duration::from_millis(200) && service.processes().is_ok_and(|all| all.is_empty()) {
            return Err(format!("{} has ended again", service.name()));
        }
        if !deadline.sleep(Duration::from_millis(5)) {
            return Err(why);
        }
    }
}
