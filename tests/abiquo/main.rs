//! abiquo-rs through the shipped program, on a host without a service manager: real Tomcat with stand-ins for the webapps, real
//! Redis, real RabbitMQ, a repository that is a FUSE file system and can hang.
//! Judges: /proc, the files, the servers' own answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod dependencies;
mod fuse;
mod host;
mod life;
mod repository;
mod verdicts;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use support::suite::{self, Body};

fn main() -> ExitCode {
    let trials = [life::TRIALS, verdicts::TRIALS, dependencies::TRIALS, repository::TRIALS].concat();
    suite::run(trials, |body| {
        host::clean();
        body()
    })
}
