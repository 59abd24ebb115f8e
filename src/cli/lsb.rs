//! `inuvika-ha lsb`: what the scripts in /etc/init.d call.

use clap::Args;

use super::Failure;
use crate::{agents, lsb};

/// Do a verb of the script /etc/init.d/NAME, with the parameters of /etc/default/NAME or /etc/sysconfig/NAME
///
/// It ends with the exit codes of the LSB. status: 0 running, also when degraded; 3 not running; 1 the loop of a director is
/// gone; 4 failed. Others: 0 done, also when there was nothing to do; 1 failed; 3 no such verb; 4 not root; 5 not installed; 6
/// the parameters are wrong; 7 not running (reload).
#[derive(Debug, Args)]
pub(super) struct Lsb {
    /// The agent's name
    name: String,
    /// start, stop, restart, try-restart, reload, force-reload or status
    #[arg(default_value = "")]
    verb: String,
    /// Ignored
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true, num_args = 0..)]
    rest: Vec<String>,
}

impl Lsb {
    /// The exit code is that of the verb.
    pub(super) fn run(&self) -> Result<u8, Failure> {
        let code = agents::find(&self.name).and_then(|agent| lsb::run(agent, &self.verb));
        code.ok_or_else(|| {
            let scripts = agents::REGISTRY.iter().filter(|agent| agent.alone().script().is_some());
            let known: Vec<_> = scripts.map(|agent| agent.table().name).collect();
            Failure::Input(format!("inuvika-ha: no script for {}: there are {}", self.name, known.join(", ")))
        })
    }
}
