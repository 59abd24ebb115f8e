//! What the questions of `conformance` need of an agent, for the director: they are asked in its network namespace.

use inuvika_ha::ocf::spec::Spec;

use crate::bed::{Host, VIP};
use crate::subject::Subject;

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
    /// The director's agent on `host`.
    pub fn new(host: &Host) -> Self {
        let spec = inuvika_ha::agents::specs().find(|spec| spec.name == "lvs-director");
        let subject = params(host.agent("lvs-director", "first"), 0);
        Self { subject, spec, wrong: ("virtual_ip", "10.20.1.300"), obstacle: None }
    }

    /// Instance number `n`.
    pub fn number(&self, n: usize) -> Subject {
        params(self.subject.named(&format!("instance-{n}")), n)
    }

    /// Err names what is left on the host. Called inside its namespace.
    pub fn nothing_left(&self) -> Result<(), String> {
        let output = std::process::Command::new("ipvsadm").args(["-S", "-n"]).output().map_err(|e| e.to_string())?;
        let rules = String::from_utf8_lossy(&output.stdout).into_owned();
        let state: Vec<_> = std::fs::read_dir("/run/inuvika-ha").into_iter().flatten().flatten().collect();
        let left = !rules.is_empty() || std::path::Path::new("/run/inuvika-ha").exists();
        if left { Err(format!("left on the host: {rules:?}, {state:?}")) } else { Ok(()) }
    }
}

/// Good parameters for instance number `n`.
fn params(subject: Subject, n: usize) -> Subject {
    subject
        .with_param("virtual_ip", VIP)
        .with_param("ports", &(8000 + n).to_string())
        .with_param("real_servers", "10.0.0.11:80")
}
