//! Who is told what a round has found: the log, the cluster by a node attribute, the administrator's program.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::config::Config;
use crate::cluster::attribute::Attribute;
use crate::director::report::Report;
use crate::director::round;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::sys::process::{Manner, run_in};

/// The file in the state folder: the attribute and its value, as the cluster knows it.
const FILE: &str = "lvs.told";
/// How long the cluster waits, after one director has seen a change, for the others to see it: longer than the interval of the
/// monitor and the time that one check takes. So real servers that die for all look like no trouble of one director.
const DAMPENING: u32 = 15;
/// How long the cluster's memory of it is relied on: it is gone when Pacemaker was restarted and the directors were not.
const KNOWN: Duration = Duration::from_secs(300);
/// How long the attribute manager may take: it is on this node.
const PUBLISH: Duration = Duration::from_secs(3);
/// How long the administrator's program may take.
const HOOK: Duration = Duration::from_secs(5);
/// Lines of one kind in the log for one round: a table of thousands is not listed there.
const LINES: usize = 40;
/// Characters of the answer of the administrator's program in the log.
const SHOWN: usize = 200;

/// Tells what a round has found, and what else is not as it should be.
pub fn round(config: &Config, report: &Report, troubles: &[&str], op: &Operation) {
    several(&report.drift, &|line| op.log.warning(line));
    several(&report.news, &|line| op.log.warning(line));
    // What is tried again in each round is told once, by the failure.
    if report.pending.is_empty() {
        several(&report.changes, &|line| op.log.info(line));
    }
    let whole = |lines: &[String]| Some(lines.join("; ")).filter(|text| !text.is_empty());
    memory::once(op, "failures", whole(report.failures.get(..LINES).unwrap_or(&report.failures)).as_deref());
    memory::once(op, "notes", whole(report.notes.get(..LINES).unwrap_or(&report.notes)).as_deref());
    memory::once(op, "troubles", Some(troubles.join("; ")).filter(|text| !text.is_empty()).as_deref());
    let name = config.attribute.clone().unwrap_or_else(|| attribute(op));
    publish(&name, report.healthy, op);
    if let Some(hook) = config.hook.as_ref().filter(|_| !report.news.is_empty()) {
        run(hook, report, op);
    }
}

fn several(lines: &[String], write: &dyn Fn(&str)) {
    lines.iter().take(LINES).for_each(|line| write(line));
    if let Some(more) = lines.len().checked_sub(LINES).filter(|more| *more > 0) {
        write(&format!("and {more} more of this kind"));
    }
}

/// The node attribute of an instance, when no other is asked for.
fn attribute(op: &Operation) -> String {
    format!("{}-healthy", op.instance.file_name())
}

/// Nobody is served here any more: the virtual address has to go.
pub fn gone(op: &Operation) {
    if let Some(told) = op.state.read::<Told>(FILE)
        && told.healthy != 0
    {
        publish(&told.name, 0, op);
    }
}

/// What the cluster was told.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Told {
    name: String,
    healthy: usize,
    /// When, on the boot clock.
    at: Duration,
}

/// Publishes on a change, and asks now and then: the question alone would be processes for every round.
fn publish(name: &str, healthy: usize, op: &Operation) {
    let now = Told { name: name.to_owned(), healthy, at: round::now() };
    let told = op.state.read::<Told>(FILE);
    let is_known = |told: &Told| {
        (&told.name, told.healthy) == (&now.name, healthy) && (told.at..told.at + KNOWN).contains(&now.at)
    };
    if told.as_ref().is_some_and(is_known) {
        return;
    }
    if let Some(Told { name: old, .. }) = told.filter(|told| told.name != name) {
        // What it was called before says nothing any more.
        let _ = Attribute { name: old, dampening: DAMPENING }.publish("0", &op.deadline.within(PUBLISH));
    }
    let attribute = Attribute { name: name.to_owned(), dampening: DAMPENING };
    let published = attribute.publish(&healthy.to_string(), &op.deadline.within(PUBLISH));
    let trouble = match &published {
        // No Pacemaker on this host: nobody waits for it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        other => other.as_ref().err().map(|error| format!("publish {name}: {error}")),
    };
    memory::once(op, "attribute", trouble.as_deref());
    let Ok(is_new) = published else { return };
    if is_new {
        op.log.info(&format!("{name} of this node is {healthy} now"));
    }
    // A resource that was stopped meanwhile leaves nothing.
    if op.state.folder().exists() {
        let _ = op.state.write(FILE, &now);
    }
}

fn run(hook: &Path, report: &Report, op: &Operation) {
    let (healthy, all) = (report.healthy.to_string(), report.servers.to_string());
    let mut words = vec![op.instance.name().to_owned(), healthy, all];
    words.extend(report.news.iter().take(LINES).cloned());
    let manner = Manner { group: true, ..Manner::default() };
    let trouble = match run_in(&manner, hook, &words, &op.deadline.within(HOOK)) {
        Ok(output) if output.status.success() => return,
        Ok(output) => output.reason().chars().take(SHOWN).collect(),
        Err(error) => error.to_string(),
    };
    op.log.warning(&format!("hook {}: {trouble}", hook.display()));
}
