//! Figures of several runs, and the table of them.

use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one run took: the outage a client saw, and its parts where they can be told apart.
pub type Run = Vec<(String, Duration)>;

/// All runs of one fault with one stack.
#[derive(Serialize, Deserialize)]
pub struct Figures {
    fault: String,
    stack: String,
    token: String,
    pub runs: Vec<Run>,
}

impl Figures {
    pub fn new(fault: &str, stack: &str, token: &str) -> Self {
        Self { fault: fault.to_owned(), stack: stack.to_owned(), token: token.to_owned(), runs: Vec::new() }
    }
}

/// One run on one line.
pub fn line(run: &Run) -> String {
    run.iter().map(|(name, took)| format!("{name} {:.2} s", took.as_secs_f64())).collect::<Vec<_>>().join(", ")
}

/// The table of the README.
pub fn render(table: &[Figures], runs: usize) -> String {
    let mut text = String::from(
        "| fault | set-up | token | what | median s | least s | most s |\n|---|---|---|---|---|---|---|\n",
    );
    for Figures { fault, stack, token, runs } in table {
        let parts: Vec<&str> =
            runs.first().map(|run| run.iter().map(|(name, _)| name.as_str()).collect()).unwrap_or_default();
        for (index, part) in parts.iter().enumerate() {
            let mut values: Vec<f64> = runs.iter().filter_map(|run| Some(run.get(index)?.1.as_secs_f64())).collect();
            values.sort_by(f64::total_cmp);
            let (least, most) = (values[0], values[values.len() - 1]);
            let middle = values.len() / 2;
            let median =
                if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
            let _ = writeln!(text, "| {fault} | {stack} | {token} | {part} | {median:.2} | {least:.2} | {most:.2} |");
        }
    }
    let _ = write!(text, "\n{runs} runs each; the client asks the Session Manager on the virtual IP every 20 ms.");
    text
}
