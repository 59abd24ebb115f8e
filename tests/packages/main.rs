//! The packages as an administrator meets them: what is in them and what becomes of it. Judges: dpkg-deb, dpkg, rpm, lintian, rpmlint,
//! objdump, crm_mon.
//!
//! They are made of the program that Cargo has built for the tests. What is really shipped is linked for old systems, which takes
//! minutes: packaging/build makes it, and where `INUVIKA_PACKAGES` names the folder with the packages, those are looked at as well.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod again;
mod contents;
mod judges;
mod life;
mod listing;
mod made;
mod manifest;
mod rpm;
mod shipped;
mod supply;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use support::lab::{self, Lab, trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        lab::enter();
    }
    // Those in the node build on each other.
    arguments.test_threads = Some(1);
    let plain = |name: &str, body: fn() -> Result<()>| {
        Trial::test(name, move || body().map_err(|error| Failed::from(format!("{error:#}"))))
    };
    let shipped = |name: &str, body| plain(name, body).with_ignored_flag(made::shipped().is_none());
    let node = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &life::LAB, body);
    let trials = vec![
        plain("everything that is to be shipped is named in packaging/contents", contents::all_is_named),
        plain("the .deb has what packaging/contents says, and nothing else", contents::deb),
        plain("the .rpm has what packaging/contents says, and nothing else", contents::rpm),
        plain("only agents are in Pacemaker's folder, and each link's name is known", contents::links),
        plain("the version is the same everywhere", contents::versions),
        plain("made twice, the bytes are the same", again::same_bytes),
        plain("wrong options are refused in one line", again::refusals),
        plain("all libraries have a licence that deny.toml allows", supply::licences),
        plain("all libraries come from crates.io, and none is forbidden", supply::sources),
        plain("no library wants a newer Rust than Cargo.toml states", supply::oldest_rust),
        plain("the README counts the libraries as they are", supply::count),
        plain("lintian has nothing to say", judges::lintian),
        plain("rpmlint has nothing to say", judges::rpmlint),
        plain("rpm installs it below another root, and takes all away", rpm::below_another_root),
        node("node: dpkg installs it, and Pacemaker finds the agents", life::install),
        node("node: resources run on while it is upgraded", life::upgrade),
        node("node: a removal leaves nothing", life::removal),
        node("node: a purge says what still runs and keeps files of users", life::purge),
        node("node: rpm labels files where SELinux is, and takes the labels away", rpm::labels),
        shipped("shipped: old systems have every symbol and library", shipped::old_systems),
        shipped("shipped: the program is small", shipped::small),
        shipped("shipped: the packages name what they need", shipped::needs),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
