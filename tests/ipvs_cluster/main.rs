//! Directors of LVS under Pacemaker for real: the shipped agent, a kernel with IPVS, the configuration that the generated
//! script makes, clients of the address. Judges: crm_mon, ipvsadm, and what clients get.
//!
//! One guest of `../support/guest` is the whole network. A node of the cluster is a set of namespaces in it, with corosync and
//! Pacemaker started by hand (`node`); fencing takes the power of one away (`power`). Outside, before the guest boots, the
//! real pcs runs the script that `inuvika-ha pcs` prints on a file (`cib`); `cibadmin` gives its result to the cluster.
//!
//! The trials build on each other: one cluster, one after the other. They take some minutes, so `cargo test` leaves this
//! target out (`test = false`); `tests/full` and `cargo test --test ipvs_cluster` run it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod cib;
mod lab;
mod node;
mod power;
mod traffic;
mod trials;
mod view;

#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../ipvs/bed.rs"]
mod bed;
#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../support/guest/mod.rs"]
mod guest;
#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../support/netns.rs"]
mod netns;
#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../support/subject.rs"]
mod subject;
#[path = "../support/trial.rs"]
mod trial;
#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../support/lab/xml.rs"]
mod xml;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use guest::image::Contents;
use guest::{Later, Shape, inside};
use libtest_mimic::{Arguments, Failed, Trial};

/// A trial, in the guest.
type Body = fn() -> anyhow::Result<()>;

/// How long a trial may take.
const LIMIT: Duration = Duration::from_secs(900);

/// The guest of all trials. Three nodes of a cluster need some memory; a report of what went wrong is long.
static GUEST: Later = Later::new(Shape { tail: 150, memory: 1536, contents, fill: |_, _| Ok(()) });

fn contents() -> anyhow::Result<Contents> {
    Ok(Contents {
        packages: &[
            "corosync",
            "libknet1",
            "pacemaker",
            "pacemaker-cli-utils",
            "pacemaker-common",
            "pacemaker-resource-agents",
            "resource-agents",
        ],
        programs: &[
            "arping", "awk", "basename", "cut", "date", "dirname", "egrep", "expr", "find", "head", "hostname",
            "logger", "mount", "readlink", "seq", "tail", "tr", "unshare", "wc", "which",
        ],
        files: vec![
            (
                "etc/passwd",
                format!(
                    "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n{}",
                    "hacluster:x:101:102::/var/lib/pacemaker:/bin/false\n"
                ),
            ),
            ("etc/group", "root:x:0:\nnogroup:x:65534:\nhaclient:x:102:\n".to_owned()),
            (&cib::PLACE[1..], cib::generate()?),
        ],
    })
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [inside::MARK, node::MARK, name] => return node::first_process(name),
        [inside::MARK, ..] => {
            return inside::main(&words[1..], |name| {
                let (_, body) = trials::ALL.iter().find(|(known, _)| *known == name).context("no such trial")?;
                body().map(|()| String::new())
            });
        }
        _ => {}
    }
    let mut arguments = Arguments::from_args();
    // They build on each other, and QEMU ends with the thread that has started it.
    arguments.test_threads = Some(1);
    let trials = trials::ALL
        .iter()
        .map(|(name, _)| Trial::test(*name, || GUEST.ask(name, LIMIT).map(drop).map_err(Failed::from)));
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    GUEST.end();
    conclusion.exit_code()
}
