//! Connections opened by the active node leave with the virtual IP address as their source.

use super::host::{Host, NOTHING, Names};
use super::{Params, Place, ServiceKind, no_defaults};
use crate::scenario::virtual_ip::VirtualIp;

pub(super) const KIND: ServiceKind = ServiceKind {
    section: "vip_src",
    agent: "ovd-vip-src",
    place: Place::WithAddress,
    optional: false,
    // Rules that are lost are repaired in place; they are no reason to move the Session Manager to another node.
    critical: false,
    meta: &[],
    before: &[],
    vantage: None,
    replica: None,
    count: None,
    externals: &[],
    left: &[],
    // Before 4.18 nftables does not translate addresses, and the agent uses iptables.
    host: Host { old_kernel: Names { deb: &["iptables"], rpm: &["iptables"] }, ..NOTHING },
    why: &[
        "Connections that the active node opens leave with the virtual IP as their source, so that the OVD servers",
        "see one Session Manager, whichever node that is.",
    ],
    derived,
    defaults: no_defaults,
};

fn derived(vip: &VirtualIp, _keys: &[&str]) -> Params {
    vec![("virtual_ip", Some(vip.net.addr().to_string())), ("nic", vip.nic.clone())]
}
