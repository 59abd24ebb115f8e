//! inuvika-alert through the shipped program, as the user that Pacemaker runs it as, with a real mail server (Exim) and a
//! real web server (Apache). Judges: what arrived, with what the servers say of encryption and login; the files.
//!
//! There is no cluster here; three nodes that see the same event are in the suite `alert_cluster`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod hook;
mod node;
mod post;
mod sending;
#[path = "../support/mod.rs"]
mod support;
mod waiting;

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use support::suite::{self, Body};

fn main() -> ExitCode {
    let trials = [sending::TRIALS, waiting::TRIALS, hook::TRIALS].concat();
    suite::run(trials, |body| {
        node::clean()?;
        body()
    })
}

/// Runs a script of the test's own, which must succeed.
pub fn sh(script: &str) -> Result<()> {
    let output = Command::new("bash").args(["-euc", script]).output().context("run bash")?;
    ensure!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
