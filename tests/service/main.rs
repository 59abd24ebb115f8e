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

use support::suite::{self, Body};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == own::MARK) {
        return own::main(&words[1..]);
    }
    let trials = [direct::TRIALS, lsb::TRIALS, own::TRIALS].concat();
    suite::run(trials, |body| {
        apache::clean();
        let result = body();
        apache::clean();
        result
    })
}
