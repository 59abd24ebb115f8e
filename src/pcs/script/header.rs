//! The head of the script: what it is, what has to be done before it, and the settings that its fixed parts use.

use super::layout::WIDTH;
use super::{Feature, Script, older, remark};
use crate::pcs::plan::{Plan, Setting, Step};
use crate::pcs::quote::quote;

/// Where a script keeps the configurations it replaced: on every distribution a place for a program's own state.
const BACKUPS: &str = "/var/lib/inuvika-ha";

/// Everything before the first function of the script.
pub(super) fn header(script: &Script, plan: &Plan, steps: &[&Step]) -> String {
    let runners = plan.runners.join(" or ");
    let nodes: Vec<_> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    let removal = match script.wish.prune {
        false => {
            "more) is named at the end, with the command that removes it. With --dry-run nothing is pushed; see --help."
        }
        true => "more) is REMOVED. With --dry-run nothing is pushed; see --help.",
    };
    let parts: Vec<_> = script.wish.parts.iter().map(|part| part.name()).collect();
    let mut comment = vec![
        format!("{}: cluster {} of {}.", plan.title, plan.cluster, nodes.join(", ")),
        format!("Written by \"inuvika-ha pcs\" for pcs {}. Edit the scenario rather than this.", script.target.title()),
        String::new(),
        format!("Run it as root on ONE node that may run the services ({runners})."),
        "It may be run again at any time: what is right already is left alone, and what the scenario does not have (any".into(),
        removal.into(),
        String::new(),
        "Before the first run, on EVERY node:".into(),
    ];
    if !parts.is_empty() {
        let only = format!("It is for a part of the scenario alone: {}. The rest is left as it is.", parts.join(", "));
        comment.splice(2..2, [only]);
    }
    comment.extend(plan.needs.iter().map(|line| format!("  {line}")));
    comment.extend([
        "  - systemctl enable --now pcsd;".into(),
        "  - passwd hacluster, the same password everywhere. The script asks for it once, or reads it from the file"
            .into(),
        "    that HACLUSTER_PASSWORD_FILE names.".into(),
    ]);
    if !script.target.has(Feature::Addresses) {
        comment.push("  - every node's name with its first address in /etc/hosts.".into());
    }
    for notes in [plan.notes.clone(), remark::on_pacemaker(steps, &script.target)] {
        if !notes.is_empty() {
            comment.push(String::new());
            comment.extend(notes);
        }
    }
    let mut text = String::from("#!/bin/bash\n#\n");
    if !parts.is_empty() {
        text.insert_str("#!/bin/bash\n".len(), "# shellcheck disable=SC2317 # a part does not need every function\n");
    }
    for line in comment {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    let (from, before) = script.target.span_with(&older::features(steps));
    let settings = [
        ("pcs_from", from.to_string()),
        ("pcs_before", before.to_string()),
        ("cluster", quote(&plan.cluster)),
        ("nodes", list(nodes)),
        ("addresses", list(plan.nodes.iter().flat_map(|node| node.addresses.iter().map(String::as_str)))),
        ("agents", list(agents(steps).iter().map(String::as_str))),
        ("secrets", list(secrets(steps))),
        ("token", token(plan).map_or_else(|| "''".into(), |token| token.to_string())),
        ("at_boot", if at_boot(plan) { "enable" } else { "disable" }.into()),
        ("backups", BACKUPS.into()),
        ("parts", quote(&parts.join(" "))),
        ("prune", if script.wish.prune { "1" } else { "''" }.into()),
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
fn agents(steps: &[&Step]) -> Vec<String> {
    let agent = |step: &Step| match step {
        Step::Primitive(resource) | Step::Remote(resource) => {
            resource.agent.starts_with("ocf:").then(|| resource.agent.clone())
        }
        Step::Stonith(device) => Some(format!("stonith:{}", device.agent)),
        _ => None,
    };
    steps.iter().copied().filter_map(agent).collect()
}

/// Every file that the script reads a secret from.
fn secrets<'a>(steps: &[&'a Step]) -> Vec<&'a str> {
    let params = steps.iter().copied().filter_map(Step::resource).flat_map(|resource| &resource.params);
    params
        .filter_map(|(_, setting)| if let Setting::SecretFile(path) = setting { Some(path.as_str()) } else { None })
        .collect()
}

fn all(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.sections.iter().flat_map(|section| &section.steps)
}

fn token(plan: &Plan) -> Option<u32> {
    all(plan).find_map(|step| if let Step::ClusterSetup { token, .. } = step { *token } else { None })
}

fn at_boot(plan: &Plan) -> bool {
    all(plan).any(|step| matches!(step, Step::ClusterSetup { start_at_boot: true, .. }))
}
