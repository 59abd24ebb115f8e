//! How long a client waits when the Session Manager changes nodes: the set-up of the failover guide with stock agents against
//! ours, on the same nodes, with the same token and the same fencing, in one run.
//!
//! `cargo bench --bench switchover`; after `--`: `--runs N` (10), `--only WORD` (rows whose name has it), `--quick` (2 runs).
//! It prints the table of the README. Nothing here is a test: timing never fails a build, but a service that does not come
//! back ends it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod faults;
mod figures;
mod stack;
#[path = "../../support/mod.rs"]
mod support;

use anyhow::{Context, Result};
use figures::Figures;
use stack::{OURS, STOCK, Stack};
use support::lab;

/// What is asked for on the command line.
struct Wanted {
    runs: usize,
    only: String,
}

impl Wanted {
    fn read() -> Result<Self> {
        let mut wanted = Self { runs: 10, only: String::new() };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                // cargo bench says so.
                "--bench" => {}
                "--quick" => wanted.runs = 2,
                "--runs" => wanted.runs = words.next().context("--runs needs a number")?.parse()?,
                "--only" => wanted.only = words.next().context("--only needs a word")?,
                other => anyhow::bail!("unknown option {other}: there are --runs, --only and --quick"),
            }
        }
        Ok(wanted)
    }
}

fn main() -> Result<()> {
    let wanted = Wanted::read()?;
    lab::enter();
    let mut table = Vec::new();
    for (stack, token) in [(&STOCK, "default"), (&OURS, "default"), (&OURS, "fast")] {
        measure(stack, token, &wanted, &mut table)?;
    }
    println!("\n{}", figures::render(&table, wanted.runs));
    Ok(())
}

/// One cluster, all its rows.
fn measure(stack: &'static Stack, token: &str, wanted: &Wanted, table: &mut Vec<Figures>) -> Result<()> {
    let mut rows: Vec<&faults::Fault> = faults::ALL.iter().filter(|f| f.name.contains(&wanted.only)).collect();
    // A shorter token changes only how soon a lost node is noticed.
    rows.retain(|fault| token == "default" || fault.name == faults::NODE_LOST);
    if rows.is_empty() {
        return Ok(());
    }
    let lab = lab::Lab::new(&support::ovd::NODES)?;
    let database = stack.create(&lab, token)?;
    for fault in rows {
        let mut figures = Figures::new(fault.name, stack.name, token);
        for run in 1..=wanted.runs {
            eprint!("switchover: {}, token {token}: {} {run}/{}: ", stack.name, fault.name, wanted.runs);
            let took = (fault.run)(&lab, stack).with_context(|| lab::report(&lab))?;
            eprintln!("{}", figures::line(&took));
            figures.runs.push(took);
        }
        table.push(figures);
    }
    drop(database);
    Ok(())
}
