//! `ovd-lsyncd`: the table only, until the agent itself is merged.

pub mod spec;

use crate::ocf::agent::Agent;
use crate::ocf::check::Check;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::spec::Spec;

/// The agent.
#[derive(Debug)]
pub struct OvdLsyncd;

impl Agent for OvdLsyncd {
    type Config = ();

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn configure(&self, _params: &Params) -> Result<(), Failure> {
        Ok(())
    }

    fn validate(&self, _config: &(), _op: &Operation) -> Vec<Check> {
        Vec::new()
    }

    fn start(&self, _config: &(), _op: &Operation) -> Result<(), Failure> {
        Err(Failure::generic("not there yet"))
    }

    fn stop(&self, _op: &Operation) -> Result<(), Failure> {
        Ok(())
    }

    fn monitor(&self, _config: &(), _op: &Operation) -> Vec<Check> {
        Vec::new()
    }

    fn is_present(&self, _op: &Operation) -> bool {
        false
    }

    fn reload(&self, _config: &(), _op: &Operation) -> Result<(), Failure> {
        Ok(())
    }
}
