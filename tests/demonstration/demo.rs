//! The main job, shown on a real cluster: the Session Manager, its address and its files fail over.
//!
//! Started by tests/demo. Three nodes with systemd, corosync and Pacemaker, configured by the script that
//! `inuvika-ha pcs` prints; then what goes wrong in real life, each time measured by a client.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod events;
mod table;

#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::exit;
use std::time::Instant;

use anyhow::{Context, Result};
use support::lab::{self, Database, Lab, Machine};
use support::ovd;
use support::writer::Writer;

const HELP: &str = "\
tests/demo: a real Pacemaker cluster on this machine, and what it does when things break

  --keep   leave the cluster running at the end, until Ctrl-C, and say how to enter a node
";

fn main() {
    let mut keep = false;
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--keep" => keep = true,
            "--help" | "-h" => return print!("{HELP}"),
            other => {
                eprintln!("tests/demo: unknown option {other}: --keep is the only one");
                exit(2);
            }
        }
    }
    lab::enter();
    if let Err(error) = demo(keep) {
        eprintln!("\ndemo: failed: {error:#}");
        exit(1);
    }
}

fn demo(keep: bool) -> Result<()> {
    let begun = Instant::now();
    let lab = Lab::new(&ovd::NODES)?;
    // Until the end, also of --keep.
    let mut database = None;
    let result = show(&lab, &mut database, begun);
    if result.is_err() {
        eprintln!("{}", lab::report(&lab));
    }
    if keep {
        // After a failure too: that is when a look inside is wanted.
        println!("\nThe cluster keeps running until Ctrl-C. From another terminal, as root:\n{}", lab.how_to_enter());
        loop {
            std::thread::park();
        }
    }
    result
}

fn show(lab: &Lab, database: &mut Option<Database>, begun: Instant) -> Result<()> {
    lab.phase("installed the package in every node", || ovd::install_package(lab, &package()?))?;
    let made = lab.phase("installed the stand-in Session Manager", || ovd::install_session_manager(lab))?;
    lab.phase("let the two nodes log in on each other", || ovd::install_replication(lab))?;
    let script = lab.phase("ran the generated script", || ovd::create_cluster(lab))?;
    println!("\nWhat the script said in osm1:\n{}", indented(&script));
    ovd::wait_active(lab, lab.node("osm1"), std::time::Duration::from_secs(30))
        .or_else(|_| ovd::wait_active(lab, lab.node("osm2"), std::time::Duration::from_secs(10)))?;
    println!("pcs status:\n{}", indented(&lab.node("osm1").run(["pcs", "status", "--full"])?));
    let writer = Writer::start(lab, "demo")?;
    let farm = events::Farm { lab, database: database.insert(made), writer: &writer };
    let mut rows = Vec::new();
    for event in events::EVENTS {
        eprintln!("demo: {} ({:.0} s since the begin)", event.what, begun.elapsed().as_secs_f32());
        rows.push(event.run(&farm).with_context(|| event.what.to_owned())?);
    }
    println!("{}", table::render(&rows));
    for name in &ovd::NODES[..2] {
        let listed = lab.node(name).run(["inuvika-ha", "replica", "list"])?;
        println!("inuvika-ha replica list on {name}:\n{}", indented(&listed));
    }
    println!("Everything took {:.0} s after build and installation.", begun.elapsed().as_secs_f32());
    Ok(())
}

/// The .deb, which tests/demo has made.
fn package() -> Result<PathBuf> {
    std::env::var_os("INUVIKA_DEB").map(PathBuf::from).context("INUVIKA_DEB names no package: start tests/demo instead")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
