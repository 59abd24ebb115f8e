//! ocf_inuvika_NAME(7): a page for each agent, from its table.

use std::fmt::Write as _;

use assert_cmd::Command;
use inuvika_ha::agents::REGISTRY;
use inuvika_ha::ocf::agent::Registered;
use inuvika_ha::ocf::alone::Alone;
use inuvika_ha::ocf::spec::{ActionSpec, Param};

use super::roff::Page;

/// Parameters of the example for an agent: what it cannot do without, and what is rarely left at its default.
const EXAMPLES: [(&str, &[(&str, &str)]); 6] = [
    ("ovd-vip-src", &[("virtual_ip", "10.20.1.10"), ("destinations", "10.20.0.0/16")]),
    ("ovd-osm", &[("dependency_failure", "degraded")]),
    ("ovd-lsyncd", &[("peer", "osm1.priv,osm2.priv")]),
    ("lvs-director", &[("virtual_ip", "192.0.2.10"), ("ports", "80,443"), ("real_servers", "192.0.2.21-26")]),
    ("abiquo-rs", &[("webapps", "am,nodecollector,ssm,virtualfactory,vsm")]),
    ("ofs-ctdb", &[]),
];

/// The exit codes that an agent ends with.
const EXIT: [(&str, &str); 7] = [
    ("0", "Done; of monitor: running."),
    ("1", "Failed: Pacemaker stops it and starts it again."),
    ("3", "There is no such action."),
    ("5", "Not installed here: Pacemaker uses another node."),
    ("6", "The parameters are wrong: Pacemaker does not start it anywhere."),
    ("7", "Not running."),
    ("190", "Running, but something has to be looked at: Pacemaker lists the reason and moves nothing."),
];

/// The name of an agent's page.
pub fn page_name(agent: &str) -> String {
    format!("ocf_inuvika_{agent}")
}

fn clones(agent: &str) -> bool {
    ["lvs-director", "ofs-ctdb"].contains(&agent)
}

fn example(agent: &str) -> &'static [(&'static str, &'static str)] {
    EXAMPLES.iter().find(|(name, _)| *name == agent).map(|(_, pairs)| *pairs).expect("an example for each agent")
}

/// What is said of a parameter beside its text.
fn facts(param: &Param) -> String {
    let mut text = String::new();
    if param.required {
        text.push_str("Required. ");
    }
    let _ = write!(text, "Value: {}. ", param.kind.allowed());
    match param.default {
        Some(default) => drop(write!(text, "Default: {default}. ")),
        None if !param.required => text.push_str("Optional. "),
        None => {}
    }
    if param.unique_group.is_some() {
        text.push_str("No two resources may have the same. ");
    }
    text.push_str(if param.reloadable {
        "A new value needs no restart."
    } else {
        "A new value restarts the resource."
    });
    text
}

fn action(spec: &ActionSpec) -> (String, String) {
    let mut term = spec.name.to_owned();
    if let Some(depth) = spec.depth.filter(|depth| *depth > 0) {
        let _ = write!(term, " (OCF_CHECK_LEVEL {depth})");
    }
    let mut text = format!("Advised timeout {} s", spec.timeout);
    if let Some(interval) = spec.interval {
        let _ = write!(text, ", every {interval} s");
    }
    if let Some(role) = spec.role {
        let _ = write!(term, " (role {role})");
        text.push_str(": for nodes where it does not run; not in the meta-data, the generated scripts add it");
    }
    (term, text + ".")
}

fn pcs(agent: &str) -> String {
    let mut lines = format!("pcs resource create {} ocf:inuvika:{agent}", agent.replace('-', "_"));
    for (name, value) in example(agent) {
        let _ = write!(lines, " \\\n    {name}={value}");
    }
    lines + if clones(agent) { " \\\n    clone" } else { "" }
}

fn crm(agent: &str) -> String {
    let id = agent.replace('-', "_");
    let mut lines = format!("crm configure primitive {id} ocf:inuvika:{agent}");
    if !example(agent).is_empty() {
        lines.push_str(" \\\n    params");
    }
    for (name, value) in example(agent) {
        let _ = write!(lines, " {name}=\"{value}\"");
    }
    if clones(agent) {
        let _ = write!(lines, "\ncrm configure clone {id}-clone {id}");
    }
    lines
}

fn page(agent: &dyn Registered) -> String {
    let spec = agent.table();
    let name = spec.name;
    let mut page = Page::new(&page_name(name), 7, "OCF resource agents", spec.short);
    let mut actions: Vec<&str> = spec.actions.iter().map(|action| action.name).collect();
    actions.dedup();
    page.section("SYNOPSIS").paragraphs(&format!("{name} [{}]", actions.join(" | ")));
    page.section("DESCRIPTION").paragraphs(spec.long);
    page.section("PARAMETERS");
    for param in spec.all_params() {
        page.term(param.name, &format!("{}. {}\n\n{}", param.short, param.long, facts(param)));
    }
    page.section("ACTIONS");
    for spec in spec.actions {
        let (term, text) = action(spec);
        page.term(&term, &text);
    }
    page.section("EXIT STATUS");
    for (code, text) in EXIT {
        page.term(code, text);
    }
    page.section("EXAMPLES").paragraphs("With pcs:").code(&pcs(name)).paragraphs("With crmsh:").code(&crm(name));
    page.paragraphs("Looked at by hand, on a node, with the parameters of the cluster:");
    page.code(&format!("inuvika-ha agent {name} monitor --depth 10 --resource {}", name.replace('-', "_")));
    let first = match agent.alone() {
        Alone::Never => "It is a clone under Pacemaker only: there is no script in /etc/init.d.".to_owned(),
        Alone::Script(_) => {
            format!("/etc/init.d/{name} start, stop, restart, try-restart, reload, force-reload or status.")
        }
        Alone::Loop(_) => format!(
            "/etc/init.d/{name} start, stop, restart, try-restart, reload, force-reload or status. A loop in the background does \
             what Pacemaker's monitor does."
        ),
    };
    page.section("WITHOUT PACEMAKER").paragraphs(&first);
    let mut files = vec![(
        format!("/run/inuvika-ha/{}", name.replace('-', "_")),
        "What the running resource of this name remembers.".to_owned(),
    )];
    if let Some(script) = agent.alone().script() {
        page.paragraphs(
            "The names of parameters in its settings file are those above, in capitals or not: NAME=value. status ends with 0 \
             (running), 3 (stopped), 1 (a loop that is gone) or 4 (failed).",
        );
        for file in inuvika_ha::lsb::settings::files(spec, script) {
            files.push((
                file.display().to_string(),
                "Settings of the script; the first of these that sets something counts.".to_owned(),
            ));
        }
    }
    page.section("FILES");
    for (file, text) in files {
        page.term(&file, &text);
    }
    page.see_also(&[("inuvika-ha".to_owned(), 8), ("inuvika-ha-scenario".to_owned(), 5)]);
    page.source()
}

/// All of them, by file name.
pub fn pages() -> impl Iterator<Item = (String, String)> {
    REGISTRY.iter().map(|agent| (format!("{}.7", page_name(agent.table().name)), page(*agent)))
}

#[test]
fn every_parameter_and_action_is_documented() {
    for agent in REGISTRY {
        let spec = agent.table();
        let page = page(*agent).replace("\\-", "-");
        for param in spec.all_params() {
            assert!(page.contains(&format!(".B \"{}\"\n", param.name)), "{}: {}", spec.name, param.name);
        }
        for action in spec.actions {
            assert!(page.contains(&format!(".B \"{}", action.name)), "{}: {}", spec.name, action.name);
        }
    }
}

#[test]
fn the_examples_are_what_agents_take() {
    for agent in REGISTRY {
        let name = agent.table().name;
        let mut command = Command::new(env!("CARGO_BIN_EXE_inuvika-ha"));
        command.args(["agent", name, "validate-all"]);
        for (name, value) in example(name) {
            command.args(["--param", &format!("{name}={value}")]);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
    }
}
