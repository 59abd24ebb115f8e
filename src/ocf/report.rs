//! Checks for people and programs: a table, JSON, XML.

use std::fmt::Write;
use std::io::IsTerminal;

use serde::Serialize;

use super::agent::Outcome;
use super::by_hand::Format;
use super::check::{Check, Verdict};
use super::operation::Operation;
use super::xml::escape;

#[derive(Serialize)]
struct Data<'a> {
    agent: &'a str,
    instance: &'a str,
    action: &'a str,
    code: u8,
    meaning: &'a str,
    reason: Option<&'a str>,
    checks: &'a [Check],
    took_ms: f64,
}

/// The outcome of `op` in `format`. `note` says where the parameters came from, when that was not the caller.
pub fn render(format: Format, agent: &str, op: &Operation, outcome: &Outcome, note: Option<&str>) -> String {
    let took_ms = (op.deadline.used().as_secs_f64() * 1e6).round() / 1e3;
    let data = Data {
        agent,
        instance: op.instance.name(),
        action: op.action.name(),
        code: outcome.code as u8,
        meaning: outcome.code.meaning(),
        reason: outcome.reason.as_deref(),
        checks: &outcome.checks,
        took_ms,
    };
    match format {
        Format::Json => serde_json::to_string_pretty(&data).map(|text| text + "\n").unwrap_or_default(),
        Format::Xml => xml(&data),
        Format::Table => table(&data, note),
    }
}

fn table(data: &Data<'_>, note: Option<&str>) -> String {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut text = format!("{} {}", data.agent, data.instance);
    if let Some(note) = note {
        let _ = write!(text, " ({note})");
    }
    text.push('\n');
    let widest = data.checks.iter().map(|c| c.name.chars().count()).max().unwrap_or(0);
    let detail = data.checks.iter().map(|c| c.detail.chars().count()).max().unwrap_or(0).min(72);
    for check in data.checks {
        let word = format!("{:8}", check.verdict.word());
        let word = if colour { paint(check.verdict, &word) } else { word };
        let ms = check.took.as_secs_f64() * 1e3;
        let _ = writeln!(text, "  {:widest$}  {word}  {:detail$}  {ms:8.3} ms", check.name, check.detail);
    }
    if let Some(reason) = data.reason.filter(|_| data.checks.is_empty()) {
        let _ = writeln!(text, "  {reason}");
    }
    let _ = writeln!(text, "exit code {}: {} ({:.3} ms)", data.code, data.meaning, data.took_ms);
    text
}

fn paint(verdict: Verdict, word: &str) -> String {
    let number = match verdict {
        Verdict::Ok => 32,
        Verdict::Degraded => 33,
        Verdict::Stopped => 36,
        Verdict::Failed => 31,
    };
    format!("\x1b[{number}m{word}\x1b[0m")
}

fn xml(data: &Data<'_>) -> String {
    let mut text = format!(
        "<agent-report agent=\"{}\" instance=\"{}\" action=\"{}\" code=\"{}\" took-ms=\"{}\"",
        escape(data.agent),
        escape(data.instance),
        data.action,
        data.code,
        data.took_ms
    );
    if let Some(reason) = data.reason {
        let _ = write!(text, " reason=\"{}\"", escape(reason));
    }
    text.push_str(">\n");
    for check in data.checks {
        let _ = writeln!(
            text,
            "  <check name=\"{}\" verdict=\"{}\" took-ms=\"{:.3}\">{}</check>",
            check.name,
            check.verdict.word(),
            check.took.as_secs_f64() * 1e3,
            escape(&check.detail)
        );
    }
    text.push_str("</agent-report>\n");
    text
}
