//! The Session Manager's star (virtual IP, ovd-lsyncd, ovd-vip-src, ovd-osm) on a real Pacemaker cluster that the generated script made: three nodes, two corosync links, real fencing.
//!
//! The trials build on each other: one cluster, one after the other. `INUVIKA_TEST_FULL=1` moves and kills more often, and tries what
//! is left out else: it takes minutes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod faults;
mod lost;
mod moves;
mod peer;
mod predicted;
mod replication;
mod session;
mod tools;
mod vantage;
mod wire;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, ensure};
use libtest_mimic::Arguments;
use support::lab::{self, Database, Lab, Machine, VIP, trial};
use support::{ovd, session_manager};

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&ovd::NODES).unwrap();
    ovd::install(&lab, Path::new(env!("CARGO_BIN_EXE_inuvika-ha"))).unwrap();
    lab
});
/// The Session Manager's database, running.
static DATABASE: LazyLock<Database> = LazyLock::new(|| ovd::install_session_manager(&LAB).unwrap());

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        lab::enter();
    }
    arguments.test_threads = Some(1);
    let on = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &LAB, body);
    let more = |name: &str, body: fn(&Lab) -> Result<()>| on(name, body).with_ignored_flag(!is_full());
    let trials = vec![
        on("the generated script makes the cluster", makes_the_cluster),
        on("a Session Manager that ran before the cluster is adopted", session::adopted),
        on("a second run of the script changes nothing", second_run),
        on("a quorum-only node runs and probes nothing", quorum_only),
        on("a node without the agents is named before anything is pushed", missing_agent),
        on("pcs, crmsh and crm_resource accept the agent", tools::accept),
        on("ocf-tester passes ovd-vip-src", tools::ocf_tester),
        more("ocf-tester passes ovd-osm", tools::ocf_tester_osm),
        more("ocf-tester passes ovd-lsyncd", tools::ocf_tester_lsyncd),
        on("flushed rules heal and nothing else moves", faults::flushed),
        on("a deleted virtual IP heals and nothing moves", faults::address_deleted),
        on("a killed Apache (kill -9) is started again in place", session::killed),
        on("a stopped Apache (SIGSTOP) is seen within one monitor", session::stopped),
        on("a lost cron link is put back", session::link_lost),
        more("a package upgrade on the passive node runs no job there", session::upgraded),
        on("a database that nobody reaches moves nothing", vantage::lost_by_all),
        on("a database lost by the active node alone moves the service", vantage::lost_by_one),
        on("slow clients do not hold a failover", session::slow_clients),
        on("errors that come with status 200 make it move in the end", session::broken),
        more("corosync keeps its source address", wire::corosync),
        on("an open connection survives start", wire::open_connection),
        more("a stale rule of the guide's unit is replaced", wire::stale_rule),
        on("there and back again and again, one rule each time", moves::there_and_back),
        on("sessions written while the services move are where they go", replication::written_while_moving),
        on("a lost node returns and overwrites nothing", lost::returns),
        on("an lsyncd that starts at boot is named and not joined", peer::boot_enabled),
        on("an sshd that hangs (SIGSTOP) holds nothing up", peer::sshd_stopped),
        more("without ssh the old copy serves and the new one stays", peer::dropped),
        more("newer files on a node that cannot serve follow the service", peer::newer_but_broken),
        on("a killed node is fenced and the other takes over", moves::killed),
        more("what simulate says of a lost node is what becomes of it", predicted::lost),
        more("the guide's own lsyncd loses the files", lost::guide_loses),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whether the long form is asked for.
pub fn is_full() -> bool {
    std::env::var_os("INUVIKA_TEST_FULL").is_some()
}

pub fn makes_the_cluster(lab: &Lab) -> Result<()> {
    LazyLock::force(&DATABASE);
    lab.phase("let the nodes log in on each other", || ovd::install_replication(lab))?;
    // A farm in use: the Session Manager runs on the first node, and somebody has left it running on the second.
    for name in &ovd::NODES[..2] {
        lab.node(name).run(["systemctl", "start", "apache2.service"])?;
    }
    for name in &ovd::NODES[..2] {
        std::fs::write(lab.shared().join(format!("apache-before-{name}")), session::main_process(lab.node(name))?)?;
    }
    let said = lab.phase("ran the generated script", || ovd::create_cluster(lab))?;
    lab::wait_for(Duration::from_secs(30), "the resources to run", || Ok(ovd::active(lab).is_ok()))?;
    let status = ovd::view(lab)?;
    let failures = ovd::failures(lab)?;
    ensure!(failures.is_empty(), "{failures:?}\n{said}");
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
    // Its monitor with role=Stopped runs everywhere; it must never be more than that.
    for id in [ovd::SESSION_MANAGER, ovd::LSYNCD] {
        for operation in ["start_0", "stop_0", "monitor_0"] {
            let key = format!("{id}_{operation}");
            ensure!(!history.contains(&key), "{key} on pcs3:\n{history}");
        }
    }
    // The same question about a node that was probed, or the one above would prove nothing.
    let history = lab.node("pcs3").sh("cibadmin --query --xpath \"//node_state[@uname='osm2.priv']\"")?;
    ensure!(history.contains(&format!("lrm_resource id=\"{}\"", ovd::VIP_SRC)), "{history}");
    Ok(())
}

/// A monitor with role=Stopped on a node without the agent would have the node fenced: the script asks first.
fn missing_agent(lab: &Lab) -> Result<()> {
    let voter = lab.node("pcs3");
    let agent = format!("{}/ovd-osm", ovd::AGENTS);
    // Without the nodes' attributes: lsyncd's replica may just become known.
    let configuration = || -> Result<[String; 3]> {
        let of = |scope| lab.node("osm1").run(["cibadmin", "--query", "--scope", scope]);
        Ok([of("resources")?, of("constraints")?, of("crm_config")?])
    };
    let before = configuration()?;
    // Out of the cluster meanwhile, or the very thing would happen. pcsd goes on.
    voter.run(["pcs", "cluster", "stop"])?;
    voter.run(["rm", &agent])?;
    let result = lab.node("osm1").output(["bash", "-c", "bash /root/cluster.sh 2>&1"]);
    voter.run(["ln", "-sf", "/usr/sbin/inuvika-ha", &agent])?;
    voter.run(["pcs", "cluster", "start", "--wait=60"])?;
    ovd::wait_all_online(lab, Duration::from_secs(60))?;
    lab::wait_idle(lab.node("osm1"), Duration::from_secs(60))?;
    lab::wait_for(Duration::from_secs(30), "all resources to be known", || Ok(ovd::active(lab).is_ok()))?;
    let said = result?;
    ensure!(configuration()? == before, "something was pushed: {}", said.describe());
    ensure!(!said.ok() && said.stdout.contains("pcs3.priv") && said.stdout.contains("ovd-osm"), "{}", said.describe());
    Ok(())
}

/// What has to be true whenever nothing is going on: one rule, on the active node alone, and a server sees its effect.
pub fn settled(lab: &Lab) -> Result<()> {
    let (active, passive) = (ovd::active(lab)?, ovd::passive(lab)?);
    let rules = ovd::rules(active)?;
    ensure!(rules == 1, "{} has {rules} rules", active.name());
    let told = active.run(["readlink", "-f", session_manager::CRON_LINK])?;
    ensure!(told.trim() == session_manager::CRON_TABLE, "the cron link of {} leads to {told}", active.name());
    let source = ovd::source_of(lab, active)?;
    ensure!(source == VIP.to_string(), "a server sees {} as {source}", active.name());
    if passive.is_on() {
        let rules = ovd::rules(passive)?;
        ensure!(rules == 0, "{} has {rules} rules", passive.name());
        // What a monitor of the passive node has to say once is all it may remember.
        let left = passive.output(["ls", "/run/inuvika-ha"])?.stdout;
        ensure!(left.lines().all(|line| line.ends_with(".passive")), "{} has state: {left}", passive.name());
        let linked = passive.output(["ls", "-l", session_manager::CRON_LINK])?;
        ensure!(!linked.ok(), "the cron job runs on {}: {}", passive.name(), linked.stdout);
        let running = session::main_process(passive)?;
        ensure!(running == "0", "Apache runs on {} as {running}", passive.name());
        let source = ovd::source_of(lab, passive)?;
        ensure!(source != VIP.to_string(), "a server sees the passive node as {source}");
    }
    Ok(())
}
