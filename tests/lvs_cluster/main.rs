//! Directors of LVS on a real Pacemaker cluster that the generated script made: three nodes, the router's ping, real node
//! attributes. This kernel need not have IPVS, so a stand-in takes the agent's place; the agent itself is tried in `ipvs`,
//! and both together in `ipvs_cluster`.
//!
//! The trials build on each other: one cluster, one after the other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use inuvika_ha::director::told::{DAMPENING, Told};
use libtest_mimic::Arguments;
use support::lab::{self, Lab, Machine, trial};
use support::ovd;

const SCENARIO: &str = include_str!("scenario.toml");
const DIRECTOR: &str = "lvs_director";
/// Longer than three monitors of the router and the cluster's wait for the other nodes.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs or does not, and writes down its starts and what a reload says of drained servers; the meta-data are the agent's.
const STAND_IN: &str = r#"#!/bin/bash
case $1 in
    meta-data) exec -a lvs-director /usr/sbin/inuvika-ha meta-data ;;
    start) [ -e /run/stand-in ] || { echo >>/run/stand-in.starts; touch /run/stand-in; } ;;
    stop) rm -f /run/stand-in ;;
    reload-agent) printf '%s\n' "$OCF_RESKEY_drained" >/run/stand-in.drained ;;
    monitor) [ -e /run/stand-in ] || exit 7 ;;
esac
"#;

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&ovd::NODES).unwrap();
    ovd::install(&lab, Path::new(env!("CARGO_BIN_EXE_inuvika-ha"))).unwrap();
    for node in lab.nodes() {
        node.run(["rm", &format!("{}/lvs-director", ovd::AGENTS)]).unwrap();
        node.write_file(&format!("{}/lvs-director", ovd::AGENTS), STAND_IN, 0o755).unwrap();
    }
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
        on("the generated script makes the cluster, and a second run changes nothing", makes_the_cluster),
        on("the address leaves a director that alone sees no real server", blind),
        on("a real server that comes and goes keeps nobody from being heard", flapping),
        on("the address leaves a director that alone has lost the router", cut_off),
        on("a director that is restarted keeps its address", restarted),
        on("nothing moves when all see nothing", all_blind),
        on("what is drained reaches every director by a reload, and stays when the script runs again", drained),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Where the address is.
fn holder(lab: &Lab) -> Result<String> {
    let status = ovd::view(lab)?;
    Ok(status.nodes_of(ovd::VIRTUAL_IP).join(" "))
}

fn wait_holder(lab: &Lab, node: &str) -> Result<()> {
    lab::wait_for(PATIENCE, &format!("the address on {node}"), || Ok(holder(lab)? == format!("{node}.priv")))?;
    lab::wait_idle(lab.node(node), Duration::from_secs(60))?;
    ensure!(holder(lab)? == format!("{node}.priv"), "it moved on to {}", holder(lab)?);
    let addresses = lab.node(node).run(["ip", "-o", "address", "show", "to", "10.20.1.10"])?;
    ensure!(!addresses.is_empty(), "{node} does not have it");
    Ok(())
}

/// What a node says it sees. `wait` is how long the cluster waits for the others.
fn tell(lab: &Lab, name: &str, healthy: usize, wait: u64) -> Result<()> {
    let (node, value, wait) = (format!("{name}.priv"), healthy.to_string(), format!("{wait}s"));
    let update = ["attrd_updater", "-n", "lvs_director-healthy", "-N", &node, "-B", &value, "-d", &wait];
    lab.node("osm1").run(update).map(drop)
}

/// What the nodes say they see, in the order of their names.
fn publish(lab: &Lab, healthy: [usize; 3]) -> Result<()> {
    for (name, count) in ovd::NODES.iter().zip(healthy) {
        tell(lab, name, count, 3)?;
    }
    // Each change starts the wait anew, and the cluster acts after it.
    std::thread::sleep(Duration::from_secs(5));
    lab::wait_idle(lab.node("osm1"), Duration::from_secs(60))
}

/// How often each node's director has started.
fn starts(lab: &Lab) -> Result<Vec<usize>> {
    lab.nodes().iter().map(|node| Ok(node.run(["cat", "/run/stand-in.starts"])?.len())).collect()
}

fn makes_the_cluster(lab: &Lab) -> Result<()> {
    lab.phase("ran the generated script", || ovd::create_cluster_of(lab, SCENARIO))?;
    wait_holder(lab, "osm1")?;
    let status = ovd::view(lab)?;
    for id in [DIRECTOR, "router"] {
        ensure!(status.nodes_of(id).len() == 3, "{id}: {:?}", status.nodes_of(id));
    }
    ensure!(status.failures.is_empty() && status.online().len() == 3, "{status:?}");
    ensure!(starts(lab)? == [1, 1, 1], "{:?}", starts(lab)?);
    let configuration = || lab.node("pcs3").run(["cibadmin", "--query", "--scope", "configuration"]);
    let before = configuration()?;
    let said = ovd::run_script(lab)?;
    ensure!(configuration()? == before && said.contains("configured like this already: nothing to push"), "{said}");
    Ok(())
}

fn blind(lab: &Lab) -> Result<()> {
    publish(lab, [4, 4, 4])?;
    ensure!(holder(lab)? == "osm1.priv", "it moved to {}", holder(lab)?);
    // One real server that this director alone takes for dead is no reason.
    publish(lab, [3, 4, 4])?;
    ensure!(holder(lab)? == "osm1.priv", "it moved to {}", holder(lab)?);
    publish(lab, [0, 2, 4])?;
    wait_holder(lab, "pcs3")?;
    publish(lab, [4, 4, 4])?;
    ensure!(holder(lab)? == "pcs3.priv", "it moved back to {}", holder(lab)?);
    ensure!(starts(lab)? == [1, 1, 1], "a director was restarted: {:?}", starts(lab)?);
    Ok(())
}

/// Two directors see a real server that comes and goes, the one with the address sees nothing. How long it takes until the address
/// is away from that one, if directors say what `word` makes of what they see; none: longer than `limit`.
fn heard(
    lab: &Lab,
    limit: Duration,
    mut word: impl FnMut(&str, usize, Duration) -> Option<usize>,
) -> Result<Option<Duration>> {
    let (old, wait, begun) = (holder(lab)?, DAMPENING.as_secs(), Instant::now());
    let blind = old.trim_end_matches(".priv");
    let others: Vec<&str> = ovd::NODES.into_iter().filter(|name| *name != blind).collect();
    for step in 0usize.. {
        let passed = begun.elapsed();
        if holder(lab)? != old {
            return Ok(Some(passed));
        }
        if passed > limit {
            break;
        }
        // One after the other, so that something is new every 5 s.
        let (name, healthy) = (others[step % 2], if step % 4 < 2 { 3 } else { 4 });
        for (name, healthy) in [(name, healthy), (blind, 0)] {
            if let Some(value) = word(name, healthy, passed) {
                tell(lab, name, value, wait)?;
            }
        }
        std::thread::sleep(
            (begun + Duration::from_secs(5) * (step as u32 + 1)).saturating_duration_since(Instant::now()),
        );
    }
    Ok(None)
}

fn flapping(lab: &Lab) -> Result<()> {
    let limit = Duration::from_secs(60);
    let before = holder(lab)?;
    for name in ovd::NODES {
        tell(lab, name, 4, DAMPENING.as_secs())?;
    }
    std::thread::sleep(DAMPENING + Duration::from_secs(3));
    lab::wait_idle(lab.node("osm1"), Duration::from_secs(60))?;
    // Said as it is, it drowns what the blind one says.
    if std::env::var_os("INUVIKA_TEST_FULL").is_some() {
        let mut said: BTreeMap<String, usize> = BTreeMap::new();
        let as_it_is = heard(lab, limit, |name, healthy, _| {
            let old = said.insert(name.to_owned(), healthy);
            (old != Some(healthy)).then_some(healthy)
        })?;
        ensure!(as_it_is.is_none(), "it was heard after {as_it_is:?}: this trial shows nothing");
        ensure!(holder(lab)? == before, "the address has moved to {}", holder(lab)?);
    }
    // The blind one, too, begins anew.
    for name in ovd::NODES {
        tell(lab, name, 4, DAMPENING.as_secs())?;
    }
    std::thread::sleep(DAMPENING + Duration::from_secs(3));
    let at_first = |name: &str| {
        let mut told = Told::nothing(name);
        told.arrived(4, Duration::ZERO);
        (name.to_owned(), told)
    };
    let mut directors: BTreeMap<String, Told> = ovd::NODES.into_iter().map(at_first).collect();
    let took = heard(lab, limit, |name, healthy, now| {
        let told = directors.get_mut(name)?;
        let value = told.next(healthy, 4, now)?;
        told.arrived(value, now);
        Some(value)
    })?;
    ensure!(took.is_some(), "the address stays on {before}");
    println!("the address left a director that sees nothing, while a real server came and went, after {took:?}");
    publish(lab, [4, 4, 4])?;
    publish(lab, [0, 0, 4])?;
    wait_holder(lab, "pcs3")?;
    publish(lab, [4, 4, 4])?;
    ensure!(starts(lab)? == [1, 1, 1], "a director was restarted: {:?}", starts(lab)?);
    Ok(())
}

fn cut_off(lab: &Lab) -> Result<()> {
    publish(lab, [1, 2, 4])?;
    let route = |what| lab.node("pcs3").run(["ip", "route", what, "unreachable", "10.20.1.99/32"]);
    route("add")?;
    let moved = wait_holder(lab, "osm2");
    route("del")?;
    moved?;
    ensure!(starts(lab)? == [1, 1, 1], "a director was restarted: {:?}", starts(lab)?);
    Ok(())
}

fn restarted(lab: &Lab) -> Result<()> {
    let node = lab.node("osm2");
    let xpath = "//node_state[@uname='osm2.priv']//lrm_resource[@id='virtual_ip']";
    let history = || node.run(["cibadmin", "--query", "--xpath", xpath]);
    let before = history()?;
    node.run(["rm", "/run/stand-in"])?;
    lab::wait_for(PATIENCE, "the director to run again", || Ok(node.output(["test", "-e", "/run/stand-in"])?.ok()))?;
    lab::wait_idle(node, Duration::from_secs(60))?;
    ensure!(starts(lab)? == [1, 2, 1], "{:?}", starts(lab)?);
    ensure!(history()? == before && holder(lab)? == "osm2.priv", "the address was touched: {}", history()?);
    Ok(())
}

fn all_blind(lab: &Lab) -> Result<()> {
    publish(lab, [0, 0, 0])?;
    ensure!(holder(lab)? == "osm2.priv", "it moved to {}", holder(lab)?);
    Ok(())
}

fn drained(lab: &Lab) -> Result<()> {
    let (before, address) = (starts(lab)?, holder(lab)?);
    let lvs = |verb, server| lab.node("osm1").run(["inuvika-ha", "lvs", verb, server, "--instance", DIRECTOR]);
    let all_have = |wanted: &str| {
        lab::wait_for(PATIENCE, &format!("all directors to have drained {wanted:?}"), || {
            let read = ["cat", "/run/stand-in.drained"];
            let found = lab.nodes().iter().map(|node| Ok(node.output(read)?.stdout)).collect::<Result<Vec<_>>>()?;
            Ok(found.iter().all(|text| text.trim_end() == wanted && text.ends_with('\n')))
        })
    };
    lvs("drain", "10.20.1.52")?;
    all_have("10.20.1.52")?;
    lvs("drain", "10.20.1.53")?;
    all_have("10.20.1.52 10.20.1.53")?;
    ovd::run_script(lab)?;
    lvs("enable", "10.20.1.52")?;
    all_have("10.20.1.53")?;
    lvs("enable", "10.20.1.53")?;
    all_have("")?;
    lab::wait_idle(lab.node("osm1"), Duration::from_secs(60))?;
    ensure!(starts(lab)? == before, "a director was restarted: {:?}", starts(lab)?);
    ensure!(holder(lab)? == address, "the address has moved to {}", holder(lab)?);
    Ok(())
}
