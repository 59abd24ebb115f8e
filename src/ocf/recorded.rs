//! The parameters of an instance's last start, so that an administrator who debugs need not retype them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exit::Failure;
use super::instance::Instance;
use super::params::Params;
use super::state::{State, instances_with};

const FILE: &str = "params";

/// What was given at start.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Recorded {
    /// The agent's name.
    pub agent: String,
    /// The resource's name.
    pub instance: String,
    /// The parameters that were given, without defaults.
    pub given: BTreeMap<String, String>,
}

impl Recorded {
    /// Records a start.
    pub fn write(agent: &str, instance: &Instance, params: &Params, state: &State) -> std::io::Result<()> {
        let given = params.given().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        state.write(FILE, &Self { agent: agent.to_owned(), instance: instance.name().to_owned(), given })
    }

    /// Whether there is one, of whatever content: cheaper than to read it.
    pub fn is_in(state: &State) -> bool {
        state.has(FILE)
    }

    /// The record of `instance`, or of the only running instance of `agent` when none is named.
    pub fn find(agent: &str, instance: Option<&Instance>) -> Option<Self> {
        if let Some(instance) = instance {
            return State::of(instance).read::<Self>(FILE).filter(|record| record.agent == agent);
        }
        let mut all = Self::all(agent).into_iter();
        match (all.next(), all.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// The records of all running instances of `agent`, by name.
    pub fn all(agent: &str) -> Vec<Self> {
        let read = |path: std::path::PathBuf| serde_json::from_slice::<Self>(&std::fs::read(path).ok()?).ok();
        let mut all: Vec<Self> =
            instances_with(FILE).into_iter().filter_map(read).filter(|record| record.agent == agent).collect();
        all.sort_by(|a, b| a.instance.cmp(&b.instance));
        all
    }

    /// Puts the recorded values into `params`.
    pub fn fill(&self, params: &mut Params) -> Result<(), Failure> {
        self.given.iter().try_for_each(|(name, value)| params.set(name, value))
    }
}
