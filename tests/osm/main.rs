//! ovd-osm through the shipped program, on a host without a service manager: real Apache, real MariaDB, a cron folder.
//! What each monitor verdict needs, what start refuses and undoes, what stop copes with, what a passive node does.
//! Judges: /proc, the files, a client's own connection.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod database;
mod host;
mod jobs;
mod passive;
mod starts;
mod stops;
mod verdicts;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A trial on a clean host.
type Body = fn() -> anyhow::Result<()>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        support::lab::enter();
    }
    arguments.test_threads = Some(1);
    let trials: Vec<(&str, Body)> =
        [starts::TRIALS, verdicts::TRIALS, database::TRIALS, stops::TRIALS, jobs::TRIALS, passive::TRIALS].concat();
    let trials = trials.into_iter().map(|(name, body)| {
        Trial::test(name, move || {
            host::clean();
            body().map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
