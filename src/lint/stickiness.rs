//! Whether what runs stays where it is.

use super::loops::Together;
use super::{Found, Subject};
use crate::configuration::score;

/// How constraints begin that a move by hand leaves: another rule is about them.
const BY_HAND: &str = "cli-";

pub(super) fn moves_back(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let together = Together::of(configuration);
    let mut found = Vec::new();
    for location in &configuration.locations {
        let preferred = location.score.as_deref().and_then(score).filter(|score| *score > 0);
        let (Some(preferred), Some(node)) = (preferred, &location.node) else { continue };
        let clone = configuration.clones.iter().any(|one| one.id == location.resource);
        if location.id.starts_with(BY_HAND)
            || clone
            || configuration.resource(&location.resource).is_some_and(|one| one.is_fencing())
        {
            continue;
        }
        let with = together.with(&location.resource);
        let resources = with.iter().filter_map(|id| configuration.resource(id));
        let each = |resource| configuration.meta(resource, "resource-stickiness").and_then(score).unwrap_or(0);
        let sum: i32 = resources.map(each).fold(0, i32::saturating_add).min(1_000_000);
        if preferred > sum {
            let count = with.iter().filter(|id| configuration.resource(id).is_some()).count();
            let text = format!(
                "{} prefers {node} by {preferred}, and what keeps it where it is (the stickiness of {count} together) is {sum}: \
                 it moves back when {node} returns, an interruption more",
                location.resource
            );
            let fix = "a preference that is not above the sum, or more resource-stickiness";
            found.push(Found::warning(location.id.clone(), text, fix));
        }
    }
    found
}
