//! A cluster on paper: files in a folder of our own, and Pacemaker's tools that say what becomes of it.

use super::action::{self, Action};
use super::base;
use super::before::Before;
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
pub(super) const LIMIT: Duration = Duration::from_secs(60);

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
        let base = world.write("base.xml", &base::base(model)?)?;
        let path = base.to_string_lossy().into_owned();
        let verdict = process::run("crm_verify", &["-V", "-x", &path], None, &Deadline::after(LIMIT))?;
        if !verdict.status.success() {
            return Err(io::Error::other(format!("crm_verify refuses the configuration: {}", verdict.reason())));
        }
        Ok(world)
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
        let actions = action::all(&said);
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
            Event::Remote(name) => {
                let home = up.placement.get(name).and_then(|nodes| nodes.first()).cloned().unwrap_or_default();
                // Nobody gets through to it any more.
                let mut cib = up.cib.clone();
                model.nodes.iter().filter(|node| **node != home).for_each(|node| cannot_start(&mut cib, name, node));
                never_again(&mut cib, name, &home);
                let from = self.write(&format!("{number}.xml"), &cib)?;
                let what = ["--op-inject".into(), format!("{name}_monitor_{}@{home}=1", interval(name))];
                Ok(vec![self.simulate(model, &from, &file(0), &what, &before(std::slice::from_ref(name)))?])
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
    cib.each(&mut |state| {
        if state.name == "node_state" && state.text("uname") == node {
            state.each(&mut |part| {
                if part.name == "lrm_resource" && part.id() == id {
                    part.children.clear();
                }
            });
        }
    });
    never_again(cib, id, node);
}

/// Makes a resource one that the cluster does not start on a node again, as it has failed to start there.
fn never_again(cib: &mut Element, id: &str, node: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
    cib.each(&mut |state| {
        if state.name != "node_state" || state.text("uname") != node {
            return;
        }
        let number = state.id().to_owned();
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
