//! A scenario as something to look at: the cluster that it becomes.

use super::Subject;
use crate::configuration::{Node, cib};
use crate::document::element::Element;
use crate::pcs;
use crate::scenario::Scenario;
use crate::scenario::fencing::{Fencing, Value};

impl Subject {
    /// The cluster of a scenario, as the generator makes it.
    pub fn of(scenario: &Scenario) -> Subject {
        let plan = pcs::plan(scenario);
        let root = Element::new("cib", &[]).with([pcs::cib::configuration(&plan)]);
        let mut configuration = cib::read(&root).unwrap_or_default();
        let node = |member: &pcs::plan::Member| Node {
            name: member.name.clone(),
            votes: true,
            links: Some(member.addresses.len()),
            ..Node::default()
        };
        configuration.nodes = plan.nodes.iter().map(node).collect();
        let devices = match &scenario.fencing {
            Fencing::None | Fencing::Watchdog => &[][..],
            Fencing::Devices(devices) => devices,
        };
        let options = devices.iter().flat_map(|device| &device.options);
        let mut secrets = Vec::new();
        for (_, value) in options {
            if let Value::File(path) = value {
                let path = path.into();
                if !secrets.contains(&path) {
                    secrets.push(path);
                }
            }
        }
        let accepted = matches!(scenario.fencing, Fencing::None);
        Subject { configuration, accepted, secrets, ..Subject::default() }
    }
}
