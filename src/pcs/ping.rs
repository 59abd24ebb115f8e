//! What the generator knows of ocf:pacemaker:ping, which is not an agent of this package.

use super::plan::{Operation, Resource, Setting};
use crate::scenario::router::{self, Router};

/// Seconds between two questions.
const INTERVAL: u32 = 5;
/// Questions until a router counts as not reached, and seconds that each may take.
const ATTEMPTS: u32 = 2;
const WAIT: u32 = 2;

/// The node attribute with the number of routers that a node reaches.
pub fn attribute() -> String {
    format!("{}-reached", router::ID)
}

/// The resource that asks the router.
pub fn resource(router: &Router) -> Resource {
    let addresses: Vec<_> = router.addresses.iter().map(ToString::to_string).collect();
    // It asks one after the other.
    let asking = u32::try_from(addresses.len()).unwrap_or(u32::MAX).saturating_mul(ATTEMPTS * WAIT);
    let longest = asking.saturating_add(20).max(60);
    // How long the cluster waits, after one node has changed its view, for the others to change theirs: longer than the
    // slowest of them takes to notice. So a router that is down never looks like one that a single node has lost.
    let dampening = asking.saturating_add(INTERVAL + 1);
    let params = [
        ("host_list", addresses.join(" ")),
        ("name", attribute()),
        ("dampen", format!("{dampening}s")),
        ("attempts", ATTEMPTS.to_string()),
        ("timeout", WAIT.to_string()),
    ];
    Resource {
        id: router::ID.into(),
        agent: "ocf:pacemaker:ping".into(),
        params: params.into_iter().map(|(name, value)| (name.into(), Setting::Text(value))).collect(),
        // It says what it sees, and has nothing to fail with: whatever it fails at is tried again.
        meta: vec![("migration-threshold".into(), "INFINITY".into()), ("failure-timeout".into(), "10min".into())],
        operations: vec![
            Operation::plain("start", 0, longest),
            Operation::plain("stop", 0, 20),
            Operation::plain("monitor", INTERVAL, longest),
        ],
        whole: false,
    }
}
