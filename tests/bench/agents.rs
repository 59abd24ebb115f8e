//! What an action costs: ours, the stock agents of the installed resource-agents and /bin/true, in turn, in one run.
//!
//! Run as root by `cargo bench`. Everything happens in private namespaces. It prints the table of the README; figures of
//! one machine say little, the ratios say more. Nothing here is a test: timing never fails a build.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]

mod host;
mod sample;
#[path = "../support/mod.rs"]
mod support;

use sample::{Sample, median};

const ROUNDS: usize = 60;

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
    let src = "/usr/lib/ocf/resource.d/heartbeat/IPsrcaddr";
    let ip = "/usr/lib/ocf/resource.d/heartbeat/IPaddr2";
    let table: Vec<(&str, Vec<(&str, &str, &str)>)> = vec![
        (
            "meta-data",
            vec![("ovd-vip-src", &ours, "meta-data"), ("IPsrcaddr", src, "meta-data"), ("IPaddr2", ip, "meta-data")],
        ),
        ("monitor", vec![("ovd-vip-src", &ours, "monitor"), ("IPsrcaddr", src, "monitor"), ("IPaddr2", ip, "monitor")]),
        ("start", vec![("ovd-vip-src", &ours, "start"), ("IPsrcaddr", src, "start")]),
        ("stop", vec![("ovd-vip-src", &ours, "stop"), ("IPsrcaddr", src, "stop")]),
    ];
    let mut rows: Vec<(String, Vec<Sample>)> = vec![("/bin/true".to_owned(), Vec::new())];
    for (action, who) in &table {
        rows.extend(who.iter().map(|(name, ..)| (format!("{name} {action}"), Vec::new())));
    }
    for round in 0..ROUNDS {
        eprint!("\rround {}/{ROUNDS}", round + 1);
        rows[0].1.push(sample::of(&["/bin/true"]));
        let mut row = 0;
        for (action, who) in &table {
            for (_, path, word) in who {
                row += 1;
                // A monitor is asked while it runs; start begins from stopped, stop from started.
                match *action {
                    "monitor" | "stop" => host::quiet(&[path, "start"]),
                    "start" => host::quiet(&[path, "stop"]),
                    _ => {}
                }
                rows[row].1.push(sample::of(&[path, word]));
                if *action == "start" && *path == src {
                    host::quiet(&[path, "stop"]);
                }
            }
        }
    }
    eprintln!();
    print(&rows);
}

fn print(rows: &[(String, Vec<Sample>)]) {
    let base = Sample::median_of(&rows[0].1);
    println!("| action | wall ms | CPU ms | peak memory KiB | processes | wall x true | CPU x true |");
    println!("|---|---|---|---|---|---|---|");
    for (name, samples) in rows {
        assert!(
            samples.iter().all(|s| s.code == 0),
            "{name} failed: {:?}",
            samples.iter().map(|s| s.code).collect::<Vec<_>>()
        );
        let m = Sample::median_of(samples);
        // Ratios pair by pair: both were taken in the same round, so a slow moment of the machine cancels out.
        let ratio =
            |of: fn(&Sample) -> f64| median(samples.iter().zip(&rows[0].1).map(|(s, t)| of(s) / of(t)).collect());
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
