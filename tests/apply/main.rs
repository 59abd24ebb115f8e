//! What the generated scripts make of a running cluster: three nodes of the lab with free resources of every kind, by crmsh and in one
//! piece. `INUVIKA_TEST_FULL=1` tries pcs, too, a cluster without fencing, what is refused, scenarios that change, parts, and a remote
//! node. Judges: `cibadmin`, `crm_mon`, `crm_verify`, and the files that the agents of Pacemaker itself leave on each node. Each trial
//! begins with an empty configuration.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod change;
mod first;
mod refusal;
mod remote;
mod site;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use anyhow::Result;
use libtest_mimic::Arguments;
use support::lab::{self, Lab, trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        // Inside there is no way to the archive.
        if full() && std::env::var_os(lab::STAGE).is_none() {
            remote::fetch().unwrap();
        }
        lab::enter();
    }
    arguments.test_threads = Some(1);
    let more = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, site::lab, body).with_ignored_flag(!full());
    let trials = vec![
        trial(
            "every dialect makes the same of an empty cluster, and a second run changes nothing",
            site::lab,
            first::same,
        ),
        more("without fencing what runs is stopped before the way back", first::without_fencing),
        more("what is refused changes nothing", refusal::nothing),
        more("a scenario that changes changes the cluster, and nothing else", change::edited),
        more("pruned is what the scenario does not have, and nothing else", change::pruned),
        more("parts one after the other make the whole", change::parts),
        more("a remote node runs what it is to run, by every dialect", remote::node),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whether the long form is asked for.
fn full() -> bool {
    std::env::var_os("INUVIKA_TEST_FULL").is_some()
}
