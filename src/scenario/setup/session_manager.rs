//! The Session Manager itself: its web server and its cron job.

use super::host::{Host, NOTHING, Names};
use super::{Params, Place, ServiceKind, no_defaults};
use crate::scenario::virtual_ip::VirtualIp;

pub(super) const KIND: ServiceKind = ServiceKind {
    section: "session_manager",
    agent: "ovd-osm",
    place: Place::WithAddress,
    optional: false,
    critical: true,
    // Pacemaker 2.1.3 and later; an older one logs that it does not know the value, and restarts both.
    // failure-timeout: a fault that both nodes have (a file that is copied to both) stops it on both within a minute. It is
    // tried again then, not only hours after the fault is gone.
    meta: &[("multiple-active", "stop_unexpected"), ("failure-timeout", "10min")],
    before: &[],
    vantage: Some("database"),
    replica: None,
    count: None,
    externals: &["database"],
    left: &[],
    host: Host { off: Names { deb: &["apache2"], rpm: &["httpd"] }, ..NOTHING },
    why: &[
        "The web server and the cron job of the Session Manager: on the active node and nowhere else.",
        "multiple-active=stop_unexpected: when a second web server is found running, only that one is stopped.",
    ],
    derived,
    defaults: no_defaults,
};

/// It listens on every address and asks itself over loopback: nothing depends on the virtual IP address.
fn derived(_vip: &VirtualIp, _keys: &[&str]) -> Params {
    Vec::new()
}
