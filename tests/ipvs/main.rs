//! IPVS for real: a kernel that has it boots in QEMU, and the trials run there, in network namespaces. Judges: ipvsadm,
//! and what clients of a virtual service get.
//!
//! This program is both sides: see `guest`. One boot serves all trials.
//!
//! A new trial is a function `fn() -> anyhow::Result<()>` and a line in the `TRIALS` of its file. It makes its hosts with
//! `bed`, so it starts with empty tables whatever ran before it. What it prints goes to the guest's console, whose end is
//! shown when a trial fails; a program that it runs has to be in `guest::image::PROGRAMS`, a kernel module in `guest::image::MODULES`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod agent;
#[allow(dead_code, reason = "a bed has more than today's trials use")]
mod bed;
mod command;
mod failover;
mod features;
mod life;
mod memory;
mod path;
mod protocol;
mod resource;
mod sync;
mod table;
mod tester;
mod trouble;
mod wider;

#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../support/guest/mod.rs"]
mod guest;
#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../support/netns.rs"]
mod netns;
#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../support/subject.rs"]
mod subject;

// The protocol's questions are those of `conformance`: they ask this program's fixture.
#[path = "../conformance/broken.rs"]
mod broken;
#[path = "../conformance/cycle.rs"]
mod cycle;
mod fixture;
#[path = "../conformance/question.rs"]
mod question;
#[path = "../conformance/together.rs"]
mod together;
/// Where those questions look for it.
mod support {
    pub(crate) use crate::subject;
}

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use guest::image::Contents;
use guest::{Later, Shape, inside};
use libtest_mimic::{Arguments, Failed, Trial};
use question::{Question, ensure, expect};

/// How long a trial may take: the longest takes one or two minutes, and a busy machine many times as long.
const LIMIT: Duration = Duration::from_secs(600);

/// The guest of all trials.
static GUEST: Later = Later::new(Shape { tail: 40, memory: 1024, contents, fill: |_, _| Ok(()) });

/// What ocf-tester needs: itself, `su` and a way to become nobody.
fn contents() -> anyhow::Result<Contents> {
    let su = "auth sufficient pam_rootok.so\naccount required pam_permit.so\nsession required pam_permit.so\n";
    Ok(Contents {
        packages: &["libpam-modules", "resource-agents"],
        programs: &["expr", "su", "tr", "xmllint"],
        files: vec![("etc/pam.d/other", su.to_owned())],
    })
}

/// A trial, in the guest.
type Body = fn() -> anyhow::Result<()>;

fn in_guest(name: &str) -> Result<(), Failed> {
    GUEST.ask(name, LIMIT).map(drop).map_err(Failed::from)
}

fn main() -> ExitCode {
    let trials: Vec<(&'static str, Body)> =
        [life::TRIALS, features::TRIALS, table::TRIALS, sync::TRIALS, path::TRIALS, agent::TRIALS, wider::TRIALS]
            .into_iter()
            .chain([
                memory::TRIALS,
                trouble::TRIALS,
                protocol::TRIALS,
                tester::TRIALS,
                command::TRIALS,
                failover::TRIALS,
            ])
            .flatten()
            .copied()
            .collect();
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == inside::MARK) {
        let trial = |name: &str| {
            let (_, body) = trials.iter().find(|(known, _)| *known == name).context("no such trial")?;
            body().map(|()| String::new())
        };
        return inside::main(&words[1..], trial);
    }
    let mut arguments = Arguments::from_args();
    // The guest does one thing at a time, and QEMU ends with the thread that has started it.
    arguments.test_threads = Some(1);
    let trials = trials.into_iter().map(|(name, _)| Trial::test(name, move || in_guest(name)));
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    GUEST.end();
    conclusion.exit_code()
}
