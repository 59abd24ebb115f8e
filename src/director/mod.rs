//! A director of LVS: what is wanted, how healthy it is, what to change.

pub mod check;
pub mod duties;
