//! What only some scripts use, and older versions of pcs have otherwise or not at all.

use super::feature::Feature;
use super::target::Target;
use crate::pcs::former::{ROLES, former};
use crate::pcs::plan::{Role, Step};

/// What to do where a feature is missing.
enum Instead {
    /// Another form does the same.
    Form,
    /// The script says so and goes on: nothing else depends on it.
    LeftOut,
    /// No script: what it makes would not be what was asked for. How to say it: the begin of a clause.
    Refused(&'static str),
}

/// The feature that a step uses.
fn used(step: &Step) -> Option<(Feature, Instead)> {
    Some(match step {
        Step::QuorumDevice(_) => (Feature::QuorumDevice, Instead::Refused("a quorum device needs")),
        Step::Sbd(_) => (Feature::QuorumDevice, Instead::Refused("sbd needs")),
        Step::Alert(_) => (Feature::Alerts, Instead::LeftOut),
        Step::Tag { .. } => (Feature::Tags, Instead::LeftOut),
        Step::NodeAttributes { .. } => (Feature::NodeAttribute, Instead::Form),
        Step::Level { .. } => (Feature::LevelTarget, Instead::Form),
        Step::Promotable { .. } => (Feature::Promotable, Instead::Form),
        _ => return None,
    })
}

/// The features beside those of every script, for the versions that the script is right for.
pub(super) fn features(steps: &[&Step]) -> Vec<Feature> {
    steps.iter().filter_map(|step| used(step)).map(|(feature, _)| feature).collect()
}

/// Why no script can be written for that, as a clause without full stop.
pub(super) fn lacking(step: &Step, target: &Target) -> Option<String> {
    let (feature, Instead::Refused(what)) = used(step).filter(|(feature, _)| !target.has(*feature))? else {
        return None;
    };
    feature.spans().first().map(|(from, _)| format!("{what} pcs {from} or newer"))
}

/// Whether the script goes on without it.
pub(super) fn is_left_out(step: &Step, target: &Target) -> bool {
    used(step).is_some_and(|(feature, instead)| matches!(instead, Instead::LeftOut) && !target.has(feature))
}

/// A role in the words of before pcs 0.11, or in those of today.
pub(super) fn role(role: Role, today: bool) -> &'static str {
    if today { role.word() } else { former(&ROLES, role.word()) }
}
