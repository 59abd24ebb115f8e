//! What has to be configured, in order, without a word of any command's syntax.
//!
//! A dialect writes down every [`Step`] it meets; there is no other way from a scenario to a cluster. What is about
//! constraints stands in [`constraint`], what is neither they nor a resource in [`beside`].

pub mod resource;
pub mod step;

pub use crate::scenario::{beside, constraint};
pub use beside::{Alert, External, QuorumDevice, Recipient, Sbd};
pub use constraint::{
    Action, Comparison, Condition, Event, Expression, OrderKind, Part, Role, Rule, Score, Set, View, Weight,
};
pub use resource::{OnFail, Operation, Resource, Setting};
pub use step::Step;

/// Everything a script does.
#[derive(Debug)]
pub struct Plan {
    /// The cluster's name.
    pub cluster: String,
    /// What it is, for people: one line.
    pub title: String,
    /// Every node with its addresses.
    pub nodes: Vec<Member>,
    /// The nodes that may run the services.
    pub runners: Vec<String>,
    /// What every node needs before the first run, in lines.
    pub needs: Vec<String>,
    /// What the reader has to know before the first step.
    pub notes: Vec<String>,
    /// What everything depends on, and the cluster has no say in. No step; for who asks what may fail.
    pub externals: Vec<External>,
    /// The steps, in groups that belong together.
    pub sections: Vec<Section>,
}

impl Plan {
    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.sections.iter().flat_map(|section| &section.steps)
    }
}

/// A node of the cluster.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its address on each link.
    pub addresses: Vec<String>,
}

/// Steps that belong together.
#[derive(Debug)]
pub struct Section {
    /// What they do: one line.
    pub title: String,
    /// Why they do it like this, in lines.
    pub why: Vec<String>,
    /// The steps.
    pub steps: Vec<Step>,
}
