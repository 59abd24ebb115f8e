//! Effects on the host: each type here knows nothing of agents.

pub mod claim;
pub mod clock;
pub mod cron_job;
pub mod cron_link;
pub mod duplicate;
pub mod iptables;
pub mod ipvs;
pub mod links;
pub mod mounts;
pub mod netlink;
pub mod nft;
pub mod process;
pub mod remote;
pub mod service;
pub mod source_nat;
