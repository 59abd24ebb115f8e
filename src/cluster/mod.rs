//! What the cluster says about itself.

pub mod attribute;
pub mod corosync;
pub mod names;
