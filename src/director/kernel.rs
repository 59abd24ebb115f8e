//! The kernel's table as a round needs it, so that a round can be tried without a kernel.

use std::io;

use crate::sys::ipvs::{self, Change, Entry, Ipvs};

/// A table of virtual services that can be listed and changed.
pub trait Kernel {
    /// The whole table.
    fn list(&mut self) -> io::Result<Vec<Entry>>;

    /// Makes the changes in this order: those that fail are answered with place and reason, in the same order; the
    /// others are made.
    fn apply(&mut self, changes: &[Change]) -> io::Result<Vec<(usize, io::Error)>>;

    /// One line for a change that failed: what it was, why, what to do.
    fn explain(change: &Change, error: &io::Error) -> String;
}

impl Kernel for Ipvs {
    fn list(&mut self) -> io::Result<Vec<Entry>> {
        Ipvs::list(self)
    }

    fn apply(&mut self, changes: &[Change]) -> io::Result<Vec<(usize, io::Error)>> {
        Ipvs::apply(self, changes)
    }

    fn explain(change: &Change, error: &io::Error) -> String {
        ipvs::explain(change, error)
    }
}
