//! Who is told what a round has found: the log, the cluster by a node attribute, the administrator's program.

use std::path::Path;
use std::time::Duration;

use super::config::Config;
use crate::cluster::attribute::Attribute;
use crate::director::report::Report;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::sys::process::{Manner, run_in};

/// The file in the state folder: the attribute and its value, as the cluster knows it.
const FILE: &str = "lvs.told";
/// How long the cluster waits, after one director has seen a change, for the others to see it: longer than the interval of the
/// monitor and the time that one check takes. So real servers that die for all look like no trouble of one director.
const DAMPENING: u32 = 15;
/// How long the attribute manager may take: it is on this node.
const PUBLISH: Duration = Duration::from_secs(3);
/// How long the administrator's program may take.
const HOOK: Duration = Duration::from_secs(5);
/// Lines of one kind in the log for one round: a table of thousands is not listed there.
const LINES: usize = 40;
/// Characters of the answer of the administrator's program in the log.
const SHOWN: usize = 200;

/// Tells what a round has found.
pub fn round(config: &Config, report: &Report, op: &Operation) {
    several(&report.drift, &|line| op.log.warning(line));
    several(&report.news, &|line| op.log.warning(line));
    several(&report.changes, &|line| op.log.info(line));
    let notes = report.notes.join("; ");
    memory::once(op, "notes", Some(notes.as_str()).filter(|notes| !notes.is_empty()));
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
    if let Some((name, value)) = op.state.read::<(String, usize)>(FILE)
        && value != 0
    {
        publish(&name, 0, op);
    }
}

/// Publishes on a change alone: the question alone would be processes for every round.
fn publish(name: &str, healthy: usize, op: &Operation) {
    let now = (name.to_owned(), healthy);
    let told = op.state.read::<(String, usize)>(FILE);
    if told.as_ref() == Some(&now) {
        return;
    }
    if let Some((old, _)) = told.filter(|(old, _)| old != name) {
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
    if published.is_ok() {
        op.log.info(&format!("{name} of this node is {healthy} now"));
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
