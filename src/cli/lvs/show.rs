//! `inuvika-ha lvs show`: what is wanted and what is there, side by side.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::{Failure, print, refused};
use crate::agents::lvs_director::by_hand::Director;
use crate::director::name;
use crate::director::report::{Report, Role, ServerRow, State};

/// Show services and real servers: wanted and found weights, health, connections, the last answer
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Only this resource
    #[arg(long, value_name = "RESOURCE")]
    instance: Option<String>,
    /// Print all of it as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct One {
    instance: String,
    #[serde(flatten)]
    report: Report,
}

impl Show {
    pub(super) fn run(self) -> Result<(), Failure> {
        let names = self.instance.map_or_else(Director::started, |name| vec![name]);
        let look = |instance: String| {
            let report = Director::new(&instance, &[])?.look()?;
            Ok(One { instance, report })
        };
        let all: Vec<One> = names.into_iter().map(look).collect::<Result<_, _>>().map_err(refused)?;
        if all.is_empty() {
            super::as_root()?;
        }
        if self.json {
            let text = serde_json::to_string_pretty(&all).map_err(anyhow::Error::from)?;
            return print(&format!("{text}\n"));
        }
        if all.is_empty() {
            return print("no director was started on this host\n");
        }
        print(&all.iter().map(|one| table(&one.instance, &one.report)).collect::<String>())
    }
}

const HEAD: [&str; 8] = ["real server", "by", "health", "weight", "active", "inactive", "asked", "last answer"];

fn table(instance: &str, report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let (healthy, servers) = (report.healthy, report.servers);
    let _ = writeln!(text, "{instance}: {healthy} of {servers} real servers are well");
    for line in report
        .pending
        .iter()
        .map(|change| format!("not done yet: {}", name::change(change)))
        .chain(report.notes.iter().cloned())
    {
        let _ = writeln!(text, "  {line}");
    }
    for service in &report.services {
        let scheduler = match &service.found {
            None => format!("{}, not in the kernel's table", service.scheduler),
            Some(found) if *found == service.scheduler => found.clone(),
            Some(found) => format!("{found}, wanted {}", service.scheduler),
        };
        let usable = format!("{} usable, quorum {}", service.usable, service.quorum);
        let _ = writeln!(text, "\n{} ({scheduler}): {}, {usable}", service.service, service.verdict.word());
        let rows: Vec<[String; 8]> = service.servers.iter().map(row).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(HEAD.get(column).map(|name| name.len())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("  {}", padded.collect::<Vec<_>>().join("  ").trim_end())
        };
        let _ = writeln!(text, "{}", line(&HEAD.map(str::to_owned)));
        for row in &rows {
            let _ = writeln!(text, "{}", line(row));
        }
    }
    text
}

fn row(server: &ServerRow) -> [String; 8] {
    let weight = match (server.weight_found, server.weight_wanted) {
        (None, None) => "-".to_owned(),
        (Some(found), Some(wanted)) if found == wanted => found.to_string(),
        (found, wanted) => {
            let word = |weight: Option<u32>| weight.map_or_else(|| "none".to_owned(), |weight| weight.to_string());
            format!("{}, wanted {}", word(found), word(wanted))
        }
    };
    let health = match (server.role, server.health, server.drained) {
        (Role::Unasked, ..) => "not asked for",
        (Role::Sorry, ..) => "sorry",
        (_, _, true) => "drained",
        (_, State::Up, _) => "up",
        (_, State::Down, _) => "down",
        (_, State::Unchecked, _) => "unchecked",
        (_, State::Unknown, _) => "unknown",
    };
    [
        server.server.to_string(),
        server.forwarding.to_owned(),
        health.to_owned(),
        weight,
        server.active.to_string(),
        server.inactive.to_string(),
        server.asked_ago.map_or_else(|| "-".to_owned(), |ago| format!("{ago} s ago")),
        server.answer.clone().unwrap_or_default(),
    ]
}
