//! The OCF protocol (Resource Agent API 1.1) and the shape of an agent.
//!
//! An agent is a table ([`spec::Spec`]) and an implementation of [`agent::Agent`]; [`run`] turns both into a program.

pub mod action;
pub mod agent;
pub mod alone;
pub mod by_hand;
pub mod check;
pub mod deadline;
pub mod environment;
pub mod exit;
pub mod instance;
pub mod log;
pub mod memory;
pub mod metadata;
pub mod operation;
pub mod params;
pub mod recorded;
pub mod report;
pub mod run;
pub mod spec;
pub mod state;
pub mod trace;
mod voice;
pub mod xml;
