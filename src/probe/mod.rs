//! Questions to a service, each with a deadline. They know nothing of agents.

pub mod alive;
pub mod http;
mod line;
pub mod mysql;
mod runtime;
pub mod ssh;
