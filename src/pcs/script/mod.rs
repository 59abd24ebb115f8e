//! A bash script of pcs commands, for any pcs from 0.9.149 on.
//!
//! The fixed parts of the script are files of their own beside this one, so that they can be read as bash; what depends on the
//! version of pcs is a mark in them ([`forms`]).

mod feature;
mod forms;
mod header;
pub(super) mod layout;
mod older;
pub(super) mod release;
mod remark;
mod steps;
mod target;
mod verbs;
mod version;

use self::feature::Feature;
use self::forms::fill;
use self::header::header;
use self::layout::heading;
pub use self::target::Target;
use super::dialect::{Dialect, Made, Wish};
use super::part::Part;
use super::plan::{Plan, Section, Step};

const TOOLS: &str = include_str!("tools.sh");
const PLAIN: &str = include_str!("plain.sh");
const QUICK: &str = include_str!("quick.sh");
const QUICK_PROGRAM: &str = include_str!("quick.py");
const CLUSTER: &str = include_str!("cluster.sh");
const NAMES: &str = include_str!("check_names.sh");
const PYTHON: &str = include_str!("../python.sh");
const AGENTS: &str = include_str!("agents.sh");
const AGENTS_BY_HAND: &str = include_str!("agents_by_hand.sh");
const ASK: &str = include_str!("agents.py");
const DEFAULTS: &str = include_str!("defaults.sh");
const CONFIGURE: &str = include_str!("configure.sh");
const SAME: &str = include_str!("same_now.sh");
const LEFT_OUT: &str = include_str!("left_out.sh");
const START: &str = include_str!("start.sh");
const COPY: &str = include_str!("copy.sh");
const FINISH: &str = include_str!("finish.sh");
const END: &str = include_str!("end.sh");
const MISSING: &str = include_str!("missing.sh");

/// A script for the versions of pcs that a target has.
#[derive(Debug)]
struct Script {
    target: Target,
    wish: Wish,
}

/// The script for a version of pcs; without one, for the usual.
///
/// # Errors
/// What is wrong with the version.
pub(super) fn make(version: &str, wish: &Wish) -> Made {
    let target = if version.is_empty() { Target::usual() } else { Target::version(version)? };
    Ok(script(target, wish))
}

/// The script for a target.
pub fn script(target: Target, wish: &Wish) -> Box<dyn Dialect> {
    Box::new(Script { target, wish: wish.clone() })
}

/// A section with those of its steps that the script has.
struct Kept<'a> {
    section: &'a Section,
    steps: Vec<&'a Step>,
}

impl Dialect for Script {
    fn render(&self, plan: &Plan) -> String {
        let sections = self.keep(plan);
        let kept: Vec<&Step> = sections.iter().flat_map(|section| section.steps.iter().copied()).collect();
        let mut text = header(self, plan, &kept);
        for part in self.tools(plan) {
            text.push_str(&fill(&part, &self.target));
        }
        let mut number = 0;
        let mut copied = false;
        for Kept { section, steps } in &sections {
            if !steps.iter().any(|step| step.is_before_configuration()) && !copied {
                copied = true;
                text.push('\n');
                text.push_str(COPY);
            }
            number += 1;
            let mut why = section.why.clone();
            for line in steps.iter().flat_map(|step| remark::on_step(step, plan, &self.target)) {
                // Once for all steps of a kind.
                if !why.contains(&line) {
                    why.push(line);
                }
            }
            text.push_str(&heading(number, &section.title, &why));
            for step in steps {
                text.push_str(&self.step(plan, step));
                text.push_str(&self.only(plan, step));
            }
        }
        if copied {
            text.push_str(&self.left_out(plan));
            let mut why = vec![
                "crm_verify reads the whole configuration, then the cluster gets the difference in one piece.".into(),
            ];
            if !self.target.has(Feature::PushDifference) {
                why = remark::on_push();
            }
            text.push_str(&heading(number + 1, "check and push", &why));
            text.push_str(&self.finish());
        }
        text + END
    }

    fn lacks(&self, plan: &Plan) -> Option<String> {
        let mut kept = plan.steps().filter(|step| self.covers(Part::of(step, plan)));
        let what = kept.find_map(|step| older::lacking(step, &self.target))?;
        Some(format!("{what}, and this script is for pcs {}", self.target.title()))
    }
}

impl Script {
    fn covers(&self, part: Part) -> bool {
        self.wish.parts.is_empty() || self.wish.parts.contains(&part)
    }

    fn keep<'a>(&self, plan: &'a Plan) -> Vec<Kept<'a>> {
        let of = |section: &'a Section| Kept {
            section,
            steps: section.steps.iter().filter(|step| self.covers(Part::of(step, plan))).collect(),
        };
        plan.sections.iter().map(of).filter(|section| !section.steps.is_empty()).collect()
    }

    /// The functions, and what comes before the first step.
    fn tools(&self, plan: &Plan) -> Vec<String> {
        let has = |feature| self.target.has(feature);
        let agents = match has(Feature::AskForAgents) {
            true => PYTHON.to_owned() + "\n" + &AGENTS.replace("@PROGRAM@\n", ASK),
            false => AGENTS_BY_HAND.to_owned(),
        };
        let run = match has(Feature::Python3) {
            true => QUICK.replace("@PROGRAM@\n", QUICK_PROGRAM),
            false => PLAIN.to_owned(),
        };
        let defaults = !has(Feature::DefaultsUpdate) && !has(Feature::DefaultsPlain);
        let missing = match self.wish.parts.is_empty() {
            true => MISSING.to_owned(),
            false => MISSING.replace("steps 1 to 3 would", "the parts auth and cluster would"),
        };
        let optional = |wanted: bool, text: &str| if wanted { text.to_owned() } else { String::new() };
        vec![
            TOOLS.replace("@RUN@\n", &run),
            CLUSTER.into(),
            optional(!has(Feature::Addresses), NAMES),
            "\n".into(),
            agents,
            "\n".into(),
            optional(defaults, DEFAULTS),
            CONFIGURE.into(),
            verbs::functions(plan, &self.target),
            optional(!has(Feature::PushDifference), SAME),
            optional(!self.wish.parts.is_empty(), LEFT_OUT),
            "\n".into(),
            START.into(),
            missing,
        ]
    }

    /// What the scenario has, and this script leaves out: the ids are not taken for those of others.
    fn left_out(&self, plan: &Plan) -> String {
        let steps = plan.sections.iter().flat_map(|section| &section.steps);
        let mut text = String::new();
        for step in steps.filter(|step| !self.covers(Part::of(step, plan))) {
            let verb = match step {
                Step::Primitive(_)
                | Step::Remote(_)
                | Step::Clone { .. }
                | Step::Promotable { .. }
                | Step::Group { .. }
                    if self.covers(Part::Constraints) =>
                {
                    "owner"
                }
                Step::ByHand(_) | Step::Property(_) | Step::Defaults(_) | Step::OperationDefaults(_) => continue,
                Step::NodeAttributes { .. } => continue,
                step if step.is_before_configuration() => continue,
                _ => "mention",
            };
            text.push_str(&self.mention(verb, plan, step));
        }
        if text.is_empty() {
            return text;
        }
        format!("\n# What else the scenario has. It is left as it is.\n{text}")
    }

    fn finish(&self) -> String {
        // The constraints of all resources are this script's, or those of fencing devices alone.
        let forget = self.covers(Part::Constraints) || (self.covers(Part::Fencing) && !self.covers(Part::Resources));
        fill(&FINISH.replace("@FORGET@\n", if forget { "forget_earlier\n" } else { "" }), &self.target)
    }
}
