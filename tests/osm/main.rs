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

use support::suite::{self, Body};

fn main() -> ExitCode {
    let trials =
        [starts::TRIALS, verdicts::TRIALS, database::TRIALS, stops::TRIALS, jobs::TRIALS, passive::TRIALS].concat();
    suite::run(trials, |body| {
        host::clean();
        body()
    })
}
