//! Quorum, as corosync's votequorum counts it: every node has a vote, and a quorum device those of its algorithm.

/// Who votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Votes {
    /// The nodes of the cluster.
    nodes: usize,
    /// The votes of the quorum device; 0: there is none.
    device: usize,
}

impl Votes {
    /// Of nodes without a quorum device.
    pub fn of(nodes: usize) -> Votes {
        Votes { nodes, device: 0 }
    }

    /// With a quorum device: `lms` has as many votes as all nodes but one, `ffsplit` has one.
    pub fn with_device(nodes: usize, algorithm: &str) -> Votes {
        Votes { nodes, device: if algorithm == "lms" { nodes.saturating_sub(1) } else { 1 } }
    }

    /// All votes.
    pub fn all(self) -> usize {
        self.nodes + self.device
    }

    /// How many votes are a majority; of two nodes one is enough (two_node), as the other one is switched off first.
    pub fn majority(self) -> usize {
        if self.all() == 2 { 1 } else { self.all() / 2 + 1 }
    }

    /// Whether the nodes that are left may go on, when the device answers them.
    pub fn suffice(self, left: usize) -> bool {
        left > 0 && left + self.device >= self.majority()
    }

    /// How many nodes may be lost while the device answers.
    pub fn tolerated(self) -> usize {
        (1..=self.nodes).find(|left| self.suffice(*left)).map_or(0, |left| self.nodes - left)
    }

    /// How many nodes may be lost while the device does not answer; none: the cluster stops without it.
    pub fn tolerated_without_device(self) -> Option<usize> {
        self.nodes.checked_sub(self.majority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_votes_tolerate_no_more_than_three() {
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(|nodes| Votes::of(nodes).tolerated()), [0, 1, 1, 1, 2, 2, 3, 3]);
        assert_eq!([1, 2, 3, 4, 5].map(|nodes| Votes::of(nodes).majority()), [1, 1, 2, 3, 3]);
    }

    #[test]
    fn a_quorum_device_lets_more_nodes_be_lost() {
        let with = |algorithm| [2, 3, 4, 5].map(|nodes| Votes::with_device(nodes, algorithm).tolerated());
        assert_eq!((with("ffsplit"), with("lms")), ([1, 1, 2, 2], [1, 2, 3, 4]));
        let alone = |algorithm| [2, 3, 4].map(|nodes| Votes::with_device(nodes, algorithm).tolerated_without_device());
        assert_eq!(alone("ffsplit"), [Some(0), Some(0), Some(1)]);
        assert_eq!(alone("lms"), [Some(0); 3]);
    }
}
