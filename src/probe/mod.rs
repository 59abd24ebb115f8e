//! Questions to a service, each with a deadline. They know nothing of agents.

pub mod alive;
pub mod http;
pub(crate) mod line;
pub mod mysql;
pub(crate) mod runtime;
pub mod ssh;
