//! `inuvika-ha diff`: a cluster beside its scenario.

use super::{Failure, print};
use crate::diff;
use crate::document::element::Element;
use crate::ocf::deadline::Deadline;
use crate::pcs::plan;
use crate::sys::process;
use crate::{out, scenario};
use anyhow::Context;
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Compare the cluster's configuration with a scenario.
///
/// Prints what the cluster lacks, has otherwise, or has beyond the scenario. Changes nothing. Exit code 0: they are the same, 1: they
/// differ, 2: they cannot be compared. Secrets are compared where their files can be read, and never shown.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The scenario file; see "inuvika-ha init"
    scenario: PathBuf,
    /// A configuration in a file (cibadmin --query prints one) in place of the running cluster's
    #[arg(long, value_name = "FILE")]
    cib: Option<PathBuf>,
    /// Print data instead of lines
    #[arg(long)]
    json: bool,
}

/// What asking the cluster may take.
const LIMIT: Duration = Duration::from_secs(30);

impl Diff {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let file = self.scenario.display().to_string();
        let text = std::fs::read(&self.scenario).map_err(|error| Failure::Input(format!("read {file}: {error}")))?;
        let text = String::from_utf8(text).map_err(|_| Failure::Input(format!("{file}:1:1: is not UTF-8 text")))?;
        let read = scenario::read(&file, &text).map_err(|fault| Failure::Input(fault.to_string()))?;
        for line in diff::outside(&plan(&read.scenario)) {
            out::stderr(&format!("diff: {line}\n"));
        }
        for warning in &read.warnings {
            out::stderr(&format!("{warning}\n"));
        }
        let live = self.live().map_err(Failure::Input)?;
        let plan = plan(&read.scenario);
        let (all, unread) = diff::compare(&read.scenario, &plan, &live, secret);
        for path in unread {
            out::stderr(&format!("diff: cannot read the secret in {path}: it was not compared\n"));
        }
        if self.json {
            let data = serde_json::to_string_pretty(&all).context("write the differences")?;
            print(&format!("{data}\n"))?;
        } else if all.is_empty() {
            print("The cluster is as the scenario says.\n")?;
        } else {
            print(&all.iter().map(|one| one.text() + "\n").collect::<String>())?;
        }
        Ok(u8::from(!all.is_empty()))
    }

    fn live(&self) -> Result<Element, String> {
        let (name, text) = match &self.cib {
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path).map_err(|error| format!("read {name}: {error}"))?;
                (name, text)
            }
            None => {
                let asked = process::run("cibadmin", &["--query"], None, &Deadline::after(LIMIT));
                let asked = asked.map_err(|error| format!("ask the cluster for its configuration: {error}"))?;
                if !asked.status.success() {
                    let reason = asked.reason();
                    return Err(format!(
                        "ask the cluster for its configuration: {reason}: run this on a node that runs, or give --cib FILE"
                    ));
                }
                ("what cibadmin says".to_owned(), asked.text())
            }
        };
        let root = Element::read(&text).map_err(|reason| format!("{name}: {reason}"))?;
        match root.child("configuration") {
            Some(_) => Ok(root),
            None => Err(format!("{name} holds no cluster configuration: cibadmin --query prints one")),
        }
    }
}

/// The first line of a file.
fn secret(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(Path::new(path)).ok()?;
    text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)
}
