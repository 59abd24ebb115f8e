//! What may fail.

use super::world::State;
use super::{Model, One};

/// What fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// These nodes are lost at once, without a word.
    Nodes(Vec<String>),
    /// The remote node is lost, and its connection with it.
    Remote(String),
    /// The resource's monitor reports a failure there, once.
    Monitor(String, String),
    /// The resource cannot start there.
    Start(String, String),
    /// The resource cannot be stopped there.
    Stop(String, String),
    /// The node alone loses sight of something; its attribute says so.
    Blind(String, String),
    /// All nodes lose sight of it.
    AllBlind(String),
    /// The node is lost, and comes back.
    Returns(String),
}

/// Pairs of nodes are tried up to this many nodes.
const PAIRS: usize = 8;

/// Everything that is tried: each node, each pair, each remote node, each resource where it runs, what nodes see, a return.
pub(super) fn all(model: &Model, up: &State) -> Vec<Event> {
    let nodes = &model.nodes;
    let mut all: Vec<Event> = nodes.iter().map(|node| Event::Nodes(vec![node.clone()])).collect();
    if nodes.len() <= PAIRS {
        for (index, one) in nodes.iter().enumerate() {
            all.extend(nodes.iter().skip(index + 1).map(|other| Event::Nodes(vec![one.clone(), other.clone()])));
        }
    }
    let home = |id: &str| up.placement.get(id).and_then(|nodes| nodes.first()).cloned();
    all.extend(model.remotes.iter().filter(|name| home(name).is_some()).cloned().map(Event::Remote));
    for one in &model.resources {
        let Some(node) = home(&one.id) else { continue };
        let at = || (one.id.clone(), node.clone());
        if one.monitor.is_some() {
            all.push(Event::Monitor(at().0, at().1));
        }
        all.push(Event::Start(at().0, at().1));
        all.push(Event::Stop(at().0, at().1));
    }
    let anchor = home(&model.anchor).or_else(|| {
        // A group is where its members are.
        let group = model.configuration.all("group").into_iter().find(|group| group.id() == model.anchor)?;
        home(group.all("primitive").first()?.id())
    });
    for view in model.views.iter().filter(|view| view.lost.is_some()) {
        all.extend(anchor.clone().map(|node| Event::Blind(view.name.clone(), node)));
        all.push(Event::AllBlind(view.name.clone()));
    }
    all.extend(anchor.map(Event::Returns));
    all
}

impl Event {
    /// One line for people.
    pub(super) fn text(&self) -> String {
        match self {
            Event::Nodes(nodes) => match nodes.as_slice() {
                [one] => format!("{one} is lost"),
                more => format!("{} are lost", more.join(" and ")),
            },
            Event::Remote(node) => format!("{node} is lost"),
            Event::Monitor(id, node) => format!("{id} fails on {node}"),
            Event::Start(id, node) => format!("{id} cannot start on {node}"),
            Event::Stop(id, node) => format!("{id} cannot be stopped on {node}"),
            Event::Blind(name, node) => format!("{node} alone loses {name}"),
            Event::AllBlind(name) => format!("all nodes lose {name}"),
            Event::Returns(node) => format!("{node} comes back"),
        }
    }

    /// What kind it is, as one word.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Event::Nodes(nodes) if nodes.len() == 1 => "node",
            Event::Nodes(_) => "nodes",
            Event::Remote(_) => "remote",
            Event::Monitor(..) => "monitor",
            Event::Start(..) => "start",
            Event::Stop(..) => "stop",
            Event::Blind(..) => "view",
            Event::AllBlind(_) => "view-of-all",
            Event::Returns(_) => "return",
        }
    }

    /// Whether it is one failure. What all nodes lose is outside of the cluster.
    pub(super) fn is_single(&self) -> bool {
        !matches!(self, Event::Nodes(nodes) if nodes.len() > 1) && !matches!(self, Event::AllBlind(_))
    }

    /// The nodes that are gone for good, and their votes with them.
    pub(super) fn lost(&self) -> &[String] {
        match self {
            Event::Nodes(nodes) => nodes,
            _ => &[],
        }
    }

    /// The resource it is about.
    pub(super) fn resource<'a>(&self, model: &'a Model) -> Option<&'a One> {
        match self {
            Event::Remote(id) | Event::Monitor(id, _) | Event::Start(id, _) | Event::Stop(id, _) => model.one(id),
            _ => None,
        }
    }
}
