//! The protocol, asked of every agent in the registry: what ocf-tester asks, and what it does not.
//!
//! The same list runs once against ocf:heartbeat:Dummy, with its gaps written down: a list that finds nothing wrong with
//! an agent known to be wrong would prove nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod absent;
mod broken;
mod cycle;
mod description;
mod fixture;
mod killed;
mod question;

#[path = "../support/mod.rs"]
mod support;
mod together;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use fixture::Fixture;
use question::{Question, ensure, expect};

/// Every question, in the order of a resource's life.
fn questions() -> Vec<Question> {
    [description::QUESTIONS, cycle::QUESTIONS, broken::QUESTIONS, together::QUESTIONS, killed::QUESTIONS].concat()
}

/// What ocf:heartbeat:Dummy of resource-agents 4.12 gets wrong by this list.
const DUMMY_GAPS: &[&str] = &[
    "meta-data is OCF 1.1",
    "another OCF version is refused",
    "a wrong parameter is 6 with a reason",
    "a probe with wrong parameters is 7",
    "clone instances share one state",
    "an unknown action is 3 before anything else",
    "a monitor of depth 0 starts no process",
];

fn main() -> ExitCode {
    support::lab::enter();
    let mut arguments = Arguments::from_args();
    // One host, one network: the questions must not get in each other's way.
    arguments.test_threads = Some(1);
    let mut trials = Vec::new();
    for spec in inuvika_ha::agents::specs() {
        let asked = match spec.name {
            "lvs-director" => absent::questions(),
            // A host has one ctdbd, and each of its starts takes ten seconds: `ctdb` asks the rest on nodes of its own.
            "ofs-ctdb" => absent::anywhere(),
            _ => questions(),
        };
        for (name, ask) in asked {
            trials.push(Trial::test(format!("{}: {name}", spec.name), move || {
                let fixture = Fixture::of_agent(spec).map_err(Failed::from)?;
                ask(&fixture).map_err(Failed::from)
            }));
        }
    }
    trials.push(Trial::test("heartbeat:Dummy fails exactly where it is known to", || dummy().map_err(Failed::from)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn dummy() -> Result<(), String> {
    let mut failed = Vec::new();
    for (name, ask) in questions() {
        let fixture = Fixture::of_dummy()?;
        if let Err(why) = ask(&fixture) {
            println!("  Dummy: {name}: {why}");
            failed.push(name);
        }
    }
    failed.sort_unstable();
    let mut known = DUMMY_GAPS.to_vec();
    known.sort_unstable();
    if failed == known { Ok(()) } else { Err(format!("failed: {failed:?}, known: {known:?}")) }
}
