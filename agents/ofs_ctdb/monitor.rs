//! What `monitor` looks at. Nothing here changes the service.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::config::Config;
use super::since::Since;
use super::site::{Generation, Site};
use super::status::{Flag, Node};
use super::{Applied, judge, vantage};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::ocf::operation::Operation;
use crate::probe::ctdb::{self, Served};
use crate::probe::{alive, lock, smb};
use crate::sys::clock;
use crate::sys::links;
use crate::sys::process;
use crate::sys::service::{Process, Service};

/// How long ctdb may take to tell which check has failed: only a hint.
const CAUSE: Duration = Duration::from_secs(1);

/// How long an address may be on its way from a node to another one.
const MOVES: Duration = Duration::from_secs(15);

/// How long ovd-slaveserver, which starts after this, may take to answer. Its own resource says when it has failed.
const STARTS: Duration = Duration::from_secs(60);

/// The checks of monitor.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    let applied = Applied::read(op);
    let service = match applied.as_ref().map(|a| Ok(a.service.clone())).unwrap_or_else(|| super::located(config, op)) {
        Ok(service) => service,
        Err(failure) => return vec![Check::run("ctdbd", || (Verdict::Stopped, failure.reason))],
    };
    let ctdbd = Check::run("ctdbd", || match main_process(&service, applied.as_ref()) {
        Some(main) => (Verdict::Ok, format!("{}, process {}", service.name(), main.pid)),
        None => match service.count() {
            Err(error) => (Verdict::Failed, format!("look for processes of {}: {error}", service.name())),
            Ok(0) => gone(&service, applied.as_ref()),
            Ok(count) => (Verdict::Ok, format!("{}, {count} processes", service.name())),
        },
    });
    let runs = ctdbd.verdict == Verdict::Ok;
    let mut checks = vec![ctdbd];
    if !runs {
        return checks;
    }
    if applied.is_none() {
        adopt(config, &service, op);
    }
    let limit = op.deadline.within(config.request_timeout);
    checks.push(Check::run("answer", || answer(config, &service, &limit)));
    // What hangs already is not asked further: a slow monitor would only delay the stop.
    let answers = checks.iter().all(|check| check.verdict == Verdict::Ok);
    if op.depth >= 10 && answers {
        deep(config, op, &mut checks);
    }
    checks
}

/// Without ctdbd nothing runs, unless it was killed: then its addresses stay here while another node takes them over. Pacemaker
/// stops what has failed, but not what is stopped.
fn gone(service: &Service, applied: Option<&Applied>) -> (Verdict, String) {
    let text = format!("{} is not running", service.name());
    match applied.and_then(Applied::left) {
        Some(left) => (Verdict::Failed, format!("{text}, but {left}")),
        None => (Verdict::Stopped, text),
    }
}

/// The ctdbd that start has seen, if it lives. Without systemd nothing but a look at every process of the host tells how many there
/// are, and a monitor does not need to know.
fn main_process(service: &Service, applied: Option<&Applied>) -> Option<Process> {
    let main = applied?.main.filter(|_| !matches!(service, Service::Systemd { .. }))?;
    main.now()
}

/// ctdbd itself, over its socket.
fn answer(config: &Config, service: &Service, limit: &Deadline) -> (Verdict, String) {
    match ctdb::pnn(&config.socket, limit) {
        Ok(number) => (Verdict::Ok, format!("node {number}")),
        Err(why) => {
            let processes = service.processes().unwrap_or_default();
            let stopped = processes.iter().any(|process| process.top && matches!(process.state, 'T' | 't'));
            (Verdict::Failed, format!("{why}{}", if stopped { ": it is stopped (SIGSTOP)" } else { "" }))
        }
    }
}

/// A ctdbd from before the cluster, which a probe has found: Pacemaker calls no start then, so its first monitor remembers what start
/// would have.
fn adopt(config: &Config, service: &Service, op: &Operation) {
    if !op.is_recurring() || op.is_passive() {
        return;
    }
    let applied = super::stop::guess(config.daemon.by_systemd(), service.clone(), &config.socket, op);
    match applied.write(op) {
        Ok(()) => op.log.info(&format!("{} runs already: it is watched as it is", service.name())),
        Err(error) => op.log.warning(&error.reason),
    }
}

/// Depth 10 and 20.
fn deep(config: &Config, op: &Operation, checks: &mut Vec<Check>) {
    // First of all, and told to the other nodes: whatever asks for the folders may keep the rest.
    let is_shared = op.depth < 20 || shared(config, op, checks);
    let mut nodes = Vec::new();
    // Only depth 10 counts: two depths may come right after each other.
    let mut since = Since::of(op);
    checks.push(Check::run("node", || match all_nodes(config, op) {
        // ctdbd itself has just answered. The command asks the other nodes, too: one that is lost, and not missed yet, keeps it.
        Err(why) => {
            let found = (since.verdict("status", config.patience), why);
            vantage::weighed(found, "status", &mut since, config, op)
        }
        Ok(found) => {
            nodes = found;
            let Some(own) = nodes.iter().find(|node| node.is_own) else {
                return (Verdict::Failed, "ctdbd does not say which node this is: ctdb status".to_owned());
            };
            let found = judge::own(own, &mut since, config.patience, || cause(op));
            match own.flag() {
                Some(Flag::Unhealthy) => vantage::weighed(found, "unhealthy", &mut since, config, op),
                _ => found,
            }
        }
    }));
    let Some(own) = nodes.iter().find(|node| node.is_own).cloned() else {
        if op.depth < 20 {
            since.keep(op);
        }
        return;
    };
    let mut here = Vec::new();
    let limit = op.deadline.within(config.request_timeout);
    checks.push(Check::run("addresses", || match ctdb::public_addresses(&config.socket, &limit) {
        Err(why) => (Verdict::Failed, why),
        Ok(served) => {
            let (verdict, text) = addresses(&served, own.number, &mut here);
            (if verdict == Verdict::Ok { verdict } else { later(verdict, "addresses", MOVES, op, &mut since) }, text)
        }
    }));
    if !here.is_empty() {
        let lost = nodes.iter().any(|node| node.flag() == Some(Flag::Disconnected));
        checks.push(Check::run("samba", || {
            let found = samba(config, &here, lost, &mut since, &limit);
            vantage::weighed(found, "samba", &mut since, config, op)
        }));
        if let Some(port) = config.webdav_port {
            checks.push(Check::run("webdav", || match webdav(port, &here, &limit) {
                Ok(text) => (Verdict::Ok, text),
                Err(why) => (later(Verdict::Degraded, "webdav", STARTS, op, &mut since), why),
            }));
        }
    }
    if op.depth >= 20 {
        surroundings(config, op, &nodes, is_shared, checks);
    } else {
        since.keep(op);
    }
}

/// All nodes. That all are well ctdbd says itself, without a child process; what else they are is for its command to say, whose
/// output is the documented one. Depth 20 asks only the command, so that nothing rests on the socket alone.
fn all_nodes(config: &Config, op: &Operation) -> Result<Vec<Node>, String> {
    let limit = op.deadline.within(config.request_timeout);
    let well = if op.depth < 20 { ctdb::well(&config.socket, &limit).ok().flatten() } else { None };
    match well {
        Some(well) => Ok(well.nodes.iter().map(|(number, address)| Node::well(*number, *address, well.own)).collect()),
        None => super::nodes(&op.deadline.within(config.request_timeout)),
    }
}

/// Which of the node's own checks has failed.
fn cause(op: &Operation) -> Option<String> {
    let limit = op.deadline.within(CAUSE);
    let output = process::run("ctdb", &["event", "status", "legacy", "monitor"], None, &limit).ok()?;
    judge::failed_check(&output.text())
}

/// The public addresses; those that this node has are put into `here`. ctdbd counts one as its own before the node has it: nobody
/// answers there yet.
fn addresses(served: &[Served], own: u32, here: &mut Vec<IpAddr>) -> (Verdict, String) {
    for address in judge::held(served, own) {
        match links::holder(address) {
            Ok(Some(_)) => here.push(address),
            Ok(None) => {
                return (Verdict::Degraded, format!("this node serves {address} and does not have it: ctdb ip"));
            }
            Err(error) => return (Verdict::Degraded, format!("ask the kernel for addresses: {error}")),
        }
    }
    judge::addresses(served, own)
}

/// Pacemaker lists what was degraded once until somebody cleans it up: what is over soon as a rule is not worth it.
fn later(verdict: Verdict, what: &str, usual: Duration, op: &Operation, since: &mut Since) -> Verdict {
    if op.is_recurring() && since.lasts(what) < usual { Verdict::Ok } else { verdict }
}

/// Samba on the addresses that this node has. While a node is `lost` its silence is never a failure: it waits for databases that
/// CTDB recovers, as soon as the lost node's recovery lock is free, and would wait as well after a restart.
fn samba(config: &Config, here: &[IpAddr], lost: bool, since: &mut Since, limit: &Deadline) -> (Verdict, String) {
    for &address in here {
        if let Err(why) = smb::ask(SocketAddr::new(address, config.smb_port), limit) {
            let excused = lost || why.starts_with(alive::NOT_ASKED);
            let verdict = if excused { Verdict::Degraded } else { since.verdict("samba", config.patience) };
            return (verdict, format!("Samba: {why}"));
        }
    }
    (Verdict::Ok, format!("SMB answers on port {}", config.smb_port))
}

/// ovd-slaveserver is a resource of its own: what it has lost is no reason to restart CTDB.
fn webdav(port: u16, here: &[IpAddr], limit: &Deadline) -> Result<String, String> {
    for &address in here {
        alive::ask(SocketAddr::new(address, port), limit).map_err(|why| format!("WebDAV: {why}"))?;
    }
    Ok(format!("WebDAV answers on port {port}"))
}

/// Depth 20: what CTDB needs around it. Nothing of it is a failure of this node alone that a restart would heal.
fn surroundings(config: &Config, op: &Operation, nodes: &[Node], is_shared: bool, checks: &mut Vec<Check>) {
    checks.push(Check::run("other nodes", || judge::others(nodes)));
    if config.time_sync {
        checks.push(Check::run("clock", || match clock::is_synchronised() {
            Ok(true) => (Verdict::Ok, "synchronised".to_owned()),
            Ok(false) => (Verdict::Degraded, "nothing keeps the clock right: set up NTP, or time_sync=no".to_owned()),
            Err(error) => (Verdict::Degraded, format!("ask the kernel about the clock: {error}")),
        }));
    }
    // The configuration is on it.
    if is_shared {
        files(config, op, nodes, checks);
    }
}

/// Whether the shared folders answer.
fn shared(config: &Config, op: &Operation, checks: &mut Vec<Check>) -> bool {
    let found = Check::run("shared folder", || match vantage::trouble(config, op) {
        None => (Verdict::Ok, config.shared.display().to_string()),
        Some(why) => (Verdict::Degraded, why),
    });
    let answers = found.verdict == Verdict::Ok;
    checks.push(found);
    vantage::publish(answers, op);
    answers
}

fn files(config: &Config, op: &Operation, nodes: &[Node], checks: &mut Vec<Check>) {
    let limit = op.deadline.within(config.request_timeout);
    let site = Generation::installed(&limit).and_then(|generation| Site::read(config, generation, &limit));
    let site = match site {
        Ok(site) => site,
        Err(why) => {
            let text = format!("{why}: the next start would fail");
            return checks.push(Check::run("configuration", || (Verdict::Degraded, text)));
        }
    };
    checks.push(Check::run("configuration", || match site.hints.first() {
        Some(hint) => (Verdict::Degraded, hint.clone()),
        None => (Verdict::Ok, "complete".to_owned()),
    }));
    checks.push(Check::run("nodes file", || judge::loaded(&site.nodes, nodes)));
    if let Some(path) = site.lock_file() {
        checks.push(Check::run("recovery lock", || match lock::is_held(path, &limit) {
            Ok(true) => (Verdict::Ok, format!("{} is held", path.display())),
            Ok(false) => (Verdict::Degraded, format!("nobody holds the recovery lock {}", path.display())),
            Err(why) => (Verdict::Degraded, format!("recovery lock {}: {why}", path.display())),
        }));
    }
}
