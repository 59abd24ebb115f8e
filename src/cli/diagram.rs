//! `inuvika-ha diagram`: a scenario as a drawing.

use super::{Failure, print};
use crate::{diagram, out, scenario};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

/// Draw the cluster of a scenario, as SVG.
///
/// Nodes, networks, resources, what starts after what, where things run and what fails together: for the operations manual, in
/// black and white.
#[derive(Debug, Args)]
pub(super) struct Diagram {
    /// The scenario file; see "inuvika-ha init"
    scenario: PathBuf,
}

impl Diagram {
    pub(super) fn run(self) -> Result<(), Failure> {
        let file = self.scenario.display().to_string();
        let text = std::fs::read(&self.scenario).with_context(|| format!("read {file}"))?;
        let text = String::from_utf8(text).map_err(|_| Failure::Input(format!("{file}:1:1: is not UTF-8 text")))?;
        let read = scenario::read(&file, &text).map_err(|fault| Failure::Input(fault.to_string()))?;
        for warning in &read.warnings {
            out::stderr(&format!("{warning}\n"));
        }
        print(&diagram::draw(&read.scenario))
    }
}
