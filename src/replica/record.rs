//! What the cluster remembers: which epoch it is, and whose. In the CIB, so that a node that was away cannot be wrong about it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

use super::stamp::{EPOCH_MAX, rank};
use crate::cluster::cib::Property;
use crate::cluster::member::is_name;
use crate::ocf::deadline::Deadline;

/// The property set of all instances.
const SET: &str = "inuvika-replication";
/// How long the cluster may take: the daemon that is asked is on this node.
const LIMIT: Duration = Duration::from_secs(3);

/// The epoch, as `EPOCH NODE` or `EPOCH NODE fork=BASE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Raised before the active node pushes anything.
    pub epoch: u64,
    /// The active node of that epoch.
    pub node: String,
    /// The node serves older data than another node's: the epoch they are based on.
    pub fork: Option<u64>,
}

impl Record {
    /// How new the node's data are: see [`super::stamp::Stamp::rank`].
    pub fn rank(&self) -> u64 {
        rank(self.epoch, self.fork)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let epoch = words.next()?.parse().ok().filter(|epoch| *epoch <= EPOCH_MAX)?;
        let node = words.next().filter(|node| is_name(node))?.to_owned();
        let fork = match words.next() {
            Some(word) => Some(word.strip_prefix("fork=")?.parse().ok().filter(|base| *base < epoch)?),
            None => None,
        };
        words.next().is_none().then_some(Self { epoch, node, fork })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.epoch, self.node)?;
        self.fork.map_or(Ok(()), |base| write!(f, " fork={base}"))
    }
}

/// What could be learnt of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is there.
    Recorded(Record),
    /// Nobody has written one, or there is no cluster at all.
    Absent,
    /// The cluster does not answer, or holds something else: why.
    Unreadable(String),
}

/// Asks the cluster for the record of `instance`.
pub fn read(instance: &str, deadline: &Deadline) -> Known {
    match property(instance).read(&deadline.within(LIMIT)) {
        Ok(Some(text)) => match Record::parse(&text) {
            Some(record) => Known::Recorded(record),
            None => Known::Unreadable(format!("{} in the cluster is no epoch: '{text}'", property(instance).name)),
        },
        Ok(None) => Known::Absent,
        // No Pacemaker on this host: an agent that is run by hand.
        Err(error) if error.kind() == ErrorKind::NotFound => Known::Absent,
        Err(error) => Known::Unreadable(error.to_string()),
    }
}

/// Makes `record` that of `instance`; true when a cluster has it.
///
/// # Errors
/// What the cluster said. Where there is none, there is nothing to be wrong.
pub fn write(instance: &str, record: &Record, deadline: &Deadline) -> io::Result<bool> {
    match property(instance).write(&record.to_string(), &deadline.within(LIMIT)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn property(instance: &str) -> Property {
    Property { set: SET, name: format!("{instance}-epoch") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_nothing_else_is() {
        for text in ["7 osm1.priv", "8 osm2.priv fork=6"] {
            assert_eq!(Record::parse(text).map(|record| record.to_string()).as_deref(), Some(text));
        }
        let damaged = ["", "7", "x osm1", "7 osm1 fork=7", "7 osm1 fork=x", "7 osm1 x", "7 osm1 fork=6 x", "7 -D"];
        for text in [&damaged[..], &["-1 osm1", "99999999999999999999 osm1"]].concat() {
            assert_eq!(Record::parse(text), None, "{text}");
        }
    }
}
