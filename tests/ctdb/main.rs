//! ofs-ctdb through the shipped program: real ctdbd, smbd and nmbd on two nodes that share a folder, so the recovery lock is a real
//! one of fcntl(2); a real SMB client. Judges: ctdb(1), ip(8), pgrep(1), the files.
//!
//! The whole takes a quarter of an hour, as each start of ctdbd takes ten seconds: without `INUVIKA_TEST_FULL=1` only those of
//! [`SHORT`] run, and the others are listed as ignored.
//!
//! The nodes share a page cache: that data survive a loss of power cannot be shown here. CTDB 4.8 and older was not run: its
//! configuration is a matter of unit tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod client;
mod config;
mod events;
mod faults;
mod hang;
mod life;
mod protocol;
mod shared;
mod site;
mod together;

#[path = "../conformance/broken.rs"]
mod broken;
#[path = "../conformance/cycle.rs"]
mod cycle;
mod fixture;
#[path = "../conformance/question.rs"]
mod question;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use anyhow::{Result, ensure as must};
use question::{Question, ensure, expect};
use support::subject::{Run, Subject};
use support::suite::{self, Body};

/// What every change has to pass.
const SHORT: &[&str] = &[
    "two nodes start, one serves the address, and stop leaves nothing",
    "start wants the shared folder mounted",
    "start refuses what this CTDB would not read or do",
    "a ctdbd that was killed leaves no address on two nodes",
    "a Samba that was killed is degraded, then a failure, and a restart heals it",
    "a move of the address is told on both nodes",
    "what ofs-config writes starts, and a node that is lost without a word is missed soon",
];

fn main() -> ExitCode {
    let trials = [
        life::TRIALS,
        faults::TRIALS,
        shared::TRIALS,
        client::TRIALS,
        events::TRIALS,
        config::TRIALS,
        protocol::TRIALS,
        together::TRIALS,
    ]
    .concat();
    let unknown = SHORT.iter().find(|name| trials.iter().all(|(other, _)| other != *name));
    assert_eq!(unknown, None, "there is no such trial");
    suite::run_but(
        trials,
        |name| !site::is_full() && !SHORT.contains(&name),
        |body| {
            site::clean();
            body()
        },
    )
}

/// `Err` when an action ended otherwise.
fn wanted(subject: &Subject, action: &str, code: i32) -> Result<Run> {
    let run = subject.run(action);
    must!(run.code == code, "{action} gave {run}, wanted {code}");
    Ok(run)
}

/// `Err` when a recurring monitor of that depth ends otherwise, or gives another reason. As if it were the only one: of several
/// only one says "degraded".
fn monitor(node: &site::Node, subject: &Subject, depth: &str, code: i32, reason: &str) -> Result<()> {
    let _ = node.try_sh("rm -f /run/inuvika-ha/ofs_ctdb/degraded");
    let run = wanted(&subject.recurring().with("OCF_CHECK_LEVEL", depth), "monitor", code)?;
    let quiet = code != 0 || run.stderr.is_empty();
    must!(run.stderr.contains(reason) && quiet, "monitor of depth {depth} said {run}, wanted {reason:?}");
    Ok(())
}

/// Starts the agent on these nodes, at once as Pacemaker does.
fn start(nodes: &[&site::Node]) -> Result<()> {
    let children: Vec<_> = nodes.iter().map(|node| node.agent().begin("start")).collect();
    for child in children {
        let out = child.wait_with_output()?;
        must!(out.status.code() == Some(0), "start: {out:?}");
    }
    Ok(())
}

/// `Err` names what is left.
fn nothing_left(node: &site::Node) -> Result<()> {
    let left = node.left();
    must!(left.is_empty(), "left on node {}: {left:?}", node.number);
    Ok(())
}
