//! The parts of a scenario, which a script can be asked for one by one.

use super::plan::{Plan, Step};

/// A part of what a script does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The nodes trust each other.
    Auth,
    /// The cluster exists.
    Cluster,
    /// Cluster properties and defaults.
    Properties,
    /// What runs.
    Resources,
    /// Where it runs, and in which order.
    Constraints,
    /// Fencing devices with their constraints, and whether there is fencing.
    Fencing,
    /// Who is told when something happens.
    Alerts,
}

/// Every part with its name, in the order of a script.
pub const PARTS: &[(Part, &str)] = &[
    (Part::Auth, "auth"),
    (Part::Cluster, "cluster"),
    (Part::Properties, "properties"),
    (Part::Fencing, "fencing"),
    (Part::Resources, "resources"),
    (Part::Constraints, "constraints"),
    (Part::Alerts, "alerts"),
];

impl Part {
    /// The part of that name.
    ///
    /// # Errors
    /// Which parts there are: a clause without full stop.
    pub fn named(name: &str) -> Result<Part, String> {
        let found = PARTS.iter().find(|(_, known)| *known == name);
        found.map(|(part, _)| *part).ok_or_else(|| {
            let names: Vec<_> = PARTS.iter().map(|(_, name)| *name).collect();
            format!("{name:?} is no part of a script: there are {}, and prepare", names.join(", "))
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        PARTS.iter().find(|(part, _)| *part == self).map_or("", |(_, name)| name)
    }

    /// The part that a step belongs to.
    pub fn of(step: &Step, plan: &Plan) -> Part {
        match step {
            Step::Auth => Part::Auth,
            Step::ClusterSetup { .. } | Step::QuorumDevice(_) | Step::Sbd(_) => Part::Cluster,
            Step::Property(pairs) if pairs.iter().all(|(name, _)| name.starts_with("stonith-")) => Part::Fencing,
            Step::Property(_) | Step::Defaults(_) | Step::OperationDefaults(_) | Step::NodeAttributes { .. } => {
                Part::Properties
            }
            Step::Stonith(_) | Step::Level { .. } => Part::Fencing,
            Step::Agents | Step::Primitive(_) | Step::Remote(_) | Step::Clone { .. } | Step::Promotable { .. } => {
                Part::Resources
            }
            Step::Group { .. } | Step::Tag { .. } | Step::ByHand(_) => Part::Resources,
            Step::Alert(_) => Part::Alerts,
            Step::Location { resource, .. } if is_device(plan, resource) => Part::Fencing,
            Step::Location { .. } | Step::Attraction { .. } | Step::Where { .. } => Part::Constraints,
            Step::Colocation { .. } | Step::Together { .. } | Step::Order { .. } | Step::Sequence { .. } => {
                Part::Constraints
            }
        }
    }
}

fn is_device(plan: &Plan, id: &str) -> bool {
    let mut steps = plan.sections.iter().flat_map(|section| &section.steps);
    steps.any(|step| matches!(step, Step::Stonith(device) if device.id == id))
}
