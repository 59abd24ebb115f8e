//! The OVD Session Manager behind one address.

use super::{SetUp, lsyncd, session_manager, vip_src};

pub(super) const SETUP: SetUp = SetUp {
    name: "ovd-session-manager",
    title: "OVD Session Manager",
    role: "osm",
    // lsyncd has to be there before the Session Manager. Of the others, Pacemaker begins with what stands first, and a node under load gets one action at a time: the Session Manager is what
    // clients wait for. When there is no load, both start at once, and the rules of vip_src are there before it answers.
    services: &[lsyncd::KIND, session_manager::KIND, vip_src::KIND],
};
