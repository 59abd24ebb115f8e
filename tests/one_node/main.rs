//! A Pacemaker cluster of one node: LSB scripts as its resources, the guard of what it manages, parameters from its
//! configuration. The trials build on each other: one cluster, one after the other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod by_hand;
mod lsb;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, ensure};
use libtest_mimic::Arguments;
use support::lab::{self, Lab, Machine, Net, Node, PASSWORD, trial};
use support::ovd;

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&["osm1"]).unwrap();
    ovd::install(&lab, Path::new(env!("CARGO_BIN_EXE_inuvika-ha"))).unwrap();
    let node = lab.node("osm1");
    // What IPaddr2 would do: these trials are not about it.
    node.sh("ip address add 10.20.1.10/24 dev eth0").unwrap();
    let address = node.address(Net::Priv);
    let name = node.cluster_name();
    let script = format!(
        "pcs host auth -u hacluster -p {PASSWORD} {name} addr={address}
         pcs cluster setup lab {name} addr={address} --start --wait=120
         pcs property set stonith-enabled=false"
    );
    node.sh_within(Duration::from_secs(200), &script).unwrap();
    lab
});

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        lab::enter();
    }
    arguments.test_threads = Some(1);
    let on = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &LAB, body);
    let trials = vec![
        on("Pacemaker runs the script, sees a loss and recovers", lsb::runs),
        on("Pacemaker reads the script's header", lsb::header),
        on("by hand is refused what Pacemaker manages, and nothing else", by_hand::guarded),
        on("a monitor takes everything from the cluster", by_hand::from_cluster),
        on("a cluster that does not answer keeps nobody from anything", by_hand::silent),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// How many rules give the virtual IP as source.
fn rules(node: &Node) -> Result<usize> {
    Ok(node.run(["nft", "list", "ruleset"])?.matches("snat").count())
}

/// Runs a command that has to end with `code` and say `text`.
fn says(node: &Node, code: i32, words: &[&str], text: &str) -> Result<String> {
    let output = node.output_with(Duration::from_secs(30), b"", words)?;
    let said = format!("{}{}", output.stdout, output.stderr);
    ensure!(
        output.code == Some(code) && said.contains(text),
        "{}: wanted {code} {text:?}: {}",
        words.join(" "),
        output.describe()
    );
    Ok(said)
}
