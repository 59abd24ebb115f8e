//! OVD File Servers on a real Pacemaker cluster that the generated script made, with the configuration that `ofs-config` wrote: two
//! nodes with real systemd, ctdbd, smbd and nmbd, a third one that votes, a real SMB client, real fencing.
//!
//! The volumes are folders that the nodes share, so the recovery lock is a real one of fcntl(2). But they also share a page cache, and
//! the lock of a node without power is free at once: what a server of NFS does then cannot be shown here. ovd-slaveserver is a
//! stand-in that answers HTTP.
//!
//! The trials build on each other: one cluster, one after the other. Judges: crm_mon, `ctdb -X`, systemd, ip(8), the client.
//! Without `INUVIKA_TEST_FULL=1` those are left out that take long.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod client;
mod faults;
mod matrices;
mod site;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, ensure};
use libtest_mimic::Arguments;
use support::lab::{self, Failure, Lab, Machine, trial};
use support::ovd;

const SCENARIO: &str = include_str!("scenario.toml");

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&site::NODES).unwrap();
    ovd::install(&lab, Path::new(env!("CARGO_BIN_EXE_inuvika-ha"))).unwrap();
    site::install(&lab).unwrap();
    lab
});

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        lab::enter();
    }
    arguments.test_threads = Some(1);
    let is_full = std::env::var_os("INUVIKA_TEST_FULL").is_some();
    let on = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &LAB, body);
    let more = |name: &str, body: fn(&Lab) -> Result<()>| on(name, body).with_ignored_flag(!is_full);
    let trials = vec![
        on("what ofs-config and the generated script make serves", makes_the_cluster),
        more("a second run of the script changes nothing", second_run),
        on("tests 3 and 4 of the guide: a node that is set aside, a client that connects again", matrices::set_aside),
        more("tests 1, 2 and 5 of the guide: a node is shut down and comes back", matrices::shut_down),
        more("the same of the other node", matrices::shut_down),
        on("the same tests: a node that loses its power is fenced and comes back", matrices::power),
        more("the same of the other node", matrices::power),
        more("a node that loses its power and does not serve is missed by nobody", matrices::idle_power),
        more("a node goes to standby and comes back", matrices::standby),
        more("a ctdbd that is killed before its node goes to standby leaves nothing", matrices::standby_killed),
        on("a ctdbd that was killed is started again in place", faults::killed),
        more("a ctdbd that was stopped (SIGSTOP) is started again in place", faults::frozen),
        more("a Samba that was killed makes the address move, and is started again in the end", faults::samba),
        more("ovd-slaveserver that was killed is started again, and nothing else", faults::slaveserver),
        more("the clients' network of the node that serves is cut", faults::clients_network),
        more("the nodes' own network is cut", faults::private_network),
        more("the shared folder hangs on both nodes, and comes back", faults::hanging),
        on("a stop of the cluster leaves nothing", leaves_nothing),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn makes_the_cluster(lab: &Lab) -> Result<()> {
    lab.phase("ran ofs-config on both file servers", || site::configure(lab, SCENARIO))?;
    let said = lab.phase("ran the generated script", || ovd::create_cluster_of(lab, SCENARIO))?;
    lab.phase("everything runs", || site::wait_settled(lab, Duration::from_secs(120)).map_err(|e| e.context(said)))?;
    let status = ovd::view(lab)?;
    // The first one may have said that it is alone: a busy machine starts one action at a time.
    let is_alone = |failure: &Failure| failure.code == 190 && failure.reason.ends_with("is disconnected");
    ensure!(status.failures.iter().all(is_alone), "{:?}", ovd::recorded(&status));
    // Only votes: not even asked for what runs.
    let history = lab.node("pcs3").run(["cibadmin", "--query", "--xpath", "//node_state[@uname='pcs3.priv']"])?;
    ensure!(!history.contains("lrm_resource id=\"ofs_ctdb\""), "pcs3 was asked: {history}");
    Ok(())
}

fn second_run(lab: &Lab) -> Result<()> {
    let configuration = || lab.node("pcs3").run(["cibadmin", "--query", "--scope", "configuration"]);
    let before = configuration()?;
    let said = ovd::run_script(lab)?;
    ensure!(configuration()? == before && said.contains("configured like this already: nothing to push"), "{said}");
    site::settled(lab)
}

fn leaves_nothing(lab: &Lab) -> Result<()> {
    site::settled(lab)?;
    let fenced = lab.fencing.done().len();
    lab.phase("stopped the cluster", || {
        lab.node("ofs1").run_within(Duration::from_secs(150), &["pcs", "cluster", "stop", "--all"])
    })?;
    for node in site::servers(lab) {
        site::has_nothing(node)?;
        ensure!(!node.output(["mountpoint", "/mnt/nfs/ctdb"])?.ok(), "{} has the volume", node.name());
    }
    ensure!(lab.fencing.done().len() == fenced, "a node was fenced: {:?}", lab.fencing.done());
    Ok(())
}
