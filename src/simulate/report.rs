//! What the simulation found, for people and as data.

use super::event::Event;
use super::world::{Action, State};
use super::{Model, Placement, outside, time, votes};
use crate::pcs::plan::{Plan, Step};
use crate::scenario::Scenario;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the simulation found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The cluster's name.
    pub cluster: String,
    /// How many nodes there are; each has a vote.
    pub votes: usize,
    /// How many votes are a majority.
    pub majority: usize,
    /// How many nodes may be lost at once.
    pub tolerated: usize,
    /// Whether a node that is lost is switched off.
    pub fencing: bool,
    /// Where everything runs while all is well: by resource, the nodes.
    pub well: Placement,
    /// What was tried.
    pub events: Vec<Row>,
    /// The failures, one at a time, that lose the service.
    pub single_points_of_failure: Vec<String>,
    /// What the services need outside of the cluster, and what all nodes share: the simulation knows nothing of it.
    pub outside: Vec<String>,
    /// What else the reader should know.
    pub notes: Vec<String>,
}

/// What one event leads to.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What happens.
    pub event: String,
    /// Its kind: node, nodes, monitor, start, stop, view, view-of-all or return.
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
pub(super) fn row(model: &Model, up: &State, event: &Event, states: &[State]) -> Row {
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

/// The whole report.
pub(super) fn make(scenario: &Scenario, plan: &Plan, model: &Model, well: &Placement, events: Vec<Row>) -> Report {
    let nodes = model.nodes.len();
    let mut single: Vec<String> =
        events.iter().filter(|row| row.single && !row.lost.is_empty()).map(|row| row.event.clone()).collect();
    let idle = model.resources.iter().filter(|one| one.needed && well.get(&one.id).is_none_or(Vec::is_empty));
    single.extend(idle.map(|one| format!("{} does not start even while all is well", one.id)));
    let mut notes = Vec::new();
    let device = model.votes != votes::Votes::of(nodes);
    if nodes > 2 && nodes.is_multiple_of(2) && !device {
        notes.push(format!(
            "{nodes} votes tolerate no more losses than {}: one node less, or one more, is the better number; and a split into \
             two halves stops both",
            nodes - 1
        ));
    }
    let properties = plan.sections.iter().flat_map(|section| &section.steps).filter_map(|step| match step {
        Step::Property(pairs) => Some(pairs),
        _ => None,
    });
    let fencing = !properties.flatten().any(|(name, value)| name == "stonith-enabled" && value == "false");
    if !fencing {
        notes.push("without fencing a node that is only cut off goes on: two may run everything at once, which no row here shows".into());
    }
    if nodes == 2 && fencing && !device {
        notes.push(
            "of two nodes the one that switches off the other first goes on; pcmk_delay_base decides which".into(),
        );
    }
    notes.extend(beside(plan, model));
    notes.push(format!(
        "the times are sums of limits (corosync's token, {} s for fencing, each action's timeout), not what is usual",
        time::FENCING
    ));
    Report {
        cluster: plan.cluster.clone(),
        votes: model.votes.all(),
        majority: model.votes.majority(),
        tolerated: model.votes.tolerated(),
        fencing,
        well: well
            .iter()
            .filter(|(id, _)| model.one(id).is_some())
            .map(|(id, all)| (id.clone(), all.clone()))
            .collect(),
        events,
        single_points_of_failure: single,
        outside: outside::all(scenario, plan),
        notes,
    }
}

/// What is said of a scenario's neighbours: how far they are simulated.
fn beside(plan: &Plan, model: &Model) -> Vec<String> {
    let line = |step: &Step| match step {
        Step::QuorumDevice(device) => Some(format!(
            "the votes of the quorum device on {} are counted ({}), as if it always answered: while it does not, {}",
            device.host,
            device.algorithm,
            match model.votes.tolerated_without_device() {
                None => "the cluster stops".to_owned(),
                Some(0) => "no node may be lost".to_owned(),
                Some(more) => format!("{more} may be lost"),
            }
        )),
        Step::Sbd(sbd) => Some(format!(
            "sbd is not simulated: a node that is cut off switches itself off after {} s, which takes the place of fencing or comes \
             before it",
            sbd.timeout
        )),
        Step::Remote(node) => Some(format!(
            "the loss of the remote node {} itself is not simulated, only that of its connection; it has no vote",
            node.id
        )),
        _ => None,
    };
    plan.steps().filter_map(line).collect()
}

impl Report {
    /// The report as text; `steps`: with what the cluster does, in order.
    pub fn text(&self, steps: bool) -> String {
        let mut text = format!(
            "{}: {} votes, {} are a majority: {} lost at once\n",
            self.cluster,
            self.votes,
            self.majority,
            match self.tolerated {
                0 => "no node may be".into(),
                1 => "one node may be".into(),
                more => format!("{more} nodes may be"),
            },
        );
        text.push_str(&format!("All is well: {}\n\n", places(&self.well)));
        let head = ["WHAT FAILS", "WHAT RUNS WHERE", "INTERRUPTED", "AT WORST"].map(str::to_owned);
        let cells: Vec<[String; 4]> = self.events.iter().map(|row| row.cells(&self.well)).collect();
        let all = || std::iter::once(&head).chain(&cells);
        let widths: Vec<usize> = (0..3)
            .map(|column| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        for (index, cells) in all().enumerate() {
            let mut line = String::new();
            for (column, cell) in cells.iter().enumerate() {
                let width = widths.get(column).copied().unwrap_or(0);
                line.push_str(&format!("{cell:width$}  "));
            }
            text.push_str(line.trim_end());
            text.push('\n');
            let row = index.checked_sub(1).and_then(|index| self.events.get(index));
            if let Some(row) = row.filter(|row| steps && !row.steps.is_empty()) {
                text.push_str(&format!("    in this order: {}\n", row.steps.join(", ")));
            }
        }
        let lists = [
            ("Outside of what is simulated, and a failure for all at once:", &self.outside),
            ("Notes:", &self.notes),
            ("ONE failure loses the service:", &self.single_points_of_failure),
        ];
        for (title, lines) in lists.iter().filter(|(_, lines)| !lines.is_empty()) {
            text.push_str(&format!("\n{title}\n"));
            lines.iter().for_each(|line| text.push_str(&format!("  - {line}\n")));
        }
        if self.single_points_of_failure.is_empty() {
            text.push_str("\nNo single failure inside of the cluster loses the service.\n");
        }
        text
    }
}

impl Row {
    fn cells(&self, well: &Placement) -> [String; 4] {
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

/// Nodes with what runs there, in few words.
fn places(placement: &Placement) -> String {
    let mut by_nodes: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
    for (id, nodes) in placement.iter().filter(|(_, nodes)| !nodes.is_empty()) {
        by_nodes.entry(nodes.as_slice()).or_default().push(id);
    }
    let running = placement.values().filter(|nodes| !nodes.is_empty()).count();
    let place = |(nodes, ids): (&[String], Vec<&str>)| {
        let what = if ids.len() == running && running > 1 { "everything".to_owned() } else { ids.join(", ") };
        format!("{what} on {}", nodes.join(" and "))
    };
    match by_nodes.is_empty() {
        true => "nothing runs".into(),
        false => by_nodes.into_iter().map(place).collect::<Vec<_>>().join("; "),
    }
}
