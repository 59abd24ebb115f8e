//! `inuvika-ha agents` and `inuvika-ha agent`: what can be installed, and an agent without its link.

use std::fmt::Write;

use clap::Args;

use super::Failure;
use super::guard::Words;
use crate::agents;

/// Where Pacemaker looks for the agents of this package.
const FOLDER: &str = "/usr/lib/ocf/resource.d/inuvika";

/// List the agents of this program
#[derive(Debug, Args)]
pub(super) struct Agents {
    /// Print the commands that install them on this host, as links to this program
    #[arg(long)]
    links: bool,
}

impl Agents {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut text = String::new();
        if self.links {
            let _ = writeln!(text, "mkdir -p {FOLDER}");
        }
        for spec in agents::specs() {
            // Writing to a String cannot fail.
            let _ = if self.links {
                writeln!(text, "ln -sf /usr/sbin/inuvika-ha {FOLDER}/{}", spec.name)
            } else {
                writeln!(text, "ocf:inuvika:{}  {}", spec.name, spec.short)
            };
        }
        super::print(&text)
    }
}

/// Run an action of an agent by hand: agent NAME ACTION [OPTIONS]
///
/// The same as its link does. start, stop and reload-agent of what Pacemaker manages on this node are refused, as it would undo
/// them or take them for a failure: of a resource that --instance or --resource names, and without a name of any of this agent.
/// monitor, validate-all and meta-data never are refused. A cluster that does not answer within a second
/// refuses nothing.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Agent {
    /// The agent's name
    name: String,
    /// The action and its options: `inuvika-ha agent NAME help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, num_args = 0..)]
    words: Vec<String>,
}

impl Agent {
    /// The exit code is the agent's own.
    pub(super) fn run(&self) -> Result<u8, Failure> {
        match agents::find(&self.name) {
            Some(agent) => {
                let words = Words::parse(&self.words)?;
                words.guard(&self.name)?;
                Ok(crate::ocf::run::run(agent, &words.filled(&self.name)?) as u8)
            }
            None => {
                let known: Vec<_> = agents::specs().map(|spec| spec.name).collect();
                Err(Failure::Input(format!("inuvika-ha: no agent {}: there are {}", self.name, known.join(", "))))
            }
        }
    }
}
