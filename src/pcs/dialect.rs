//! The languages a plan can be written in: one file each.

use super::plan::Plan;
use super::v0_11;

/// A language a plan can be written in.
pub trait Dialect: std::fmt::Debug + Sync {
    /// Its name, as in `pcs-0.11`.
    fn name(&self) -> &'static str;
    /// The whole script. Pure: the same plan gives the same bytes.
    fn render(&self, plan: &Plan) -> String;
}

/// Every dialect, the default first.
pub const DIALECTS: &[&dyn Dialect] = &[&v0_11::Pcs011];

/// The dialect when none is asked for.
pub fn default() -> &'static dyn Dialect {
    &v0_11::Pcs011
}
