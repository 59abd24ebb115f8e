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
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        super::lab::enter();
    }
    arguments.test_threads = Some(1);
    let trials = trials.into_iter().map(|(name, body)| {
        Trial::test(name, move || around(body).map_err(|error| Failed::from(format!("{error:#}"))))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
