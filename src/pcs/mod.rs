//! From a scenario to a script: the scenario becomes a plan, and a dialect writes the plan down.

mod at_once;
mod build;
pub mod cib;
mod container;
pub mod crmsh;
pub mod dialect;
pub mod filesystem;
pub mod former;
pub mod ipaddr2;
pub mod part;
pub mod ping;
pub mod plan;
pub mod prepare;
pub mod quote;
pub mod script;
pub mod setting;
pub mod unit;

pub use build::plan;

#[cfg(test)]
mod words_tests;
