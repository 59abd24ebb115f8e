//! What is looked at on a node where the Remote Services are not to run (`role=Stopped`).
//!
//! The answer is 7, "not running", unless the cluster itself has started them here: Pacemaker takes anything else for a second
//! Tomcat and stops it, or both.

use super::Applied;
use super::config::Config;
use super::dependencies::{self, PUBLISH, View};
use super::fingerprint::Maker;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::ocf::state::State;

/// That a passive node has been looked at since the last stop, in the state of its monitor.
const LOOKED: &str = "looked";

/// The checks, the last of which says that nothing runs here.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    if Applied::read(op).is_some_and(|applied| applied.runs()) {
        // Started here by the cluster, and running: that is worth saying, whatever the cluster remembers.
        return super::monitor::checks(config, op);
    }
    if is_first(op) {
        return vec![Check::run("tomcat", || {
            (Verdict::Stopped, "is not to run here; the next look asks more".to_owned())
        })];
    }
    let service = config.tomcat.find().ok();
    // A node that only votes has neither Tomcat nor properties, and nothing to say.
    let has_part = service.is_some() || config.properties.exists();
    let stray = service.and_then(|s| s.processes().ok().filter(|all| !all.is_empty()).map(|_| s.name()));
    let stray =
        stray.map(|name| format!("{name} runs here although the cluster has not started it: stop and disable it"));
    memory::once(op, "tomcat", stray.as_deref());
    let mut checks = Vec::new();
    if has_part {
        dependencies::publish_stray(stray.is_some(), op, &op.deadline.within(PUBLISH));
        checks.push(Check::run("dependencies", || (Verdict::Ok, look(config, op))));
    }
    checks.push(Check::run("tomcat", || (Verdict::Stopped, stray.unwrap_or_else(|| "is not to run here".to_owned()))));
    checks
}

/// Whether this is the first look since the resource was stopped here. Pacemaker starts it elsewhere only when that is over, so it
/// asks nobody: a Redis that this node has lost would hold up the move that is to get away from here.
fn is_first(op: &Operation) -> bool {
    let state = State::passive(&op.instance);
    let is_first = state.read::<bool>(LOOKED).is_none();
    // Where nothing can be written it would be the first for ever.
    is_first && state.write(LOOKED, &true).is_ok()
}

/// Publishes what this node sees, and what its properties are.
fn look(config: &Config, op: &Operation) -> String {
    let settings = match config.settings() {
        Ok(settings) => settings,
        Err(why) => {
            memory::once(op, "settings", Some(&why));
            // A start would fail here, so nothing should come.
            dependencies::publish("lost", op, &op.deadline.within(PUBLISH));
            return why;
        }
    };
    memory::once(op, "settings", None);
    let view = View::of(&settings, config, &op.deadline);
    let trouble = view.trouble().map(|why| why.to_string());
    memory::once(op, "dependency", trouble.as_deref());
    let limit = op.deadline.within(PUBLISH);
    let text = dependencies::publish(view.word(), op, &limit);
    if let Some(maker) = Maker::of_cluster() {
        dependencies::publish_fingerprint(&maker.make(&settings.properties, &config.node_keys), op, &limit);
    }
    trouble.unwrap_or(text)
}
