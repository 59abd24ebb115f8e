//! `inuvika-ha lvs`: directors of LVS on this node.

mod doctor;
mod drain;
mod run;
mod show;
mod trial;

use clap::{Args, Subcommand};

use super::{Failure, print};
use crate::agents::lvs_director::by_hand::Director;
use crate::ocf::exit::{Code, Failure as Refusal};

/// Show, try, run and maintain directors of LVS.
#[derive(Debug, Args)]
pub(super) struct Lvs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Show(show::Show),
    Check(trial::Check),
    Run(run::Run),
    Drain(drain::Drain),
    Enable(drain::Enable),
    Doctor(doctor::Doctor),
}

impl Lvs {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Show(show) => show.run(),
            Verb::Check(check) => check.run(),
            Verb::Run(run) => run.run(),
            Verb::Drain(drain) => drain.run(),
            Verb::Enable(enable) => enable.run(),
            Verb::Doctor(doctor) => doctor.run(),
        }
    }
}

/// Parameters of the agent, where a command takes them.
#[derive(Debug, Args)]
struct Given {
    /// The TOML file with the services, as the parameter config
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// A parameter of the agent lvs-director (may be repeated)
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    params: Vec<(String, String)>,
}

impl Given {
    /// The parameters, as the agent takes them.
    fn pairs(&self) -> Result<Vec<(String, String)>, Failure> {
        let mut pairs = self.params.clone();
        if let Some(file) = &self.config {
            let whole =
                std::path::absolute(file).map_err(|error| outside(format!("find {}: {error}", file.display())))?;
            pairs.push(("config".to_owned(), whole.display().to_string()));
        }
        Ok(pairs)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The director that is meant: the one named, or the only one that was started here.
fn only(instance: Option<&str>) -> Result<String, Failure> {
    if let Some(name) = instance {
        return Ok(name.to_owned());
    }
    match Director::started().as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            as_root()?;
            Err(outside("no director was started on this host: name the resource by --instance".to_owned()))
        }
        several => {
            let names = several.join(", ");
            Err(Failure::Input(format!("inuvika-ha: several directors run here ({names}): name one by --instance")))
        }
    }
}

/// Others do not see what was started.
fn as_root() -> Result<(), Failure> {
    if nix::unistd::geteuid().is_root() { Ok(()) } else { Err(outside("run it as root".to_owned())) }
}

/// Wrong parameters and files are input; the rest is not.
fn refused(failure: Refusal) -> Failure {
    match failure.code {
        Code::NotConfigured | Code::Args => Failure::Input(format!("inuvika-ha: {}", failure.reason)),
        _ => outside(failure.reason),
    }
}

fn outside(reason: String) -> Failure {
    Failure::Outside(anyhow::anyhow!(reason))
}
