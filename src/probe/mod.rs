//! Questions to a service, each with a deadline. They know nothing of agents.

pub mod alive;
pub mod amqp;
pub mod http;
pub(crate) mod line;
pub mod mount;
pub mod mysql;
pub mod nfs;
pub mod redis;
pub(crate) mod runtime;
pub mod server;
pub mod ssh;
pub mod tls;
pub mod trouble;
