//! What a person at a command line gets besides an agent's own actions: parameters from the cluster, and a refusal to do
//! by hand what Pacemaker does. Neither is for the links, which Pacemaker calls, nor for the LSB scripts.

use std::time::Duration;

use anyhow::Context;

use super::Failure;
use crate::cluster::managed::{self, Configuration, Resource};
use crate::ocf::action::Action;
use crate::ocf::by_hand::ByHand;
use crate::ocf::deadline::Deadline;
use crate::ocf::params::seconds;
use crate::out;
use crate::sys::process;

/// A cluster that does not say so by then keeps nobody from anything.
const PATIENCE: Duration = Duration::from_secs(1);
/// Who wants its parameters can wait.
const LONG: Duration = Duration::from_secs(10);

/// The words after an agent's name, without the options that are not the agent's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// What the agent gets.
    pub rest: Vec<String>,
    /// `--force`: do it all the same.
    pub force: bool,
    /// `--resource ID`: with the parameters that the cluster has for it.
    pub resource: Option<String>,
}

impl Words {
    /// Takes the options out.
    pub fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut found = Self { rest: Vec::new(), force: false, resource: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--force" => found.force = true,
                "--resource" => {
                    let id = words.next().ok_or_else(|| input("--resource needs the id of a resource".into()))?;
                    found.resource = Some(id.clone());
                }
                other => match other.strip_prefix("--resource=") {
                    Some(id) => found.resource = Some(id.to_owned()),
                    None => found.rest.push(word.clone()),
                },
            }
        }
        Ok(found)
    }

    fn action(&self) -> Option<Action> {
        Action::parse(self.rest.first()?)
    }

    /// Refuses what Pacemaker would undo, or take for a failure.
    pub fn guard(&self, agent: &str) -> Result<(), Failure> {
        let (Some(action @ (Action::Start | Action::Stop | Action::ReloadAgent)), false) = (self.action(), self.force)
        else {
            return Ok(());
        };
        let all = managed::of_agent(&full(agent), &Deadline::after(PATIENCE));
        let named = self.resource.as_ref().and_then(|id| all.iter().find(|resource| resource.id == *id));
        let Some(resource) = named.or_else(|| all.first()) else { return Ok(()) };
        Err(input(format!(
            "{} of {agent} by hand is refused: Pacemaker manages {}: use '{}', or --force",
            action.name(),
            resource.id,
            instead(action, &resource.id)
        )))
    }

    /// The words for the agent, with what the cluster has for the resource. What is given by hand counts more.
    pub fn filled(&self, agent: &str) -> Result<Vec<String>, Failure> {
        let (Some(id), [action, rest @ ..]) = (&self.resource, self.rest.as_slice()) else {
            return Ok(self.rest.clone());
        };
        let configuration = Configuration::ask(&Deadline::after(LONG)).map_err(anyhow::Error::from)?;
        let resource = pick(configuration.resources(), id, agent)?;
        if resource.has_rules {
            out::stderr(&format!(
                "note: parameters of {id} that depend on a rule are left out: give them by --param\n"
            ));
        }
        let params = resource.revealed().context("take the parameters from the cluster")?;
        let mut words = vec![action.clone(), "--instance".to_owned(), id.clone()];
        for (name, value) in params {
            words.extend(["--param".to_owned(), format!("{name}={value}")]);
        }
        let depth = ByHand::parse(rest).ok().and_then(|options| options.depth).unwrap_or(0);
        let name = self.action().map_or("", Action::name);
        if let Some(timeout) = resource.timeout(name, depth).and_then(seconds).filter(|timeout| *timeout > 0) {
            words.extend(["--timeout".to_owned(), timeout.to_string()]);
        }
        words.extend(rest.iter().cloned());
        Ok(words)
    }
}

fn pick(all: Vec<Resource>, id: &str, agent: &str) -> Result<Resource, Failure> {
    let full = full(agent);
    let known: Vec<&str> = all.iter().filter(|other| other.agent == full).map(|other| other.id.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    match all.iter().find(|resource| resource.id == id) {
        Some(resource) if resource.agent == full => Ok(resource.clone()),
        Some(resource) => Err(input(format!("{id} is {}: of {full} there are: {known}", resource.agent))),
        None => Err(input(format!("the cluster has no resource {id}: of {full} there are: {known}"))),
    }
}

/// The command that has the cluster do it, of the tool that this node has.
fn instead(action: Action, id: &str) -> String {
    let has = |tool: &str| process::find(tool).is_some();
    match (action, has("pcs"), has("crm")) {
        (Action::Stop, true, _) => format!("pcs resource disable {id}"),
        (Action::Start, true, _) => format!("pcs resource enable {id}"),
        (_, true, _) => format!("pcs resource update {id} NAME=VALUE"),
        (Action::Stop, _, true) => format!("crm resource stop {id}"),
        (Action::Start, _, true) => format!("crm resource start {id}"),
        (_, _, true) => format!("crm resource param {id} set NAME VALUE"),
        (Action::Stop, ..) => format!("crm_resource -r {id} -m -p target-role -v Stopped"),
        (Action::Start, ..) => format!("crm_resource -r {id} -m -p target-role -v Started"),
        _ => format!("crm_resource -r {id} -p NAME -v VALUE"),
    }
}

fn full(agent: &str) -> String {
    format!("ocf:inuvika:{agent}")
}

fn input(text: String) -> Failure {
    Failure::Input(format!("inuvika-ha: {text}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_our_options_are_taken_out() {
        let words = ["monitor", "--resource=a", "--depth", "10", "--force", "--param", "x=--force"];
        let words: Vec<String> = words.map(str::to_owned).to_vec();
        let found = Words::parse(&words).unwrap();
        assert!(found.force && found.resource.as_deref() == Some("a"));
        assert_eq!(found.rest, ["monitor", "--depth", "10", "--param", "x=--force"]);
        assert!(Words::parse(&["monitor".to_owned(), "--resource".to_owned()]).is_err());
    }
}
