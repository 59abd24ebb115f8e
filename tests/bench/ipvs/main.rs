//! What it costs to keep the kernel's table of virtual services (IPVS) as it is wanted: ours against `ipvsadm -R`, keepalived,
//! `ipvsadm` called for each change, and ldirectord, in one run, in one guest with a real kernel.
//!
//! `cargo bench --bench ipvs` as root; a number after `--` is the number of rounds. It prints the table of the README. Times in
//! the guest are those of an emulated processor: the ratios say something, the times do not. With `--instructions` the guest's
//! clock counts instructions instead: then one round is enough, however busy the machine is. Checks are measured apart, on
//! this machine itself. Nothing here is a test: timing never fails a build, but a table that is not as wanted ends it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod crowd;
mod farm;
mod judge;
mod ours;
mod packages;
mod rivals;
mod table;
mod timed;

#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../../support/guest/mod.rs"]
mod guest;
#[allow(dead_code, reason = "the module is shared, and used in part")]
#[path = "../../support/netns.rs"]
mod netns;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use farm::{PLAN, Size};
use guest::{Clock, Guest, Shape, inside};
use table::Row;

const ROUNDS: usize = 5;
/// How long one measurement may take.
const LIMIT: Duration = Duration::from_secs(600);

/// The guest: with the rivals.
static SHAPE: Shape =
    Shape { tail: 40, memory: 1024, contents: || Ok(guest::image::Contents::default()), fill: packages::fill };

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A round of ours, without the process around it.
    Ours,
    /// Ours as Pacemaker runs it: start, monitor.
    Agent,
    /// `ipvsadm -R`, and `ipvsadm -e` for one change.
    Restore,
    Keepalived,
    /// `ipvsadm` for each service and each real server.
    Calls,
    Ldirectord,
}

/// What one run took, in milliseconds and KiB.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    /// From an empty table to the wanted one.
    pub empty: f64,
    /// When the table is as wanted.
    pub nothing: Option<f64>,
    /// When one real server is to be changed.
    pub change: Option<f64>,
    /// What of `empty` was not spent on the kernel's table: planning, health, state files.
    pub share_empty: Option<f64>,
    /// The same of `nothing`.
    pub share: Option<f64>,
    pub memory: Option<f64>,
}

/// The question to the guest.
fn question(size: Size, by: By) -> String {
    format!("{} x {} {by:?}", size.services, size.servers)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(inside::MARK) => return inside::main(&words[1..], answer),
        Some(timed::MARK) => {
            println!("{}", timed::take(&words[1..]));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    // Cargo adds a word of its own.
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS).max(1);
    let clock = if words.iter().any(|word| word == "--instructions") { Clock::Instructions } else { Clock::Time };
    match run(rounds, clock) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ipvs: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(rounds: usize, clock: Clock) -> Result<()> {
    let crowd = crowd::measure(rounds)?;
    let mut guest = Guest::boot(&SHAPE, clock)?;
    let mut rows: Vec<Row> = plan().map(|(size, by)| Row::new(size, by)).collect();
    for round in 0..rounds {
        for row in &mut rows {
            // It takes a minute for 20 real servers: once says it.
            if row.by == By::Ldirectord && round > 0 {
                continue;
            }
            let sample = match guest.ask(&question(row.size, row.by), LIMIT) {
                Ok(said) => Some(serde_json::from_str(&said)?),
                Err(trouble) if row.by.is_ours() => return Err(anyhow!(trouble)),
                // Said below the table: a rival that does not run is not passed over in silence.
                Err(trouble) => {
                    row.trouble = Some(trouble);
                    None
                }
            };
            row.samples.push(sample);
        }
    }
    table::print(&rows, &crowd, clock);
    Ok(())
}

fn plan() -> impl Iterator<Item = (Size, By)> {
    PLAN.iter().flat_map(|(size, all)| all.iter().map(|by| (*size, *by)))
}

/// Measures, in the guest.
fn answer(asked: &str) -> Result<String> {
    let (size, by) = plan().find(|(size, by)| question(*size, *by) == asked).context("not in the plan")?;
    let figures = match by {
        By::Ours => ours::in_process(size),
        By::Agent => ours::agent(size),
        By::Restore => rivals::restore(size),
        By::Keepalived => rivals::keepalived(size),
        By::Calls => rivals::calls(size),
        By::Ldirectord => rivals::ldirectord(size),
    };
    Ok(serde_json::to_string(&figures?)?)
}
