//! ovd-lsyncd through the shipped program, on a host without a service manager: real lsyncd, rsync, ssh and a peer's sshd.
//! What arrives, what each monitor verdict needs, what start refuses, what stop copes with, what a passive node does.
//! Judges: the files on the peer, /proc, lsyncd's own log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod host;
mod life;
mod peer;
mod refusals;
mod takeover;
mod verdicts;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A trial on clean hosts.
type Body = fn() -> anyhow::Result<()>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        support::lab::enter();
    }
    arguments.test_threads = Some(1);
    let trials: Vec<(&str, Body)> =
        [life::TRIALS, verdicts::TRIALS, peer::TRIALS, takeover::TRIALS, refusals::TRIALS].concat();
    let trials = trials.into_iter().map(|(name, body)| {
        Trial::test(name, move || {
            host::clean();
            body().map_err(|error| Failed::from(format!("{error:#}\n{}", host::log())))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
