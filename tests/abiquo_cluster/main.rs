//! Abiquo's Remote Services (repository, virtual IP, Tomcat) on a real Pacemaker cluster that the generated script made: two nodes,
//! real Tomcat with stand-ins for the webapps, real Redis and RabbitMQ beside the cluster, real fencing.
//!
//! The trials build on each other: one cluster, one after the other. Judges: crm_mon, curl, the kernel. What `abiquo` shows of the
//! agent alone, too, or crm_simulate of the cluster, is left out unless `INUVIKA_TEST_FULL=1`: it takes minutes.

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
mod servers;
mod site;
mod vantage;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, ensure};
use libtest_mimic::Arguments;
use servers::Servers;
use support::abiquo_node;
use support::lab::{self, Lab, Machine, trial};
use support::ovd;

const SCENARIO: &str = include_str!("scenario.toml");

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&site::NODES).unwrap();
    ovd::install(&lab, Path::new(env!("CARGO_BIN_EXE_inuvika-ha"))).unwrap();
    for node in lab.nodes() {
        abiquo_node::install(node, &site::WEBAPPS, &site::properties()).unwrap();
        node.run(["mkdir", "-p", site::REPOSITORY]).unwrap();
    }
    lab
});
/// What the webapps need beside themselves, running.
static SERVERS: LazyLock<Servers> = LazyLock::new(|| Servers::start(&LAB).unwrap());

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        lab::enter();
    }
    arguments.test_threads = Some(1);
    let on = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &LAB, body);
    let more = |name: &str, body: fn(&Lab) -> Result<()>| on(name, body).with_ignored_flag(!site::is_full());
    let trials = vec![
        on("the generated script makes the cluster", makes_the_cluster),
        more("a second run of the script changes nothing", second_run),
        more("ocf-tester passes beside the cluster", ocf_tester),
        more("a planned move, with the agent and with the script of the guide", moves::planned),
        on("a stopped Tomcat (SIGSTOP) is named and started again in place", faults::stopped),
        more(
            "a webapp that is undeployed is named, and everything moves when a restart does not help",
            faults::undeployed,
        ),
        more("an answer of another datacenter is named, and everything moves", faults::wrong_site),
        more("a wrong password of RabbitMQ is named and moves nothing", faults::rabbit_password),
        more("properties that differ are named by key and never by value", faults::properties_differ),
        on("a Redis lost by the active node alone moves everything", vantage::lost_by_one),
        on("a Redis that nobody reaches is named and moves nothing", vantage::lost_by_all),
        more("a router lost by the active node alone moves everything", vantage::router),
        on("a stop of the cluster leaves nothing", leaves_nothing),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn makes_the_cluster(lab: &Lab) -> Result<()> {
    LazyLock::force(&SERVERS);
    let said = lab.phase("ran the generated script", || ovd::create_cluster_of(lab, SCENARIO))?;
    lab::wait_for(Duration::from_secs(90), "the group to run", || Ok(site::active(lab).is_ok()))?;
    let status = ovd::view(lab)?;
    ensure!(status.failures.is_empty(), "{:?}\n{said}", status.failures);
    ensure!(status.online().len() == 2 && status.quorum, "{status:?}");
    ensure!(status.nodes_of("router").len() == 2, "{status:?}");
    ensure!(site::active(lab)?.name() == "rsha1", "it did not start on the first node");
    // Location by what the router's clone publishes, not by where the clone runs.
    let constraints = lab.node("rsha1").run(["cibadmin", "--query", "--scope", "constraints"])?;
    for part in ["router-reached", "abiquo_rs-dependencies"] {
        ensure!(constraints.contains(part), "no rule on {part}:\n{constraints}");
    }
    site::settled(lab)
}

fn second_run(lab: &Lab) -> Result<()> {
    let configuration = || lab.node("rsha2").run(["cibadmin", "--query", "--scope", "configuration"]);
    let before = configuration()?;
    let said = ovd::run_script(lab)?;
    ensure!(configuration()? == before, "the configuration changed:\n{said}");
    ensure!(said.contains("nothing to push"), "{said}");
    Ok(())
}

/// On the passive node, as a resource of its own, with the repository mounted by hand: the cluster lets it be.
fn ocf_tester(lab: &Lab) -> Result<()> {
    let (active, node) = (site::active(lab)?, site::passive(lab)?);
    let before = abiquo_node::main_process(active)?;
    node.run(["mount", "-t", "tmpfs", site::LOCATION, site::REPOSITORY])?;
    let agent = format!("{}/abiquo-rs", ovd::AGENTS);
    let argv = ["ocf-tester", "-n", "tested", "-o", "webapps=am,vsm,xas", &agent];
    let result = node.output_with(Duration::from_secs(300), b"", &argv);
    node.run(["umount", site::REPOSITORY])?;
    let output = result?;
    ensure!(output.ok() && output.stdout.contains("passed all tests"), "{}", output.describe());
    ensure!(!node.output(["ls", "/run/inuvika-ha/tested"])?.ok(), "it has left its state");
    ensure!(abiquo_node::main_process(active)? == before, "Tomcat was restarted on {}", active.name());
    // For the cluster that was a second Tomcat, which the active node may have reported; nothing else.
    let told = ovd::view(lab)?.failures;
    ensure!(told.iter().all(|f| f.code == 190 && f.reason.contains("a second Tomcat runs on")), "{told:?}");
    let is_over = || Ok(site::published(node, "stray")? != "runs");
    lab::wait_for(site::NOTICED, "the end of that", is_over)?;
    ovd::forget(lab)?;
    site::settled(lab)
}

fn leaves_nothing(lab: &Lab) -> Result<()> {
    site::settled(lab)?;
    let last = site::active(lab)?;
    let cursor = site::cursor(last)?;
    lab.phase("stopped the cluster", || {
        lab.node("rsha1").run_within(Duration::from_secs(150), &["pcs", "cluster", "stop", "--all"])
    })?;
    for node in lab.nodes() {
        site::has_nothing(node)?;
        ensure!(lab.fencing.times_off(node.name()) == 0, "{} was fenced", node.name());
    }
    let result = abiquo_node::shown(last, "Result")?;
    // The unit's own stop, which must not wait for Pacemaker's, as that waits for it.
    ensure!(result == "success", "the unit of {} ended with {result}", last.name());
    let journal = site::journal_since(last, &cursor)?;
    ensure!(journal.contains("has shut down by itself"), "{journal}");
    Ok(())
}
