//! How long it takes to configure the Session Manager's cluster: by the guide's set-up typed as pcs commands, and by the generated
//! scripts, on the same running cluster, in turn.
//!
//! `cargo bench --bench apply`; after `--`: the number of rounds (5). It prints the table of the README. The cluster is in maintenance:
//! what is measured is the configuring, not the start of services. Nothing here is a test: timing never fails a build, but a way that
//! does not configure what it is to configure ends it.

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

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use support::lab::{self, Lab, Machine, Node, PASSWORD, Status, wait_for, wait_idle};
use support::ovd;

const LIMIT: Duration = Duration::from_secs(400);
/// The configuration that every way begins with.
const BASE: &str = "/root/base.xml";
const UNIT: &str = "[Unit]\nDescription=Source of outgoing connections\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
    ExecStart=/bin/true\n";

/// The guide's set-up: its agents, its constraints, fencing for the lab.
const GUIDE: &[&str] = &[
    "property set no-quorum-policy=stop stonith-enabled=true",
    "stonith create fence-lab fence_lab pcmk_host_list=osm1.priv,osm2.priv,pcs3.priv",
    "resource defaults update resource-stickiness=1000 migration-threshold=3 failure-timeout=4h",
    "resource create virtual_ip ocf:heartbeat:IPaddr2 ip=10.20.1.10 cidr_netmask=24 nic=eth0 op monitor interval=3s",
    "resource create virtual_ip_src systemd:cluster-vip-src",
    "resource create osm_cron ocf:heartbeat:symlink link=/etc/cron.d/sessionmanager target=/etc/ovd/sessionmanager.cron",
    "resource create httpd ocf:heartbeat:apache configfile=/etc/apache2/apache2.conf statusurl=http://127.0.0.1/server-status",
    "constraint location virtual_ip prefers osm1.priv=10",
    "constraint location add never-virtual_ip virtual_ip pcs3.priv -- -INFINITY resource-discovery=never",
    "constraint location add never-virtual_ip_src virtual_ip_src pcs3.priv -- -INFINITY resource-discovery=never",
    "constraint location add never-osm_cron osm_cron pcs3.priv -- -INFINITY resource-discovery=never",
    "constraint location add never-httpd httpd pcs3.priv -- -INFINITY resource-discovery=never",
    "constraint colocation add virtual_ip_src with virtual_ip score=INFINITY",
    "constraint colocation add osm_cron with virtual_ip score=INFINITY",
    "constraint colocation add httpd with virtual_ip score=INFINITY",
    "constraint order virtual_ip then virtual_ip_src",
    "constraint order virtual_ip then osm_cron",
    "constraint order virtual_ip then httpd",
];

/// A way to configure: what is run, and how long it took in each round.
struct Way {
    name: String,
    file: &'static str,
    took: Vec<f64>,
}

fn main() -> Result<()> {
    lab::enter();
    let rounds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(5);
    let lab = make()?;
    let node = lab.node(ovd::NODES[0]);
    let own = typed(node)?;
    let ways = [
        (format!("guide, {} pcs commands typed one by one", GUIDE.len()), "guide"),
        (format!("ours, {own} pcs commands typed one by one"), "typed"),
        ("ours, pcs script".to_owned(), "pcs-0.11"),
        ("ours, crmsh script".to_owned(), "crmsh"),
        ("ours, cib script".to_owned(), "cib"),
    ];
    let mut first: Vec<Way> = ways.into_iter().map(|(name, file)| Way { name, file, took: Vec::new() }).collect();
    let again = |file: &'static str| Way { name: format!("nothing to change, {file} script"), file, took: Vec::new() };
    let mut second: Vec<Way> = ["pcs-0.11", "crmsh", "cib"].map(again).into();
    for round in 1..=rounds {
        for way in &mut first {
            base(node)?;
            way.took.push(timed(node, way.file, way.file != "guide")?);
            for way in second.iter_mut().filter(|other| other.file == way.file) {
                way.took.push(timed(node, way.file, true)?);
            }
        }
        let figures =
            first.iter().chain(&second).filter_map(|way| Some(format!("{} {:.2}", way.file, way.took.last()?)));
        eprintln!("apply: {round}/{rounds}: {}", figures.collect::<Vec<_>>().join(", "));
    }
    print(&first, &second, rounds);
    Ok(())
}

/// The cluster, with the scripts in its first node.
fn make() -> Result<Lab> {
    let lab = Lab::new(&ovd::NODES)?;
    ovd::install(&lab, Path::new(env!("CARGO_BIN_EXE_inuvika-ha")))?;
    let node = lab.node(ovd::NODES[0]);
    for one in lab.nodes() {
        one.write_file("/etc/systemd/system/cluster-vip-src.service", UNIT, 0o644)?;
        one.run(["systemctl", "daemon-reload"])?;
    }
    node.write_file("/root/scenario.toml", ovd::SCENARIO, 0o644)?;
    node.write_file("/root/hacluster.secret", format!("{PASSWORD}\n"), 0o600)?;
    node.sh("inuvika-ha pcs --part auth,cluster /root/scenario.toml >/root/make
        for one in pcs-0.11 crmsh cib; do inuvika-ha pcs --dialect $one /root/scenario.toml >/root/$one; done")?;
    let made = "HACLUSTER_PASSWORD_FILE=/root/hacluster.secret bash /root/make";
    lab.phase("made a cluster", || node.sh_within(LIMIT, made))?;
    wait_for(LIMIT, "all nodes online", || Ok(Status::seen_by(node)?.online().len() == 3))?;
    node.sh(&format!("pcs property set maintenance-mode=true stonith-enabled=false; cibadmin --query >{BASE}"))?;
    let guide: String = GUIDE.iter().map(|line| format!("pcs {line}\n")).collect();
    node.write_file("/root/guide", format!("set -e\n{guide}"), 0o644)?;
    Ok(lab)
}

/// Writes down the pcs commands that the script runs, to be typed one by one; how many there are.
fn typed(node: &Node) -> Result<usize> {
    let said = node.sh_within(LIMIT, "bash /root/pcs-0.11 --dry-run")?;
    let commands: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with("pcs ")).collect();
    ensure!(commands.len() > 12, "the script would run {commands:?} only: {said}");
    node.write_file("/root/typed", format!("set -e\n{}\n", commands.join("\n")), 0o644)?;
    Ok(commands.len())
}

/// The configuration of before.
fn base(node: &Node) -> Result<()> {
    node.sh(&format!("cibadmin --replace --scope configuration --xml-file {BASE}"))?;
    wait_idle(node, LIMIT)
}

/// Seconds until it has ended; then the cluster has what the scenario says, unless that is not `ours`.
fn timed(node: &Node, file: &str, ours: bool) -> Result<f64> {
    let output = node.output_with(LIMIT, b"", &["bash", &format!("/root/{file}")])?;
    ensure!(output.ok(), "{file}: {}", output.describe());
    wait_idle(node, LIMIT)?;
    if ours {
        let said = node.output(["inuvika-ha", "diff", "/root/scenario.toml"])?;
        let own = |line: &str| line.contains("property maintenance-mode");
        ensure!(said.stdout.lines().all(own), "{file}: {}", said.describe());
    }
    Ok(output.took.as_secs_f64())
}

fn median(way: &Way) -> f64 {
    let mut values = way.took.clone();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The table of the README. The ratios are those of medians.
fn print(first: &[Way], second: &[Way], rounds: usize) {
    let typed = first.iter().find(|way| way.file == "typed").map_or(1.0, median);
    println!("| way | median s | least s | most s | of ours typed |\n|---|---|---|---|---|");
    for way in first.iter().chain(second) {
        let least = way.took.iter().copied().fold(f64::MAX, f64::min);
        let most = way.took.iter().copied().fold(0.0, f64::max);
        println!("| {} | {:.2} | {least:.2} | {most:.2} | {:.2} |", way.name, median(way), median(way) / typed);
    }
    println!("\n{rounds} rounds in turn.");
}
