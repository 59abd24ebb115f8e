//! What the cluster says about itself.

pub mod attribute;
pub mod cib;
pub mod corosync;
pub mod managed;
pub mod member;
pub mod names;
