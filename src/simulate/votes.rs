//! Quorum, as corosync's votequorum counts it: every node has a vote.

/// How many votes are a majority; of two nodes one is enough (two_node), as the other one is switched off first.
pub fn majority(nodes: usize) -> usize {
    if nodes == 2 { 1 } else { nodes / 2 + 1 }
}

/// How many nodes may be lost.
pub fn tolerated(nodes: usize) -> usize {
    nodes - majority(nodes).min(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_votes_tolerate_no_more_than_three() {
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(tolerated), [0, 1, 1, 1, 2, 2, 3, 3]);
        assert_eq!([1, 2, 3, 4, 5].map(majority), [1, 1, 2, 3, 3]);
    }
}
