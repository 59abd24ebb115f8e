//! A director of LVS: what is wanted, how healthy it is, what to change.

pub mod check;
pub mod drift;
pub mod duties;
pub mod farm;
mod hash;
pub mod health;
pub mod kernel;
pub mod name;
pub mod owned;
pub mod plan;
pub mod report;
pub mod round;
mod sight;
pub mod told;

#[cfg(test)]
mod memory_kernel;
#[cfg(test)]
mod owned_tests;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod round_tests;
#[cfg(test)]
mod test_world;
