//! `ocf:inuvika:ovd-vip-src`: connections opened by the active node leave with the virtual IP address as their source.

pub mod spec;
