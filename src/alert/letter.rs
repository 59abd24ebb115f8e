//! What a message says. Pure.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::event::{Event, Kind};
use super::spool::Record;
use crate::cluster::member::is_name;

/// Events that one message has room for.
const EVENTS_MAX: usize = 100;
/// Longest subject, in characters.
const SUBJECT_MAX: usize = 160;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its subject: one line.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// The same text on every node that would send this message.
    pub name: String,
}

/// Where a message comes from.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The cluster's name; empty when it is not known.
    pub cluster: String,
    /// The node.
    pub node: String,
}

/// Events that look the same.
struct Entry<'a> {
    first: &'a Record,
    last: &'a Record,
    count: usize,
}

/// The mail about these events, of which there is at least one, on a channel.
pub fn compose(records: &[&Record], sender: &Sender, channel: &str) -> Letter {
    let entries = collapse(records);
    let gravest = entries.iter().min_by_key(|entry| weight(&entry.first.event));
    let headline = gravest.map(|entry| entry.first.event.headline()).unwrap_or_default();
    let place = if sender.cluster.is_empty() { &sender.node } else { &sender.cluster };
    let subject = match records.len() {
        1 => format!("[{place}] {headline}"),
        count => format!("[{place}] {headline}, {count} events"),
    };
    let mut body = String::new();
    for entry in entries.iter().take(EVENTS_MAX) {
        describe(&mut body, entry);
    }
    if let Some(more) = entries.len().checked_sub(EVENTS_MAX).filter(|more| *more > 0) {
        let _ = writeln!(body, "and {more} more: see the cluster's log\n");
    }
    let cluster = if sender.cluster.is_empty() { String::new() } else { format!(" of the cluster {}", sender.cluster) };
    let _ = write!(body, "-- \nSent by {}{cluster}.\n", sender.node);
    let name = records.first().map(|record| super::told::name(&record.event, channel)).unwrap_or_default();
    Letter { subject: subject.chars().take(SUBJECT_MAX).collect(), body, name }
}

/// What is told first.
fn weight(event: &Event) -> u8 {
    match event.kind {
        Kind::Fencing if event.is_failure() => 0,
        Kind::Node if event.is_failure() => 1,
        _ if event.is_failure() => 2,
        Kind::Fencing => 3,
        _ => 4,
    }
}

fn collapse<'a>(records: &[&'a Record]) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut sorted = records.to_vec();
    sorted.sort_by_key(|record| record.event.time);
    for record in sorted {
        let same = |entry: &&mut Entry<'_>| {
            entry.first.event.headline() == record.event.headline() && entry.first.reason == record.reason
        };
        match entries.iter_mut().find(same) {
            Some(entry) => {
                entry.last = record;
                entry.count += 1;
            }
            None => entries.push(Entry { first: record, last: record, count: 1 }),
        }
    }
    entries
}

fn describe(body: &mut String, entry: &Entry<'_>) {
    let event = &entry.first.event;
    let time = |event: &Event| event.when().format("%Y-%m-%d %H:%M:%S %z").to_string();
    let _ = writeln!(body, "{}  {}", time(event), event.headline());
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(body, "    {name:<10} {text}");
    };
    if entry.count > 1 {
        line("times", &format!("{}, the last one {}", entry.count, time(&entry.last.event)));
    }
    if let Some(reason) = &entry.first.reason {
        line("reason", reason);
    }
    if event.kind == Kind::Resource {
        line("operation", &operation(event));
    } else if !event.desc.is_empty() && !matches!(event.kind, Kind::Node) {
        line("details", &event.desc);
    }
    for command in next(event) {
        line("next", &command);
    }
    body.push('\n');
}

fn operation(event: &Event) -> String {
    let mut text = event.task.clone();
    match event.interval {
        Some(ms @ 1..) => text += &format!(" every {} s", ms / 1000),
        _ => text += " once",
    }
    if let Some(rc) = event.rc {
        text += &format!(", result {rc}");
    }
    if let Some(expected) = event.target_rc.filter(|expected| Some(*expected) != event.rc) {
        text += &format!(" instead of {expected}");
    }
    if let Some(took) = event.took {
        text += &format!(", took {took} ms");
    }
    text
}

/// The commands to run next: none with a name in it that a shell could take for something else.
pub fn next(event: &Event) -> Vec<String> {
    let Event { node, resource, .. } = event;
    let good_node = is_name(node);
    let bare = resource.split(':').next().unwrap_or_default();
    match event.kind {
        Kind::Resource if event.is_failure() && is_name(bare) => {
            vec!["pcs status --full".to_owned(), format!("pcs resource cleanup {bare}    # once the cause is gone")]
        }
        Kind::Fencing if event.is_failure() && good_node => vec![
            format!("pcs stonith history show {node}"),
            format!("pcs stonith confirm {node}    # only after you have switched {node} off yourself"),
        ],
        Kind::Fencing if good_node => vec![format!("pcs stonith history show {node}")],
        Kind::Node if event.is_failure() && good_node => {
            vec!["pcs status --full".to_owned(), format!("pcs cluster start {node}    # when it is up again")]
        }
        Kind::Node => vec!["pcs status --full".to_owned()],
        _ => Vec::new(),
    }
}

/// One event as data.
pub fn data(record: &Record, sender: &Sender) -> Value {
    let event = &record.event;
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "kind": event.kind,
        "time": event.when().to_rfc3339_opts(chrono::SecondsFormat::Millis, false),
        "cluster": given(&sender.cluster),
        "node": event.node,
        "headline": event.headline(),
        "failure": event.is_failure(),
        "description": given(&event.desc),
        "reason": record.reason,
        "resource": given(&event.resource),
        "operation": given(&event.task),
        "interval_ms": event.interval,
        "took_ms": event.took,
        "rc": event.rc,
        "expected_rc": event.target_rc,
        "status": event.status,
        "attribute": given(&event.attribute),
        "value": given(&event.value),
        "next": next(event),
    })
}

/// What a web server gets about these events.
pub fn document(records: &[&Record], sender: &Sender) -> Value {
    let events: Vec<Value> = records.iter().map(|record| data(record, sender)).collect();
    json!({ "version": 1, "cluster": sender.cluster, "sent_by": sender.node, "events": events })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(event: Event, reason: Option<&str>) -> Record {
        Record { name: String::new(), event, seen: 0, done: Vec::new(), reason: reason.map(str::to_owned) }
    }

    fn failed(time: u64) -> Event {
        Event {
            kind: Kind::Resource,
            resource: "web".into(),
            task: "monitor".into(),
            interval: Some(10_000),
            rc: Some(1),
            target_rc: Some(0),
            desc: "error".into(),
            took: Some(20),
            time,
            ..Event::test("osm1", "")
        }
    }

    fn sender() -> Sender {
        Sender { cluster: "ovd-sm".into(), node: "osm2".into() }
    }

    #[test]
    fn one_event_is_told_with_reason_and_command() {
        let one = record(failed(0), Some("page says: database down"));
        let letter = compose(&[&one], &sender(), "mail");
        assert_eq!(letter.subject, "[ovd-sm] web on osm1: monitor failed (1, error)");
        for part in [
            "    reason     page says: database down\n",
            "    operation  monitor every 10 s, result 1 instead of 0, took 20 ms\n",
            "    next       pcs resource cleanup web    # once the cause is gone\n",
            "-- \nSent by osm2 of the cluster ovd-sm.\n",
        ] {
            assert!(letter.body.contains(part), "{}", letter.body);
        }
    }

    #[test]
    fn a_burst_is_one_message_and_the_gravest_is_its_subject() {
        let lost = record(Event { kind: Kind::Node, desc: "lost".into(), ..Event::test("osm1", "") }, None);
        let many: Vec<Record> = (0..50).map(|time| record(failed(time), None)).collect();
        let all: Vec<&Record> = many.iter().chain([&lost]).collect();
        let letter = compose(&all, &sender(), "mail");
        assert_eq!(letter.subject, "[ovd-sm] node osm1 is lost, 51 events");
        assert_eq!(letter.body.matches("web on osm1").count(), 1, "{}", letter.body);
        assert!(letter.body.contains("times      50, the last one "), "{}", letter.body);
    }

    #[test]
    fn a_name_with_a_command_in_it_is_in_no_command() {
        let bad = Event { resource: "$(reboot)".into(), ..failed(0) };
        assert!(next(&bad).is_empty());
        let bad = Event { kind: Kind::Node, desc: "lost".into(), ..Event::test("-a; reboot", "") };
        assert_eq!(next(&bad), ["pcs status --full"]);
    }
}
