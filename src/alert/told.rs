//! What this node has told, for the other nodes to see: a private attribute in the attribute manager's memory, which never
//! gets into the CIB and so makes the cluster compute nothing.

use std::io;

use ring::digest::{SHA256, digest};

use super::event::Event;
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// The attribute's name.
pub const ATTRIBUTE: &str = "inuvika-alert";
/// How many of the latest marks are published.
const MARKS: usize = 60;
/// Digits of an event's hash: so many events that one would be taken for another never wait at the same time.
const DIGITS: usize = 12;

/// How far a node is with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It will tell it, or is about to.
    Claimed,
    /// It has told it.
    Told,
}

/// One event by one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    hash: String,
    /// When the event happened, in seconds since 1970.
    time: u64,
    progress: Progress,
}

/// All that one node says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    marks: Vec<Mark>,
}

impl Told {
    /// What an attribute's value says; what is not understood is left out.
    pub fn parse(value: &str) -> Told {
        let mark = |word: &str| {
            let mut parts = word.split('.');
            let (hash, time, progress) = (parts.next()?, parts.next()?, parts.next()?);
            let progress = match progress {
                "c" => Progress::Claimed,
                "t" => Progress::Told,
                _ => return None,
            };
            Some(Mark { hash: hash.to_owned(), time: u64::from_str_radix(time, 16).ok()?, progress })
        };
        Told { marks: value.split('_').filter_map(mark).collect() }
    }

    /// The attribute's value: never empty.
    pub fn value(&self) -> String {
        let word = |mark: &Mark| {
            let progress = if mark.progress == Progress::Told { 't' } else { 'c' };
            format!("{}.{:x}.{progress}", mark.hash, mark.time)
        };
        let words: Vec<String> = self.marks.iter().map(word).collect();
        if words.is_empty() { "0".to_owned() } else { words.join("_") }
    }

    /// How far the node is with this event on this channel; none: it has said nothing of it.
    pub fn progress(&self, event: &Event, channel: &str) -> Option<Progress> {
        let hash = hash(event, channel);
        let same = |mark: &&Mark| mark.hash == hash && event.is_near(mark.time.saturating_mul(1000));
        self.marks.iter().rev().find(same).map(|mark| mark.progress)
    }

    /// Says how far this node is; true when that is news.
    pub fn mark(&mut self, event: &Event, channel: &str, progress: Progress) -> bool {
        if self.progress(event, channel) == Some(progress) {
            return false;
        }
        self.withdraw(event, channel);
        self.marks.push(Mark { hash: hash(event, channel), time: event.time / 1000, progress });
        let surplus = self.marks.len().saturating_sub(MARKS);
        self.marks.drain(..surplus);
        true
    }

    /// Says nothing of it any more; true when something had been said.
    pub fn withdraw(&mut self, event: &Event, channel: &str) -> bool {
        let hash = hash(event, channel);
        let before = self.marks.len();
        self.marks.retain(|mark| mark.hash != hash || !event.is_near(mark.time.saturating_mul(1000)));
        self.marks.len() != before
    }

    /// Lets the other nodes see it.
    ///
    /// # Errors
    /// What the attribute manager's tool said.
    pub fn publish(&self, deadline: &Deadline) -> io::Result<()> {
        let value = self.value();
        let output = process::run("attrd_updater", &["-n", ATTRIBUTE, "-U", &value, "-p"], None, deadline)?;
        if output.status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("set node attribute {ATTRIBUTE}: {}", output.reason())))
        }
    }
}

/// The same on every node: nodes of one cluster have the same recipients.
fn hash(event: &Event, channel: &str) -> String {
    let digest = digest(&SHA256, format!("{}\n{channel}", event.identity()).as_bytes());
    let mut text: String = digest.as_ref().iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    text.truncate(DIGITS);
    text
}

/// A text that stands for this event wherever it was seen, for a mail's Message-ID.
pub fn name(event: &Event, channel: &str) -> String {
    format!("{}.{:x}", hash(event, channel), event.time / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_survive_the_attribute() {
        let mut told = Told::default();
        assert_eq!(Told::parse(&told.value()), told);
        let event = Event { time: 1_700_000_000_000, ..Event::test("a", "") };
        assert!(told.mark(&event, "mail", Progress::Claimed));
        assert!(told.mark(&event, "mail", Progress::Told));
        assert!(!told.mark(&event, "mail", Progress::Told));
        let seen = Told::parse(&told.value());
        assert_eq!(seen, told);
        // Another node saw it a moment later.
        let later = Event { time: event.time + 4_000, ..event.clone() };
        assert_eq!(seen.progress(&later, "mail"), Some(Progress::Told));
        assert_eq!(seen.progress(&later, "hook"), None);
        // The same thing happens again an hour later.
        assert_eq!(seen.progress(&Event { time: event.time + 3_600_000, ..event.clone() }, "mail"), None);
        assert!(told.withdraw(&event, "mail") && told == Told::default());
    }

    #[test]
    fn the_value_stays_short_and_plain() {
        let mut told = Told::default();
        for minute in 0..200 {
            told.mark(
                &Event { time: 1_700_000_000_000 + minute * 600_000, ..Event::test("a", "") },
                "mail",
                Progress::Told,
            );
        }
        let value = told.value();
        assert_eq!(value.split('_').count(), MARKS);
        assert!(crate::cluster::attribute::is_value(&value), "{value}");
        assert_eq!(Told::parse("rubbish_a.x.c_a.1.z_.."), Told::default());
    }
}
