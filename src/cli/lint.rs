//! `inuvika-ha lint`: what is wrong with a cluster although the tools take it.

use super::{Failure, print};
use crate::configuration::cib;
use crate::document::element::Element;
use crate::lint::{self, Finding, RULES, Subject, Weight};
use crate::ocf::deadline::Deadline;
use crate::sys::process;
use crate::{out, scenario};
use anyhow::Context;
use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The word for the CIB of the cluster that this node is in.
const LIVE: &str = "live";
/// How long the cluster may take to give its CIB.
const PATIENCE: Duration = Duration::from_secs(20);

/// Name what is wrong with a cluster although pcs and crm_verify take it.
///
/// Each finding has a code that stays, what it is about, what is wrong, and what to do; --explain has the whole story. The exit code is 1
/// when there is an error among them; warnings and notes leave it 0.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// The scenario file
    #[arg(required_unless_present_any = ["cib", "explain", "list"])]
    scenario: Option<PathBuf>,
    /// A CIB: a file, or "live" for that of the cluster this node is in
    #[arg(long, value_name = "FILE|live")]
    cib: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    /// Print the page of a code, such as HA005
    #[arg(long, value_name = "CODE", conflicts_with_all = ["scenario", "cib", "list"])]
    explain: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with_all = ["scenario", "cib"])]
    list: bool,
}

impl Lint {
    pub(super) fn run(self) -> Result<u8, Failure> {
        if let Some(code) = &self.explain {
            let unknown =
                || Failure::Input(format!("--explain {}: there is no such code: see --list", code.escape_debug()));
            print(lint::rule(code).ok_or_else(unknown)?.page)?;
            return Ok(0);
        }
        if self.list {
            print(&RULES.iter().map(|rule| format!("{}  {}\n", rule.code, rule.title())).collect::<String>())?;
            return Ok(0);
        }
        let mut findings = Vec::new();
        if let Some(path) = &self.scenario {
            findings.extend(lint::lint(&of_scenario(path)?));
        }
        if let Some(path) = &self.cib {
            findings.extend(lint::lint(&of_cib(path)?));
        }
        findings.sort_by_key(|finding| finding.weight);
        match self.json {
            true => print(&format!("{}\n", serde_json::to_string_pretty(&findings).context("write JSON")?))?,
            false => print(&table(&findings))?,
        }
        Ok(u8::from(findings.iter().any(|finding| finding.weight == Weight::Error)))
    }
}

fn of_scenario(path: &Path) -> Result<Subject, Failure> {
    let file = path.display().to_string();
    let text = std::fs::read(path).with_context(|| format!("read {file}"))?;
    let text = String::from_utf8(text).map_err(|_| Failure::Input(format!("{file}:1:1: is not UTF-8 text")))?;
    let read = scenario::read(&file, &text).map_err(|fault| Failure::Input(fault.to_string()))?;
    for warning in &read.warnings {
        out::stderr(&format!("{warning}\n"));
    }
    Ok(Subject::of(&read.scenario))
}

fn of_cib(path: &Path) -> Result<Subject, Failure> {
    let (name, text) = if path == Path::new(LIVE) {
        let output =
            process::run("cibadmin", &["--query"], None, &Deadline::after(PATIENCE)).context("run cibadmin --query")?;
        if !output.status.success() {
            let reason = output.reason();
            return Err(anyhow::anyhow!("cibadmin --query: {reason}: is this node in a cluster that runs?").into());
        }
        if output.truncated {
            return Err(anyhow::anyhow!("cibadmin --query: printed too much: save it to a file and give that").into());
        }
        (LIVE.to_owned(), output.text())
    } else {
        let name = path.display().to_string();
        let text = std::fs::read(path).with_context(|| format!("read {name}"))?;
        (name, String::from_utf8_lossy(&text).into_owned())
    };
    let fault = |reason: String| Failure::Input(format!("{name}: {reason}"));
    let root = Element::read(&text).map_err(fault)?;
    let configuration = cib::read(&root).map_err(fault)?;
    let secret = configuration.resources.iter().any(lint::has_secret);
    let secrets = if secret && name != LIVE { vec![path.to_owned()] } else { Vec::new() };
    Ok(Subject { configuration, secrets, ..Subject::default() })
}

fn table(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { code, weight, about, text: what, fix } in findings {
        let _ = writeln!(text, "{code} {}: {about}: {what}\n      to do: {fix}", weight.word());
    }
    let count = |weight| findings.iter().filter(|finding| finding.weight == weight).count();
    let (errors, warnings, notes) = (count(Weight::Error), count(Weight::Warning), count(Weight::Note));
    let _ = match findings.is_empty() {
        true => writeln!(text, "nothing found"),
        false => writeln!(
            text,
            "{errors} errors, {warnings} warnings, {notes} notes; inuvika-ha lint --explain CODE says more"
        ),
    };
    text
}
