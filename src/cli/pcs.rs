//! `inuvika-ha pcs`: the commands that configure the cluster of a scenario.

use super::{Failure, print};
use crate::ocf::deadline::Deadline;
use crate::pcs::dialect::{self, Dialect, Wish};
use crate::pcs::part::Part;
use crate::pcs::plan;
use crate::pcs::prepare::{self, System};
use crate::pcs::script::{self, Target};
use crate::sys::process;
use crate::{out, scenario};
use anyhow::Context;
use clap::Args;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// How long `pcs --version` may take: it starts an interpreter, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Print the script of pcs commands that configures the cluster of a scenario.
///
/// The script is for the pcs of this machine, and where there is none for pcs 0.11, unless the options say otherwise. It is safe to
/// read and safe to run twice.
#[derive(Debug, Args)]
pub(super) struct Pcs {
    /// For this pcs: a version (0.10.18), or any of a series (0.10)
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["release", "dialect"])]
    pcs_version: Option<String>,
    /// For any pcs that this release came with: rhel7 to rhel10, ubuntu16.04 to ubuntu24.04, debian11 to debian13
    #[arg(long = "for", value_name = "RELEASE", conflicts_with = "dialect")]
    release: Option<String>,
    /// In this language: pcs, pcs-VERSION, or, for a cluster that runs already, crmsh or cib (XML)
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,
    /// Only these parts: auth, cluster, properties, fencing, resources, constraints, alerts; the rest is left as it is. Or prepare,
    /// alone: another script, which makes each host ready to be a node, for a release (--for; else that of this machine)
    #[arg(long = "part", value_name = "PART", value_delimiter = ',')]
    parts: Vec<String>,
    /// Remove what the cluster has and the scenario does not have (any more), instead of naming it
    #[arg(long)]
    prune: bool,
    /// The scenario file; see "inuvika-ha init"
    scenario: PathBuf,
}

/// What the options ask for.
enum Asked {
    /// This dialect.
    For(Box<dyn Dialect>),
    /// No dialect: that of the pcs of this machine.
    Nothing(Wish),
}

impl Pcs {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.parts.iter().any(|part| part == PREPARE) {
            return self.prepare();
        }
        // Wrong options come first; pcs is asked last, as that takes half a second.
        let dialect = self.dialect()?;
        let (file, read) = self.read()?;
        let dialect = match dialect {
            Asked::For(dialect) => dialect,
            Asked::Nothing(wish) => script::script(installed()?, &wish),
        };
        let plan = plan(&read.scenario);
        if let Some(reason) = dialect.lacks(&plan) {
            return Err(Failure::Input(format!("{file}: {reason}")));
        }
        let script = dialect.render(&plan);
        for warning in &read.warnings {
            out::stderr(&format!("{warning}\n"));
        }
        print(&script)
    }

    /// The name of the scenario's file, and the scenario.
    fn read(&self) -> Result<(String, scenario::Read), Failure> {
        let file = self.scenario.display().to_string();
        let text = std::fs::read(&self.scenario).with_context(|| format!("read {file}"))?;
        let text = String::from_utf8(text).map_err(|_| Failure::Input(format!("{file}:1:1: is not UTF-8 text")))?;
        let read = scenario::read(&file, &text).map_err(|fault| Failure::Input(fault.to_string()))?;
        Ok((file, read))
    }

    /// The script that makes hosts ready, which has nothing in common with the others.
    fn prepare(&self) -> Result<(), Failure> {
        let input = |reason: String| Failure::Input(reason);
        if self.parts.len() > 1 {
            return Err(input(format!("--part: {PREPARE} is a script of its own, for every node: ask for it alone")));
        }
        if self.prune || self.pcs_version.is_some() || self.dialect.is_some() {
            return Err(input(format!(
                "--part: {PREPARE} is for a release (--for), not for a pcs, a dialect or --prune"
            )));
        }
        let system = match &self.release {
            Some(name) => System::named(name).map_err(|reason| input(format!("--for: {reason}")))?,
            None => {
                let text = std::fs::read_to_string(OS_RELEASE).with_context(|| format!("read {OS_RELEASE}"))?;
                System::described(&text).map_err(|reason| input(format!("--part: {PREPARE}: {reason}")))?
            }
        };
        let (_, read) = self.read()?;
        for warning in &read.warnings {
            out::stderr(&format!("{warning}\n"));
        }
        let file = |path: &str| {
            std::fs::read_to_string(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => "not there when this was written".into(),
                _ => format!("not read: {error}"),
            })
        };
        print(&prepare::script(&read.scenario, system, &file))
    }

    fn dialect(&self) -> Result<Asked, Failure> {
        let input = |option: &str| {
            let option = option.to_owned();
            move |reason: String| Failure::Input(format!("--{option}: {reason}"))
        };
        let parts = self.parts.iter().map(|name| Part::named(name)).collect::<Result<_, _>>().map_err(input("part"))?;
        let wish = Wish { parts, prune: self.prune };
        Ok(match (&self.pcs_version, &self.release, &self.dialect) {
            (Some(version), ..) => {
                Asked::For(script::script(Target::version(version).map_err(input("pcs-version"))?, &wish))
            }
            (None, Some(release), _) => {
                Asked::For(script::script(Target::release(release).map_err(input("for"))?, &wish))
            }
            (None, None, Some(name)) if name != "pcs" => {
                Asked::For(dialect::find(name, &wish).map_err(input("dialect"))?)
            }
            (None, None, _) => Asked::Nothing(wish),
        })
    }
}

/// What the pcs of this machine is; the usual one where there is none.
fn installed() -> Result<Target, Failure> {
    let output = match process::run("pcs", &["--version"], None, &Deadline::after(PATIENCE)) {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Target::usual()),
        Err(error) => return Err(anyhow::Error::from(error).context(HINT).into()),
    };
    if !output.status.success() {
        return Err(anyhow::anyhow!("{HINT}: {}", output.reason()).into());
    }
    let version = output.text();
    Target::version(version.trim()).map_err(|reason| anyhow::anyhow!("{HINT}: {reason}").into())
}

/// The part that is a script of its own.
const PREPARE: &str = "prepare";
/// What this machine is.
const OS_RELEASE: &str = "/etc/os-release";
const HINT: &str = "ask pcs --version (or say which: --pcs-version)";
