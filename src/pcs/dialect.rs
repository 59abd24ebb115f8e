//! The languages a plan can be written in.

use super::part::Part;
use super::plan::Plan;
use super::{cib, crmsh, script};

/// A language a plan can be written in.
pub trait Dialect: std::fmt::Debug {
    /// The whole text. Pure: the same plan gives the same bytes.
    fn render(&self, plan: &Plan) -> String;
    /// What of the plan it cannot write down: a clause without full stop.
    fn lacks(&self, _plan: &Plan) -> Option<String> {
        None
    }
}

/// What is asked of the text apart from its language.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The parts it is for; none: all.
    pub parts: Vec<Part>,
    /// Whether what the scenario does not have (any more) is removed.
    pub prune: bool,
}

/// A dialect, or why there is none: a clause without full stop.
pub type Made = Result<Box<dyn Dialect>, String>;

/// A family of languages. What `--dialect` takes is its name, or its name, a dash and a variant, as in `pcs-0.11`.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What it is, for people: a few words.
    pub about: &'static str,
    /// Makes the dialect of a variant; an empty text: the usual one.
    pub make: fn(variant: &str, wish: &Wish) -> Made,
}

/// Every family, the default first.
pub const FAMILIES: &[Family] = &[
    Family { name: "pcs", about: "a bash script of pcs commands; for a version: pcs-0.11", make: script::make },
    Family { name: "cib", about: "XML for a cluster that runs, applied in one piece by cibadmin", make: cib::make },
    Family { name: "crmsh", about: "the same for crmsh", make: crmsh::make },
];

/// The dialect of that name.
///
/// # Errors
/// Why there is none: a clause without full stop.
pub fn find(name: &str, wish: &Wish) -> Made {
    let variant = |family: &Family| match name.strip_prefix(family.name)? {
        "" => Some(""),
        rest => rest.strip_prefix('-'),
    };
    let found = FAMILIES.iter().find_map(|family| Some((family, variant(family)?)));
    let Some((family, variant)) = found else {
        let known = FAMILIES.iter().map(|family| format!("{} ({})", family.name, family.about)).collect::<Vec<_>>();
        return Err(format!("there is no dialect {name:?}: there are {}", known.join(", ")));
    };
    if family.name != "pcs" && (wish.prune || !wish.parts.is_empty()) {
        return Err(format!("{name} is for everything at once: --part and --prune are for pcs"));
    }
    (family.make)(variant, wish)
}
