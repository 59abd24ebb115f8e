//! Releases of CTDB, which have other words for the same thing.

use std::fmt;

use super::super::site::{Generation, installed_version};
use crate::ocf::deadline::Deadline;

/// A release of CTDB: its first two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u32, pub u32);

impl Release {
    /// The installed one.
    ///
    /// # Errors
    /// One line.
    pub fn installed(deadline: &Deadline) -> Result<Self, String> {
        installed_version(&deadline.within(super::ASK)).map(|(first, second)| Self(first, second))
    }

    /// Which kind of configuration it reads.
    pub fn generation(self) -> Generation {
        Generation::of((self.0, self.1))
    }

    /// The name of the recovery lock in ctdb.conf, and the one that other releases have for it.
    pub fn lock(self) -> (&'static str, &'static str) {
        if self >= Self(4, 16) { ("cluster lock", "recovery lock") } else { ("recovery lock", "cluster lock") }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}
