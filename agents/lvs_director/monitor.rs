//! `monitor`: a round when one is due, else a look.

use std::time::Duration;

use super::config::Config;
use super::round::{CHECKS, Done, ask, settle};
use super::{is_running, source, table};
use crate::director::duties::{self, Duties};
use crate::director::farm::Farm;
use crate::director::owned::{self, Owned};
use crate::director::report::{Report, ServiceRow};
use crate::director::round::{is_due, look, now};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;

/// How long a round waits for another one, or for a reload, that changes the kernel.
const LOCK: Duration = Duration::from_secs(5);

/// The checks of monitor. Only the recurring one asks and changes, and only while the resource is started here.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    let stopped = |text: &str| vec![Check::run("services", || (Verdict::Stopped, text.to_owned()))];
    let is_started = op.state.folder().join(owned::FILE).exists();
    if !is_started {
        return stopped("no virtual service of this resource is in the kernel's table");
    }
    let (farm, trouble) = match source::in_force(config, op) {
        Ok(found) => found,
        // A restart would take away what serves, and not come up again.
        Err(failure) if is_running(op) => {
            let reason = format!("{}; real servers are not asked until then", failure.reason);
            return vec![Check::run("configuration", || (Verdict::Degraded, reason))];
        }
        Err(_) => return stopped("its configuration cannot be used, and nothing of it is in the kernel's table"),
    };
    let wrong = trouble.map(|reason| Check::run("configuration", || (Verdict::Degraded, reason)));
    let due = op.is_recurring() && op.interval.is_some_and(|interval| is_due(&op.state, interval, now()));
    let mut checks = if due { round(config, &farm, op) } else { seen(&farm, op) };
    let is_lost = checks.iter().any(|check| check.verdict == Verdict::Stopped);
    if is_lost && !due && op.is_recurring() {
        // Somebody has taken the table away: that is not left until the next round.
        checks = round(config, &farm, op);
    }
    checks.extend(wrong);
    checks
}

fn failed(name: &'static str, failure: Failure) -> Check {
    Check::run(name, || (Verdict::Failed, failure.reason))
}

/// Asks, then puts the kernel right.
fn round(config: &Config, farm: &Farm, op: &Operation) -> Vec<Check> {
    // Without the lock: real servers that hang must not hold up a stop.
    let asked = ask(farm, op);
    op.step("real servers asked");
    let lock = match op.state.lock(&op.deadline.within(LOCK)) {
        Ok(Some(lock)) => lock,
        Ok(None) => {
            op.log.info("round left out: another action of this resource changes the kernel now");
            return seen(farm, op);
        }
        Err(error) => {
            let what = format!("lock {}", op.state.folder().display());
            return despite(Failure::io(&what, &error), farm, op);
        }
    };
    if !op.state.folder().join(owned::FILE).exists() {
        // Stopped meanwhile: the lock has made the folder anew.
        drop(lock);
        op.state.remove_if_empty();
        return vec![Check::run("services", || (Verdict::Stopped, "stopped while it was looked at".to_owned()))];
    }
    if asked.is_late(op) {
        return seen(farm, op);
    }
    let settled = settle(farm, asked, op);
    // Who is told may take seconds, and a stop does not wait for that.
    drop(lock);
    let done = match settled {
        Ok(done) => done,
        Err(failure) => return despite(failure, farm, op),
    };
    done.tell(config, op);
    let Done { report, troubles } = done;
    let mut checks = vec![Check::run("services", || judged(&report))];
    checks.extend(troubles.into_iter().map(|(name, trouble)| Check::run(name, || (Verdict::Degraded, trouble))));
    // Where nothing is known of any real server, that is the cause of all that follows.
    if report.healthy == 0 && checks.get(1).is_some_and(|check| check.name == CHECKS) {
        checks.swap(0, 1);
    }
    checks
}

/// A round that could not be done. What serves all the same goes on: a restart would take it away, and cure nothing.
fn despite(failure: Failure, farm: &Farm, op: &Operation) -> Vec<Check> {
    let mut checks = seen(farm, op);
    let serves = checks.iter().all(|check| check.verdict <= Verdict::Degraded);
    let verdict = if serves { Verdict::Degraded } else { Verdict::Failed };
    checks.insert(0, Check::run("round", || (verdict, failure.reason)));
    checks
}

/// What can be said without asking or changing anything.
fn seen(farm: &Farm, op: &Operation) -> Vec<Check> {
    let listed = table().and_then(|kernel| kernel.map_or(Ok(Vec::new()), |mut kernel| kernel.list()));
    let entries = match listed {
        Ok(entries) => entries,
        Err(error) => return vec![failed("services", Failure::io("read the kernel's table", &error))],
    };
    let ours = Owned::read(&op.state).map_or_else(|_| farm.keys().collect(), |owned| owned.keys);
    if !entries.iter().any(|entry| ours.contains(&entry.service.key)) {
        let text = "none of its virtual services is in the kernel's table".to_owned();
        return vec![Check::run("services", || (Verdict::Stopped, text))];
    }
    let report = look(farm, &op.state, &entries, now());
    let drifted = Duties::of(&op.state).drifted(&duties::wanted(&farm.needs(Vec::new())));
    let settings = drifted.into_iter().next().map(|line| Check::run("settings", || (Verdict::Degraded, line)));
    let mut checks = vec![Check::run("services", || judged(&report))];
    checks.extend(settings);
    checks
}

/// The judgement. A service that is missing is no failure while others of this resource serve: the next round tries again,
/// and a restart would take those away.
fn judged(report: &Report) -> (Verdict, String) {
    let (gone, here): (Vec<&ServiceRow>, Vec<&ServiceRow>) =
        report.services.iter().partition(|row| row.found.is_none());
    let (Some(gone), Some(worst)) = (gone.first(), here.iter().max_by_key(|row| row.verdict)) else {
        return (report.verdict, words(report));
    };
    if worst.verdict > Verdict::Degraded {
        return (worst.verdict, worst.reason.clone().unwrap_or_default());
    }
    let missing =
        || format!("service {} is not in the kernel's table: the next recurring monitor adds it", gone.service);
    (Verdict::Degraded, report.failures.first().cloned().unwrap_or_else(missing))
}

fn words(report: &Report) -> String {
    let counted = || {
        let services = report.services.len();
        format!("{services} services, {} of {} real servers are well", report.healthy, report.servers)
    };
    report.reason.clone().unwrap_or_else(counted)
}
