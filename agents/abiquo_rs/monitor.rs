//! What `monitor` and `validate-all` look at on the node where the resource runs. Nothing here changes the service.

use std::net::SocketAddr;

use super::Applied;
use super::config::Config;
use super::dependencies::{self, View};
use super::fingerprint::Maker;
use super::round::Round;
use super::settings::Settings;
use super::strikes::{Strikes, TWICE};
use super::tomcat;
use super::webapps::Asked;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::probe::alive;
use crate::probe::trouble::Trouble;
use crate::sys::service::{Process, Service};

/// All questions of a monitor end within the longer of the two timeouts, as a stop waits for it. A Tomcat whose first answer took
/// most of that leaves a part of it to the webapps.
const REST: f32 = 0.5;
/// How the reason begins when Tomcat takes a connection and says nothing.
const NO_ANSWER: &str = "no answer from";

/// The checks of monitor.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    let applied = Applied::read(op);
    let service = match applied.as_ref().map(|a| Ok(a.service.clone())).unwrap_or_else(|| super::located(config, op)) {
        Ok(service) => service,
        Err(failure) => return vec![Check::run("tomcat", || (Verdict::Stopped, failure.reason))],
    };
    let tomcat = Check::run("tomcat", || match main_process(&service, applied.as_ref()) {
        Some(main) => (Verdict::Ok, format!("{}, process {}", service.name(), main.pid)),
        None => match service.count() {
            Err(error) => (Verdict::Failed, format!("look for processes of {}: {error}", service.name())),
            Ok(0) => (Verdict::Stopped, format!("{} is not running", service.name())),
            Ok(count) => (Verdict::Ok, format!("{}, {count} processes", service.name())),
        },
    });
    let runs = tomcat.verdict == Verdict::Ok;
    let mut checks = vec![tomcat];
    if !runs {
        return checks;
    }
    let applied = applied.or_else(|| adopt(config, &service, op));
    let mut strikes = Strikes::of(op);
    let span = config.round();
    let budget = op.deadline.within(span);
    let limit = budget.within(config.request_timeout);
    checks.push(Check::run("answer", || answer(config.address, &service, &mut strikes, &limit)));
    // What hangs already is not asked further: a slow monitor would only delay the stop.
    let hangs = checks.iter().any(|check| check.verdict != Verdict::Ok);
    if op.depth >= 10 && !hangs {
        let main = main_process(&service, applied.as_ref());
        checks.push(Check::run("port", || port(config.address, &service, main, &mut strikes)));
        let budget = op.deadline.within(budget.left().max(span.mul_f32(REST)));
        deep(config, op, applied.as_ref(), &budget, &mut strikes, &mut checks);
    }
    strikes.keep(op);
    checks
}

/// A Tomcat from before the cluster, which a probe has found: Pacemaker calls no start then, so its first monitor remembers what
/// start would have. Not while the properties are of no use: then nobody knows what Tomcat has read.
fn adopt(config: &Config, service: &Service, op: &Operation) -> Option<Applied> {
    if !op.is_recurring() || op.is_passive() {
        return None;
    }
    let settings = config.settings().ok()?;
    let webapps = config.tomcat.webapps();
    let applied = Applied {
        service: service.clone(),
        main: super::main_process(service),
        webapps,
        datacenter: settings.datacenter,
        repository: settings.repository,
    };
    applied.write(op).map_err(|error| op.log.warning(&error.reason)).ok()?;
    op.log.info(&format!("{} runs already: it is watched as it is", service.name()));
    Some(applied)
}

/// The Java machine that start has seen, if it lives. Without systemd nothing but a look at every process of the host tells how
/// many there are, and a monitor does not need to know.
fn main_process(service: &Service, applied: Option<&Applied>) -> Option<Process> {
    let main = applied?.main.filter(|_| !matches!(service, Service::Systemd { .. }))?;
    main.now()
}

/// A Java machine that collects its garbage is busy, and a restart would cut what it does: the first time without an answer is
/// degraded, the next one a failure. One that is stopped cannot get any better.
fn answer(address: SocketAddr, service: &Service, strikes: &mut Strikes, limit: &Deadline) -> (Verdict, String) {
    let why = match alive::ask(address, limit) {
        Ok(line) => return (Verdict::Ok, format!("{address}: {line}")),
        Err(why) => why,
    };
    let processes = service.processes().unwrap_or_default();
    let stopped = processes.iter().filter(|p| matches!(p.state, 'T' | 't')).count();
    let hint = if stopped > 0 { ": the Java machine is stopped (SIGSTOP)" } else { "" };
    let late = why.starts_with(NO_ANSWER) && stopped == 0;
    let verdict = match late {
        true => strikes.against("answer", TWICE),
        // That this host cannot ask is no fault of Tomcat's, and no restart cures it.
        false if why.starts_with(alive::NOT_ASKED) => Verdict::Degraded,
        false => Verdict::Failed,
    };
    (verdict, format!("{why}{hint}"))
}

/// Whether it is this Tomcat that answers: one that could not have its port runs on without it, and then another program gives the
/// answers, which may be a second Tomcat of the same datacenter.
fn port(address: SocketAddr, service: &Service, main: Option<Process>, strikes: &mut Strikes) -> (Verdict, String) {
    let number = address.port();
    // Mostly the Java machine has it: no look at the others.
    let has_it = match main.filter(|main| tomcat::has_port(&[*main], number)) {
        Some(_) => Ok(true),
        None => service.processes().map(|all| tomcat::has_port(&all, number)),
    };
    match has_it {
        Ok(true) => (Verdict::Ok, format!("{address} is that of {}", service.name())),
        Ok(false) => (strikes.against("port", TWICE), taken(address, service)),
        Err(error) => (Verdict::Degraded, format!("look for processes of {}: {error}", service.name())),
    }
}

/// That somebody else has the port, and how to find out who.
pub fn taken(address: SocketAddr, service: &Service) -> String {
    format!("{address} is taken, not by {}: ss -ltnp 'sport = {}'", service.name(), address.port())
}

/// Depth 10 and 20: the webapps, then what they need.
fn deep(
    config: &Config,
    op: &Operation,
    applied: Option<&Applied>,
    budget: &Deadline,
    strikes: &mut Strikes,
    checks: &mut Vec<Check>,
) {
    let settings = config.settings();
    checks.push(Check::run("properties", || properties(config, settings.as_ref(), applied)));
    let settings = settings.ok();
    let Some(datacenter) =
        applied.map(|a| a.datacenter.clone()).or_else(|| settings.as_ref().map(|s| s.datacenter.clone()))
    else {
        return;
    };
    let webapps = config.webapps.clone().or_else(|| applied.map(|a| a.webapps.clone()));
    let webapps = webapps.unwrap_or_else(|| config.tomcat.webapps());
    // Properties that have become useless do not say whether am may be asked; start has kept it.
    let repository = match &settings {
        Some(settings) => settings.repository.as_ref(),
        None => applied.and_then(|applied| applied.repository.as_ref()),
    };
    let with_view = op.depth >= 20;
    let mut round = None;
    checks.push(Check::run("webapps", || {
        let asked = Asked { webapps: &webapps, datacenter: &datacenter, repository };
        round = Some(Round::of(config, asked, settings.as_ref(), with_view, budget));
        (Verdict::Ok, format!("asked: {}", webapps.join(" ")))
    }));
    let Some(round) = round else { return };
    checks.extend(round.checks(config, strikes));
    if !with_view {
        return;
    }
    checks.extend(round.view.iter().flat_map(|view| view.checks(config)));
    // Runs by hand are questions; only the cluster's own let the cluster know.
    if !op.is_recurring() {
        return;
    }
    let limit = op.deadline.within(dependencies::PUBLISH);
    if let Some(view) = &round.view {
        memory::once(op, "server", view.server_trouble().as_deref());
        checks.push(Check::run("node attribute", || (Verdict::Ok, dependencies::publish(view.word(), op, &limit))));
    }
    // What it was taken for before the cluster started one here is over.
    dependencies::publish_stray(false, op, &limit);
    checks.push(Check::run("second Tomcat", || second(&dependencies::strays(op, &limit))));
    if let Some(settings) = &settings {
        checks.push(Check::run("other nodes", || compare(config, settings, op, &limit)));
    }
}

/// Tomcat reads the properties when it starts. So a file that is broken or changed meanwhile harms nobody yet; but the next start
/// would fail, here or on another node.
fn properties(config: &Config, settings: Result<&Settings, &String>, applied: Option<&Applied>) -> (Verdict, String) {
    let settings = match settings {
        Ok(settings) => settings,
        Err(why) => return (Verdict::Degraded, format!("{why}: the next start would fail")),
    };
    if let Some(applied) = applied.filter(|applied| applied.datacenter != settings.datacenter) {
        let (new, old) = (&settings.datacenter, &applied.datacenter);
        let text =
            format!("abiquo.datacenter.id is '{new}' in the properties now, Tomcat runs with '{old}': restart it");
        return (Verdict::Degraded, text);
    }
    doubles(settings)
        .map_or_else(|| (Verdict::Ok, config.properties.display().to_string()), |why| (Verdict::Degraded, why))
}

fn doubles(settings: &Settings) -> Option<String> {
    let keys: Vec<&str> = settings.properties.doubles().collect();
    (!keys.is_empty())
        .then(|| format!("properties: the last of several different values counts for {}", keys.join(", ")))
}

/// Two of them work on the same queues, which this whole set-up is to prevent; and only a person can end what a person has started.
fn second(nodes: &[String]) -> (Verdict, String) {
    match nodes {
        [] => (Verdict::Ok, "none on other nodes".to_owned()),
        nodes => {
            (Verdict::Degraded, format!("a second Tomcat runs on {}: stop and disable it there", nodes.join(", ")))
        }
    }
}

/// Publishes the fingerprint of the properties here, and compares it with those of the other nodes.
fn compare(config: &Config, settings: &Settings, op: &Operation, limit: &Deadline) -> (Verdict, String) {
    let Some(maker) = Maker::of_cluster() else {
        return (Verdict::Ok, "the nodes share no secret: their properties are not compared".to_owned());
    };
    dependencies::publish_fingerprint(&maker.make(&settings.properties, &config.node_keys), op, limit);
    let others = dependencies::fingerprints(op, limit);
    let foreign = others.iter().find(|(_, theirs)| maker.is_foreign(theirs)).map(|(node, _)| {
        format!("the cluster's secret on {node} (authkey) is not the one here: its properties cannot be compared")
    });
    memory::once(op, "secret", foreign.as_deref());
    let differs = |theirs: &str| maker.difference(&settings.properties, &config.node_keys, theirs);
    let found = others.iter().find_map(|(node, theirs)| differs(theirs).map(|keys| (node, keys)));
    match found {
        Some((node, keys)) => (Verdict::Degraded, format!("properties differ from those of {node}: {keys}")),
        None if others.is_empty() => (Verdict::Ok, "no other node has published its properties".to_owned()),
        None if foreign.is_some() => (Verdict::Ok, foreign.unwrap_or_default()),
        None => (Verdict::Ok, "the properties are equal".to_owned()),
    }
}

/// The checks of validate-all at level 10: can this host do it.
pub fn host(config: &Config, op: &Operation) -> Vec<Check> {
    let settings = config.settings();
    let mut checks = Vec::new();
    checks.push(Check::run("properties", || match &settings {
        Err(why) => (Verdict::Failed, why.clone()),
        Ok(settings) => match doubles(settings) {
            Some(why) => (Verdict::Degraded, why),
            None => (Verdict::Ok, config.properties.display().to_string()),
        },
    }));
    checks.push(Check::run("tomcat", || match config.tomcat.find() {
        Err(failure) => (Verdict::Failed, failure.reason),
        Ok(service) => match service.at_boot() {
            Some(how) => (Verdict::Degraded, how),
            None => (Verdict::Ok, service.name()),
        },
    }));
    checks.push(Check::run("webapps", || {
        let there = config.tomcat.webapps();
        let missing = config.webapps.iter().flatten().find(|name| {
            let folder = config.tomcat.base.join("webapps");
            !folder.join(name).is_dir() && !folder.join(format!("{name}.war")).is_file()
        });
        match (missing, config.webapps.is_some() || !there.is_empty()) {
            (Some(name), _) => {
                (Verdict::Failed, format!("webapp {name} is not in {}/webapps", config.tomcat.base.display()))
            }
            (None, false) => (
                Verdict::Failed,
                format!("no webapp of the Remote Services in {}/webapps", config.tomcat.base.display()),
            ),
            (None, true) => (Verdict::Ok, config.webapps.clone().unwrap_or(there).join(" ")),
        }
    }));
    if let Ok(settings) = &settings {
        // The repository is mounted where the service runs, which need not be here.
        let view = View::of(settings, config, &op.deadline);
        checks.push(Check::run("dependencies", || match view.trouble() {
            Some(Trouble::Refused(why) | Trouble::Unreachable(why)) => (Verdict::Degraded, why),
            None => (Verdict::Ok, format!("{} answer", view.well())),
        }));
    }
    checks
}
