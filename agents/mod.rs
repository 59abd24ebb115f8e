//! The agents, one folder each, and the one list of them.

pub mod ovd_vip_src;

use crate::ocf::spec::Spec;

/// Every agent of this package. Links, meta-data files, tests and the generator go through this list.
pub const REGISTRY: &[&Spec] = &[&ovd_vip_src::spec::SPEC];
