//! What the questions of `conformance` need of an agent: they are asked of node 0 alone.

use inuvika_ha::ocf::spec::Spec;

use crate::site::{node, write_nodes};
use crate::support::subject::Subject;

/// How to take something away that start needs, and how to give it back.
pub type Obstacle = (fn(), fn());

/// An agent on a host where it can run.
pub struct Fixture {
    /// Instance `first` with good parameters.
    pub subject: Subject,
    /// The agent's table.
    pub spec: Option<&'static Spec>,
    /// A parameter value that no host can accept.
    pub wrong: (&'static str, &'static str),
    /// Takes away what start needs, so that it must wait and fail; gives it back.
    pub obstacle: Option<Obstacle>,
}

impl Fixture {
    /// The agent on the first node.
    pub fn new() -> Self {
        // A node that is missing would be degraded.
        write_nodes(&[0]);
        let spec = inuvika_ha::agents::specs().find(|spec| spec.name == "ofs-ctdb");
        // No question is about how fast Samba comes up on a busy machine.
        let subject = node(0).agent().named("first").with_param("request_timeout", "10s");
        Self { subject, spec, wrong: ("smb_port", "0"), obstacle: None }
    }

    /// Err names what is left on the host.
    pub fn nothing_left(&self) -> Result<(), String> {
        let left = node(0).left();
        if left.is_empty() { Ok(()) } else { Err(format!("left on the host: {left:?}")) }
    }
}
