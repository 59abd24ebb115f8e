//! What the generator knows of units of systemd, which have no agent.

use super::plan::{Operation, Resource};
use crate::scenario::setup;

/// The standard of such resources. Pacemaker asks systemd for their meta-data, which has some for any name.
pub const STANDARD: &str = "systemd:";

/// The resource of a unit.
pub fn resource(unit: &setup::Unit) -> Resource {
    Resource {
        id: unit.id.into(),
        agent: format!("{STANDARD}{}", unit.name),
        params: Vec::new(),
        meta: unit.meta.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        operations: vec![
            Operation::plain("start", 0, unit.timeout),
            Operation::plain("stop", 0, unit.timeout),
            Operation::plain("monitor", 60, 100),
        ],
        whole: false,
    }
}
