//! The OVD Session Manager behind one address.

use super::{SetUp, session_manager, vip_src};

pub(super) const SETUP: SetUp = SetUp {
    name: "ovd-session-manager",
    title: "OVD Session Manager",
    role: "osm",
    services: &[vip_src::KIND, session_manager::KIND],
};
