//! What is wrong with a cluster although the tools take it: each fault that is looked for has a code that stays, a page that explains
//! it, and a rule.

mod addresses;
mod failures;
mod fencing;
mod leftovers;
mod loops;
mod names;
mod network;
mod operations;
mod placement;
mod quorum;
mod scenario;
mod secrets;
mod stickiness;

use crate::configuration::{Configuration, Resource};
use crate::scenario::fencing::is_secret;
use serde::Serialize;
use std::path::PathBuf;

/// What is looked at.
#[derive(Debug, Default)]
pub struct Subject {
    /// The cluster.
    pub configuration: Configuration,
    /// Whether the scenario says in so many words that it goes without fencing.
    pub accepted: bool,
    /// Whether a host outside the cluster has a vote.
    pub quorum_device: bool,
    /// Files with secrets in them.
    pub secrets: Vec<PathBuf>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It does not do what it is meant to do: an outage, or data at risk.
    Error,
    /// It works, until something happens that clusters are made for.
    Warning,
    /// Good to know.
    Note,
}

impl Weight {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Error => "error",
            Weight::Warning => "warning",
            Weight::Note => "note",
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The code, which stays the same from version to version.
    pub code: &'static str,
    /// How bad it is.
    pub weight: Weight,
    /// What it is about: a property, a node, a resource, a constraint.
    pub about: String,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub fix: String,
}

/// What a rule finds.
struct Found {
    weight: Weight,
    about: String,
    text: String,
    fix: String,
}

impl Found {
    fn new(weight: Weight, about: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) -> Found {
        Found { weight, about: about.into(), text: text.into(), fix: fix.into() }
    }

    fn error(about: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) -> Found {
        Found::new(Weight::Error, about, text, fix)
    }

    fn warning(about: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) -> Found {
        Found::new(Weight::Warning, about, text, fix)
    }
}

/// A fault that is looked for.
pub struct Rule {
    /// The code.
    pub code: &'static str,
    /// Its page: the first line is its title.
    pub page: &'static str,
    find: fn(&Subject) -> Vec<Found>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code)
    }
}

impl Rule {
    /// One line on what it is about.
    pub fn title(&self) -> &'static str {
        let line = self.page.lines().next().unwrap_or_default();
        line.split_once(": ").map_or(line, |(_, title)| title)
    }
}

macro_rules! rules {
    ($($code:literal $find:path;)*) => {
        &[$(Rule { code: $code, page: include_str!(concat!("pages/", $code, ".md")), find: $find }),*]
    };
}

/// Every rule. A code is never used again for something else.
pub const RULES: &[Rule] = rules! {
    "HA001" fencing::none;
    "HA002" fencing::without_device;
    "HA003" fencing::race;
    "HA004" fencing::asked_for;
    "HA005" quorum::ignored;
    "HA006" quorum::even;
    "HA007" network::single;
    "HA008" network::with_ping;
    "HA009" network::unused;
    "HA010" names::unknown_node;
    "HA011" names::unknown_resource;
    "HA012" loops::order;
    "HA013" loops::colocation;
    "HA014" operations::equal_intervals;
    "HA015" operations::short;
    "HA016" operations::unwatched;
    "HA017" operations::no_time;
    "HA018" placement::probed;
    "HA019" stickiness::moves_back;
    "HA020" placement::nowhere;
    "HA021" leftovers::moved_by_hand;
    "HA022" leftovers::set_aside;
    "HA023" failures::forgotten_too_soon;
    "HA024" failures::for_ever;
    "HA025" secrets::readable;
    "HA026" addresses::wrong;
};

/// The rule of a code, whatever its case.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

/// Everything that is wrong, the worst first.
pub fn lint(subject: &Subject) -> Vec<Finding> {
    let of_rule = |rule: &Rule| {
        let code = rule.code;
        let found = (rule.find)(subject).into_iter();
        let finding = move |found: Found| {
            let Found { weight, about, text, fix } = found;
            Finding { code, weight, about, text, fix }
        };
        found.map(finding).collect::<Vec<_>>()
    };
    let mut all: Vec<Finding> = RULES.iter().flat_map(of_rule).collect();
    all.sort_by_key(|finding| finding.weight);
    all
}

/// Whether a secret is among the parameters of a resource.
pub fn has_secret(resource: &Resource) -> bool {
    resource.params.iter().any(|(name, value)| is_secret(name) && !value.is_empty())
}

/// The names of some things, as a sentence has them; not more than it can bear.
fn names<T: AsRef<str>>(all: &[T]) -> String {
    const MOST: usize = 6;
    let shown: Vec<&str> = all.iter().take(MOST).map(AsRef::as_ref).collect();
    match all.len().checked_sub(MOST) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

/// Whether Pacemaker takes a text for true.
fn is_true(text: &str) -> bool {
    ["true", "on", "yes", "y", "1"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether Pacemaker takes a text for false.
fn is_false(text: &str) -> bool {
    ["false", "off", "no", "n", "0"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::RULES;

    #[test]
    fn every_code_is_there_once_and_its_page_explains_it() {
        for (index, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.code, format!("HA{:03}", index + 1));
            assert!(rule.page.starts_with(&format!("# {}: ", rule.code)), "{}", rule.code);
            for part in ["\n## What happens\n", "\n## What to do\n"] {
                assert!(rule.page.contains(part), "{} {part}", rule.code);
            }
            assert!(rule.page.lines().all(|line| line.chars().count() <= 120), "{}", rule.code);
        }
    }
}
