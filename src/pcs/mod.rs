//! From a scenario to a script: the scenario becomes a plan, and a dialect writes the plan down.

mod build;
pub mod dialect;
pub mod filesystem;
pub mod ipaddr2;
pub mod ping;
pub mod plan;
pub mod quote;
mod script;
pub mod unit;

pub use build::plan;
