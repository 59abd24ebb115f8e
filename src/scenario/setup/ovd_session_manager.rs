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
};
