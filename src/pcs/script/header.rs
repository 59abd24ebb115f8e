//! The head of the script: what it is, what has to be done before it, and the settings that its fixed parts use.

use super::layout::WIDTH;
use super::steps;
use crate::pcs::plan::{Plan, Setting, Step};
use crate::pcs::quote::quote;
use crate::pcs::unit::STANDARD;

/// Where a script keeps the configurations it replaced: on every distribution a place for a program's own state.
const BACKUPS: &str = "/var/lib/inuvika-ha";

/// Everything before the first function of the script.
pub(super) fn header(plan: &Plan) -> String {
    let runners = plan.runners.join(" or ");
    let nodes: Vec<_> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut comment = vec![
        format!("{}: cluster {} of {}.", plan.title, plan.cluster, nodes.join(", ")),
        "Written by \"inuvika-ha pcs\" for pcs 0.11. Edit the scenario rather than this.".into(),
        String::new(),
        format!("Run it as root on ONE node that may run the services ({runners})."),
        "It may be run again at any time: what is right already is left alone, and what the scenario does not have (any".into(),
        "more) is named at the end, with the command that removes it. With --dry-run nothing is pushed; see --help.".into(),
        String::new(),
        "Before the first run, on EVERY node:".into(),
    ];
    comment.extend(plan.needs.iter().map(|line| format!("  {line}")));
    comment.extend([
        "  - systemctl enable --now pcsd;".into(),
        "  - passwd hacluster, the same password everywhere. The script asks for it once, or reads it from the file"
            .into(),
        "    that HACLUSTER_PASSWORD_FILE names.".into(),
    ]);
    if !plan.notes.is_empty() {
        comment.push(String::new());
        comment.extend(plan.notes.iter().cloned());
    }
    let mut text = String::from("#!/bin/bash\n#\n");
    for line in comment {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    let settings = [
        ("cluster", quote(&plan.cluster)),
        ("nodes", list(nodes)),
        ("addresses", list(plan.nodes.iter().flat_map(|node| node.addresses.iter().map(String::as_str)))),
        ("agents", list(agents(plan).iter().map(String::as_str))),
        ("secrets", list(secrets(plan))),
        ("token", token(plan).map_or_else(|| "''".into(), |token| token.to_string())),
        ("at_boot", if at_boot(plan) { "enable" } else { "disable" }.into()),
        ("backups", BACKUPS.into()),
    ];
    text.push_str("\nset -euo pipefail\nexport LC_ALL=C.UTF-8\n\n");
    for (name, value) in settings {
        text.push_str(&format!("{name}={value}\n"));
    }
    text + "\n"
}

/// An array, each word once.
fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut once: Vec<&str> = Vec::new();
    for word in words {
        if !once.contains(&word) {
            once.push(word);
        }
    }
    // On lines of their own when they are many.
    let quoted: Vec<_> = once.into_iter().map(quote).collect();
    let line = quoted.join(" ");
    if line.chars().count() < WIDTH - 20 { format!("({line})") } else { format!("(\n    {}\n)", quoted.join("\n    ")) }
}

/// Every agent of the plan's resources and fencing devices, as crm_resource names them. A unit has none.
fn agents(plan: &Plan) -> Vec<String> {
    let agent = |step: &Step| match step {
        Step::Primitive(resource) if resource.agent.starts_with(STANDARD) => None,
        Step::Primitive(resource) => Some(resource.agent.clone()),
        Step::Stonith(device) => Some(format!("stonith:{}", device.agent)),
        _ => None,
    };
    steps(plan).filter_map(agent).collect()
}

/// Every file that the script reads a secret from.
fn secrets(plan: &Plan) -> impl Iterator<Item = &str> {
    let params = steps(plan).flat_map(|step| match step {
        Step::Primitive(resource) | Step::Stonith(resource) => resource.params.as_slice(),
        _ => &[],
    });
    params.filter_map(|(_, setting)| if let Setting::SecretFile(path) = setting { Some(path.as_str()) } else { None })
}

fn token(plan: &Plan) -> Option<u32> {
    steps(plan).find_map(|step| if let Step::ClusterSetup { token, .. } = step { *token } else { None })
}

fn at_boot(plan: &Plan) -> bool {
    steps(plan).any(|step| matches!(step, Step::ClusterSetup { start_at_boot: true, .. }))
}
