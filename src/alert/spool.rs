//! Messages that wait to be sent, below /var/spool/inuvika-ha: an event is written here before anything else is done with
//! it, so that nothing that happens later loses it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{Event, now};
use crate::ocf::deadline::Deadline;
use crate::ocf::state::{Kept, Lock, State};

/// Where it is; systemd-tmpfiles makes it for the cluster's user.
pub const ROOT: &str = "/var/spool/inuvika-ha";
/// How many events it takes: what is beyond that is told to nobody but the log.
const EVENTS_MAX: usize = 1000;
/// What the sender remembers.
const MEMORY: &str = "memory";

/// The folder.
#[derive(Debug, Clone)]
pub struct Spool {
    root: State,
    queue: State,
}

/// An event that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Its file.
    #[serde(skip)]
    pub name: String,
    /// The event.
    pub event: Event,
    /// When this node has seen it, in milliseconds since 1970.
    pub seen: u64,
    /// The channels that need it no more.
    pub done: Vec<String>,
    /// What the agent gave as its reason.
    pub reason: Option<String>,
}

/// What the sender remembers from one run to the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Memory {
    /// When a message was sent last, by channel, in milliseconds since 1970.
    pub sent: BTreeMap<String, u64>,
    /// Channels that did not work last time.
    pub trouble: BTreeMap<String, Trouble>,
    /// What this node has told the others of; see [`super::told::Told`].
    pub told: String,
}

/// A channel that does not work.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Trouble {
    /// How often it was tried in vain.
    pub count: u32,
    /// When it was tried last, in milliseconds since 1970.
    pub last: u64,
    /// What it said.
    pub text: String,
}

impl Trouble {
    /// When it is tried again, in milliseconds since 1970: after one minute, then each time twice as late, up to half an
    /// hour. A server that locks an account after some wrong passwords is not asked too often.
    pub fn again(&self) -> u64 {
        let minutes = 1u64 << self.count.saturating_sub(1).min(5);
        self.last.saturating_add(minutes.min(30) * 60_000)
    }
}

impl Spool {
    /// The one of this host.
    pub fn of_host() -> Spool {
        Spool::at(Path::new(ROOT))
    }

    /// The one in this folder.
    pub fn at(root: &Path) -> Spool {
        Spool { root: State::at(root), queue: State::at(&root.join("queue")) }
    }

    /// Where events wait.
    pub fn queue(&self) -> &Path {
        self.queue.folder()
    }

    /// Keeps an event.
    ///
    /// # Errors
    /// That there are too many, or that it cannot be written.
    pub fn add(&self, event: Event) -> io::Result<()> {
        if self.names()?.len() >= EVENTS_MAX {
            return Err(io::Error::other(format!("{} events wait already", EVENTS_MAX)));
        }
        let seen = now();
        // By time, so that names stand in the order of the events.
        let name = format!("{seen:015}-{}.json", std::process::id());
        self.write(&Record { name, event, seen, done: Vec::new(), reason: None })
    }

    /// Writes an event as it is now.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn write(&self, record: &Record) -> io::Result<()> {
        self.queue.write(&record.name, record)
    }

    /// Forgets an event.
    pub fn remove(&self, record: &Record) {
        self.queue.forget(&record.name);
    }

    /// The names of all that wait, the oldest first.
    ///
    /// # Errors
    /// That the folder is not there, or is another user's.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let wrong = |error: io::Error| {
            let hint = "systemd-tmpfiles --create makes it";
            io::Error::new(error.kind(), format!("{}: {error} ({hint})", self.queue.folder().display()))
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(self.queue.folder()).map_err(wrong)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            // Others are half written.
            if name.ends_with(".json") && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// All that wait, the oldest first; and what could not be read and is gone now.
    ///
    /// # Errors
    /// See [`Spool::names`].
    pub fn records(&self) -> io::Result<(Vec<Record>, Vec<String>)> {
        let (mut records, mut damaged) = (Vec::new(), Vec::new());
        for name in self.names()? {
            match self.queue.recall::<Record>(&name) {
                Kept::Value(record) => records.push(Record { name, ..record }),
                Kept::Unreadable(why) => {
                    self.queue.forget(&name);
                    damaged.push(format!("{name}: {why}"));
                }
                Kept::Nothing => {}
            }
        }
        Ok((records, damaged))
    }

    /// What the sender remembers; nothing when it cannot be understood.
    pub fn memory(&self) -> Memory {
        self.root.read(MEMORY).unwrap_or_default()
    }

    /// Remembers it.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn remember(&self, memory: &Memory) -> io::Result<()> {
        self.root.write(MEMORY, memory)
    }

    /// The right to send; none when another process has it and keeps it for `patience`.
    ///
    /// # Errors
    /// That the folder is not there, or is another user's.
    pub fn lock(&self, patience: Duration) -> io::Result<Option<Lock>> {
        self.root.lock(&Deadline::after(patience))
    }

    /// Where it is.
    pub fn root(&self) -> PathBuf {
        self.root.folder().to_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_rubbish_goes() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::at(folder.path());
        assert!(spool.names().unwrap_err().to_string().contains("systemd-tmpfiles"));
        fs::create_dir(folder.path().join("queue")).unwrap();
        spool.add(Event::test("osm1", "")).unwrap();
        fs::write(spool.queue().join("9.json"), "{").unwrap();
        fs::write(spool.queue().join(".9.json.17"), "{").unwrap();
        let (records, damaged) = spool.records().unwrap();
        assert_eq!((records.len(), damaged.len()), (1, 1));
        assert_eq!(records[0].event.node, "osm1");
        spool.remove(&records[0]);
        assert!(spool.names().unwrap().is_empty());
    }

    #[test]
    fn one_process_sends() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::at(folder.path());
        let held = spool.lock(Duration::ZERO).unwrap();
        assert!(held.is_some() && spool.lock(Duration::ZERO).unwrap().is_none());
        drop(held);
        assert!(spool.lock(Duration::ZERO).unwrap().is_some());
    }

    #[test]
    fn a_server_that_refuses_is_asked_less_and_less() {
        let again = |count| Trouble { count, last: 0, text: String::new() }.again() / 60_000;
        assert_eq!([1, 2, 3, 6, 60].map(again), [1, 2, 4, 30, 30]);
    }
}
