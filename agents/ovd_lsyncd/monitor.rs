//! What `monitor` and `validate-all` look at. Failed is only what a restart heals; what the peer causes is degraded.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::config::Config;
use super::queue::{self, Memory, Seen};
use super::status::{Pushed, Status, last_words, passed};
use super::{Applied, cron_of, host, lua};
use crate::agents::cron;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::operation::Operation;
use crate::replica::{self, Progress};
use crate::sys::service::{Process, Service};

/// lsyncd writes its status file within two seconds of a change; it gets this long.
const SILENT: Duration = Duration::from_secs(15);
/// How long lsyncd and its pushes may take to end when they are killed.
const HALT: Duration = Duration::from_secs(2);
/// From this share of the limit on, in percent, inotify watches are said to run out.
const WATCHES: u64 = 80;

/// The checks of monitor.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    let Some(applied) = Applied::read(op) else { return vec![Check::run("lsyncd", || unknown(config, op))] };
    let mut checks = Vec::new();
    let mut fine = false;
    let mut progress = Progress { epoch: applied.ready.epoch, passed: false, queued: 0, daemon_fine: false };
    if applied.ready.pushing {
        let daemon = Check::run("lsyncd", || daemon(&applied, op));
        if daemon.verdict == Verdict::Stopped {
            return vec![daemon];
        }
        // First: it is the reason for the rest. The next start finds out whether the folder may be pushed.
        if let Some(why) = replica::vanished(&applied.replica, op) {
            halt(&applied, op);
            checks.push(Check::run("folders", || (Verdict::Failed, why)));
        }
        fine = daemon.verdict == Verdict::Ok;
        checks.push(daemon);
        if fine && !applied.config {
            pushing(config, &applied, op, &mut progress, &mut checks);
        }
        progress.daemon_fine = fine && !applied.config && checks.iter().all(|check| check.verdict != Verdict::Failed);
    }
    if let Some(why) = &applied.ready.why {
        checks.push(Check::run("epoch", || (Verdict::Degraded, why.clone())));
    }
    if let Some(cron) = &cron_of(config, op) {
        checks.push(Check::run("cron job", || cron::judge(cron, true)));
    }
    let mut replica = applied.replica.clone();
    replica.max_lag = config.max_lag;
    let failed = checks.iter().any(|check| check.verdict == Verdict::Failed);
    // What has failed is restarted: a slow look at the peer would only delay that.
    let mut deep = Vec::new();
    if op.depth >= 10 && !failed {
        deep.extend(replica::contact(&replica, &progress, op));
        if let Some(what) = replica::foreign::find() {
            deep.push(Check::run("other lsyncd", || (Verdict::Degraded, what)));
        }
    }
    if op.depth >= 20 && !failed {
        deep.push(replica::reach(&replica, op));
        if fine && !applied.config {
            deep.push(Check::run("inotify", || watches(op)));
        }
    }
    // Of equal verdicts the first gives the reason, and these know causes where the queue knows effects.
    deep.extend(checks);
    deep
}

/// What there is without a memory of a start.
fn unknown(config: &Config, op: &Operation) -> (Verdict, String) {
    let service = host::daemon(host::lsyncd(config).ok(), config.own_file.as_deref(), op);
    match service.processes() {
        Err(error) => (Verdict::Failed, format!("look for processes of {}: {error}", service.name())),
        Ok(all) if all.is_empty() => (Verdict::Stopped, "lsyncd is not running".to_owned()),
        Ok(_) => (Verdict::Failed, "lsyncd runs, but nothing is known of its start: it needs a restart".to_owned()),
    }
}

/// lsyncd itself, not one of its pushes: the one that start has seen, if it lives, else one among all processes.
///
/// # Errors
/// How many processes there are without it, or why nobody can tell.
pub(super) fn main_process(applied: &Applied) -> Result<Process, Result<usize, std::io::Error>> {
    applied.main.and_then(|main| main.now()).map_or_else(|| find_main(&applied.service), Ok)
}

fn find_main(service: &Service) -> Result<Process, Result<usize, std::io::Error>> {
    let all = service.processes().map_err(Err)?;
    let name = match service {
        Service::Own { program, .. } => program.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        _ => host::LSYNCD.to_owned(),
    };
    // The kernel keeps 15 bytes of a name.
    let short = |name: &str| name.bytes().take(15).collect::<Vec<_>>();
    let is_main = |process: &&Process| {
        let own = fs::read_to_string(format!("/proc/{}/comm", process.pid)).unwrap_or_default();
        process.top && short(own.trim_end()) == short(&name)
    };
    all.iter().find(is_main).copied().ok_or(Ok(all.len()))
}

/// Whether a process was stopped by a signal or a debugger.
pub fn is_stopped(state: char) -> bool {
    matches!(state, 'T' | 't')
}

fn daemon(applied: &Applied, op: &Operation) -> (Verdict, String) {
    let words = || last_words(&op.state.folder().join(lua::LOG)).map(|words| format!(": {words}")).unwrap_or_default();
    match main_process(applied) {
        Err(Err(error)) => (Verdict::Failed, format!("look for processes of {}: {error}", applied.service.name())),
        Err(Ok(0)) => {
            let text = format!("lsyncd is not running{}", words());
            // The link makes the cron job run here, so this is no clean stop: Pacemaker has to call ours.
            let linked = applied.cron.as_ref().is_some_and(cron::is_linked);
            (if linked { Verdict::Failed } else { Verdict::Stopped }, text)
        }
        Err(Ok(left)) => (Verdict::Failed, format!("lsyncd is gone, {left} of its children are left{}", words())),
        Ok(main) if is_stopped(main.state) => {
            (Verdict::Failed, format!("lsyncd (process {}) is stopped (SIGSTOP)", main.pid))
        }
        Ok(main) => (Verdict::Ok, format!("process {}", main.pid)),
    }
}

/// Ends lsyncd at once: its next full push, after a HUP or an overflow of events, would empty the peer's folder. A monitor by
/// hand and a probe are questions.
fn halt(applied: &Applied, op: &Operation) {
    if !op.is_recurring() {
        return;
    }
    if let Err(error) = applied.service.halt(&op.deadline.within(HALT)) {
        op.log.error(&format!("lsyncd goes on, and may empty the peer's folder: {error}"));
    }
}

/// What lsyncd's status file and notes say.
fn pushing(config: &Config, applied: &Applied, op: &Operation, progress: &mut Progress, checks: &mut Vec<Check>) {
    let state = op.state.folder();
    let mut read = None;
    checks.extend(replica::paused(&applied.replica, &applied.ready, op));
    checks.push(Check::run("status file", || match Status::read(&state.join(lua::STATUS)) {
        // lsyncd writes it again with the next change: nothing that a restart must heal.
        Err(why) => (Verdict::Degraded, why),
        Ok((status, modified)) => {
            let text = format!("{} folders, {} changes", status.syncs.len(), status.queued());
            read = Some((status, modified));
            (Verdict::Ok, text)
        }
    }));
    let Some((status, modified)) = read else { return };
    checks.push(Check::run("activity", || activity(applied, modified, &host::canary(op).join("beat"))));
    progress.queued = status.queued();
    if op.depth >= 10 {
        let count = applied.replica.folders.len() + 1;
        progress.passed = (1..=count).all(|number| passed(state, number));
    }
    checks.push(Check::run("queue", || waiting(config, applied, &status, op)));
}

/// The last beat is a change that lsyncd must have noticed: with a status file from before it, lsyncd hangs.
fn activity(applied: &Applied, status: SystemTime, beat: &Path) -> (Verdict, String) {
    let age = |time: SystemTime| SystemTime::now().duration_since(time).unwrap_or_default();
    let Ok(beat) = fs::metadata(beat).and_then(|data| data.modified()) else {
        return (Verdict::Ok, "no beat yet".to_owned());
    };
    if status >= beat || age(beat) < SILENT {
        return (Verdict::Ok, format!("status file is {} s old", age(status).as_secs()));
    }
    let text = format!("lsyncd has not noticed a change for {} s", age(beat).as_secs());
    match main_process(applied) {
        // Very many changes at once: each is compared with all that wait.
        Ok(main) if main.state == 'R' => (Verdict::Degraded, format!("{text}: it is busy")),
        _ => (Verdict::Failed, format!("{text}: it hangs")),
    }
}

fn waiting(config: &Config, applied: &Applied, status: &Status, op: &Operation) -> (Verdict, String) {
    let number = |name: &str| name.strip_prefix(lua::SYNC).and_then(|number| number.parse::<usize>().ok());
    let pushed = |name: &str| number(name).and_then(|number| Pushed::read(op.state.folder(), number));
    let seen: Vec<Seen<'_>> = (status.syncs.iter())
        .map(|sync| {
            let waits = sync.queued > 0 || sync.first;
            // What does not wait is not remembered.
            let pushes = if waits { pushed(&sync.name).map_or(0, |pushed| pushed.count) } else { 0 };
            Seen { name: &sync.name, waits, pushes }
        })
        .collect();
    let before: Memory = op.state.read(queue::FILE).unwrap_or_default();
    let now = queue::now();
    let memory = before.next(&seen, now);
    // Probes and runs by hand are questions; a file that cannot be written is a memory lost, and no failure.
    if op.is_recurring() && memory != before {
        let _ = op.state.write(queue::FILE, &memory);
    }
    let queued = status.queued();
    if let Some((name, age)) = memory.longest(now).filter(|(_, age)| *age > config.max_lag) {
        let folder = number(name).and_then(|number| applied.replica.folders.get(number - 1));
        let folder = folder.map_or("the canary".to_owned(), |folder| folder.display().to_string());
        let why = pushed(name).filter(|pushed| !pushed.is_fine()).map(|pushed| complaint(applied, &pushed));
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        return (Verdict::Degraded, format!("{queued} changes, {folder} for {} s{why}", age.as_secs()));
    }
    if queued > config.max_queue {
        return (Verdict::Degraded, format!("{queued} changes wait, more than {} (max_queue)", config.max_queue));
    }
    match status.syncs.iter().find_map(|sync| sync.oldest.as_ref()) {
        Some(oldest) => (Verdict::Ok, format!("{queued} changes wait, first {oldest}")),
        None => (Verdict::Ok, "no change waits".to_owned()),
    }
}

/// Why a push failed. ssh's own words go to the journal; depth 10 asks for them itself.
fn complaint(applied: &Applied, pushed: &Pushed) -> String {
    let peer = &applied.replica.remote.host;
    match pushed.code {
        None => "rsync was killed".to_owned(),
        Some(255) => format!("ssh to {peer} fails"),
        Some(code) if pushed.complaint.is_empty() => format!("rsync to {peer} ends with {code}"),
        Some(_) => pushed.complaint.clone(),
    }
}

/// How near lsyncd is to the kernel's limit, which is that of a user: others of root's have a share of it, a small one.
fn watches(op: &Operation) -> (Verdict, String) {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").ok();
    let limit = limit.and_then(|text| text.trim().parse::<u64>().ok());
    let used = Status::read(&op.state.folder().join(lua::STATUS)).ok().and_then(|(status, _)| status.watches);
    match (used, limit) {
        (Some(used), Some(limit)) if used.saturating_mul(100) >= limit.saturating_mul(WATCHES) => {
            (Verdict::Degraded, format!("{used} of {limit} inotify watches used: raise fs.inotify.max_user_watches"))
        }
        (Some(used), Some(limit)) => (Verdict::Ok, format!("{used} of {limit} watches used")),
        _ => (Verdict::Ok, "not known".to_owned()),
    }
}

/// The checks of validate-all at level 10: can this host do it.
pub fn host(config: &Config, op: &Operation) -> Vec<Check> {
    let path = |path: &Path| path.display().to_string();
    let found = |result: Result<String, crate::ocf::exit::Failure>| match result {
        Ok(text) => (Verdict::Ok, text),
        Err(failure) => (Verdict::Failed, failure.reason),
    };
    let program = |name: &Path| host::program(name).map(|program| program.display().to_string());
    let mut checks = vec![
        Check::run("lsyncd", || found(host::lsyncd(config).map(|program| program.display().to_string()))),
        Check::run("rsync", || found(program(Path::new("rsync")))),
        Check::run("ssh", || found(program(Path::new("/usr/bin/ssh")))),
        Check::run("peer", || found(host::peer(config, op))),
        Check::run("folders", || {
            let names = |all: Vec<std::path::PathBuf>| all.iter().map(|one| path(one)).collect::<Vec<_>>().join(" ");
            found(host::folders(config).map(names))
        }),
        Check::run("mounts", || {
            match host::replica(config, op).ok().and_then(|replica| replica::unmounted(&replica)) {
                // A start serves all the same, and pushes nothing.
                Some(why) => (Verdict::Degraded, why),
                None => (Verdict::Ok, "as they were".to_owned()),
            }
        }),
        Check::run("key", || match host::identity(config) {
            None => (Verdict::Ok, "of ssh's choice".to_owned()),
            Some(key) => match host::refused(&key) {
                Some(why) => (Verdict::Failed, why),
                None => (Verdict::Ok, path(&key)),
            },
        }),
    ];
    for (name, file) in [("known hosts", &config.known_hosts), ("configuration", &config.own_file)] {
        if let Some(file) = file {
            checks.push(Check::run(name, || match fs::metadata(file) {
                Ok(data) if data.is_file() => (Verdict::Ok, path(file)),
                Ok(_) => (Verdict::Failed, format!("{}: it is no file", file.display())),
                Err(error) => (Verdict::Failed, format!("{}: {error}", file.display())),
            }));
        }
    }
    checks.extend(cron_of(config, op).as_ref().map(cron::validate));
    checks.push(Check::run("other lsyncd", || match replica::foreign::find() {
        Some(what) => (Verdict::Failed, what),
        None => (Verdict::Ok, "none".to_owned()),
    }));
    checks
}
