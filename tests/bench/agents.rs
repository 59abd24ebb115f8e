//! What an action costs: ours, the stock agents of the installed resource-agents and /bin/true, in turn, in one run.
//!
//! Run as root by `cargo bench`. Everything happens in private namespaces. It prints the table of the README; figures of
//! one machine say little, the ratios say more. Nothing here is a test: timing never fails a build.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod host;
mod sample;
#[path = "../support/mod.rs"]
mod support;

use sample::{Sample, median};

const ROUNDS: usize = 60;

/// What is measured of whom. IPaddr2's start and stop change the address that the others need.
const ACTIONS: &[(&str, &[&str])] = &[
    ("meta-data", &["ovd-vip-src", "IPsrcaddr", "IPaddr2"]),
    ("monitor", &["ovd-vip-src", "IPsrcaddr", "IPaddr2"]),
    ("start", &["ovd-vip-src", "IPsrcaddr"]),
    ("stop", &["ovd-vip-src", "IPsrcaddr"]),
];

/// One line of the table.
struct Row {
    name: String,
    path: String,
    action: String,
    samples: Vec<Sample>,
}

impl Row {
    fn new(name: &str, path: &str, action: &str) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), action: action.to_owned(), samples: Vec::new() }
    }

    fn take_one(&mut self) {
        // Between the rows everything is stopped, and nothing is stopped twice: IPsrcaddr cannot.
        if matches!(self.action.as_str(), "monitor" | "stop") {
            host::quiet(&[&self.path, "start"]);
        }
        let words = [self.path.as_str(), self.action.as_str()];
        self.samples.push(sample::of(if self.action.is_empty() { &words[..1] } else { &words }));
        // Leaves the host as it was: both agents give the same source, each in its own way.
        if matches!(self.action.as_str(), "monitor" | "start") && !self.path.ends_with("IPaddr2") {
            host::quiet(&[&self.path, "stop"]);
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    // The program calls itself for each sample: a process of its own per command gives that command's peak memory.
    if words.get(1).map(String::as_str) == Some("--sample") {
        println!("{}", sample::take(&words[2..]).line());
        return;
    }
    support::lab::enter();
    host::prepare();
    let ours = host::agent("ovd-vip-src");
    let stock = |name: &str| format!("/usr/lib/ocf/resource.d/heartbeat/{name}");
    let mut rows = vec![Row::new("/bin/true", "/bin/true", "")];
    for (action, agents) in ACTIONS {
        for name in *agents {
            let path = if *name == "ovd-vip-src" { ours.clone() } else { stock(name) };
            rows.push(Row::new(&format!("{name} {action}"), &path, action));
        }
    }
    for round in 0..ROUNDS {
        eprint!("\rround {}/{ROUNDS}", round + 1);
        for row in &mut rows {
            row.take_one();
        }
    }
    eprintln!();
    print(&rows);
}

fn print(rows: &[Row]) {
    let base = Sample::median_of(&rows[0].samples);
    println!("| action | wall ms | CPU ms | peak memory KiB | processes | wall x true | CPU x true |");
    println!("|---|---|---|---|---|---|---|");
    for Row { name, samples, .. } in rows {
        assert!(
            samples.iter().all(|s| s.code == 0),
            "{name} failed: {:?}",
            samples.iter().map(|s| s.code).collect::<Vec<_>>()
        );
        let m = Sample::median_of(samples);
        // Ratios pair by pair: both were taken in the same round, so a slow moment of the machine cancels out.
        let ratio =
            |of: fn(&Sample) -> f64| median(samples.iter().zip(&rows[0].samples).map(|(s, t)| of(s) / of(t)).collect());
        println!(
            "| {name} | {:.2} | {:.2} | {:.0} | {:.0} | {:.1} | {:.1} |",
            m.wall_ms,
            m.cpu_ms,
            m.memory_kib,
            m.processes,
            ratio(|s| s.wall_ms),
            ratio(|s| s.cpu_ms)
        );
    }
    println!("\n{ROUNDS} rounds in turn, medians; /bin/true took {:.2} ms.", base.wall_ms);
}
