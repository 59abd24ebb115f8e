//! The cron job that belongs to a resource, for the agents that have one: its parameters, what start, stop and reload-agent do
//! with its link, and what monitor, validate-all and a passive node have to say of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::ocf::check::{Check, Verdict};
use crate::ocf::exit::Failure;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::ocf::params::{Params, fits};
use crate::ocf::spec::{Kind, Param, usual};
use crate::sys::cron_job;
use crate::sys::cron_link::{CronLink, Found, Taken};

/// The row of `cron_link`: `default` is the agent's, `short` says what job it is.
pub const fn link_param(default: &'static str, short: &'static str) -> Param {
    Param {
        unique_group: Some("cron_link"),
        ..usual(
            "cron_link",
            Kind::Path,
            default,
            short,
            "Made at start, removed at stop. It leads to cron_target by way of /run, so that it is dead after a crash \
             until the cluster has started the resource here. A foreign file of that name is moved to \
             /var/lib/inuvika-ha and never comes back by itself.",
        )
    }
}

/// The row of `cron_target`.
pub const fn target_param(default: &'static str, short: &'static str, long: &'static str) -> Param {
    usual("cron_target", Kind::Path, default, short, long)
}

/// What a link that is not ours means, and what heals it.
const UNTIL_START: &str = "it would survive a crash; the next start replaces it";

/// The checked parameters of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// What cron reads.
    pub link: PathBuf,
    /// The table.
    pub target: PathBuf,
    /// Whether one of the two was given: then a missing table is an error, whatever the agent.
    pub asked: bool,
}

impl Cron {
    /// Reads the parameters; none when the job is not ours (`manage_cron=no`).
    pub fn new(params: &Params) -> Result<Option<Self>, Failure> {
        if !params.boolean("manage_cron")? {
            return Ok(None);
        }
        let path = |name: &str| params.text(name).map(PathBuf::from);
        let (Some(link), Some(target)) = (path("cron_link"), path("cron_target")) else { return Ok(None) };
        if link.parent() == target.parent() {
            let reason = format!("parameter cron_target: cron runs what is beside {} on every node", link.display());
            return Err(Failure::configured(if link == target {
                format!("{reason}: it is cron_link")
            } else {
                reason
            }));
        }
        let asked = params.given().any(|(name, _)| matches!(name, "cron_link" | "cron_target"));
        Ok(Some(Self { link, target, asked }))
    }

    /// The link of this instance.
    pub fn link(&self, op: &Operation) -> CronLink {
        link(self.link.clone(), self.target.clone(), op)
    }
}

/// The link of this instance from parameters that nobody has checked: what cannot be used is as good as not given.
pub fn of_params(params: &Params, op: &Operation) -> Option<CronLink> {
    if params.boolean("manage_cron") == Ok(false) {
        return None;
    }
    let path = |name: &str| params.text(name).filter(|value| fits(Kind::Path, value)).map(PathBuf::from);
    let (from, target) = (path("cron_link")?, path("cron_target")?);
    // No start has taken such parameters, and what stands there is the package's own table.
    (from.parent() != target.parent()).then(|| link(from, target, op))
}

fn link(link: PathBuf, target: PathBuf, op: &Operation) -> CronLink {
    CronLink { link, target, via: op.state.folder().join("cron"), attic: op.attic() }
}

/// Fails when the table of a job that is to run is missing.
pub fn need_table(cron: Option<&CronLink>) -> Result<(), Failure> {
    match cron.filter(|cron| !cron.target.is_file()) {
        None => Ok(()),
        Some(cron) => {
            let table = cron.target.display();
            Err(Failure::generic(format!("cron table {table} is missing: set cron_target, or manage_cron=no")))
        }
    }
}

/// Makes the job run here.
pub fn put(cron: &CronLink, op: &Operation) -> Result<(), Failure> {
    let link = cron.link.display();
    let moved = cron.put().map_err(|e| Failure::io(&format!("make cron link {link}"), &e))?;
    if let Some(place) = moved {
        op.log.warning(&format!("{link} was not our link: moved to {}", place.display()));
    }
    Ok(())
}

/// Makes the job not run here.
pub fn take(cron: &CronLink, op: &Operation) -> Result<(), Failure> {
    let link = cron.link.display();
    match cron.take().map_err(|e| Failure::io(&format!("take away cron link {link}"), &e))? {
        Taken::Moved(place) => op.log.warning(&format!("{link} was not our link: moved to {}", place.display())),
        taken => op.step(&format!("cron link: {taken:?}")),
    }
    Ok(())
}

/// Ends the jobs of the table that still run here, after [`take`]: they get `graceful` time. It never makes stop fail: what is
/// killed does nothing more, and what nobody can tell to be of the table is left alone.
pub fn end_jobs(cron: &CronLink, graceful: Duration, op: &Operation) {
    let begun = Instant::now();
    let table = cron.target.display();
    match cron_job::end(&cron.target, graceful, &op.deadline) {
        Err(error) => op.log.warning(&format!("look for running jobs of {table}: {error}")),
        Ok(ended) => {
            op.step(&format!("cron jobs: {ended:?}"));
            let waited = begun.elapsed().as_secs_f32();
            if ended.left > 0 {
                let text = format!("jobs of {table}: {} processes are killed, but hang in the kernel", ended.left);
                op.log.warning(&text);
            } else if ended.signalled > 0 {
                let text =
                    format!("jobs of {table} still ran: {} processes ended after {waited:.1} s", ended.signalled);
                op.log.warning(&text);
            }
        }
    }
}

/// Whether our link is there and leads to the table.
pub fn is_linked(cron: &CronLink) -> bool {
    cron.look().is_ok_and(|found| found == Found::Ours)
}

/// The judgement of monitor. Where start has made the link (`started_here`), a job that does not run is a failure, and one that
/// runs past our link, as after a package upgrade, is degraded: that one would also run after a crash.
pub fn judge(cron: &CronLink, started_here: bool) -> (Verdict, String) {
    let wrong = if started_here { Verdict::Failed } else { Verdict::Degraded };
    let link = cron.link.display();
    match cron.look() {
        Err(error) => (wrong, format!("look at cron link {link}: {error}")),
        Ok(Found::Absent) => (wrong, format!("cron link {link} is gone: the cron job does not run")),
        Ok(Found::Dead) => (wrong, format!("cron link {link} leads nowhere: the cron job does not run")),
        Ok(Found::Foreign(what)) if cron.is_copy() => {
            (Verdict::Degraded, format!("cron link {link} is {what} with the same job: {UNTIL_START}"))
        }
        Ok(Found::Foreign(what)) => (wrong, format!("cron link {link} is {what}, not our link")),
        Ok(Found::Package) if started_here => {
            (Verdict::Degraded, format!("cron link {link} is the package's: {UNTIL_START}"))
        }
        Ok(Found::Ours | Found::Package) => match cron.refused() {
            Some(why) => (Verdict::Degraded, format!("cron ignores {why}")),
            None => (Verdict::Ok, format!("{link} -> {}", cron.target.display())),
        },
    }
}

/// The check of validate-all at level 10: whether the job could run on this host.
pub fn validate(cron: &CronLink) -> Check {
    Check::run("cron job", || {
        let folder = cron.link.parent().filter(|folder| !folder.is_dir());
        match (folder, cron.refused()) {
            (Some(folder), _) => (Verdict::Failed, format!("no folder {}: is cron installed?", folder.display())),
            (None, Some(why)) if cron.target.is_file() => (Verdict::Degraded, format!("cron ignores {why}")),
            (None, Some(why)) => (Verdict::Failed, format!("cron table {why}")),
            (None, None) => (Verdict::Ok, cron.target.display().to_string()),
        }
    })
}

/// The check of a node where the job is not to run: a link that a package upgrade has brought back is put aside. Never worse
/// than ok, as Pacemaker takes that for running.
pub fn put_aside(cron: &CronLink, op: &Operation) -> Check {
    Check::run("cron job", || {
        let link = cron.link.display();
        let text = match cron.take() {
            Ok(Taken::Nothing) => "does not run here".to_owned(),
            Ok(Taken::Link) => {
                let text = format!("cron link {link} removed: the cron job belongs to the active node");
                op.log.info(&text);
                text
            }
            Ok(Taken::Moved(place)) => {
                let text = format!("{link} moved to {}: the cron job belongs to the active node", place.display());
                op.log.warning(&text);
                text
            }
            Err(error) => {
                let text = format!("take away cron link {link}: {error}");
                memory::once(op, "cron", Some(&text));
                text
            }
        };
        (Verdict::Ok, text)
    })
}
