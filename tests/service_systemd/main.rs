//! Units of systemd, also transient ones of our own, in a node of the lab with the real Apache. The trial copies itself into the node and runs there as
//! the caller of the service layer. Judges: systemctl, pgrep, curl.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod boot;
mod inside;
mod own;
mod starts;
mod stops;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::LazyLock;

use libtest_mimic::{Arguments, Failed, Trial};
use support::lab::{Lab, Node, enter};

/// A trial on a node whose apache2.service is down and as it was installed.
type Body = fn(&Node) -> anyhow::Result<()>;

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&["osm1"]).unwrap();
    inside::furnish(lab.node("osm1")).unwrap();
    lab
});

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == inside::MARK) {
        return inside::main(&words[1..]);
    }
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        enter();
    }
    arguments.test_threads = Some(1);
    let trials: Vec<(&str, Body)> = [starts::TRIALS, stops::TRIALS, boot::TRIALS, own::TRIALS].concat();
    let trials = trials.into_iter().map(|(name, body)| {
        Trial::test(name, move || {
            let node = LAB.node("osm1");
            let result = inside::clean(node).and_then(|()| body(node));
            result.map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
