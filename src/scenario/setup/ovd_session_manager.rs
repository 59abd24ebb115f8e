//! The OVD Session Manager behind one address.

use super::{SetUp, lsyncd, session_manager, vip_src};

pub(super) const SETUP: SetUp = SetUp {
    name: "ovd-session-manager",
    title: "OVD Session Manager",
    role: "osm",
    // Pacemaker begins with what stands first, and a node under load gets one action at a time: the Session Manager is what
    // clients wait for. When there is no load, both start at once, and the rules of vip_src are there before it answers.
    // lsyncd starts before it all the same: an order says so.
    services: &[session_manager::KIND, vip_src::KIND, lsyncd::KIND],
    needs: &[
        "- install pacemaker, corosync, pcs, resource-agents, fence-agents and inuvika-ha. Nodes that only vote need",
        "  no software of OVD, but they need inuvika-ha: Pacemaker asks there, too, whether a service runs, takes it",
        "  for running where the agent is missing, and has such a node fenced. This script checks it first;",
    ],
    preference: 1,
    address: &[
        "Everything else stands around this address like a star. It starts on the first node of the scenario, the one",
        "that has the data; the preference is too weak to move it back there later (score 1 against the stickiness).",
    ],
    voters: "Nodes that only vote never run it: they need no software of OVD.",
    router: false,
    group: None,
    repository: false,
    volumes: &[],
    unit: None,
    own_address: None,
    address_optional: false,
    by_hand: |_, _| Vec::new(),
};
