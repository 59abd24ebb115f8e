//! Where everything ran before something happened, and where it runs then.

use super::action::Action;
use super::{Model, Placement};
use crate::document::element::Element;

/// Where everything ran before. What is done is added to it: where a monitor with role=Stopped has run, the state that is
/// simulated would have the resource running.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) placement: Placement,
}

impl Before {
    pub(super) fn without(placement: &Placement, lost: &[String]) -> Before {
        let mut before = Before { placement: placement.clone() };
        before.lose(lost);
        before
    }

    fn lose(&mut self, lost: &[String]) {
        self.placement.values_mut().for_each(|nodes| nodes.retain(|node| !lost.contains(node)));
    }

    pub(super) fn forget(&mut self, id: &str, node: &str) {
        if let Some(nodes) = self.placement.get_mut(id) {
            nodes.retain(|one| one != node);
        }
    }

    /// Where everything runs after the actions.
    pub(super) fn placement(&self, actions: &[Action], said: &Element, model: &Model) -> Placement {
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
