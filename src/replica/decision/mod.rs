//! What to do at start, from what the cluster, this node and the peer know. Pure: no clock, no file, no network.
//!
//! Two rules stand above all. Data that may be the newest are not overwritten, except into a backup folder. And there is
//! always an answer that lets this node serve.

use super::record::{Known, Record};
use super::stamp::{Kind, Stamp};

/// The peer, as far as it could be asked.
#[derive(Debug, Clone, Copy)]
pub enum Peer<'a> {
    /// It could not.
    Unreachable,
    /// It answers.
    Answers {
        /// Its node name.
        node: &'a str,
        /// Its stamp.
        stamp: Option<&'a Stamp>,
    },
}

/// All there is to go by.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// This node.
    pub me: &'a str,
    /// The cluster's memory.
    pub record: &'a Known,
    /// This node's stamp.
    pub own: Option<&'a Stamp>,
    /// The peer.
    pub peer: Peer<'a>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Go on as before; a fork stays one.
    Continue {
        /// See [`Stamp::fork`].
        fork: Option<u64>,
    },
    /// Raise the epoch and push.
    TakeOver,
    /// Fetch the peer's data, then raise the epoch and push.
    Pull {
        /// When they cannot be fetched: fork from this epoch; none: take over with what is here, which lacks only the last
        /// changes.
        or_fork: Option<u64>,
    },
    /// Raise the epoch, serve, push nothing.
    Fork {
        /// The epoch of the data here.
        base: u64,
    },
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub act: Act,
    /// The epoch that this node serves then.
    pub epoch: u64,
    /// The peer has the very same data now: it may be told at once that it has all of the new epoch.
    pub even: bool,
    /// Who has newer data, when it is known, and of which epoch.
    pub newer: Option<(String, u64)>,
    /// Why, in one line for the log.
    pub why: String,
}

impl Situation<'_> {
    /// What to do at start.
    pub fn decide(&self) -> Decision {
        let top = self.top();
        if self.is_first() {
            let blind = matches!((self.record, self.peer), (Known::Unreadable(_), Peer::Unreachable));
            return match blind {
                // The cluster has never had an epoch: that is enough, also without the peer, whose files go into a backup
                // folder where they differ. If it has data of replication all the same (the cluster was made anew), it
                // refuses these.
                false => self.answer(Act::TakeOver, 1, "nobody has any data yet: the first start".into()),
                // Nobody at all can be asked: there may be an epoch, and newer data.
                true => self.fork(0, 1, "neither the cluster nor the peer can be asked, and there is no stamp".into()),
            };
        }
        if let Some(base) = self.own_fork(top) {
            return self.stay_forked(base, top);
        }
        if self.was_killed_after_raising() {
            return self.answer(Act::Continue { fork: None }, top, format!("epoch {top} was raised here already"));
        }
        let (mine, newest) = (self.mine(), self.newest());
        if mine == Some(newest) { self.with_the_newest(newest, top) } else { self.with_older(mine, newest, top) }
    }

    /// What to do at start when a folder here lacks its files for now, as its file system is not mounted: serve, push nothing
    /// and fetch nothing. A fork of the data that this node has, so that what is written meanwhile counts: with the file system
    /// back they are all here.
    pub fn hold(&self, why: &str) -> Decision {
        let (top, why) = (self.top(), why.to_owned());
        match self.own_fork(top) {
            Some(base) => {
                Decision { newer: self.holder(), ..self.answer(Act::Continue { fork: Some(base) }, top, why) }
            }
            None => self.fork(self.held_base(), top.saturating_add(1), why),
        }
    }

    /// What a node that only holds its data is based on: the last changes of a copy that is not clean may be with its source
    /// alone, which has to count for more than the fork, or they would be replaced by it.
    fn held_base(&self) -> u64 {
        let lacking = self.own.is_some_and(|own| own.kind == Kind::Copy && !own.clean);
        (self.mine().unwrap_or_default() / 2).saturating_sub(u64::from(lacking))
    }

    /// This node has the newest data that anybody is known to have.
    fn with_the_newest(&self, newest: u64, top: u64) -> Decision {
        let next = top.saturating_add(1);
        let Some(own) = self.own else { return self.answer(Act::TakeOver, next, "no stamp".into()) };
        let peer = self.peer_stamp().filter(|stamp| stamp.complete && !stamp.partial && stamp.rank() == newest);
        let epoch = own.epoch;
        match own.kind {
            Kind::Source => {
                let told = peer.is_some_and(|stamp| stamp.kind == Kind::Copy && stamp.clean);
                // It would refuse an epoch that it has served itself, a fork's, too.
                let both = self.peer_stamp().is_some_and(|stamp| stamp.kind == Kind::Source && stamp.epoch == epoch);
                if own.clean || told || both || epoch < top {
                    let why = format!("the data here are those of epoch {epoch}, served here before");
                    Decision { even: own.clean && told, ..self.answer(Act::TakeOver, next, why) }
                } else {
                    let why = format!("epoch {epoch} goes on here");
                    self.answer(Act::Continue { fork: own.fork }, epoch, why)
                }
            }
            Kind::Copy => {
                let source = peer.is_some_and(|stamp| stamp.kind == Kind::Source);
                if own.clean {
                    let why = format!("the data of epoch {epoch} are here to the last change");
                    Decision { even: source, ..self.answer(Act::TakeOver, next, why) }
                } else if source {
                    let why = format!("the last changes of epoch {epoch} may be on {} only", self.peer_name());
                    self.answer(Act::Pull { or_fork: None }, next, why)
                } else {
                    let why = format!(
                        "the data of epoch {epoch} are here; the last changes on {} cannot be fetched now",
                        own.node
                    );
                    self.answer(Act::TakeOver, next, why)
                }
            }
        }
    }

    /// There are, or were, newer data elsewhere.
    fn with_older(&self, mine: Option<u64>, newest: u64, top: u64) -> Decision {
        let next = top.saturating_add(1);
        // Halved: a fork is worth its base.
        let base = mine.unwrap_or_default() / 2;
        let theirs = self.theirs();
        match self.peer {
            Peer::Unreachable => self.fork(base, next, format!("newer data (epoch {}) cannot be fetched", newest / 2)),
            Peer::Answers { node, .. } if theirs > mine => {
                let why = format!("{node} has newer data (epoch {})", theirs.unwrap_or_default() / 2);
                let newer = self.holder();
                Decision { newer, ..self.answer(Act::Pull { or_fork: Some(base) }, next, why) }
            }
            Peer::Answers { node, .. } => {
                let why = format!("the data of epoch {} are lost: {node} does not have them either", newest / 2);
                self.answer(Act::TakeOver, next, why)
            }
        }
    }

    /// This node serves a fork already. What clients have written here since is not thrown away without a person.
    fn stay_forked(&self, base: u64, top: u64) -> Decision {
        let mine = super::stamp::rank(top, Some(base));
        match self.peer {
            Peer::Answers { node, .. } if self.theirs().is_none_or(|theirs| theirs < mine) => {
                let why = format!("{node} has nothing newer than epoch {base}: the data here are the newest");
                self.answer(Act::TakeOver, top.saturating_add(1), why)
            }
            _ => Decision {
                newer: self.holder(),
                ..self.answer(Act::Continue { fork: Some(base) }, top, format!("still a fork from epoch {base}"))
            },
        }
    }

    fn fork(&self, base: u64, epoch: u64, why: String) -> Decision {
        Decision { newer: self.holder(), ..self.answer(Act::Fork { base }, epoch, why) }
    }

    fn answer(&self, act: Act, epoch: u64, why: String) -> Decision {
        Decision { act, epoch, even: false, newer: None, why }
    }

    fn recorded(&self) -> Option<&Record> {
        match self.record {
            Known::Recorded(record) => Some(record),
            _ => None,
        }
    }

    fn peer_stamp(&self) -> Option<&Stamp> {
        match self.peer {
            Peer::Answers { stamp, .. } => stamp,
            Peer::Unreachable => None,
        }
    }

    fn peer_name(&self) -> &str {
        match self.peer {
            Peer::Answers { node, .. } => node,
            Peer::Unreachable => "the peer",
        }
    }

    /// Nobody knows of any data.
    fn is_first(&self) -> bool {
        self.recorded().is_none() && self.own.is_none() && self.peer_stamp().is_none()
    }

    /// The highest epoch that anybody knows of: the next one has to be above it.
    fn top(&self) -> u64 {
        let stamps = [self.own, self.peer_stamp()].into_iter().flatten().map(|stamp| stamp.epoch);
        stamps.chain(self.recorded().map(|record| record.epoch)).max().unwrap_or_default()
    }

    /// The rank of the data here; none when there are none.
    fn mine(&self) -> Option<u64> {
        let own = self.own.filter(|stamp| stamp.complete || stamp.kind == Kind::Source)?;
        let contested = |record: &Record| record.epoch == own.epoch && record.node != self.me;
        // Two nodes were active in the same epoch, which only a cluster without a say can have come to: its word counts.
        let lost = own.kind == Kind::Source && self.recorded().is_some_and(contested);
        Some(own.rank().saturating_sub(u64::from(lost)))
    }

    /// The rank of the peer's data.
    fn theirs(&self) -> Option<u64> {
        self.peer_stamp().filter(|stamp| stamp.complete || stamp.kind == Kind::Source).map(Stamp::rank)
    }

    fn newest(&self) -> u64 {
        let recorded = self.recorded().map(Record::rank);
        // What a partial copy lacks is somewhere.
        let lacking = self.own.filter(|own| own.partial).map(Stamp::whole_rank);
        [recorded, self.mine(), self.theirs(), lacking].into_iter().flatten().max().unwrap_or_default()
    }

    /// Who has newer data than this node, as far as is known, and of which epoch.
    fn holder(&self) -> Option<(String, u64)> {
        let of_record = self.recorded().filter(|record| record.node != self.me).map(|r| (r.rank(), r.node.as_str()));
        let of_peer = self.theirs().map(|rank| (rank, self.peer_name()));
        let (rank, node) = [of_record, of_peer].into_iter().flatten().max_by_key(|(rank, _)| *rank)?;
        (Some(rank) > self.mine()).then(|| (node.to_owned(), rank / 2))
    }

    /// The epoch that this node's fork is based on, if it serves one and nobody has gone on since.
    fn own_fork(&self, top: u64) -> Option<u64> {
        let own = self.own?;
        // Killed between the cluster's record and the stamp; the data have to be those that it was decided for.
        let of_record = self.recorded().filter(|record| record.epoch == top && record.node == self.me);
        let raised = of_record
            .and_then(|record| record.fork)
            .filter(|base| own.epoch < top && self.mine().unwrap_or_default() / 2 == *base);
        let stamped = own.fork.filter(|_| own.kind == Kind::Source && own.epoch == top && !self.is_contested(top));
        stamped.or(raised)
    }

    fn is_contested(&self, top: u64) -> bool {
        self.recorded().is_some_and(|record| record.epoch == top && record.node != self.me)
    }

    /// The cluster knows of an epoch of this node that its own stamp does not: the start before this one was killed in
    /// between. Nothing has been pushed in that epoch, so nobody can have its data: a peer that has them means that the
    /// stamp here is an old one, with a disk from a backup.
    fn was_killed_after_raising(&self) -> bool {
        let (Some(own), Some(record)) = (self.own, self.recorded()) else { return false };
        let raised = record.node == self.me && record.fork.is_none() && own.epoch < record.epoch && !own.partial;
        raised && self.peer_stamp().is_none_or(|stamp| stamp.epoch < record.epoch)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
#[path = "history.rs"]
mod history;
