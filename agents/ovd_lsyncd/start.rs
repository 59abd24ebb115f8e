//! What start does: it makes the data here the newest there are, then has lsyncd push them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::config::Config;
use super::status::{Status, last_words};
use super::{Applied, cron_of, host, lua, monitor, queue, stop_daemon};
use crate::agents::cron;
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::{Code, Failure};
use crate::ocf::operation::Operation;
use crate::replica;
use crate::sys::cron_link::CronLink;
use crate::sys::remote::rsync;

/// How long lsyncd may take to watch all directories before it is believed to come to an end with that later.
const WATCHES: Duration = Duration::from_secs(15);
/// How long an lsyncd with a configuration that we know nothing of has to live.
const LIVES: Duration = Duration::from_millis(300);

/// What the administrator's own configuration costs.
const OWN_FILE: &str = "it is run as it is: that ssh gives up on a dead peer, that lsyncd goes on after a failed push, that the \
                        first push keeps what it overwrites, that the other node refuses what is older than its own, and \
                        that a stalled queue is seen cannot be guaranteed; after the loss of a node the other one asks before it pushes";

/// Brings it up; undoes its own steps when it fails.
pub fn start(config: &Config, op: &Operation) -> Result<(), Failure> {
    let program = host::lsyncd(config)?;
    for name in ["/usr/bin/ssh", "rsync"] {
        host::program(Path::new(name))?;
    }
    if let Some(file) = config.own_file.as_ref().filter(|file| !file.is_file()) {
        return Err(Failure::new(Code::NotInstalled, format!("no file {} on this node: see config", file.display())));
    }
    let service = host::daemon(Some(program), config.own_file.as_deref(), op);
    let before = Applied::read(op);
    let ours = before.as_ref().map_or(&service, |applied| &applied.service).clone();
    if let Some(what) = replica::foreign::find() {
        return Err(Failure::new(Code::NotInstalled, what));
    }
    let replica = host::replica(config, op)?;
    let cron = cron_of(config, op);
    cron::need_table(cron.as_ref())?;
    if let Some(applied) = before.filter(|applied| applied.replica == replica && is_fine(applied)) {
        op.step("it runs already");
        return finish(Applied { cron, ..applied }, op);
    }
    // Of other parameters, or from a start that was killed.
    stop_daemon(ours, op)?;
    let ready = replica::prepare(&replica, op)?;
    op.step(&format!("{ready:?}"));
    if let Some(why) = &ready.why {
        op.log.warning(why);
    }
    let mut applied = Applied { service, cron, replica, ready, config: config.own_file.is_some(), main: None };
    applied.write(op)?;
    if !applied.ready.pushing {
        return finish(applied, op);
    }
    match bring_up(&mut applied, op) {
        Ok(()) => finish(applied, op),
        Err(cause) => Err(undo(&applied, op, cause)),
    }
}

/// Whether what an earlier start made is still there and works.
fn is_fine(applied: &Applied) -> bool {
    !applied.ready.pushing || monitor::main_process(applied).is_ok_and(|main| !monitor::is_stopped(main.state))
}

fn finish(applied: Applied, op: &Operation) -> Result<(), Failure> {
    let result = match &applied.cron {
        Some(cron) => cron::put(cron, op),
        None => Ok(()),
    };
    result.and_then(|()| applied.write(op)).map_err(|cause| undo(&applied, op, cause))
}

fn bring_up(applied: &mut Applied, op: &Operation) -> Result<(), Failure> {
    clear(op.state.folder()).map_err(|e| Failure::io("clear the state folder", &e))?;
    op.state.forget(queue::FILE);
    if applied.config {
        op.log.warning(&format!("lsyncd has a configuration of its own; {OWN_FILE}"));
    } else {
        write(applied, op)?;
    }
    applied.service.start(&but_for_undoing(op)).map_err(|error| ended(&error.to_string(), op))?;
    applied.write(op)?;
    await_watches(applied, &but_for_undoing(op), op)?;
    // For the monitors: to be written with the rest when all is done.
    applied.main = monitor::main_process(applied).ok();
    let peer = &applied.replica.remote.host;
    op.log.info(&format!(
        "lsyncd pushes {} folders to {peer}, epoch {}",
        applied.replica.folders.len(),
        applied.ready.epoch
    ));
    Ok(())
}

/// Removes what an earlier lsyncd has left in the state folder.
fn clear(state: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(state)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_of_lsyncd = [lua::FILE, lua::LOG, lua::STATUS].contains(&name.as_str())
            || [lua::PASSED, lua::PUSHED, lua::RSYNC_LOG, replica::guard::NOTE]
                .iter()
                .any(|begin| name.starts_with(begin));
        if is_of_lsyncd {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes lsyncd's configuration.
fn write(applied: &Applied, op: &Operation) -> Result<(), Failure> {
    let canary = host::canary(op);
    fs::create_dir_all(&canary).map_err(|e| Failure::io(&format!("make {}", canary.display()), &e))?;
    let folders: Vec<PathBuf> = applied.replica.folders.iter().cloned().chain([canary]).collect();
    let program = host::program(Path::new("rsync"))?;
    let text = lua::Lua {
        state: op.state.folder(),
        remote: &applied.replica.remote,
        rsh: &replica::guard::rsh_line(&applied.replica, &applied.ready),
        refused: &replica::guard::note(applied.ready.epoch),
        folders: &folders,
        exclude: &applied.replica.exclude,
        delay: applied.replica.delay,
        backup: applied.ready.backup.as_deref(),
        rsync: &program,
        options: rsync::options(&op.deadline),
    }
    .text();
    let file = op.state.folder().join(lua::FILE);
    fs::write(&file, text).map_err(|e| Failure::io(&format!("write {}", file.display()), &e))
}

/// Waits until lsyncd watches all directories, which its first status report shows.
fn await_watches(applied: &Applied, deadline: &Deadline, op: &Operation) -> Result<(), Failure> {
    let status = op.state.folder().join(lua::STATUS);
    let limit = deadline.within(if applied.config { LIVES } else { WATCHES });
    let begun = Instant::now();
    loop {
        if applied.service.processes().is_ok_and(|all| all.is_empty()) {
            return Err(ended("lsyncd has ended again", op));
        }
        if !applied.config && status.exists() && Status::read(&status).is_ok() {
            return Ok(());
        }
        if !limit.sleep(Duration::from_millis(5)) {
            break;
        }
    }
    if !applied.config {
        let waited = begun.elapsed().as_secs();
        op.log.warning(&format!("lsyncd has not found all directories after {waited} s: it goes on with that"));
    }
    Ok(())
}

/// Why lsyncd has ended, in its own words where they can be had.
fn ended(otherwise: &str, op: &Operation) -> Failure {
    match last_words(&op.state.folder().join(lua::LOG)) {
        Some(words) => Failure::generic(format!("lsyncd ended: {words}")),
        None => Failure::generic(otherwise),
    }
}

/// The time that start has, without what taking it all back may need.
fn but_for_undoing(op: &Operation) -> Deadline {
    let reserve = (op.deadline.left() / 4).clamp(Duration::from_secs(1), Duration::from_secs(5));
    op.deadline.within(op.deadline.left().saturating_sub(reserve))
}

/// Takes back what a failed start has done. What has been fetched stays: it is newer than what was there.
fn undo(applied: &Applied, op: &Operation, cause: Failure) -> Failure {
    op.step(&format!("undo after: {cause}"));
    let cron = applied.cron.as_ref().and_then(|cron: &CronLink| cron::take(cron, op).err());
    let second = stop_daemon(applied.service.clone(), op).err().or(cron);
    match second {
        Some(second) => Failure::new(cause.code, format!("{cause}; undoing it failed too: {second}")),
        None => {
            op.state.forget(Applied::FILE);
            cause
        }
    }
}
