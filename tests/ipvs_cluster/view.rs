//! What crm_mon says.

use anyhow::Result;

use crate::node::Node;
use crate::xml::Element;

/// One look at the cluster.
pub struct View(Element);

impl View {
    /// Asks crm_mon on that node.
    pub fn of(node: &Node) -> Result<Self> {
        let words = ["crm_mon", "--one-shot", "--inactive", "--include=all", "--fence-history=3", "--output-as=xml"];
        Ok(Self(Element::parse(&node.run(&words)?)?))
    }

    fn under(&self, part: &str, name: &str) -> Vec<&Element> {
        self.0.child(part).map(|part| part.all(name)).unwrap_or_default()
    }

    fn coordinator(&self) -> Option<&Element> {
        self.under("summary", "current_dc").into_iter().next()
    }

    pub fn has_coordinator(&self) -> bool {
        self.coordinator().is_some_and(|dc| dc.is("present"))
    }

    pub fn has_quorum(&self) -> bool {
        self.coordinator().is_some_and(|dc| dc.is("with_quorum"))
    }

    /// The nodes that take part fully.
    pub fn online(&self) -> Vec<&str> {
        let nodes = self.under("nodes", "node").into_iter();
        let full = |node: &&Element| node.is("online") && !node.is("pending") && !node.is("unclean");
        nodes.filter(full).map(|node| node.get("name")).collect()
    }

    /// The nodes that run a resource, or an instance of it.
    pub fn nodes_of(&self, id: &str) -> Vec<&str> {
        let resources = self.under("resources", "resource").into_iter();
        let instances = resources.filter(|resource| resource.get("id").split(':').next() == Some(id));
        let mut nodes: Vec<_> = instances.flat_map(|one| one.all("node")).map(|node| node.get("name")).collect();
        nodes.sort_unstable();
        nodes
    }

    /// A node attribute; empty when there is none.
    pub fn attribute(&self, node: &str, name: &str) -> &str {
        let nodes = self.under("node_attributes", "node").into_iter().filter(|one| one.get("name") == node);
        let mut attributes = nodes.flat_map(|one| one.all("attribute"));
        attributes.find(|one| one.get("name") == name).map_or("", |one| one.get("value"))
    }

    /// Failed operations, and what only reports degradation: `ID on NODE gave CODE: REASON`.
    pub fn failures(&self) -> Vec<String> {
        let failures = self.under("failures", "failure").into_iter();
        let line = |one: &Element| {
            let key = [one.get("op_key"), one.get("id")].into_iter().find(|key| !key.is_empty()).unwrap_or_default();
            format!("{key} on {} gave {}: {}", one.get("node"), one.get("exitcode"), one.get("exitreason"))
        };
        failures.map(line).collect()
    }

    /// The nodes that were fenced with success.
    pub fn fenced(&self) -> Vec<&str> {
        let events = self.under("fence_history", "fence_event").into_iter();
        events.filter(|event| event.get("status") == "success").map(|event| event.get("target")).collect()
    }
}
