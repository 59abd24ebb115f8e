//! `inuvika-ha pcs`: the commands that configure the cluster of a scenario.

use super::{Failure, print};
use crate::pcs::dialect::{self, Wish};
use crate::pcs::plan;
use crate::{out, scenario};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

/// Print the script of pcs commands that configures the cluster of a scenario.
///
/// The script is for pcs 0.11. It is safe to read and safe to run twice.
#[derive(Debug, Args)]
pub(super) struct Pcs {
    /// The language of the output: pcs, pcs-0.11, or, for a cluster that runs already, crmsh or cib (XML)
    #[arg(long, value_name = "NAME", default_value = "pcs")]
    dialect: String,
    /// The scenario file; see "inuvika-ha init"
    scenario: PathBuf,
}

impl Pcs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let file = self.scenario.display().to_string();
        let text = std::fs::read(&self.scenario).with_context(|| format!("read {file}"))?;
        let text = String::from_utf8(text).map_err(|_| Failure::Input(format!("{file}:1:1: is not UTF-8 text")))?;
        let read = scenario::read(&file, &text).map_err(|fault| Failure::Input(fault.to_string()))?;
        let dialect = dialect::find(&self.dialect, &Wish::default())
            .map_err(|reason| Failure::Input(format!("--dialect: {reason}")))?;
        let script = dialect.render(&plan(&read.scenario));
        for warning in &read.warnings {
            out::stderr(&format!("{warning}\n"));
        }
        print(&script)
    }
}
