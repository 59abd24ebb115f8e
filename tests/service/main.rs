//! Services that no systemd manages, with the real Apache, and programs of our own: started, found, stopped with and
//! without work in progress, swept after a crash. Judges: ps, and a client.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod apache;
mod direct;
mod lsb;
mod own;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A trial with no Apache running.
type Body = fn() -> anyhow::Result<()>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == own::MARK) {
        return own::main(&words[1..]);
    }
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        support::lab::enter();
    }
    arguments.test_threads = Some(1);
    let trials: Vec<(&str, Body)> = [direct::TRIALS, lsb::TRIALS, own::TRIALS].concat();
    let trials = trials.into_iter().map(|(name, body)| {
        Trial::test(name, move || {
            apache::clean();
            let result = body().map_err(|error| Failed::from(format!("{error:#}")));
            apache::clean();
            result
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
