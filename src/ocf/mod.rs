//! The OCF protocol.
pub mod deadline;
pub mod spec;
