//! The agents, one folder each, and the one list of them.

pub mod abiquo_rs;
mod cron;
pub mod lvs_director;
pub mod ofs_ctdb;
pub mod ovd_lsyncd;
pub mod ovd_osm;
pub mod ovd_vip_src;

use crate::ocf::agent::Registered;
use crate::ocf::spec::Spec;

/// Every agent of this package. Links, meta-data files, tests and the generator go through this list.
pub const REGISTRY: &[&dyn Registered] = &[
    &ovd_vip_src::OvdVipSrc,
    &ovd_osm::OvdOsm,
    &ovd_lsyncd::OvdLsyncd,
    &lvs_director::LvsDirector,
    &abiquo_rs::AbiquoRs,
    &ofs_ctdb::OfsCtdb,
];

/// The tables of all agents.
pub fn specs() -> impl Iterator<Item = &'static Spec> {
    REGISTRY.iter().map(|agent| agent.table())
}

/// The agent called exactly `name`.
pub fn find(name: &str) -> Option<&'static dyn Registered> {
    REGISTRY.iter().copied().find(|agent| agent.table().name == name)
}
