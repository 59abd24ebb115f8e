//! What start has to do, from what was found. Pure.

use super::rules::Found;

/// What start found on this host.
#[derive(Debug)]
pub struct Observed {
    /// Our own rules.
    pub rules: Found,
    /// How many rules of the guide's unit rewrite to the same address.
    pub guide_rules: usize,
    /// Whether the other backend holds rules of this instance, from a time with another `backend`.
    pub other_backend: bool,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Write our rules, replacing what is there.
    WriteRules,
    /// Remove what the other backend holds.
    RemoveOtherBackend,
    /// Remove the rules of the guide's unit.
    RemoveGuideRules,
}

/// The steps, in order: the new rules first, so that no connection leaves with the wrong source in between.
pub fn plan(observed: &Observed) -> Vec<Step> {
    let mut steps = Vec::new();
    if !matches!(observed.rules, Found::Equal { .. }) {
        steps.push(Step::WriteRules);
    }
    if observed.other_backend {
        steps.push(Step::RemoveOtherBackend);
    }
    if observed.guide_rules > 0 {
        steps.push(Step::RemoveGuideRules);
    }
    steps
}
