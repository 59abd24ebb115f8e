//! What the cluster does about something.

use crate::document::element::Element;

/// Something the cluster does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// A node is switched off.
    Fence(String),
    /// A resource starts there.
    Start(String, String),
    /// An instance that runs there is promoted.
    Promote(String, String),
    /// An instance there is promoted no more.
    Demote(String, String),
    /// A resource stops there. No node: it went with its node, and takes no time.
    Stop(String, Option<String>),
}

/// What a transition does, in order.
pub(super) fn all(said: &Element) -> Vec<Action> {
    let transition = said.child("transition").map(|all| all.children.as_slice()).unwrap_or_default();
    let action = |one: &Element| {
        let resource = one.text("resource").split(':').next().unwrap_or_default().to_owned();
        match (one.name.as_str(), one.text("op")) {
            ("fencing_action", _) => Some(Action::Fence(one.text("target").to_owned())),
            ("rsc_action", "start") => Some(Action::Start(resource, one.text("node").to_owned())),
            ("rsc_action", "promote") => Some(Action::Promote(resource, one.text("node").to_owned())),
            ("rsc_action", "demote") => Some(Action::Demote(resource, one.text("node").to_owned())),
            ("rsc_action", "stop") => Some(Action::Stop(resource, Some(one.text("node").to_owned()))),
            ("pseudo_action", _) => {
                let id = one.text("task").strip_suffix("_stop_0")?;
                Some(Action::Stop(id.split(':').next().unwrap_or_default().to_owned(), None))
            }
            _ => None,
        }
    };
    transition.iter().filter_map(action).collect()
}
