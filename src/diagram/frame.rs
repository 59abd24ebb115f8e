//! What is drawn as a frame: nodes of the cluster, then remote ones.

use crate::document::element::Element;
use crate::pcs::plan::{Plan, Setting, Step};

/// A node, which fails as a whole.
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) addresses: Vec<String>,
    /// Whether the cluster only connects to it.
    pub(super) remote: bool,
}

/// All of them; remote nodes come last.
pub(super) fn all(plan: &Plan) -> Vec<Frame> {
    let nodes = plan.nodes.iter().map(|node| Frame {
        name: node.name.clone(),
        addresses: node.addresses.clone(),
        remote: false,
    });
    let remotes = plan.steps().filter_map(|step| {
        let Step::Remote(connection) = step else { return None };
        let server = connection.params.iter().filter(|(name, _)| name == "server");
        let addresses = server.filter_map(|(_, value)| match value {
            Setting::Text(text) => Some(text.clone()),
            _ => None,
        });
        Some(Frame { name: connection.id.clone(), addresses: addresses.collect(), remote: true })
    });
    nodes.chain(remotes).collect()
}

/// Whether a resource is the connection to a remote node.
pub(super) fn is_connection(one: &Element) -> bool {
    one.text("provider") == "pacemaker" && one.text("type") == "remote"
}

/// The nodes that may run a resource, by number: no remote node connects to another one.
pub(super) fn hosts<'a>(one: &Element, frames: &'a [Frame], nodes: &'a [String]) -> &'a [String] {
    let members = frames.iter().filter(|frame| !frame.remote).count();
    if is_connection(one) { nodes.get(..members).unwrap_or(nodes) } else { nodes }
}

impl Frame {
    /// What it is for: whether it runs services, or connections to remote nodes.
    pub(super) fn caption(&self, services: bool, connections: bool) -> &'static str {
        match (self.remote, services, connections) {
            (true, true, _) => "remote: runs services, no vote",
            (true, false, _) => "remote: no vote",
            (false, true, _) => "runs services, and votes",
            (false, false, true) => "holds connections, and votes",
            (false, false, false) => "votes only",
        }
    }
}
