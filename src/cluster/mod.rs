//! What the cluster says about itself.

pub mod corosync;
pub mod names;
