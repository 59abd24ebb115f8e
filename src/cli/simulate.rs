//! `inuvika-ha simulate`: what becomes of the services when something fails.

use super::{Failure, print};
use crate::{out, scenario, simulate};
use anyhow::Context;
use clap::Args;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Say what becomes of the services of a scenario when something fails.
///
/// Pacemaker's own scheduler is asked (crm_simulate; no cluster has to run, and no agent be installed): each node is lost, each
/// pair of nodes, each remote node, each resource fails, cannot start, cannot be stopped, nodes lose sight of what they watch. Exit
/// code 1 when a single failure loses the service.
#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// The scenario file; see "inuvika-ha init"
    scenario: PathBuf,
    /// Show what the cluster does, in order, below each event
    #[arg(long)]
    steps: bool,
    /// Print data instead of a table
    #[arg(long)]
    json: bool,
}

impl Simulate {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let file = self.scenario.display().to_string();
        let text = std::fs::read(&self.scenario).with_context(|| format!("read {file}"))?;
        let text = String::from_utf8(text).map_err(|_| Failure::Input(format!("{file}:1:1: is not UTF-8 text")))?;
        let read = scenario::read(&file, &text).map_err(|fault| Failure::Input(fault.to_string()))?;
        for warning in &read.warnings {
            out::stderr(&format!("{warning}\n"));
        }
        let watched = std::io::stderr().is_terminal();
        let progress = |done: usize, all: usize| {
            if watched {
                let end = if done == all { "\r\x1b[K" } else { "" };
                out::stderr(&format!("\rsimulate: {done} of {all}{end}"));
            }
        };
        let report = simulate::run(&read.scenario, &progress).context("simulate (package pacemaker-cli-utils)")?;
        if self.json {
            let data = serde_json::to_string_pretty(&report).context("write the report")?;
            print(&format!("{data}\n"))?;
        } else {
            print(&report.text(self.steps))?;
        }
        Ok(u8::from(!report.single_points_of_failure.is_empty()))
    }
}
