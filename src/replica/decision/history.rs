//! Random histories of two nodes: moves, crashes, passes that end half way, returns, a cluster that does not answer, starts
//! and stops that are killed. Files are numbers of versions; each node remembers which versions it ever had.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::guard::refuses;
use super::*;

const NAMES: [&str; 2] = ["osm1", "osm2"];

#[derive(Debug, Clone)]
enum Event {
    /// The active node writes a file, or deletes it.
    Write(u8, bool),
    /// lsyncd pushes so many files, then all that follow are for later.
    Push(usize),
    /// lsyncd pushes everything, and the peer is told.
    Pass,
    /// The service is moved; the stop gets so far (see [`World::stop`]), the start too.
    Move(u8, u8),
    /// The same without leaving the node.
    Restart(u8, u8),
    /// A node is lost; the other takes over if it can.
    Crash(usize),
    /// A lost node is there again, passive.
    Return(usize),
    /// A lost node is reinstalled.
    Reinstall(usize),
    /// The link between the nodes.
    Link(bool),
    /// Whether the cluster answers.
    Cluster(bool),
    /// A person says that a fork's data are right.
    Accept,
}

#[derive(Debug, Clone, Default)]
struct Node {
    up: bool,
    stamp: Option<Stamp>,
    files: BTreeMap<u8, u64>,
    had: BTreeSet<u64>,
    kept: BTreeSet<u64>,
}

impl Node {
    /// rsync with these files of another node: what is replaced goes into a backup folder, or the sender has had it.
    fn receive(&mut self, from: &Node, files: impl Iterator<Item = u8>, backup: bool) {
        for file in files {
            let new = from.files.get(&file).copied();
            let old = self.files.get(&file).copied();
            if let Some(old) = old.filter(|old| Some(*old) != new) {
                assert!(backup || from.had.contains(&old), "version {old} of file {file} is gone");
                if backup {
                    self.kept.insert(old);
                }
            }
            match new {
                Some(new) => {
                    self.had.insert(new);
                    self.files.insert(file, new)
                }
                None => self.files.remove(&file),
            };
        }
    }
}

#[derive(Debug, Clone, Default)]
struct World {
    nodes: [Node; 2],
    active: Option<usize>,
    record: Option<Record>,
    answers: bool,
    link: bool,
    version: u64,
    /// Of the active lsyncd: whether it pushes, and whether it still has to use a backup folder.
    pushing: bool,
    backup: bool,
    /// Who served last.
    last: Option<usize>,
    /// Somebody has started while the cluster did not answer: then a node that was away may not know of the other's epoch.
    blind: bool,
}

impl World {
    fn new() -> Self {
        let mut world = Self { answers: true, link: true, ..Self::default() };
        world.nodes.iter_mut().for_each(|node| node.up = true);
        world.start(0, 9);
        world
    }

    fn reachable(&self) -> bool {
        self.link && self.nodes.iter().all(|node| node.up)
    }

    fn known(&self) -> Known {
        match (&self.record, self.answers) {
            (_, false) => Known::Unreadable("no answer".into()),
            (None, true) => Known::Absent,
            (Some(record), true) => Known::Recorded(record.clone()),
        }
    }

    fn decide(&self, me: usize) -> Decision {
        let other = &self.nodes[1 - me];
        let peer = match self.reachable() {
            true => Peer::Answers { node: NAMES[1 - me], stamp: other.stamp.as_ref() },
            false => Peer::Unreachable,
        };
        Situation { me: NAMES[me], record: &self.known(), own: self.nodes[me].stamp.as_ref(), peer }.decide()
    }

    /// Starts on a node, as `prepare` does it. A kill after `steps` steps leaves it half done; true when it serves.
    fn start(&mut self, me: usize, steps: u8) -> bool {
        let decision = self.decide(me);
        let (mut fork, mut even) = (None, decision.even);
        match decision.act {
            Act::Continue { fork: base } => fork = base,
            Act::TakeOver => {}
            Act::Pull { or_fork } => {
                let [a, b] = &mut self.nodes;
                let (own, peer) = if me == 0 { (a, b) } else { (b, a) };
                let all: BTreeSet<u8> = own.files.keys().chain(peer.files.keys()).copied().collect();
                // Broken off after some files: nobody is told.
                if steps == 0 {
                    own.receive(peer, all.into_iter().take(2), true);
                    return false;
                }
                if steps == 7 {
                    own.receive(peer, all.into_iter().take(1), true);
                    fork = or_fork;
                } else {
                    own.receive(peer, all.into_iter(), true);
                    even = true;
                }
            }
            Act::Fork { base } => fork = Some(base),
        }
        if self.nodes[me].stamp.is_none() {
            self.nodes[me].stamp = Some(Stamp::copy(0, NAMES[me], false));
        }
        if steps == 1 {
            return false;
        }
        if self.answers {
            self.record = Some(Record { epoch: decision.epoch, node: NAMES[me].into(), fork });
        }
        if steps == 2 {
            return false;
        }
        self.nodes[me].stamp = Some(Stamp::source(decision.epoch, NAMES[me], fork));
        if even && steps != 3 {
            self.tell(me, false);
        }
        // Whoever could see the other's stamp has an epoch that it does not refuse.
        assert!(!self.reachable() || fork.is_some() || !self.is_refused(me), "refused: {decision:?}");
        let through = matches!(decision.act, Act::Continue { fork: None }) && self.peer_has(me, decision.epoch);
        (self.active, self.pushing, self.backup) = (Some(me), fork.is_none(), !through);
        let other = &self.nodes[1 - me];
        let source = other.stamp.as_ref().is_some_and(|s| s.kind == Kind::Source && s.fork.is_none());
        self.blind |= !self.answers;
        let fetched = !self.blind && self.reachable() && source && fork.is_none() && steps != 7;
        if self.last.replace(me) == Some(1 - me) && fetched {
            assert_eq!(self.nodes[me].files, other.files, "older data are served: {decision:?}");
        }
        true
    }

    /// Whether the other node takes nothing of this one.
    fn is_refused(&self, me: usize) -> bool {
        let epoch = self.nodes[me].stamp.as_ref().map_or(0, |stamp| stamp.epoch);
        self.nodes[1 - me].stamp.as_ref().is_some_and(|stamp| refuses(stamp, epoch))
    }

    fn peer_has(&self, me: usize, epoch: u64) -> bool {
        let stamp = self.nodes[1 - me].stamp.as_ref().filter(|_| self.reachable());
        stamp.is_some_and(|stamp| stamp.kind == Kind::Copy && stamp.complete && stamp.epoch == epoch)
    }

    /// `replica complete` on the peer.
    fn tell(&mut self, me: usize, clean: bool) -> bool {
        let Some(own) = self.nodes[me].stamp.clone() else { return false };
        let peer = &mut self.nodes[1 - me];
        let refused = peer.stamp.as_ref().is_some_and(|s| refuses(s, own.epoch));
        if !refused {
            peer.stamp = Some(Stamp::copy(own.epoch, NAMES[me], clean));
        }
        !refused
    }

    fn push(&mut self, count: usize) -> bool {
        let Some(me) = self.active.filter(|_| self.pushing && self.reachable()) else { return false };
        if self.is_refused(me) {
            return false;
        }
        let [a, b] = &mut self.nodes;
        let (own, peer) = if me == 0 { (&*a, b) } else { (&*b, a) };
        let all: BTreeSet<u8> = own.files.keys().chain(peer.files.keys()).copied().collect();
        peer.receive(own, all.into_iter().take(count), self.backup);
        true
    }

    /// Stops the active node. Killed before the flush (0), within (1), before the peer is told (2), else to the end; true
    /// when the peer has everything and knows it.
    fn stop(&mut self, steps: u8) -> bool {
        let Some(me) = self.active else { return false };
        let count = [0, 2, usize::MAX][usize::from(steps.min(2))];
        let pushed = count > 0 && self.push(count) && steps >= 2;
        self.active = None;
        if !pushed {
            return false;
        }
        if let Some(stamp) = &mut self.nodes[me].stamp {
            stamp.clean = true;
        }
        steps > 2 && self.tell(me, true)
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Write(file, write) => {
                let Some(me) = self.active else { return };
                self.version += 1;
                let (version, node) = (self.version, &mut self.nodes[me]);
                node.had.insert(version);
                if write {
                    node.files.insert(file, version);
                } else {
                    node.files.remove(&file);
                }
            }
            Event::Push(count) => {
                self.push(count);
            }
            Event::Pass => {
                if self.push(usize::MAX)
                    && let Some(me) = self.active
                    && self.tell(me, false)
                {
                    self.backup = false;
                }
            }
            Event::Move(stop, start) | Event::Restart(stop, start) => {
                let Some(me) = self.active else { return };
                let before = self.nodes[me].files.clone();
                let told = self.stop(stop);
                // The link may break just then.
                self.link &= start != 8;
                let other = matches!(event, Event::Move(..)) && self.nodes[1 - me].up;
                let to = if other { 1 - me } else { me };
                // Started again until it runs: Pacemaker does so here or there.
                if !self.start(to, start) {
                    self.start(to, 9);
                }
                // What was flushed is what is served now, wherever; and on the same node nothing changes ever, unless the
                // other one has newer data.
                assert!(!told || self.nodes[to].files == before, "a clean move has lost something");
            }
            Event::Crash(node) => {
                self.nodes[node].up = false;
                if self.active == Some(node) {
                    self.active = None;
                    if self.nodes[1 - node].up {
                        self.start(1 - node, 9);
                    }
                }
            }
            Event::Return(node) => {
                self.nodes[node].up = true;
                if self.active.is_none() {
                    self.start(node, 9);
                }
            }
            Event::Reinstall(node) => {
                if !self.nodes[node].up {
                    self.nodes[node] = Node::default();
                    self.last = self.last.filter(|last| *last != node);
                }
            }
            Event::Link(up) => self.link = up,
            Event::Cluster(answers) => self.answers = answers,
            Event::Accept => {
                let Some(me) = self.active else { return };
                let forked = self.nodes[me].stamp.as_ref().filter(|stamp| stamp.fork.is_some());
                if let Some(epoch) = forked.map(|stamp| stamp.epoch + 1)
                    && self.answers
                {
                    self.record = Some(Record { epoch, node: NAMES[me].into(), fork: None });
                    self.nodes[me].stamp = Some(Stamp::source(epoch, NAMES[me], None));
                    self.active = None;
                    self.start(me, 9);
                }
            }
        }
        let served = self.active.is_some() || self.nodes.iter().all(|node| !node.up);
        assert!(served, "nobody serves");
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..5u8, prop::bool::weighted(0.8)).prop_map(|(file, write)| Event::Write(file, write)),
        3 => (0..4usize).prop_map(Event::Push),
        3 => Just(Event::Pass),
        3 => (0..5u8, 0..10u8).prop_map(|(stop, start)| Event::Move(stop, start)),
        1 => (0..5u8, 0..10u8).prop_map(|(stop, start)| Event::Restart(stop, start)),
        2 => (0..2usize).prop_map(Event::Crash),
        3 => (0..2usize).prop_map(Event::Return),
        1 => (0..2usize).prop_map(Event::Reinstall),
        1 => prop::bool::weighted(0.7).prop_map(Event::Link),
        1 => prop::bool::weighted(0.7).prop_map(Event::Cluster),
        1 => Just(Event::Accept),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_newer_is_lost_and_somebody_serves(events in prop::collection::vec(event(), 0..60)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
    }
}
