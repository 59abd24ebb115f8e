//! One round of the agent: asks without the lock, then puts the kernel right.

use std::time::{Duration, Instant};

use super::config::Config;
use super::{near, open, sync, tell, timeouts};
use crate::director::check::{self, Answer, Limits, Verdict};
use crate::director::duties::{self, Duties};
use crate::director::farm::Farm;
use crate::director::report::Report;
use crate::director::round;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::sys::links;

/// What is looked at when questions could not be asked.
pub const CHECKS: &str = "checks";

/// The answers of all real servers.
#[derive(Debug)]
pub struct Asked {
    /// When the first was asked, on the boot clock.
    at: Duration,
    answers: Vec<Answer>,
    took: Duration,
}

/// What a round has come to.
#[derive(Debug)]
pub struct Done {
    /// The table.
    pub report: Report,
    /// What else is not as it should be: what was looked at, and one line.
    pub troubles: Vec<(&'static str, String)>,
}

/// Asks all real servers. It takes at most three fifths of the time that is left for the action: the rest is for the kernel.
pub fn ask(farm: &Farm, op: &Operation) -> Asked {
    let (at, begun) = (round::now(), Instant::now());
    let deadline = op.deadline.within(op.deadline.left() * 3 / 5);
    let limits = Limits { timeout: farm.pace.timeout, concurrency: farm.pace.concurrency, deadline };
    let answers = check::ask(&farm.questions, &limits);
    Asked { at, answers, took: begun.elapsed() }
}

impl Asked {
    /// Whether somebody else has begun another round meanwhile and ended it: it knows better, and may be for another farm.
    pub fn is_late(&self, op: &Operation) -> bool {
        round::is_late(&op.state, self.at)
    }

    /// Says so when questions could not be asked: a program or a file that is missing here, or too little time. Nobody knows
    /// how those real servers are.
    fn unasked(&self) -> Option<String> {
        let unknown = |answer: &&Answer| answer.verdict == Verdict::Unknown;
        let first = self.answers.iter().find(unknown)?;
        let (count, all) = (self.answers.iter().filter(unknown).count(), self.answers.len());
        Some(format!("{count} of {all} checks could not be made: {}", first.detail))
    }
}

/// Makes the kernel as it is wanted after these answers. The caller holds the lock.
///
/// # Errors
/// The kernel cannot be asked or changed at all, or not be set up for what it has to do.
pub fn settle(farm: &Farm, asked: Asked, op: &Operation) -> Result<Done, Failure> {
    let mut troubles: Vec<_> = asked.unasked().into_iter().map(|reason| (CHECKS, reason)).collect();
    // First: some settings are there only while IPVS is.
    let mut kernel = open()?;
    let settings = duties::wanted(&farm.needs(networks_of(farm)));
    match Duties::of(&op.state).apply(&settings) {
        Ok(applied) => {
            applied.changes.iter().for_each(|line| op.log.info(line));
            troubles.extend(applied.troubles.into_iter().map(|reason| ("settings", reason)));
        }
        Err(reason) => troubles.push(("settings", reason)),
    }
    let mut report = round::round(farm, &op.state, |_| asked.answers, &mut kernel, asked.at)
        .map_err(|error| Failure::io("put the kernel's table right", &error))?;
    report.checks = asked.took;
    op.step("table is right");
    let mut note = |what, result: Result<(), String>| troubles.extend(result.err().map(|reason| (what, reason)));
    note("timeouts", timeouts::reconcile(farm, &mut kernel, op));
    note("sync daemons", sync::reconcile(farm, &mut kernel, op));
    note("near clients", near::reconcile(farm, op));
    Ok(Done { report, troubles })
}

impl Done {
    /// Tells who has to know. It may take seconds: for who has a lock to give back, better without it.
    pub fn tell(&self, config: &Config, op: &Operation) {
        let troubles: Vec<&str> = self.troubles.iter().map(|(_, trouble)| trouble.as_str()).collect();
        tell::round(config, &self.report, &troubles, op);
    }
}

/// The links of the networks that virtual addresses and real servers are in.
pub fn networks_of(farm: &Farm) -> Vec<String> {
    let Ok(networks) = links::networks() else { return Vec::new() };
    let all: Vec<_> = farm.addresses().collect();
    let is_one = |net: &links::Network| net.link != "lo" && all.iter().any(|address| net.network.contains(address));
    let mut names: Vec<String> = networks.into_iter().filter(is_one).map(|net| net.link).collect();
    names.sort();
    names.dedup();
    names
}
