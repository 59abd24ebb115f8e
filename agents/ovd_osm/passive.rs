//! What is looked at on a node where the Session Manager is not to run (`role=Stopped`).
//!
//! The answer is 7, "not running", unless the cluster itself has started it here: Pacemaker takes anything else for a second
//! Session Manager and stops it, or both.

use std::time::Duration;

use super::config::Config;
use super::database::{View, publish};
use super::{Applied, cron_of};
use crate::agents::cron;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::memory;
use crate::ocf::operation::Operation;

/// How long the database may take on the first look.
const AT_FIRST: Duration = Duration::from_millis(300);

/// The checks, the last of which says that nothing runs here.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    let service = config.server.find().ok();
    if Applied::read(op).is_some_and(|applied| applied.runs()) {
        // Started here by the cluster, and running: that is worth saying, whatever the cluster remembers.
        return super::monitor::checks(config, op);
    }
    let mut checks = Vec::new();
    checks.extend(cron_of(config, op).map(|cron| cron::put_aside(&cron, op)));
    let stray = service.and_then(|s| s.processes().ok().filter(|all| !all.is_empty()).map(|_| s.name()));
    let stray =
        stray.map(|name| format!("{name} runs here although the cluster has not started it: stop and disable it"));
    memory::once(op, "web-server", stray.as_deref());
    // A node without settings (one that only votes) has no view.
    if config.settings.exists() {
        checks.push(Check::run("database", || {
            // A database that this node has lost would hold up the move that is to get away from here.
            let is_first = memory::is_first_look(op);
            let limit = if is_first { config.database_timeout.min(AT_FIRST) } else { config.database_timeout };
            let view = View::of(config, limit, op);
            if is_first && matches!(view, View::Lost(_)) {
                return (Verdict::Ok, "no answer at first; the next look waits longer".to_owned());
            }
            let text = publish(&view, op);
            let trouble = match &view {
                View::Answers => None,
                View::Refuses(why) | View::Lost(why) | View::Unknown(why) => Some(why.as_str()),
            };
            memory::once(op, "database", trouble);
            (Verdict::Ok, trouble.map_or(text, str::to_owned))
        }));
    }
    checks.push(Check::run("web server", || {
        (Verdict::Stopped, stray.unwrap_or_else(|| "is not to run here".to_owned()))
    }));
    checks
}
