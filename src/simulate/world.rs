//! A cluster on paper: files in a folder of our own, and Pacemaker's tools that say what becomes of it.

use super::event::Event;
use super::{Model, Placement};
use crate::document::element::Element;
use crate::ocf::deadline::Deadline;
use crate::sys::process;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What one question to a tool may take: they need a tenth of a second.
const LIMIT: Duration = Duration::from_secs(60);

/// The folder; it goes with the value.
#[derive(Debug)]
pub(super) struct World {
    folder: PathBuf,
}

/// A state of the cluster.
#[derive(Debug)]
pub(super) struct State {
    /// The whole configuration and state.
    pub(super) cib: Element,
    /// Where each resource runs, fencing devices too.
    pub(super) placement: Placement,
    /// What was done to get here.
    pub(super) actions: Vec<Action>,
}

/// Something the cluster does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// A node is switched off.
    Fence(String),
    /// A resource starts there.
    Start(String, String),
    /// An instance that runs there is promoted.
    Promote(String, String),
    /// An instance there is promoted no more.
    Demote(String, String),
    /// A resource stops there. No node: it went with its node, and takes no time.
    Stop(String, Option<String>),
}

impl Drop for World {
    fn drop(&mut self) {
        // Nobody can be told; it is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    /// Makes the folder, and has crm_verify look at the configuration.
    pub(super) fn new(model: &Model) -> io::Result<World> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let folder = std::env::temp_dir().join(format!("inuvika-ha-simulate.{}.{now}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let world = World { folder };
        let base = world.write("base.xml", &world.base(model)?)?;
        let path = base.to_string_lossy().into_owned();
        let verdict = process::run("crm_verify", &["-V", "-x", &path], None, &Deadline::after(LIMIT))?;
        if !verdict.status.success() {
            return Err(io::Error::other(format!("crm_verify refuses the configuration: {}", verdict.reason())));
        }
        Ok(world)
    }

    /// The configuration in a cluster whose nodes are all there and see all that they should.
    fn base(&self, model: &Model) -> io::Result<Element> {
        let empty = process::run("cibadmin", &["--empty"], None, &Deadline::after(LIMIT))?;
        let mut cib =
            Element::read(&empty.text()).map_err(|reason| io::Error::other(format!("cibadmin --empty: {reason}")))?;
        for (name, value) in [("have-quorum", "1"), ("dc-uuid", "1"), ("epoch", "1"), ("num_updates", "0")] {
            cib.set(name, value);
        }
        let ids = || model.nodes.iter().enumerate().map(|(index, name)| ((index + 1).to_string(), name));
        let mut configuration = model.configuration.clone();
        if let Some(nodes) = configuration.child_mut("nodes") {
            // Some have attributes already, and their name as their id.
            let known = std::mem::take(&mut nodes.children);
            nodes.children.extend(ids().map(|(id, name)| {
                let attributes = known.iter().filter(|one| one.text("uname") == name);
                let attributes = attributes.flat_map(|one| one.children.clone());
                Element::new("node", &[("id", &id), ("uname", name)]).with(attributes)
            }));
        }
        let states = ids().map(|(id, name)| {
            let state = Element::new(
                "node_state",
                &[
                    ("id", &id),
                    ("uname", name),
                    ("in_ccm", "true"),
                    ("crmd", "online"),
                    ("join", "member"),
                    ("expected", "member"),
                ],
            );
            let mut set = Element::new("instance_attributes", &[("id", &format!("status-{id}"))]);
            for view in model.views.iter().filter(|view| !view.well.is_empty()) {
                let pair = format!("status-{id}-{}", view.name);
                set.children
                    .push(Element::new("nvpair", &[("id", &pair), ("name", &view.name), ("value", &view.well)]));
            }
            // The agent says which instance is the best one: here the first node's.
            let better = model.nodes.len() - model.nodes.iter().position(|one| one == name).unwrap_or(0);
            for resource in &model.promotable {
                let (attribute, value) = (format!("master-{resource}"), better.to_string());
                let pair = format!("status-{id}-{attribute}");
                set.children.push(Element::new("nvpair", &[("id", &pair), ("name", &attribute), ("value", &value)]));
            }
            state.with([Element::new("transient_attributes", &[("id", &id)]).with([set])])
        });
        let status = Element::new("status", &[]).with(states);
        cib.children = vec![configuration, status];
        Ok(cib)
    }

    /// All that starts in it.
    pub(super) fn start(&self, model: &Model) -> io::Result<State> {
        let base = self.folder.join("base.xml");
        self.simulate(model, &base, "up.xml", &[], &Before::default())
    }

    fn write(&self, name: &str, cib: &Element) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(cib.write(0).as_bytes())?;
        Ok(path)
    }

    fn simulate(
        &self,
        model: &Model,
        from: &Path,
        to: &str,
        arguments: &[String],
        before: &Before,
    ) -> io::Result<State> {
        let to = self.folder.join(to);
        let mut words: Vec<String> = vec!["--xml-file".into(), from.to_string_lossy().into_owned()];
        words.extend(["--simulate".into(), "--output-as=xml".into()]);
        words.extend(["--save-output".into(), to.to_string_lossy().into_owned()]);
        words.extend(arguments.iter().cloned());
        let output = process::run("crm_simulate", &words, None, &Deadline::after(LIMIT))?;
        // A part without quorum stops everything. Where that would take stops on nodes that it cannot reach any more, crm_simulate
        // calls its own transition invalid, and still says where everything is.
        let stops = arguments.windows(2).any(|two| two == ["--quorum", "0"]) && to.exists();
        if !output.status.success() && !stops {
            let reason = output.reason();
            return Err(io::Error::other(format!("crm_simulate (Pacemaker 2.1 or later is needed): {reason}")));
        }
        let wrong = |reason: String| io::Error::other(format!("what crm_simulate says: {reason}"));
        let said = Element::read(&output.text()).map_err(wrong)?;
        let cib = Element::read(&std::fs::read_to_string(&to)?).map_err(wrong)?;
        let actions = actions(&said);
        Ok(State { cib, placement: before.placement(&actions, &said, model), actions })
    }

    /// What the event leads to, step by step; the last one is where it ends.
    pub(super) fn play(&self, model: &Model, up: &State, event: &Event, number: usize) -> io::Result<Vec<State>> {
        let from = self.folder.join("up.xml");
        let file = |step: usize| format!("{number}.{step}.xml");
        let interval = |id: &str| model.one(id).and_then(|one| one.monitor).map_or(0, |(interval, ..)| interval * 1000);
        let before = |lost: &[String]| Before::without(&up.placement, lost);
        match event {
            Event::Nodes(nodes) => {
                let left = model.nodes.len() - nodes.len();
                let quorum = model.votes.suffice(left);
                let mut words: Vec<String> =
                    nodes.iter().flat_map(|node| ["--node-fail".into(), node.clone()]).collect();
                words.extend(["--quorum".into(), u8::from(quorum).to_string()]);
                let before = before(nodes);
                Ok(vec![self.simulate(model, &from, &file(0), &words, &before)?])
            }
            Event::Monitor(id, node) => {
                let what = format!("{id}_monitor_{}@{node}=1", interval(id));
                Ok(vec![self.simulate(model, &from, &file(0), &["--op-inject".into(), what], &before(&[]))?])
            }
            Event::Stop(id, node) => {
                let what = format!("{id}_stop_0@{node}=1");
                Ok(vec![self.simulate(model, &from, &file(0), &["--op-inject".into(), what], &before(&[]))?])
            }
            Event::Start(id, node) => {
                let mut cib = up.cib.clone();
                cannot_start(&mut cib, id, node);
                let from = self.write(&format!("{number}.xml"), &cib)?;
                let mut before = before(&[]);
                before.forget(id, node);
                Ok(vec![self.simulate(model, &from, &file(0), &[], &before)?])
            }
            Event::Blind(name, _) | Event::AllBlind(name) => {
                let mut cib = up.cib.clone();
                let view = model.views.iter().find(|view| view.name == *name);
                let lost = view.and_then(|view| view.lost.clone()).unwrap_or_default();
                cib.each(&mut |state| {
                    let hit = match event {
                        Event::Blind(_, node) => state.text("uname") == node,
                        _ => true,
                    };
                    if state.name == "node_state" && hit {
                        state.each(&mut |pair| {
                            if pair.text("name") == name {
                                pair.set("value", &lost);
                            }
                        });
                    }
                });
                let from = self.write(&format!("{number}.xml"), &cib)?;
                Ok(vec![self.simulate(model, &from, &file(0), &[], &before(&[]))?])
            }
            Event::Returns(node) => {
                let gone = self.play(model, up, &Event::Nodes(vec![node.clone()]), number)?;
                let Some(last) = gone.last() else { return Ok(gone) };
                let mut cib = last.cib.clone();
                // A node that was switched off remembers nothing; the file would still have it running everything.
                cib.each(&mut |state| {
                    if state.name == "node_state" && state.text("uname") == node {
                        state.children.retain(|part| part.name != "lrm");
                    }
                });
                let from = self.write(&format!("{number}.xml"), &cib)?;
                let before = Before { placement: last.placement.clone() };
                Ok(vec![self.simulate(model, &from, &file(1), &["--node-up".into(), node.clone()], &before)?])
            }
        }
    }
}

/// Makes a resource one that has failed to start on a node: nothing of it is there, and the cluster does not try again.
fn cannot_start(cib: &mut Element, id: &str, node: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
    cib.each(&mut |state| {
        if state.name != "node_state" || state.text("uname") != node {
            return;
        }
        let number = state.id().to_owned();
        state.each(&mut |part| {
            if part.name == "lrm_resource" && part.id() == id {
                part.children.clear();
            }
        });
        let pairs = [("fail-count", "INFINITY"), ("last-failure", now.as_str())].map(|(what, value)| {
            let name = format!("{what}-{id}#start_0");
            Element::new(
                "nvpair",
                &[("id", &format!("status-{number}-{what}-{id}.start_0")), ("name", &name), ("value", value)],
            )
        });
        if let Some(set) =
            state.child_mut("transient_attributes").and_then(|part| part.child_mut("instance_attributes"))
        {
            set.children.extend(pairs);
        }
    });
}

/// Where everything ran before. What is done is added to it: where a monitor with role=Stopped has run, the state that is
/// simulated would have the resource running.
#[derive(Debug, Default)]
struct Before {
    placement: Placement,
}

impl Before {
    fn without(placement: &Placement, lost: &[String]) -> Before {
        let mut before = Before { placement: placement.clone() };
        before.lose(lost);
        before
    }

    fn lose(&mut self, lost: &[String]) {
        self.placement.values_mut().for_each(|nodes| nodes.retain(|node| !lost.contains(node)));
    }

    fn forget(&mut self, id: &str, node: &str) {
        if let Some(nodes) = self.placement.get_mut(id) {
            nodes.retain(|one| one != node);
        }
    }

    /// Where everything runs after the actions.
    fn placement(&self, actions: &[Action], said: &Element, model: &Model) -> Placement {
        let mut after = Before { placement: self.placement.clone() };
        for action in actions {
            match action {
                Action::Fence(node) => after.lose(std::slice::from_ref(node)),
                Action::Stop(id, Some(node)) => after.forget(id, node),
                Action::Stop(_, None) | Action::Promote(..) | Action::Demote(..) => {}
                Action::Start(id, node) => after.placement.entry(id.clone()).or_default().push(node.clone()),
            }
        }
        // What could not be stopped, and nobody switches off, serves nobody.
        let status = said.child("revised_cluster_status").and_then(|status| status.child("resources"));
        for resource in status.map(|all| all.all("resource")).unwrap_or_default() {
            if resource.text("blocked") == "true" {
                let id = resource.id().split(':').next().unwrap_or_default();
                resource.children.iter().for_each(|node| after.forget(id, node.text("name")));
            }
        }
        let mut placement = after.placement;
        for nodes in placement.values_mut() {
            // In the scenario's order.
            nodes.sort_by_key(|node| model.nodes.iter().position(|one| one == node));
            nodes.dedup();
        }
        placement
    }
}

/// What is done, in order.
fn actions(said: &Element) -> Vec<Action> {
    let transition = said.child("transition").map(|all| all.children.as_slice()).unwrap_or_default();
    let action = |one: &Element| {
        let resource = one.text("resource").split(':').next().unwrap_or_default().to_owned();
        match (one.name.as_str(), one.text("op")) {
            ("fencing_action", _) => Some(Action::Fence(one.text("target").to_owned())),
            ("rsc_action", "start") => Some(Action::Start(resource, one.text("node").to_owned())),
            ("rsc_action", "promote") => Some(Action::Promote(resource, one.text("node").to_owned())),
            ("rsc_action", "demote") => Some(Action::Demote(resource, one.text("node").to_owned())),
            ("rsc_action", "stop") => Some(Action::Stop(resource, Some(one.text("node").to_owned()))),
            ("pseudo_action", _) => {
                let id = one.text("task").strip_suffix("_stop_0")?;
                Some(Action::Stop(id.split(':').next().unwrap_or_default().to_owned(), None))
            }
            _ => None,
        }
    };
    transition.iter().filter_map(action).collect()
}
