//! `inuvika-ha init`: a scenario to start from.

use super::{Failure, print};
use anyhow::Context;
use clap::{Args, ValueEnum};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

const THREE: &str = include_str!("../../pcs-examples/ovd-session-manager/scenario.toml");
const LVS: &str = include_str!("../../pcs-examples/lvs-director/scenario.toml");
const ABIQUO: &str = include_str!("../../pcs-examples/abiquo-remote-services/scenario.toml");
const FILES: &str = include_str!("../../pcs-examples/ovd-file-server/scenario.toml");
const FREE: &str = include_str!("../scenario/free/example.toml");
const GUIDE: &str = include_str!("../../pcs-examples/ovd-session-manager-guide/scenario.toml");

/// Print a commented scenario file to start from.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// What is to be made highly available
    #[arg(value_enum)]
    setup: SetUp,
    /// The four nodes of the OVD failover guide; they tolerate no more losses than the three of the default
    #[arg(long)]
    guide: bool,
    /// Write to this file instead, which must not exist
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SetUp {
    /// Two Session Managers behind one address, and a third node that votes
    OvdSessionManager,
    /// Directors of LVS that balance connections over web servers behind one address
    LvsDirector,
    /// Abiquo's Remote Services on two nodes behind one address
    AbiquoRemoteServices,
    /// Two OVD File Servers with CTDB on shared volumes, and a third node that votes
    OvdFileServer,
    /// Resources of any agent, without a service of this program
    Free,
}

impl Init {
    pub(super) fn run(self) -> Result<(), Failure> {
        let text = match (self.setup, self.guide) {
            (SetUp::OvdSessionManager, false) => THREE,
            (SetUp::OvdSessionManager, true) => GUIDE,
            (SetUp::LvsDirector, false) => LVS,
            (SetUp::AbiquoRemoteServices, false) => ABIQUO,
            (SetUp::OvdFileServer, false) => FILES,
            (SetUp::Free, false) => FREE,
            (_, true) => {
                return Err(Failure::Input("--guide is for ovd-session-manager only: leave it out".into()));
            }
        };
        let Some(path) = self.output else { return print(text) };
        let write = || OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(text.as_bytes());
        Ok(write().with_context(|| format!("write {}", path.display()))?)
    }
}
