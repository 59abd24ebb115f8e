//! What one event leads to, as a row of the report.

use super::action::Action;
use super::event::Event;
use super::report::places;
use super::world::State;
use super::{Model, Placement, time};
use serde::Serialize;
use std::collections::BTreeMap;

/// What one event leads to.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What happens.
    pub event: String,
    /// Its kind: node, nodes, remote, monitor, start, stop, view, view-of-all or return.
    pub kind: &'static str,
    /// Whether it is one failure.
    pub single: bool,
    /// Whether the nodes that are left are a majority, where nodes are lost.
    pub quorum: Option<bool>,
    /// Where everything runs then: by resource, the nodes.
    pub runs: BTreeMap<String, Vec<String>>,
    /// The resources that are away for a while, or for good.
    pub interrupted: Vec<String>,
    /// The resources that run nowhere then and without which there is no service.
    pub lost: Vec<String>,
    /// The other resources that run nowhere then.
    pub missing: Vec<String>,
    /// Seconds until all runs again, at worst; until it has stopped where the service is lost.
    pub seconds: u32,
    /// What the cluster does, in order.
    pub steps: Vec<String>,
}

/// The row of an event.
pub(super) fn of(model: &Model, up: &State, event: &Event, states: &[State]) -> Row {
    let empty = Placement::new();
    let placement = states.last().map_or(&empty, |state| &state.placement);
    let actions = || states.iter().flat_map(|state| &state.actions);
    let ours = |id: &str| model.one(id).is_some();
    let nowhere = |id: &str| placement.get(id).is_none_or(Vec::is_empty);
    let ran = |id: &str| up.placement.get(id).is_some_and(|nodes| !nodes.is_empty());
    let stopped = |id: &str| {
        actions().any(|action| match action {
            Action::Stop(one, node) => one == id && (node.is_some() || !is_cloned(model, id)),
            // Whoever writes to it waits until another instance is promoted.
            Action::Promote(one, _) | Action::Demote(one, _) => one == id,
            _ => false,
        })
    };
    let failed = event.resource(model).map(|one| one.id.as_str());
    let is_hit = |id: &str| failed == Some(id) && !actions().all(|action| !is_of(action, id));
    let interrupted: Vec<String> = model
        .resources
        .iter()
        .map(|one| &one.id)
        .filter(|id| ran(id) && (stopped(id) || is_hit(id) || nowhere(id)))
        .cloned()
        .collect();
    let gone = |needed: bool| -> Vec<String> {
        let all = model.resources.iter().filter(|one| one.needed == needed && ran(&one.id) && nowhere(&one.id));
        all.map(|one| one.id.clone()).collect()
    };
    let left = model.nodes.len() - event.lost().len();
    let acting: u32 = states.iter().map(|state| time::actions(model, state)).sum();
    let seconds = if interrupted.is_empty() { 0 } else { time::noticed(model, event).saturating_add(acting) };
    Row {
        event: event.text(),
        kind: event.kind(),
        single: event.is_single(),
        quorum: (!event.lost().is_empty()).then(|| model.votes.suffice(left)),
        runs: placement.iter().filter(|(id, _)| ours(id)).map(|(id, nodes)| (id.clone(), nodes.clone())).collect(),
        interrupted,
        lost: gone(true),
        missing: gone(false),
        seconds,
        steps: steps(model, actions()),
    }
}

fn is_cloned(model: &Model, id: &str) -> bool {
    model.one(id).is_some_and(|one| one.cloned)
}

fn is_of(action: &Action, id: &str) -> bool {
    match action {
        Action::Fence(_) => false,
        Action::Start(one, _) | Action::Stop(one, _) => one == id,
        Action::Promote(one, _) | Action::Demote(one, _) => one == id,
    }
}

fn steps<'a>(model: &Model, actions: impl Iterator<Item = &'a Action>) -> Vec<String> {
    let step = |action: &Action| match action {
        Action::Fence(node) => Some(format!("switch off {node}")),
        Action::Start(id, node) => model.one(id).map(|_| format!("start {id} on {node}")),
        Action::Promote(id, node) => model.one(id).map(|_| format!("promote {id} on {node}")),
        Action::Demote(id, node) => model.one(id).map(|_| format!("demote {id} on {node}")),
        Action::Stop(id, Some(node)) => model.one(id).map(|_| format!("stop {id} on {node}")),
        Action::Stop(_, None) => None,
    };
    actions.filter_map(step).collect()
}

impl Row {
    pub(super) fn cells(&self, well: &Placement) -> [String; 4] {
        let mut runs = match (&self.runs == well, self.lost.is_empty()) {
            (true, _) => "as before".to_owned(),
            (false, true) => places(&self.runs),
            (false, false) => format!("SERVICE LOST: no {}", self.lost.join(", ")),
        };
        if self.quorum == Some(false) {
            runs.push_str(" (no quorum)");
        }
        if !self.missing.is_empty() && self.lost.is_empty() {
            runs.push_str(&format!("; without {}", self.missing.join(", ")));
        }
        let names: Vec<&str> = well.keys().map(String::as_str).collect();
        let interrupted = match self.interrupted.len() {
            0 => "nothing".to_owned(),
            count if count == names.len() && count > 1 => "everything".to_owned(),
            _ => self.interrupted.join(", "),
        };
        [self.event.clone(), runs, interrupted, time::text(self.seconds)]
    }
}
