//! High availability of Inuvika OVD, Abiquo and LVS with Pacemaker. The module list is the map of the project.

// agents/ stands beside src/ because it is what users come for; as a module of this crate it shares the runtime without
// a dependency circle between two packages.
#[path = "../agents/mod.rs"]
pub mod agents;
pub mod alert;
pub mod cli;
pub mod cluster;
pub mod configuration;
pub mod contained;
pub mod diagram;
pub mod diff;
pub mod director;
pub mod document;
pub mod import;
pub mod lint;
pub mod lsb;
pub mod multicall;
pub mod ocf;
pub mod out;
pub mod pcs;
pub mod probe;
pub mod replica;
pub mod scenario;
pub mod secret;
pub mod simulate;
pub mod sys;
