//! Who is told what a round has found: the log, the cluster by a node attribute, the administrator's program.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::config::Config;
use crate::cluster::attribute::Attribute;
use crate::director::report::Report;
use crate::director::told::{DAMPENING, Told};
use crate::director::{name, round};
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::sys::process::{Manner, run_in};

/// The file in the state folder: what the cluster was told.
const FILE: &str = "lvs.told";
/// How long the attribute manager may take: it is on this node. When that is too short, the next round tries again.
const PUBLISH: Duration = Duration::from_secs(3);
/// The same while the cluster does not know this director's value: on a node that is short of time it would never get through.
const PUBLISH_UNKNOWN: Duration = Duration::from_secs(5);
/// How long the administrator's program may take.
const HOOK: Duration = Duration::from_secs(5);
/// Lines of one kind in the log for one round: a table of thousands is not listed there.
const LINES: usize = 40;
/// Characters of the answer of the administrator's program in the log.
const SHOWN: usize = 200;

/// Tells what a round has found, and what else is not as it should be.
pub fn round(config: &Config, report: &Report, troubles: &[&str], op: &Operation) {
    several(&report.drift, Clone::clone, &|line| op.log.warning(line));
    several(&report.news, Clone::clone, &|line| op.log.warning(line));
    // What is tried again in each round is told once, by the failure.
    if report.pending.is_empty() {
        several(&report.changes, name::change, &|line| op.log.info(line));
    }
    let whole = |lines: &[String]| Some(lines.join("; ")).filter(|text| !text.is_empty());
    memory::once(op, "failures", whole(report.failures.get(..LINES).unwrap_or(&report.failures)).as_deref());
    memory::once(op, "notes", whole(report.notes.get(..LINES).unwrap_or(&report.notes)).as_deref());
    memory::once(op, "troubles", Some(troubles.join("; ")).filter(|text| !text.is_empty()).as_deref());
    let name = config.attribute.clone().unwrap_or_else(|| attribute(op));
    publish(&name, report, op);
    if let Some(hook) = config.hook.as_ref().filter(|_| !report.news.is_empty()) {
        run(hook, report, op);
    }
}

fn several<T>(all: &[T], words: impl Fn(&T) -> String, write: &dyn Fn(&str)) {
    all.iter().take(LINES).for_each(|one| write(&words(one)));
    if let Some(more) = all.len().checked_sub(LINES).filter(|more| *more > 0) {
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
        && (told.healthy, told.at.is_some()) != (0, true)
    {
        let _ = send(&told.name, 0, PUBLISH, op);
    }
}

/// Publishes what has to be known, and asks now and then: the question alone would be processes for every round.
fn publish(name: &str, report: &Report, op: &Operation) {
    let now = round::now();
    let before = op.state.read::<Told>(FILE);
    let mut told = before.clone().filter(|told| told.name == name).unwrap_or_else(|| Told::nothing(name));
    if let Some(value) = told.next(report.healthy, report.servers, now) {
        if let Some(Told { name: old, .. }) = before.as_ref().filter(|told| told.name != name) {
            // What it was called before says nothing any more.
            let _ = send(old, 0, PUBLISH, op);
        }
        let limit = if told.at.is_some() { PUBLISH } else { PUBLISH_UNKNOWN };
        let published = send(name, value, limit, op);
        let trouble = match &published {
            // No Pacemaker on this host: nobody waits for it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return memory::once(op, "attribute", None),
            other => other.as_ref().err().map(|error| format!("publish {name}: {error}")),
        };
        memory::once(op, "attribute", trouble.as_deref());
        match published {
            Ok(is_new) => {
                if is_new {
                    op.log.info(&format!("{name} of this node is {value} now"));
                }
                told.arrived(value, now);
            }
            Err(_) => told.failed(),
        }
    }
    // A resource that was stopped meanwhile leaves nothing.
    if before.as_ref() != Some(&told) && op.state.folder().exists() {
        let _ = op.state.write(FILE, &told);
    }
}

/// Makes `healthy` the value of this node; true when it was another one.
fn send(name: &str, healthy: usize, limit: Duration, op: &Operation) -> io::Result<bool> {
    let attribute = Attribute { name: name.to_owned(), dampening: DAMPENING.as_secs() };
    attribute.publish(&healthy.to_string(), &op.deadline.within(limit))
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
