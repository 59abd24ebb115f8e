//! What an action costs: ours, the stock agents of the installed resource-agents and /bin/true, in turn, in one run.
//!
//! Run as root by `cargo bench`; a number after `--` is the number of rounds, and where names of agents are there, only those are
//! measured. Everything happens in private namespaces. It prints the table of the README; figures of one machine say little,
//! the ratios say more. Nothing here is a test: timing never fails a build.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod ctdb;
mod host;
mod sample;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod web;

use sample::Sample;

const ROUNDS: usize = 60;

/// What is measured of whom, in this order: each agent is started before its monitors and stopped after them. IPaddr2's
/// start and stop would change the address that the others need. The agent apache watches the server that ovd-osm has
/// started before it starts and stops it itself: two servers would not be what either agent finds on a host.
const SEQUENCE: &[(&str, &[&str])] = &[
    ("ovd-vip-src", &["meta-data", "start", "monitor", "stop"]),
    ("IPsrcaddr", &["meta-data", "start", "monitor", "stop"]),
    ("IPaddr2", &["meta-data", "monitor"]),
    ("ovd-osm", &["meta-data", "start", "monitor", "monitor 10", "monitor 20"]),
    ("apache", &["meta-data", "monitor"]),
    ("symlink", &["meta-data", "start", "monitor", "stop"]),
    ("ovd-osm", &["stop"]),
    ("apache", &["start", "stop"]),
    ("ovd-lsyncd", &["meta-data", "start", "monitor", "stop"]),
    ("abiquo-rs", &["meta-data", "start", "monitor", "monitor 10", "monitor 20"]),
    // It watches the Tomcat that abiquo-rs has started.
    ("tomcat", &["meta-data", "monitor"]),
    ("abiquo-rs", &["stop"]),
    // Both watch the same ctdbd. Its start and stop are CTDB's own seconds: neither agent is measured at them.
    ("ofs-ctdb", &["meta-data", "monitor", "monitor 10", "monitor 20"]),
    ("CTDB", &["meta-data", "monitor"]),
];

/// One line of the table.
struct Row {
    agent: &'static str,
    /// The action, with the depth of a deeper monitor.
    words: &'static str,
    environment: Vec<(String, String)>,
    samples: Vec<Sample>,
    /// /bin/true, just before each sample: a slow moment of the machine cancels out of the ratio.
    base: Vec<Sample>,
    /// What the web server itself took for the same request, just after each sample, in milliseconds.
    answers: Vec<f64>,
}

impl Row {
    fn new(agent: &'static str, words: &'static str) -> Self {
        let (action, depth) = words.split_once(' ').unwrap_or((words, "0"));
        let environment = host::environment(agent, action, depth);
        Self { agent, words, environment, samples: Vec::new(), base: Vec::new(), answers: Vec::new() }
    }

    fn is(&self, agent: &str, words: &str) -> bool {
        self.agent == agent && self.words == words
    }

    fn take_one(&mut self) {
        self.base.push(sample::of(&["/bin/true"], &self.environment));
        let action = self.words.split(' ').next().unwrap_or_default();
        let sample = sample::of(&[&host::path(self.agent), action], &self.environment);
        assert_eq!(sample.code, 0, "{} {} failed", self.agent, self.words);
        self.samples.push(sample);
        if self.is("ovd-osm", "monitor") {
            self.answers.push(web::answer_ms());
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
    // Cargo adds a word of its own.
    let rounds = words.iter().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    support::lab::enter();
    host::prepare();
    ctdb::prepare();
    let each = |(agent, actions): &(&'static str, &'static [&'static str])| {
        let agent = *agent;
        actions.iter().map(move |words| Row::new(agent, words))
    };
    let named = |agent: &str| words.iter().skip(1).any(|word| word == agent);
    let all = !SEQUENCE.iter().any(|(agent, _)| named(agent));
    let mut rows: Vec<Row> = SEQUENCE.iter().filter(|(agent, _)| all || named(agent)).flat_map(each).collect();
    for round in 0..rounds {
        eprint!("\rround {}/{rounds}", round + 1);
        rows.iter_mut().for_each(Row::take_one);
    }
    eprintln!();
    table::print(&rows);
}
