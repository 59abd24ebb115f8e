//! pcs 0.11 (Debian 12, Ubuntu 24.04, RHEL 9), as a bash script.
//!
//! The fixed parts of the script are files of their own beside this one, so that they can be read and checked as bash.

mod header;
mod layout;

use self::header::header;
use self::layout::{command, heading, lines};
use super::dialect::{Dialect, Made, Wish};
use super::plan::{Operation, OrderKind, Plan, Resource, Rule, Setting, Step, View, Weight};
use super::unit::STANDARD;

const TOOLS: &str = include_str!("tools.sh");
const CLUSTER: &str = include_str!("cluster.sh");
const AGENTS: &str = include_str!("agents.sh");
const ASK: &str = include_str!("agents.py");
const CONFIGURE: &str = include_str!("configure.sh");
const START: &str = include_str!("start.sh");
const COPY: &str = include_str!("copy.sh");
const FINISH: &str = include_str!("finish.sh");
const MISSING: &str = include_str!("missing.sh");

/// A script for one pcs.
#[derive(Debug)]
struct Script;

/// The script for a version of pcs.
///
/// # Errors
/// What is wrong with the version.
pub(super) fn make(version: &str, _wish: &Wish) -> Made {
    match version {
        "" | "0.11" => Ok(Box::new(Script)),
        other => Err(format!("pcs {other}: scripts are for pcs 0.11")),
    }
}

impl Dialect for Script {
    fn render(&self, plan: &Plan) -> String {
        let mut script = header(plan);
        let ask = AGENTS.replace("@PROGRAM@\n", ASK);
        for part in [TOOLS, CLUSTER, "\n", &ask, "\n", CONFIGURE, "\n", START, MISSING] {
            script.push_str(part);
        }
        let mut number = 0;
        let mut copied = false;
        for section in &plan.sections {
            let first = |step: &Step| matches!(step, Step::Auth | Step::Agents | Step::ClusterSetup { .. });
            let before_cluster = section.steps.iter().any(first);
            if !before_cluster && !copied {
                copied = true;
                script.push('\n');
                script.push_str(COPY);
            }
            number += 1;
            script.push_str(&heading(number, &section.title, &section.why));
            for step in &section.steps {
                script.push_str(&self::step(plan, step));
            }
        }
        let why =
            ["crm_verify reads the whole configuration, then the cluster gets the difference in one piece.".into()];
        script.push_str(&heading(number + 1, "check and push", &why));
        script.push_str(FINISH);
        script
    }
}

fn steps(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.sections.iter().flat_map(|section| &section.steps)
}

fn step(plan: &Plan, step: &Step) -> String {
    match step {
        Step::Auth => auth(plan),
        Step::ClusterSetup { token, start_at_boot } => setup(plan, *token, *start_at_boot),
        Step::Agents => need_agents(plan),
        Step::Property(pairs) => command("", "property", &words(pairs)),
        Step::Defaults(pairs) => command("", "defaults", &words(pairs)),
        Step::Stonith(resource) => self::resource("fencing", resource),
        Step::Primitive(resource) => self::resource("resource", resource),
        Step::Clone { resource, meta } => command("", "clone", &[vec![resource.clone()], words(meta)].concat()),
        Step::Group { id, members } => command("", "group", &[vec![id.clone()], members.clone()].concat()),
        Step::ByHand(lines) => lines.iter().map(|line| command("", "say", &[format!("    {line}")])).collect(),
        Step::Location { resource, node, rule } => {
            let (verb, score) = match rule {
                Rule::Prefer(score) => ("prefer", Some(format!("score={score}"))),
                Rule::Avoid => ("avoid", None),
                Rule::Never => ("never", None),
            };
            let words = [resource.clone(), "on".into(), node.clone()].into_iter().chain(score);
            command("", verb, &words.collect::<Vec<_>>())
        }
        Step::Attraction { resource, attribute, view, weight } => {
            let score = match weight {
                Weight::For(score) => format!("score={score}"),
                Weight::Never => "score=-INFINITY".into(),
            };
            let mut words = vec![resource.clone(), score, "where".into()];
            words.extend(match view {
                View::Is(value) => vec![attribute.clone(), "eq".into(), value.clone()],
                View::AtLeast(number) => vec![attribute.clone(), "gte".into(), "integer".into(), number.to_string()],
                View::Unknown => vec!["not_defined".into(), attribute.clone()],
            });
            command("", "attract", &words)
        }
        Step::Colocation { resource, with, score } => {
            command("", "colocation", &[resource.clone(), "with".into(), with.clone(), format!("score={score}")])
        }
        Step::Order { first, then, kind } => {
            let kind = match kind {
                OrderKind::Mandatory => "kind=Mandatory",
                OrderKind::Optional => "kind=Optional",
            };
            command("", "order", &[then.clone(), "after".into(), first.clone(), kind.into()])
        }
    }
}

fn auth(plan: &Plan) -> String {
    let mut hosts = vec!["auth".to_owned()];
    for node in &plan.nodes {
        hosts.push(node.name.clone());
        hosts.extend(node.addresses.first().map(|address| format!("addr={address}")));
    }
    hosts.extend(["-u".into(), "hacluster".into()]);
    let auth = command("    ", "printf '%s\\n' \"$password\" | pcs host", &hosts);
    // Its standard output is only the prompt for the password that has just been given.
    let auth = auth.trim_end();
    format!("if [ -n \"$make\" ]; then\n    read_password\n{auth} >/dev/null\n    unset password secret_text\nfi\n")
}

/// Which nodes have to have which agents. Fence agents are not asked for: any node may run them, and one is enough.
fn need_agents(plan: &Plan) -> String {
    let primitives = steps(plan).filter_map(|step| if let Step::Primitive(one) = step { Some(one) } else { None });
    let primitives = primitives.filter(|one| !one.agent.starts_with(STANDARD));
    let (everywhere, elsewhere): (Vec<_>, Vec<_>) = primitives.partition(|one| one.is_asked_everywhere());
    let all: Vec<_> = plan.nodes.iter().map(|node| node.name.clone()).collect();
    let need = |one: &Resource, nodes: &[String]| {
        command("    ", "need", &[vec![one.agent.clone(), "on".into()], nodes.to_vec()].concat())
    };
    let mut text = String::from("if can_ask; then\n");
    everywhere.iter().for_each(|one| text.push_str(&need(one, &all)));
    elsewhere.iter().for_each(|one| text.push_str(&need(one, &plan.runners)));
    text + "fi\n"
}

fn setup(plan: &Plan, token: Option<u32>, start_at_boot: bool) -> String {
    let mut words = vec!["setup".to_owned(), plan.cluster.clone()];
    for node in &plan.nodes {
        words.push(node.name.clone());
        words.extend(node.addresses.iter().map(|address| format!("addr={address}")));
    }
    if let Some(token) = token {
        words.extend(["totem".into(), format!("token={token}")]);
    }
    if start_at_boot {
        words.push("--enable".into());
    }
    words.extend(["--start".into(), "--wait=120".into()]);
    let mut create = command("    ", "pcs cluster", &words);
    create.truncate(create.trim_end().len());
    let refuse = "    refuse_other_clusters\n";
    format!("if [ -n \"$make\" ]; then\n{refuse}{create} ${{force:+\"$force\"}}\nfi\n")
}

fn words(pairs: &[(String, String)]) -> Vec<String> {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn resource(verb: &str, resource: &Resource) -> String {
    let mut text = String::new();
    let mut groups = vec![vec![resource.id.clone(), resource.agent.clone()], Vec::new()];
    for (name, setting) in &resource.params {
        let value = match setting {
            Setting::Unset => String::new(),
            Setting::Text(value) => value.clone(),
            Setting::SecretFile(path) => {
                text.push_str(&command("", "secret", &[resource.id.clone(), name.clone(), path.clone()]));
                format!("@{}:{name}@", resource.id)
            }
        };
        groups[1].push(format!("{name}={value}"));
    }
    if !resource.meta.is_empty() {
        groups.push([vec!["meta".into()], words(&resource.meta)].concat());
    }
    groups.extend(resource.operations.iter().map(operation));
    groups.retain(|group| !group.is_empty());
    text + &lines("", verb, &groups)
}

fn operation(operation: &Operation) -> Vec<String> {
    let Operation { name, interval, timeout, depth, role, failure_ignored } = operation;
    let mut words = vec!["op".into(), name.clone(), format!("interval={interval}s"), format!("timeout={timeout}s")];
    if *depth > 0 {
        words.push(format!("OCF_CHECK_LEVEL={depth}"));
    }
    words.extend(role.as_ref().map(|role| format!("role={role}")));
    words.extend(failure_ignored.then(|| "on-fail=ignore".to_owned()));
    words
}
