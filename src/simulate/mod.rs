//! What becomes of the services when something fails: asked of Pacemaker's own scheduler, without a cluster.
//!
//! crm_simulate is given the configuration of a scenario and a cluster in which all is well. Quorum it does not compute: that is
//! done here.

mod action;
mod base;
mod before;
mod event;
pub mod outside;
pub mod report;
pub mod row;
mod time;
pub mod votes;
mod world;

use crate::document::element::Element;
use crate::pcs::plan;
use crate::scenario::Scenario;
use event::Event;
use report::Report;
use row::Row;
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use world::{State, World};

/// Where each resource runs: by resource, the nodes.
pub type Placement = BTreeMap<String, Vec<String>>;

/// How many events are simulated at once.
const AT_ONCE: usize = 2;

/// Simulates every event. `progress` is told how many are done, of how many.
///
/// # Errors
/// `NotFound` where Pacemaker's tools are not installed, else what they said.
pub fn run(scenario: &Scenario, progress: &(dyn Fn(usize, usize) + Sync)) -> io::Result<Report> {
    let plan = plan(scenario);
    let model = Model::of(scenario, &plan);
    let world = World::new(&model)?;
    let up = world.start(&model)?;
    let events = event::all(&model, &up);
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<(usize, io::Result<Row>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(event) = events.get(index) else { break };
                    let row = world.row(&model, &up, event, index);
                    let done = rows.lock().map(|mut rows| {
                        rows.push((index, row));
                        rows.len()
                    });
                    progress(done.unwrap_or(0), events.len());
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    rows.sort_by_key(|(index, _)| *index);
    let rows = rows.into_iter().map(|(_, row)| row).collect::<io::Result<Vec<_>>>()?;
    Ok(report::make(scenario, &plan, &model, &up.placement, rows))
}

/// What the simulation has to know of a plan.
#[derive(Debug)]
struct Model {
    /// The configuration.
    configuration: Element,
    /// The nodes, in the scenario's order.
    nodes: Vec<String>,
    /// The remote nodes. They have no vote, and the name of a node is that of its connection, too.
    remotes: Vec<String>,
    /// Seconds until a node has been switched off.
    fencing: u32,
    /// Whether nodes have a watchdog that sbd looks after.
    watchdog: bool,
    /// Who votes.
    votes: votes::Votes,
    /// Promotable resources.
    promotable: Vec<String>,
    /// The token timeout in milliseconds, when it is not the distribution's.
    token: Option<u32>,
    /// Every resource that is no fencing device, in the order of the configuration.
    resources: Vec<One>,
    /// Node attributes that say what a node sees, with what they say when all is well.
    views: Vec<View>,
    /// The resource that location rules are about.
    anchor: String,
}

/// A resource.
#[derive(Debug)]
struct One {
    id: String,
    /// Whether it runs on several nodes.
    cloned: bool,
    /// Whether losing it is losing the service.
    needed: bool,
    /// The monitor that notices a failure first: interval and timeout in seconds, and whether a failure counts.
    monitor: Option<(u32, u32, bool)>,
    /// Seconds that a start and a stop may take.
    start: u32,
    stop: u32,
    promote: u32,
}

/// A node attribute.
#[derive(Debug)]
struct View {
    name: String,
    well: String,
    /// What a node publishes that has lost it; none for what is not lost at once.
    lost: Option<String>,
}

/// Seconds that an action may take when nothing is said: Pacemaker's default.
const TIMEOUT: u32 = 20;

impl Model {
    fn of(scenario: &Scenario, plan: &plan::Plan) -> Model {
        use plan::Step;
        let configuration = crate::pcs::cib::configuration(plan);
        let steps = || plan.sections.iter().flat_map(|section| &section.steps);
        let token = steps().find_map(|step| if let Step::ClusterSetup { token, .. } = step { *token } else { None });
        let primitives = configuration.all("primitive");
        let is_device = |one: &&&Element| one.text("class") == "stonith";
        let cloned: Vec<&str> =
            configuration.all("clone").iter().flat_map(|clone| clone.all("primitive")).map(Element::id).collect();
        let resources = primitives.iter().filter(|one| !is_device(one)).map(|one| One::of(one, &cloned)).collect();
        let mut views: Vec<View> = Vec::new();
        for step in steps() {
            let Step::Attraction { attribute, view, weight, .. } = step else { continue };
            if views.iter().all(|one| one.name != *attribute) {
                views.push(View { name: attribute.clone(), well: String::new(), lost: None });
            }
            let Some(one) = views.iter_mut().find(|one| one.name == *attribute) else { continue };
            match view {
                plan::View::Is(value) if matches!(weight, plan::Weight::For(_)) => one.well.clone_from(value),
                plan::View::Is(_) => {}
                plan::View::AtLeast(number) => {
                    let most = one.well.parse().unwrap_or(0).max(*number);
                    one.well = most.to_string();
                }
                // Who is taken for one that sees it until it has said something, is one that may lose it.
                plan::View::Unknown => one.lost = Some("lost".into()),
            }
        }
        for view in views.iter_mut().filter(|view| view.lost.is_some() && view.well.parse::<u32>().is_ok()) {
            view.lost = Some("0".into());
        }
        let device = steps().find_map(|step| if let Step::QuorumDevice(device) = step { Some(device) } else { None });
        let votes = match device {
            Some(device) => votes::Votes::with_device(plan.nodes.len(), &device.algorithm),
            None => votes::Votes::of(plan.nodes.len()),
        };
        let promotable = |step: &Step| match step {
            Step::Promotable { resource, .. } => Some(resource.clone()),
            _ => None,
        };
        let remote = |step: &Step| match step {
            Step::Remote(connection) => Some(connection.id.clone()),
            _ => None,
        };
        let sbd = steps().find_map(|step| if let Step::Sbd(sbd) = step { Some(sbd.timeout) } else { None });
        Model {
            // The others wait for twice the time of the watchdog.
            fencing: time::FENCING.max(sbd.unwrap_or(0).saturating_mul(2)),
            watchdog: sbd.is_some(),
            votes,
            remotes: steps().filter_map(remote).collect(),
            promotable: steps().filter_map(promotable).collect(),
            nodes: plan.nodes.iter().map(|node| node.name.clone()).collect(),
            token,
            resources,
            views,
            anchor: scenario.anchor().to_owned(),
            configuration,
        }
    }

    fn one(&self, id: &str) -> Option<&One> {
        self.resources.iter().find(|one| one.id == id)
    }
}

impl One {
    fn of(primitive: &Element, cloned: &[&str]) -> One {
        let id = primitive.id();
        let operations = primitive.all("op");
        let timeout = |name: &str| {
            let found = operations.iter().find(|one| one.text("name") == name);
            found.and_then(|one| time::seconds(one.text("timeout"))).unwrap_or(TIMEOUT)
        };
        // Of those of a promotable the promoted instance's, which is where the resource is looked at.
        let watches = |one: &&&Element| matches!(one.get("role"), None | Some("Started" | "Promoted" | "Master"));
        let monitors = operations.iter().filter(|one| one.text("name") == "monitor").filter(watches);
        let monitors = monitors.filter_map(|one| {
            let counted = one.text("on-fail") != "ignore";
            Some((time::seconds(one.text("interval"))?, time::seconds(one.text("timeout"))?, counted))
        });
        let says = |name: &str, value: &str| {
            let meta = primitive.child("meta_attributes").map(|set| set.all("nvpair")).unwrap_or_default();
            meta.iter().any(|pair| pair.text("name") == name && pair.text("value") == value)
        };
        One {
            id: id.to_owned(),
            cloned: cloned.contains(&id),
            // What only publishes what it sees, or leads to a remote node, serves nobody.
            needed: !says("critical", "false") && !["ping", "remote"].contains(&primitive.text("type")),
            monitor: monitors.min(),
            start: timeout("start"),
            stop: timeout("stop"),
            promote: timeout("promote"),
        }
    }
}

impl World {
    /// Simulates one event.
    fn row(&self, model: &Model, up: &State, event: &Event, number: usize) -> io::Result<Row> {
        let steps = self.play(model, up, event, number)?;
        Ok(row::of(model, up, event, &steps))
    }
}
