//! `inuvika-ha lvs check`: the checks, tried once.

use std::fmt::Write as _;

use clap::Args;

use super::{Failure, Given, outside, print, refused};
use crate::agents::lvs_director::by_hand::{Director, ask};
use crate::director::check::Verdict;

/// Ask all real servers once and print their answers: no root needed, and nothing is changed
///
/// Ends with 1 when a real server is not well, and with 2 when the parameters or the file are wrong.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    given: Given,
    /// Take the parameters of this resource's last start here
    #[arg(long, value_name = "RESOURCE", conflicts_with_all = ["config", "params"])]
    instance: Option<String>,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        let given = self.given.pairs()?;
        let name = match (&self.instance, given.is_empty()) {
            (None, false) => "check".to_owned(),
            (instance, _) => super::only(instance.as_deref())?,
        };
        let farm = Director::new(&name, &given).and_then(|director| director.farm()).map_err(refused)?;
        let answers = ask(&farm);
        let mut text = String::new();
        for warning in &farm.warnings {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "note: {warning}");
        }
        for (_, answer) in &answers {
            let word = match answer.verdict {
                Verdict::Up => "up",
                Verdict::Down => "down",
                Verdict::Unknown => "unknown",
            };
            let _ = writeln!(text, "{word:7}  {}", answer.detail);
        }
        print(&text)?;
        let bad = answers.iter().filter(|(_, answer)| !answer.is_up()).count();
        if bad > 0 {
            return Err(outside(format!("{bad} of {} checks without a good answer", answers.len())));
        }
        Ok(())
    }
}
