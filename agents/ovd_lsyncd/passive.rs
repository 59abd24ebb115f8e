//! What is looked at on a node where nothing is to be pushed from (`role=Stopped`).
//!
//! The answer is 7, "not running", unless the cluster itself has started it here: Pacemaker takes anything else for a second
//! one and stops it, or both.

use super::config::Config;
use super::{Applied, monitor};
use crate::agents::cron;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::replica::foreign;

/// The checks, the last of which says that nothing runs here.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    if let Some(applied) = Applied::read(op)
        && applied.service.processes().is_ok_and(|all| !all.is_empty())
    {
        // Started here by the cluster, and running: that is worth saying, whatever the cluster remembers.
        return monitor::checks(config, op);
    }
    let mut checks = Vec::new();
    // Also where its table is missing.
    checks.extend(config.cron.as_ref().map(|cron| cron::put_aside(&cron.link(op), op)));
    // It would push this node's files over the active one's.
    let stray = foreign::find();
    memory::once(op, "other-lsyncd", stray.as_deref());
    checks.push(Check::run("lsyncd", || (Verdict::Stopped, stray.unwrap_or_else(|| "is not to run here".to_owned()))));
    checks
}
