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

use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use figures::Figures;
use stack::{OURS, STOCK, Stack};
use support::lab;

/// What is asked for on the command line.
struct Wanted {
    runs: usize,
    only: String,
    /// One set-up and token, in a lab of its own: there is one lab in a process's life.
    part: Option<usize>,
}

impl Wanted {
    fn read() -> Result<Self> {
        let mut wanted = Self { runs: 10, only: String::new(), part: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                // cargo bench says so.
                "--bench" => {}
                "--quick" => wanted.runs = 2,
                "--runs" => wanted.runs = value()?.parse()?,
                "--only" => wanted.only = value()?,
                "--part" => wanted.part = Some(value()?.parse()?),
                other => anyhow::bail!("unknown option {other}: there are --runs, --only and --quick"),
            }
        }
        Ok(wanted)
    }
}

/// The set-ups, each with its token.
const PARTS: &[(&Stack, &str)] = &[(&STOCK, "default"), (&OURS, "default"), (&OURS, "fast")];

fn main() -> Result<()> {
    let wanted = Wanted::read()?;
    if let Some(part) = wanted.part {
        lab::enter();
        let (stack, token) = PARTS.get(part).context("no such part")?;
        let mut table = Vec::new();
        measure(stack, token, &wanted, &mut table)?;
        print!("{}", serde_json::to_string(&table)?);
        return Ok(());
    }
    let mut table: Vec<Figures> = Vec::new();
    for part in 0..PARTS.len() {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--runs", &wanted.runs.to_string(), "--only", &wanted.only, "--part", &part.to_string()]);
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        anyhow::ensure!(output.status.success(), "part {part} ended with {}", output.status);
        table.extend(serde_json::from_slice::<Vec<Figures>>(&output.stdout)?);
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
