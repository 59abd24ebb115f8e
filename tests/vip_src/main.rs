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

use support::suite::{self, Body};

fn main() -> ExitCode {
    let trials = [starts::TRIALS, verdicts::TRIALS, stops::TRIALS, by_hand::TRIALS].concat();
    suite::run(trials, |body| {
        host::clean();
        body()
    })
}
