//! The Session Manager's files, copied to the other node as they change.

use super::host::{From, Host, Login, NOTHING, Names, Port, Ports};
use super::{Params, Place, Service, ServiceKind};
use crate::scenario::node::{Node, Role};
use crate::scenario::virtual_ip::VirtualIp;

pub(super) const KIND: ServiceKind = ServiceKind {
    section: "lsyncd",
    agent: "ovd-lsyncd",
    place: Place::WithAddress,
    optional: true,
    // Files that are not copied for a while are a smaller evil than users who are thrown out: it reports, and that is all.
    critical: false,
    meta: &[("multiple-active", "stop_unexpected")],
    before: &["session_manager"],
    vantage: None,
    replica: Some("replica"),
    count: None,
    externals: &[],
    left: &[],
    host: Host {
        packages: Names {
            deb: &["lsyncd", "rsync", "openssh-server", "openssh-client"],
            rpm: &["lsyncd", "rsync", "openssh-server", "openssh-clients"],
        },
        replaced: Names { deb: &["lsyncd"], rpm: &["lsyncd"] },
        ports: |service, _| Ports {
            open: vec![Port { protocol: "tcp", port: login(service).port, from: From::Runners, why: "ssh" }],
            ..Ports::default()
        },
        login: Some(login),
        ..NOTHING
    },
    why: &[
        "The files of the Session Manager (settings, PHP sessions) are copied from the active node to the other one.",
        "It starts after the address and before the Session Manager, which then finds the newest files; it stops after",
        "it, so that what was written last is copied before the other node takes over.",
        "multiple-active=stop_unexpected: when a second one is found running, only that one is stopped.",
    ],
    derived: |_: &VirtualIp, _: &[&str]| Vec::new(),
    defaults,
};

/// The peer is the other one of two nodes: both get the same parameters, so both are named.
fn defaults(nodes: &[Node]) -> Result<Params, String> {
    let pair: Vec<_> = nodes.iter().filter(|node| node.role == Role::Active).map(|node| node.name.as_str()).collect();
    match pair.len() {
        2 => Ok(vec![("peer", Some(pair.join(",")))]),
        n => Err(format!("copies files from one node to one other: {n} nodes have the role osm")),
    }
}

/// What the agent does by itself where a parameter is missing.
fn login(service: &Service) -> Login {
    let text = |name: &str, otherwise: &str| service.read.text(name).unwrap_or(otherwise).to_owned();
    let peers = text("peer", "");
    Login {
        key: text("identity_file", "/root/.ssh/sync_rsa"),
        known_hosts: text("known_hosts", "/root/.ssh/known_hosts"),
        user: text("user", "root"),
        port: service.read.text("ssh_port").and_then(|port| port.parse().ok()).unwrap_or(22),
        peers: peers.split([',', ' ']).filter(|peer| !peer.is_empty()).map(Into::into).collect(),
    }
}
