//! What the benchmark prints: the table of the README, and what follows from it.

use crate::Row;
use crate::sample::{Sample, median};

/// The order of the lines: by stack, then by action, then as measured.
const STACKS: &[&[&str]] = &[
    &["ovd-vip-src", "IPsrcaddr", "IPaddr2"],
    &["ovd-osm", "apache", "symlink"],
    &["ovd-lsyncd"],
    &["abiquo-rs", "tomcat"],
    &["ofs-ctdb", "CTDB"],
];
const ACTIONS: &[&str] = &["meta-data", "monitor", "start", "stop"];

/// How often Pacemaker runs the monitors, in seconds: ours as the generator has it, the stock ones as their meta-data advise.
const OURS_EVERY: f64 = 3.0;
const STOCK_EVERY: f64 = 10.0;

/// Prints everything.
pub fn print(rows: &[Row]) {
    println!("| action | wall ms | CPU ms | peak memory KiB | processes | wall x true | CPU x true |");
    println!("|---|---|---|---|---|---|---|");
    let base: Vec<Sample> = rows.iter().flat_map(|row| row.base.clone()).collect();
    line("/bin/true", &base, &base);
    let rank = |row: &&Row| {
        let stack = STACKS.iter().position(|agents| agents.contains(&row.agent));
        (stack, ACTIONS.iter().position(|action| row.words.starts_with(action)))
    };
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by_key(rank);
    for row in sorted {
        let name = match row.words.strip_prefix("monitor ") {
            Some(depth) => format!("{} monitor, depth {depth}", row.agent),
            None => format!("{} {}", row.agent, row.words),
        };
        line(&name, &row.samples, &row.base);
    }
    let rounds = rows.first().map_or(0, |row| row.samples.len());
    println!("\n{rounds} rounds in turn, medians.");
    web(rows);
}

fn line(name: &str, samples: &[Sample], base: &[Sample]) {
    let m = Sample::median_of(samples);
    // Pair by pair, not median by median.
    let ratio = |of: fn(&Sample) -> f64| median(samples.iter().zip(base).map(|(s, t)| of(s) / of(t)).collect());
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

/// What the monitors of the web server amount to.
fn web(rows: &[Row]) {
    let monitor = |agent: &str| rows.iter().find(|row| row.is(agent, "monitor"));
    let (Some(ours), Some(apache), Some(symlink)) = (monitor("ovd-osm"), monitor("apache"), monitor("symlink")) else {
        return;
    };
    let own = ours.samples.iter().zip(&ours.answers).map(|(sample, answer)| sample.wall_ms - answer);
    println!(
        "The web server itself answers in {:.2} ms; ovd-osm's monitor without that: {:.2} ms.",
        median(ours.answers.clone()),
        median(own.collect())
    );
    let both = |of: fn(&Sample) -> f64| {
        median(apache.samples.iter().zip(&symlink.samples).map(|(a, s)| of(a) + of(s)).collect())
    };
    println!("apache and symlink together: {:.1} ms, {:.0} processes.", both(|s| s.wall_ms), both(|s| s.processes));
    let (mine, theirs) = (Sample::median_of(&ours.samples).cpu_ms, both(|s| s.cpu_ms));
    println!(
        "Load: ovd-osm every {OURS_EVERY:.0} s takes {:.0} ms of CPU per minute, apache and symlink every {STOCK_EVERY:.0} s \
         take {:.0} ms.",
        mine * 60.0 / OURS_EVERY,
        theirs * 60.0 / STOCK_EVERY
    );
}
