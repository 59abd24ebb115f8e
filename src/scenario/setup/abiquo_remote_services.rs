//! Abiquo's Remote Services behind one address, with their template repository.

use super::host::{Host, NOTHING, Names};
use super::{Params, Place, ServiceKind, SetUp, no_defaults};
use crate::scenario::virtual_ip::VirtualIp;

pub(super) const SETUP: SetUp = SetUp {
    name: "abiquo-remote-services",
    title: "Abiquo Remote Services",
    role: "rs",
    services: &[KIND],
    needs: &[
        "- install pacemaker, corosync, pcs, resource-agents, fence-agents and inuvika-ha. Nodes that only vote need",
        "  nothing of Abiquo, but they need inuvika-ha: Pacemaker asks there, too, whether a service runs, takes it",
        "  for running where the agent is missing, and has such a node fenced. This script checks it first;",
        "- on nodes that run the Remote Services: the client of the repository (nfs-common or nfs-utils) and psmisc,",
        "  which the cluster needs to mount it; the same abiquo.properties; abiquo-tomcat switched off at boot",
        "  (systemctl disable --now abiquo-tomcat), and the repository not in /etc/fstab: the cluster mounts it;",
    ],
    preference: 1,
    address: &["The address that Abiquo knows the Remote Services by."],
    voters: "Nodes that only vote never run them: they need nothing of Abiquo.",
    router: true,
    group: Some("remote_services"),
    repository: true,
    volumes: &[],
    unit: None,
    own_address: None,
    address_optional: false,
    by_hand: |_, _| Vec::new(),
};

const KIND: ServiceKind = ServiceKind {
    section: "abiquo_rs",
    agent: "abiquo-rs",
    place: Place::WithAddress,
    optional: false,
    critical: true,
    // See the Session Manager: what both nodes have is tried again after this time, not only hours later.
    meta: &[("multiple-active", "stop_unexpected"), ("failure-timeout", "10min")],
    before: &[],
    vantage: Some("dependencies"),
    replica: None,
    count: None,
    externals: &["Redis", "RabbitMQ"],
    left: &[],
    host: Host { off: Names { deb: &["abiquo-tomcat"], rpm: &["abiquo-tomcat"] }, ..NOTHING },
    why: &[
        "Tomcat with the webapps of the Remote Services: on the active node and nowhere else.",
        "multiple-active=stop_unexpected: when a second Tomcat is found running, only that one is stopped.",
    ],
    derived,
    defaults: no_defaults,
};

/// It listens on every address and is asked over loopback: nothing depends on the virtual IP address.
fn derived(_vip: &VirtualIp, _keys: &[&str]) -> Params {
    Vec::new()
}
