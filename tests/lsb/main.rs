//! The scripts of /etc/init.d as they are shipped, on a host that is a network namespace without Pacemaker: verbs, exit codes,
//! settings files, headers. Judges: nft, ps, insserv, the services themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod files;
mod headers;
mod host;
mod services;
mod verbs;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use support::{lab, suite};

fn main() -> ExitCode {
    if std::env::var_os(lab::STAGE).is_none() && !Arguments::from_args().list {
        headers::fetch();
    }
    let trials = [verbs::TRIALS, files::TRIALS, headers::TRIALS, services::TRIALS].concat();
    suite::run(trials, |body| {
        host::clean();
        body()
    })
}
