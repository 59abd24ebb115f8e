//! ovd-vip-src on a real Pacemaker cluster that the generated script made: three nodes, two corosync links, real fencing.
//!
//! The trials build on each other: one cluster, one after the other. `INUVIKA_TEST_FULL=1` kills nodes ten times.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod faults;
mod moves;
mod tools;
mod wire;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, ensure};
use libtest_mimic::Arguments;
use support::lab::{self, Lab, Machine, VIP, trial};
use support::ovd;

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&ovd::NODES).unwrap();
    ovd::install(&lab, Path::new(env!("CARGO_BIN_EXE_inuvika-ha"))).unwrap();
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
        on("the generated script makes the cluster", makes_the_cluster),
        on("a second run of the script changes nothing", second_run),
        on("a quorum-only node neither runs nor probes", quorum_only),
        on("pcs, crmsh and crm_resource accept the agent", tools::accept),
        on("ocf-tester passes", tools::ocf_tester),
        on("flushed rules heal and nothing else moves", faults::flushed),
        on("a deleted virtual IP heals and nothing moves", faults::address_deleted),
        on("corosync keeps its source address", wire::corosync),
        on("an open connection survives start", wire::open_connection),
        on("a stale rule of the guide's unit is replaced", wire::stale_rule),
        on("ten times there and back, one rule each time", moves::there_and_back),
        on("a killed node is fenced and the other takes over", moves::killed),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn makes_the_cluster(lab: &Lab) -> Result<()> {
    let said = lab.phase("ran the generated script", || ovd::create_cluster(lab))?;
    lab::wait_for(Duration::from_secs(30), "the resources to run", || Ok(ovd::active(lab).is_ok()))?;
    let status = ovd::view(lab)?;
    ensure!(status.failures.is_empty(), "{:?}\n{said}", status.failures);
    ensure!(status.online().len() == 3 && status.quorum, "{status:?}");
    settled(lab)
}

fn second_run(lab: &Lab) -> Result<()> {
    let configuration = || lab.node("pcs3").run(["cibadmin", "--query", "--scope", "configuration"]);
    let before = configuration()?;
    let said = ovd::run_script(lab)?;
    ensure!(configuration()? == before, "the configuration changed:\n{said}");
    ensure!(said.contains("nothing to push"), "{said}");
    Ok(())
}

fn quorum_only(lab: &Lab) -> Result<()> {
    let history = lab.node("pcs3").sh("cibadmin --query --xpath \"//node_state[@uname='pcs3.priv']\"")?;
    for id in [ovd::VIRTUAL_IP, ovd::VIP_SRC] {
        ensure!(!history.contains(&format!("lrm_resource id=\"{id}\"")), "{id} was probed on pcs3:\n{history}");
    }
    // The same question about a node that was probed, or the one above would prove nothing.
    let history = lab.node("pcs3").sh("cibadmin --query --xpath \"//node_state[@uname='osm2.priv']\"")?;
    ensure!(history.contains(&format!("lrm_resource id=\"{}\"", ovd::VIP_SRC)), "{history}");
    Ok(())
}

/// What has to be true whenever nothing is going on: one rule, on the active node alone, and a server sees its effect.
pub fn settled(lab: &Lab) -> Result<()> {
    let (active, passive) = (ovd::active(lab)?, ovd::passive(lab)?);
    let rules = ovd::rules(active)?;
    ensure!(rules == 1, "{} has {rules} rules", active.name());
    let source = ovd::source_of(lab, active)?;
    ensure!(source == VIP.to_string(), "a server sees {} as {source}", active.name());
    if passive.is_on() {
        let rules = ovd::rules(passive)?;
        ensure!(rules == 0, "{} has {rules} rules", passive.name());
        let left = passive.output(["ls", "/run/inuvika-ha"])?;
        ensure!(!left.ok(), "{} has state: {}", passive.name(), left.stdout);
        let source = ovd::source_of(lab, passive)?;
        ensure!(source != VIP.to_string(), "a server sees the passive node as {source}");
    }
    Ok(())
}
