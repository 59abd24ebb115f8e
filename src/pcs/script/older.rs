//! What only some scripts use, and older versions of pcs have otherwise or not at all.

use super::feature::Feature;
use crate::pcs::plan::{Role, Step};

/// The feature that a step uses, and, when no other form does the same, how to say that it is missing: the begin of a clause.
fn used(step: &Step) -> Option<(Feature, Option<&'static str>)> {
    Some(match step {
        Step::QuorumDevice(_) => (Feature::QuorumDevice, Some("a quorum device needs")),
        Step::Sbd(_) => (Feature::QuorumDevice, Some("sbd needs")),
        Step::Alert(_) => (Feature::Alerts, Some("alerts need")),
        Step::Tag { .. } => (Feature::Tags, Some("tags need")),
        Step::NodeAttributes { .. } => (Feature::NodeAttribute, None),
        Step::Level { .. } => (Feature::LevelTarget, None),
        Step::Promotable { .. } => (Feature::Promotable, None),
        _ => return None,
    })
}

/// The features beside those of every script, for the versions that the script is right for.
pub(super) fn features(steps: &[&Step]) -> Vec<Feature> {
    steps.iter().filter_map(|step| used(step)).map(|(feature, _)| feature).collect()
}

/// What cannot be done, as a clause without full stop.
pub(super) fn lacking(step: &Step, has: impl Fn(Feature) -> bool) -> Option<String> {
    let (feature, missing) = used(step)?;
    let (from, _) = feature.spans().first().filter(|_| !has(feature))?;
    missing.map(|what| format!("{what} pcs {from} or newer"))
}

/// A role in the words of before pcs 0.11, or in those of today.
pub(super) fn role(role: Role, today: bool) -> &'static str {
    match (role, today) {
        (Role::Promoted, false) => "Master",
        (Role::Unpromoted, false) => "Slave",
        (role, _) => role.word(),
    }
}

/// What meta attributes of promotable resources were called before Pacemaker 2.0.
pub(super) const MASTER: &[(&str, &str)] = &[("master-max", "promoted-max"), ("master-node-max", "promoted-node-max")];
