//! A director's questions to real servers: Apache with and without TLS, programs, and small servers that misbehave. A round
//! of questions has to end in its time, whatever they do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod apache;
mod misbehaving;
mod programs;
mod questions;
mod rounds;
#[allow(dead_code, reason = "the probes' suite uses the rest")]
#[path = "../probe/server.rs"]
mod server;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::Once;

use libtest_mimic::{Arguments, Failed, Trial};

/// A trial; it panics when it fails.
type Body = fn();

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        support::lab::enter();
    }
    arguments.test_threads = Some(1);
    let prepared = |(name, body): (&str, Body)| {
        Trial::test(name, move || {
            static ONCE: Once = Once::new();
            ONCE.call_once(server::network);
            body();
            Ok::<(), Failed>(())
        })
    };
    let trials = [apache::TRIALS, misbehaving::TRIALS, programs::TRIALS, rounds::TRIALS].concat();
    let mut trials: Vec<Trial> = trials.into_iter().map(prepared).collect();
    // Figures are printed and judge nothing.
    trials.extend(
        [apache::FIGURES, rounds::FIGURES].concat().into_iter().map(|figure| prepared(figure).with_ignored_flag(true)),
    );
    libtest_mimic::run(&arguments, trials).exit_code()
}
