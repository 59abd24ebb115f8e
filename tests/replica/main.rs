//! Replication between two nodes at the level of the library: real ssh, sshd and rsync, two hosts in namespaces of their own.
//! What a start fetches and what it says, what a stop brings to the peer, what a contact finds out, and what all three do
//! with a peer that is down, stopped, full, reinstalled or does not let us in. No lsyncd here: the tests push by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod contacts;
mod faults;
mod guards;
mod links;
mod mounts;
mod moves;
mod node;
mod scopes;

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/netns.rs"]
#[allow(dead_code, reason = "another target uses the rest of it")]
mod netns;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A trial on two clean nodes.
type Body = fn(&mut node::Pair) -> anyhow::Result<()>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        support::lab::enter();
    }
    arguments.test_threads = Some(1);
    let trials: Vec<(&str, Body)> = [
        moves::TRIALS,
        contacts::TRIALS,
        guards::TRIALS,
        faults::TRIALS,
        scopes::TRIALS,
        mounts::TRIALS,
        links::TRIALS,
    ]
    .concat();
    let trials = trials.into_iter().map(|(name, body)| {
        Trial::test(name, move || {
            let mut pair = node::Pair::new();
            body(&mut pair).map_err(|error| Failed::from(format!("{error:#}\n{}", pair.logs())))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
