//! A suite that runs in one lab, one trial after the other.
#![allow(dead_code)] // not every test crate is such a suite

use std::process::ExitCode;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

/// A trial.
pub type Body = fn() -> Result<()>;

/// Enters the lab, unless the trials are only listed, and runs them; `around` cleans the host and runs the body that it gets. To
/// be called first in main, before any thread exists.
pub fn run(trials: Vec<(&'static str, Body)>, around: fn(Body) -> Result<()>) -> ExitCode {
    run_but(trials, |_| false, around)
}

/// The same without those of a name that is `left_out`: they are listed as ignored.
pub fn run_but(
    trials: Vec<(&'static str, Body)>,
    left_out: fn(&str) -> bool,
    around: fn(Body) -> Result<()>,
) -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        super::lab::enter();
    }
    arguments.test_threads = Some(1);
    let trials = trials.into_iter().map(|(name, body)| {
        let trial = Trial::test(name, move || around(body).map_err(|error| Failed::from(format!("{error:#}"))));
        trial.with_ignored_flag(left_out(name))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
