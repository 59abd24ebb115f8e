//! What runs, or switches nodes off.

use crate::ocf::spec::STOPPED;
pub use crate::scenario::operation::{OnFail, Operation};

/// A resource or a fencing device.
#[derive(Debug)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// Its agent, as `ocf:heartbeat:IPaddr2` or `fence_ipmilan`.
    pub agent: String,
    /// Its parameters.
    pub params: Vec<(String, Setting)>,
    /// Its meta attributes.
    pub meta: Vec<(String, String)>,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// Whether that is all it has: other parameters and meta attributes are taken out, but for `target-role`, `is-managed`
    /// and `maintenance`, which commands set. (A fencing device never has other parameters.)
    pub whole: bool,
}

impl Resource {
    /// Whether every node of the cluster needs its agent: a monitor with role=Stopped runs on all of them, whatever the
    /// constraints.
    pub fn is_asked_everywhere(&self) -> bool {
        self.operations.iter().any(|operation| operation.role.as_deref() == Some(STOPPED))
    }
}

/// The value of a parameter.
#[derive(Debug)]
pub enum Setting {
    /// None: the agent's default.
    Unset,
    /// This text.
    Text(String),
    /// The first line of this file, read when the script runs.
    SecretFile(String),
}
