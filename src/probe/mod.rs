//! Questions to a service, each with a deadline. They know nothing of agents.

pub mod alive;
pub mod amqp;
pub mod ctdb;
pub mod http;
pub(crate) mod line;
pub mod lock;
pub mod mount;
pub mod mysql;
pub mod nfs;
pub mod redis;
pub(crate) mod runtime;
pub mod server;
pub mod smb;
pub mod ssh;
pub mod tls;
pub mod trouble;
