//! The questions of `probe` to real servers: MariaDB, apache2, and small ones that misbehave. Each question has to end
//! within its time, whatever the other side does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod database;
mod server;
mod web;

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
    // As the program does: a panic of a library that is contained is an answer, and no text.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !inuvika_ha::contained::is_contained() {
            usual(info);
        }
    }));
    let trials: Vec<(&str, Body)> = [database::TRIALS, web::TRIALS].concat();
    let trials = trials.into_iter().map(|(name, body)| {
        Trial::test(name, move || {
            static ONCE: Once = Once::new();
            ONCE.call_once(server::network);
            body();
            Ok::<(), Failed>(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
