//! What the simulation found, for people and as data.

use super::row::Row;
use super::{Model, Placement, outside, votes};
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
        model.fencing
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
        _ => None,
    };
    let remotes = (!model.remotes.is_empty()).then(|| {
        format!(
            "no vote: {}. A remote node that is lost stays away here; one that is switched off and boots is connected again",
            model.remotes.join(", ")
        )
    });
    plan.steps().filter_map(line).chain(remotes).collect()
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

/// Nodes with what runs there, in few words.
pub(super) fn places(placement: &Placement) -> String {
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
