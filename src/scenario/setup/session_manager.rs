//! The Session Manager itself: its web server and its cron job.

use super::{Params, ServiceKind};
use crate::scenario::virtual_ip::VirtualIp;

pub(super) const KIND: ServiceKind = ServiceKind {
    section: "session_manager",
    agent: "ovd-osm",
    critical: true,
    // Somebody has started a second Apache: that one is stopped, and the one in use is left alone. Pacemaker before 2.1.3
    // does not know the word, and stops both.
    meta: &[("multiple-active", "stop_unexpected")],
    vantage: Some("database"),
    why: &[
        "The Session Manager's Apache and its cron job. critical=true: when it cannot run here, everything moves.",
        "multiple-active: when Apache has been started on the passive node as well, only that one is stopped.",
        "role=Stopped: on the passive nodes the monitor takes a cron link away that a package upgrade has brought back, and",
        "asks the database from there. Pacemaker runs it on EVERY node of the cluster, so the agent has to be on every node.",
    ],
    derived,
};

/// It listens on all addresses and asks itself: it does not depend on the virtual IP.
fn derived(_vip: &VirtualIp) -> Params {
    Vec::new()
}
