//! XML, applied at once by cibadmin.

use super::configuration;
use crate::pcs::at_once::{self, Form};
use crate::pcs::dialect::{Dialect, Made, Wish};
use crate::pcs::plan::Plan;

/// The dialect of plain XML.
#[derive(Debug)]
pub struct Cib;

/// Makes the dialect: it has one variant.
pub(in crate::pcs) fn make(variant: &str, _: &Wish) -> Made {
    match variant {
        "" => Ok(Box::new(Cib)),
        _ => Err(format!("cib has no variant {variant}: write cib")),
    }
}

impl Dialect for Cib {
    fn render(&self, plan: &Plan) -> String {
        at_once::script(plan, &Form::Xml(configuration(plan).write(0)), &[])
    }
}
