//! ovd-vip-src through the shipped program, on hosts that are network namespaces: what start waits for and refuses, what
//! each monitor verdict needs, what stop copes with, and what a person at a terminal sees. Judges: nft, ip, iptables.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod by_hand;
mod host;
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
    let trials: Vec<(&str, Body)> = [starts::TRIALS, verdicts::TRIALS, stops::TRIALS, by_hand::TRIALS].concat();
    let trials = trials.into_iter().map(|(name, body)| {
        Trial::test(name, move || {
            host::clean();
            body().map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
