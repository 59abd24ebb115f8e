//! Which part of a cluster that has come apart goes on.

use super::{Found, Subject};
use crate::configuration::value;

pub(super) fn ignored(subject: &Subject) -> Vec<Found> {
    if value(&subject.configuration.properties, "no-quorum-policy") != Some("ignore") {
        return Vec::new();
    }
    let text = "every part of a cluster that has come apart runs everything: two nodes have the same address and the same data";
    vec![Found::error(
        "no-quorum-policy=ignore",
        text,
        "no-quorum-policy=stop; two nodes get two_node from corosync by themselves",
    )]
}

pub(super) fn even(subject: &Subject) -> Vec<Found> {
    let votes = subject.configuration.nodes.iter().filter(|node| node.votes).count();
    if votes < 4 || votes % 2 == 1 || subject.quorum_device {
        return Vec::new();
    }
    let text = format!(
        "{votes} votes tolerate the loss of {}, exactly as {} do, and a split into halves stops both",
        votes / 2 - 1,
        votes - 1
    );
    vec![Found::warning("nodes", text, "one voting node less, or one more, or a quorum device")]
}
