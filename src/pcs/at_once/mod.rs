//! A script that configures a running cluster in one piece: the whole configuration stands in it, as XML or for crmsh.
//!
//! The fixed parts are files of their own beside this one, so that they can be read and checked.

use super::container::Container;
use super::plan::{Plan, QuorumDevice, Sbd, Step};
use super::quote::quote;
use super::setting;
use super::unit::STANDARD;

const TOOLS: &str = include_str!("tools.sh");
const PYTHON: &str = include_str!("../python.sh");
const MERGE: &str = include_str!("merge.py");
const MAIN: &str = include_str!("main.sh");
const XML: &str = include_str!("xml.sh");
const CRMSH: &str = include_str!("crmsh.sh");

/// Where a script keeps the configurations it replaced.
const BACKUPS: &str = "/var/lib/inuvika-ha";
/// What ends the texts in the script: nothing in them is a line like this.
const END: &str = "END_OF_TEXT";

/// What the configuration is written in.
#[derive(Debug)]
pub enum Form {
    /// XML.
    Xml(String),
    /// Commands of crmsh.
    Crmsh(String),
}

/// The whole script. `texts` are values that the form cannot hold: resource, option, value.
pub fn script(plan: &Plan, form: &Form, texts: &[(String, String, String)]) -> String {
    let (dialect, program, make, text) = match form {
        Form::Xml(text) => ("cib", "cibadmin", XML, text),
        Form::Crmsh(text) => ("crmsh", "crm", CRMSH, text),
    };
    let mut script = header(plan, dialect);
    let settings = [
        ("cluster", quote(&plan.cluster)),
        ("nodes", format!("({})", list(plan.nodes.iter().map(|node| node.name.as_str())))),
        ("agents", format!("({})", list(agents(plan).iter().map(String::as_str)))),
        ("program", program.into()),
        ("outside", quote(&outside(plan).join("\n"))),
        ("backups", BACKUPS.into()),
    ];
    for (name, value) in settings {
        script.push_str(&format!("{name}={value}\n"));
    }
    script.push_str(&format!(
        "\n# What the cluster is to have.\nconfiguration() {{\n    cat <<'{END}'\n{text}{END}\n}}\n"
    ));
    let mut notes = String::new();
    for (resource, option, path) in setting::secrets(plan) {
        notes.push_str(&format!("secret {resource} {option} {path}\n"));
    }
    for (resource, option, value) in texts {
        notes.push_str(&format!("text {resource} {option} {value}\n"));
    }
    for (owner, name) in setting::unset(plan) {
        notes.push_str(&format!("unset {owner} {name}\n"));
    }
    let mut about = "# What it does not show: options that are the first line of a file (secret), and those that have no value (unset)."
        .to_owned();
    let whole = plan.steps().filter_map(|step| match step {
        Step::Primitive(one) | Step::Remote(one) if one.whole => Some(one.id.clone()),
        _ => Container::of(step, plan).map(|container| container.id),
    });
    let whole: String = whole.map(|id| format!("whole {id}\n")).collect();
    if !whole.is_empty() {
        about.push_str(
            "\n# Resources that have nothing but what stands above, apart from what people set meanwhile (whole).",
        );
    }
    notes.push_str(&whole);
    script.push_str(&format!("\n{about}\nbesides() {{\n    cat <<'{END}'\n{notes}{END}\n}}\n\n"));
    for part in [PYTHON, "\n", TOOLS, &MAIN.replace("@MERGE@\n", MERGE).replace("@MAKE@\n", make)] {
        script.push_str(part);
    }
    script
}

fn header(plan: &Plan, dialect: &str) -> String {
    let nodes: Vec<_> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut comment = vec![
        format!("{}: cluster {} of {}.", plan.title, plan.cluster, nodes.join(", ")),
        format!("Written by \"inuvika-ha pcs --dialect {dialect}\". Edit the scenario rather than this."),
        String::new(),
        "It configures a cluster of these nodes that runs already: it makes none, as pcs does. Run it as root on ONE of them.".into(),
        "The whole change is made on a copy, checked, and given to the cluster in one piece. It may be run again at any time:".into(),
        "what is right already is left alone, and what the scenario does not have is named at the end. With --dry-run nothing".into(),
        "is changed; see --help.".into(),
        String::new(),
        "Before the first run, on EVERY node:".into(),
    ];
    comment.extend(plan.needs.iter().map(|line| format!("  {line}")));
    let asked: Vec<_> = setting::resources(plan).filter(|one| one.is_asked_everywhere()).collect();
    if !asked.is_empty() {
        comment.extend([
            "  - a monitor with role=Stopped runs on every node, on those that only vote, too, and a node that lacks its agent is".into(),
            "    fenced. This script sees its own node only; so these have to work on EVERY node before:".into(),
        ]);
        comment.extend(
            asked.iter().map(|one| format!("      crm_resource --show-metadata {} >/dev/null && echo ok", one.agent)),
        );
    }
    let outside = outside(plan);
    if !outside.is_empty() {
        comment.push(String::new());
        comment.extend(outside);
    }
    if !plan.notes.is_empty() {
        comment.push(String::new());
        comment.extend(plan.notes.iter().cloned());
    }
    let mut text = String::from("#!/bin/bash\n#\n");
    for line in comment {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    for section in &plan.sections {
        for step in &section.steps {
            if let Step::ByHand(lines) = step {
                text.push_str(&format!("#\n# {}\n", section.title));
                for line in lines {
                    text.push_str(format!("#     {line}").trim_end());
                    text.push('\n');
                }
            }
        }
    }
    text + "\nset -euo pipefail\nexport LC_ALL=C.UTF-8\n\n"
}

/// What the scenario has, and the cluster information base has no place for: how it is done elsewhere.
fn outside(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for step in plan.steps() {
        match step {
            Step::QuorumDevice(QuorumDevice { host, address, algorithm }) => lines.extend([
                format!("The quorum device on {host} is not done by this: it belongs to corosync's configuration."),
                format!(
                    "  pcs: pcs quorum device add model net host={} algorithm={algorithm}",
                    address.as_ref().unwrap_or(host)
                ),
                format!(
                    "  crmsh: crm cluster init qdevice --qnetd-hostname={} --qdevice-algo={algorithm}",
                    address.as_ref().unwrap_or(host)
                ),
            ]),
            Step::Sbd(Sbd { watchdog, devices, timeout }) => {
                let pcs: String = devices.iter().map(|one| format!(" device={one}")).collect();
                let crmsh: String = devices.iter().map(|one| format!(" -s {one}")).collect();
                let crmsh = if crmsh.is_empty() { " -S".into() } else { crmsh };
                lines.extend([
                    "sbd is not done by this: it belongs to every node's own configuration.".to_owned(),
                    format!("  pcs: pcs stonith sbd enable watchdog={watchdog}{pcs} SBD_WATCHDOG_TIMEOUT={timeout}"),
                    format!("  crmsh: crm cluster init sbd{crmsh}"),
                ]);
            }
            _ => {}
        }
    }
    lines
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut once: Vec<&str> = Vec::new();
    for word in words {
        if !once.contains(&word) {
            once.push(word);
        }
    }
    once.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Every agent of the plan's resources and fencing devices, as crm_resource names them. A unit has none.
fn agents(plan: &Plan) -> Vec<String> {
    let steps = plan.sections.iter().flat_map(|section| &section.steps);
    let agent = |step: &Step| match step {
        Step::Primitive(resource) if resource.agent.starts_with(STANDARD) => None,
        Step::Primitive(resource) | Step::Remote(resource) => Some(resource.agent.clone()),
        Step::Stonith(device) => Some(format!("stonith:{}", device.agent)),
        _ => None,
    };
    steps.filter_map(agent).collect()
}
