//! Shared by the test targets and the demo.
#![allow(dead_code, unused_imports, reason = "every target includes the whole module and uses its own part of it")]

pub mod abiquo_host;
pub mod abiquo_node;
pub mod apache;
pub mod frozen;
pub mod lab;
pub mod lsyncd;
pub mod lsyncd_host;
pub mod mariadb;
pub mod meaning;
pub mod osm_host;

pub mod ovd;
pub mod session_manager;
pub mod sshd;
pub mod subject;
pub mod suite;
pub mod writer;
