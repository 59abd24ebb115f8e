//! A unit of systemd: started and stopped.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::bus::{Bus, Job, ask};
use super::stop::Whom;
use super::transient::BEFORE;
use super::unit_files::{NO_NAME, is_name};
use super::{Ended, Service, because, cgroup, stop};
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// Where the processes are is asked for no longer than this before a stop: there is a place where most are.
const LOCATE: Duration = Duration::from_secs(1);
/// systemd gets this long to agree that a service without processes is down; it may hang.
pub(super) const TELL: Duration = Duration::from_secs(3);
/// How long a service whose stop nobody could tell systemd is watched: by default systemd restarts
/// 100 ms after `ExecStop=` is over.
const WATCH: Duration = Duration::from_secs(1);
/// How long its `ExecStop=` may go on meanwhile: killed, it would count as a crash, for which many units are restarted.
const FAREWELL: Duration = Duration::from_secs(4);
/// The pause between two looks meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Whether systemd is the service manager of this host (sd_booted(3)).
pub fn systemd_runs() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Asks systemd for the unit's control group; none when it has none now, or is not loaded.
pub(super) fn locate(unit: &str, deadline: &Deadline) -> io::Result<Option<String>> {
    let asked = ask(deadline, async |bus: Bus| match bus.loaded(unit).await? {
        Some(unit) => bus.control_group(&unit).await,
        None => Ok(None),
    });
    or_else(asked, || control_group(unit, deadline))
}

/// Goes the other way where the bus is not to be had.
pub(super) fn or_else<T>(asked: io::Result<T>, other: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match asked {
        Err(bus) if bus.kind() == io::ErrorKind::NotConnected => {
            other().map_err(|error| io::Error::other(format!("{error}; {bus}")))
        }
        asked => asked,
    }
}

/// Runs systemctl, which needs no bus as root: for hosts whose bus daemon is gone.
pub(super) fn systemctl(arguments: &[&str], deadline: &Deadline) -> io::Result<String> {
    let output = process::run("systemctl", arguments, None, deadline)?;
    if output.status.success() { Ok(output.text()) } else { Err(io::Error::other(output.reason())) }
}

/// The unit's control group, as systemctl shows it.
pub(super) fn control_group(unit: &str, deadline: &Deadline) -> io::Result<Option<String>> {
    let shown = systemctl(&["show", "--property=ControlGroup", unit], deadline)?;
    let group = shown.trim().strip_prefix("ControlGroup=").unwrap_or_default();
    Ok(Some(group.to_owned()).filter(|group| !group.is_empty()))
}

/// Starts the unit; its control group.
pub(super) fn start(service: &Service, unit: &str, deadline: &Deadline) -> io::Result<Option<String>> {
    if !is_name(unit) {
        return Err(because("start", service, &NO_NAME));
    }
    let asked = ask(deadline, async |bus: Bus| {
        let object = bus.load(unit).await?;
        match bus.load_state(&object).await?.as_str() {
            "loaded" => {}
            "not-found" => return Ok(Err("there is no such unit".to_owned())),
            "masked" => return Ok(Err(format!("it is masked: systemctl unmask {unit}"))),
            other => return Ok(Err(format!("systemd cannot read it ({other}): systemctl status {unit}"))),
        }
        let active = matches!(bus.active_state(&object).await?.as_str(), "active" | "reloading");
        let group = bus.control_group(&object).await?;
        // A unit made from an LSB script stays active when its daemon is gone.
        let alive = group.as_deref().is_some_and(|group| cgroup::processes(group).is_ok_and(|pids| !pids.is_empty()));
        if active && alive {
            return Ok(Ok(group));
        }
        bus.reset_failed(unit).await;
        let method = if active { "RestartUnit" } else { "StartUnit" };
        match bus.job(method, unit, deadline).await? {
            Job::Ended(result) if result == "done" => Ok(Ok(bus.control_group(&object).await?)),
            Job::Ended(result) if result == "failed" => {
                let cause = bus.failure(&object).await.unwrap_or_else(|_| "no reason given".to_owned());
                Ok(Err(format!("job failed: {cause}")))
            }
            Job::Ended(result) => Ok(Err(format!("job ended as {result}: systemctl status {unit}"))),
            Job::Late => {
                let state = bus.active_state(&object).await.unwrap_or_else(|_| "unknown".to_owned());
                let took = deadline.used().as_millis();
                Ok(Err(format!("systemd was not done after {took} ms (state {state}), job cancelled")))
            }
        }
    });
    let by_hand = || systemctl(&["start", unit], deadline).and_then(|_| control_group(unit, deadline)).map(Ok);
    match or_else(asked, by_hand) {
        Ok(Ok(group)) => Ok(group),
        Ok(Err(cause)) => Err(because("start", service, &cause)),
        Err(error) => Err(because("start", service, &error)),
    }
}

/// Ends the processes first and tells systemd afterwards. The other way round, systemd would run `ExecStop=` and send
/// SIGTERM as soon as that returns: for Debian's apache2.service at once, which cuts every download.
pub(super) fn stop(
    service: &Service,
    unit: &str,
    signal: Signal,
    graceful: Duration,
    deadline: &Deadline,
) -> io::Result<Ended> {
    if !is_name(unit) {
        return Ok(Ended { ran: false, killed: 0 });
    }
    let mut service = service.clone();
    // Only without a memory of the start; then the default place is as good as it gets.
    let _ = service.locate(&deadline.within(LOCATE));
    let service = &service;
    let swept = match stop::sweep(service, Whom::first(), signal, graceful, deadline) {
        // No systemd, so no unit of it either.
        Err(_) if !systemd_runs() => return Ok(Ended { ran: false, killed: 0 }),
        other => other,
    };
    let limit = deadline.within(TELL);
    let told = ask(&limit, async |bus: Bus| tell_stop(&bus, unit, &limit).await);
    let told = or_else(told, || systemctl(&["stop", unit], &limit).map(drop));
    let ran = swept.as_ref().is_ok_and(|ended| ended.ran);
    // One that was slow has heard it: it plans no restart from then on.
    if told.is_err() && ran && !limit.passed() {
        // Restart= may bring it back, and nobody told systemd not to.
        await_calm(service, &deadline.within(FAREWELL.min(deadline.left() / 2)));
    }
    // The kernel has the last word, whatever systemd said.
    let rest = stop::sweep(service, Whom::All, Signal::SIGKILL, Duration::ZERO, deadline);
    match (swept, rest, told) {
        (Err(_), Err(rest), _) => Err(rest),
        (Ok(_), Err(rest), Err(told)) => Err(because("stop", service, &format!("{rest}; {told}"))),
        (_, Err(rest), _) => Err(rest),
        // What was there may have been a slow `ExecStop=`, which is gone now; a restart comes again.
        (_, Ok(rest), Err(told)) if ran && rest.ran && comes_back(service, deadline) => {
            Err(because("stop", service, &format!("systemd restarts it and was not told to stop: {told}")))
        }
        (Ok(swept), Ok(rest), _) => Ok(Ended { ran: swept.ran || rest.ran, killed: swept.killed + rest.killed }),
        (Err(_), Ok(rest), _) => Ok(Ended { ran: true, killed: rest.killed }),
    }
}

/// Asks systemd to stop the unit, and waits until it has.
pub(super) fn ask_to_stop(service: &Service, unit: &str, deadline: &Deadline) -> io::Result<()> {
    if !is_name(unit) {
        return Err(because("stop", service, &NO_NAME));
    }
    let told = ask(deadline, async |bus: Bus| tell_stop(&bus, unit, deadline).await);
    or_else(told, || systemctl(&["stop", unit], deadline).map(drop)).map_err(|error| because("stop", service, &error))
}

/// Waits until there have been no processes for as long as a restart takes, or `limit` is over.
fn await_calm(service: &Service, limit: &Deadline) {
    let mut since = Instant::now();
    while since.elapsed() < WATCH && limit.sleep(LOOK) {
        if service.seen().map_or(true, |all| !all.is_empty()) {
            since = Instant::now();
        }
    }
}

/// Whether processes appear again within the time that systemd takes for a restart.
fn comes_back(service: &Service, deadline: &Deadline) -> bool {
    deadline.sleep(WATCH);
    service.seen().map_or(true, |all| !all.is_empty())
}

/// Makes systemd agree that the unit is to be down, and drop a restart that it plans.
pub(super) async fn tell_stop(bus: &Bus, unit: &str, deadline: &Deadline) -> zbus::Result<()> {
    let Some(object) = bus.loaded(unit).await? else { return Ok(()) };
    if matches!(bus.active_state(&object).await?.as_str(), "inactive" | "failed") {
        return Ok(());
    }
    // The claim orders the unit behind Pacemaker: of two that are to stop, Pacemaker comes first, and it waits for us. In the usual
    // mode systemd would not begin before that is over.
    let mode = if is_stopping(bus).await { "ignore-dependencies" } else { "replace" };
    match bus.job_of("StopUnit", &(unit, mode), deadline).await? {
        Job::Ended(result) if result == "done" => Ok(()),
        Job::Ended(result) => Err(zbus::Error::Failure(format!("job ended as {result}"))),
        Job::Late => Err(zbus::Error::Failure("job cancelled at the deadline".to_owned())),
    }
}

/// Whether systemd is stopping Pacemaker: `pcs cluster stop`, or the host shuts down.
async fn is_stopping(bus: &Bus) -> bool {
    for unit in BEFORE {
        let Ok(Some(object)) = bus.loaded(unit).await else { continue };
        if bus.active_state(&object).await.is_ok_and(|state| state == "deactivating") {
            return true;
        }
    }
    false
}
