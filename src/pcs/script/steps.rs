//! The steps of the script.

use super::Script;
use super::feature::Feature;
use super::layout::{WIDTH, command, lines};
use super::older;
use super::target::Target;
use super::verbs;
use crate::pcs::container::Container;
use crate::pcs::former::{self, former};
use crate::pcs::plan::{Alert, Member, Operation, Plan, Resource, Rule, Setting, Step, View, Weight};

/// What fence agents called their parameters before, and what they call them.
const FENCE_NAMES: &[(&str, &str)] = &[
    ("ipaddr", "ip"),
    ("login", "username"),
    ("passwd", "password"),
    ("passwd_script", "password_script"),
    ("port", "plug"),
    ("secure", "ssh"),
];

impl Script {
    pub(super) fn step(&self, plan: &Plan, step: &Step) -> String {
        match step {
            Step::Tag { id, .. } | Step::Alert(Alert { id, .. }) if older::is_left_out(step, &self.target) => {
                command("", "without", std::slice::from_ref(id))
            }
            Step::Auth => self.auth(plan),
            Step::ClusterSetup { token, start_at_boot } => self.setup(plan, *token, *start_at_boot),
            Step::Agents => need_agents(plan, &self.target),
            Step::Property(pairs) => command("", "property", &words(pairs)),
            Step::Defaults(pairs) => command("", "defaults", &words(pairs)),
            Step::Stonith(resource) => self.resource("fencing", resource),
            Step::Primitive(resource) if resource.whole => self.resource("own", resource),
            Step::Primitive(resource) => self.resource("resource", resource),
            Step::Remote(resource) => self.resource("remote", resource),
            Step::OperationDefaults(pairs) => command("", "operation_defaults", &words(pairs)),
            Step::NodeAttributes { node, attributes } => {
                command("", "attributes", &[vec![node.clone()], words(attributes)].concat())
            }
            Step::QuorumDevice(device) => verbs::quorum_device(device),
            Step::Sbd(sbd) => verbs::sbd(sbd, if self.target.has(Feature::SbdWords) { "" } else { "--" }),
            Step::Level { node, level, devices } => {
                command("", "level", &[vec![node.clone(), level.to_string()], devices.clone()].concat())
            }
            Step::Promotable { resource, meta } => {
                let meta: Vec<_> = meta.iter().map(|(key, value)| (self.promotable(key), value.clone())).collect();
                command("", "promotable", &[vec![resource.clone()], words(&meta)].concat())
            }
            Step::Alert(alert) => verbs::alert(alert),
            Step::Tag { id, members } => command("", "tag", &[vec![id.clone()], members.clone()].concat()),
            Step::Clone { resource, meta } => command("", "clone", &[vec![resource.clone()], words(meta)].concat()),
            Step::Group { id, members, .. } => {
                command("", "group", &[vec![id.clone()], members.clone()].concat()) + &verbs::meta(step)
            }
            Step::ByHand(lines) => lines.iter().map(|line| command("", "say", &[format!("    {line}")])).collect(),
            Step::Location { resource, node, rule } => {
                let (verb, score) = match rule {
                    Rule::Score(score) => ("prefer", Some(format!("score={score}"))),
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
                    View::AtLeast(number) => {
                        vec![attribute.clone(), "gte".into(), "integer".into(), number.to_string()]
                    }
                    View::Unknown => vec!["not_defined".into(), attribute.clone()],
                });
                command("", "attract", &words)
            }
            Step::Where { id, part, score, condition } => verbs::place(id, part, score, condition, self.roles()),
            Step::Colocation { part, with, score } => verbs::colocation(part, with, score, self.roles()),
            Step::Together { id, sets, score } => verbs::together(id, sets, score, self.roles()),
            Step::Order { first, then, kind, symmetrical } => verbs::order(first, then, *kind, *symmetrical),
            Step::Sequence { id, sets, kind, symmetrical } => verbs::sequence(id, sets, *kind, *symmetrical),
        }
    }

    /// Whether roles have the names of today.
    fn roles(&self) -> bool {
        self.target.has(Feature::PromotedRoles)
    }

    /// What a meta attribute of a promotable clone is called.
    fn promotable(&self, name: &str) -> String {
        let today = self.target.has(Feature::Promotable);
        if today { name.to_owned() } else { former(&former::META, name).to_owned() }
    }

    /// After a step that makes a group or clone which others may not add to: what it may have.
    pub(super) fn only(&self, plan: &Plan, step: &Step) -> String {
        let Some(container) = Container::of(step, plan) else { return String::new() };
        let mut words = vec![container.id];
        words
            .extend((container.is_promotable && self.target.has(Feature::Promotable)).then(|| "promotable".to_owned()));
        words.extend(container.meta.into_iter().map(|name| self.promotable(name)));
        command("", "only", &words)
    }

    /// A step that is left out: as much of it as its ids come from.
    pub(super) fn mention(&self, verb: &str, plan: &Plan, step: &Step) -> String {
        let (what, resource) = match step {
            Step::Stonith(device) => ("fencing", device),
            Step::Primitive(resource) | Step::Remote(resource) => ("resource", resource),
            // Its meta attributes are another command.
            Step::Group { id, members, .. } => {
                return command("", verb, &[vec!["group".into(), id.clone()], members.clone()].concat());
            }
            _ => return format!("{verb} {}", self.step(plan, step)),
        };
        command("", verb, &[what.into(), resource.id.clone(), resource.agent.clone()])
    }

    fn auth(&self, plan: &Plan) -> String {
        let addresses = self.target.has(Feature::Addresses);
        let mut hosts = vec!["auth".to_owned()];
        for node in &plan.nodes {
            hosts.push(node.name.clone());
            if addresses {
                hosts.extend(node.addresses.first().map(|address| format!("addr={address}")));
            }
        }
        // pcs asks the quorum device's host, too.
        for step in plan.steps() {
            if let Step::QuorumDevice(device) = step {
                hosts.push(device.host.clone());
                hosts.extend(device.address.as_ref().map(|address| format!("addr={address}")));
            }
        }
        hosts.extend(["-u".into(), "hacluster".into()]);
        let verb = if addresses { "host" } else { "cluster" };
        let auth = command("    ", &format!("printf '%s\\n' \"$password\" | pcs {verb}"), &hosts);
        // Its standard output is only the prompt for the password that has just been given.
        let auth = auth.trim_end();
        // Asked for by itself, it is done in a cluster that exists, too.
        let when = if self.wish.parts.is_empty() { "-n \"$make\"" } else { "-z \"$dry_run$trial\"" };
        let check = if addresses { "" } else { "    check_names\n" };
        format!(
            "if [ {when} ]; then\n{check}    read_password\n{auth} >/dev/null\n    unset password secret_text\nfi\n"
        )
    }

    fn setup(&self, plan: &Plan, token: Option<u32>, start_at_boot: bool) -> String {
        let has = |feature| self.target.has(feature);
        let mut words = vec!["setup".to_owned()];
        if has(Feature::Addresses) {
            words.push(plan.cluster.clone());
            for node in &plan.nodes {
                words.push(node.name.clone());
                words.extend(node.addresses.iter().map(|address| format!("addr={address}")));
            }
            words.extend(token.iter().flat_map(|token| ["totem".into(), format!("token={token}")]));
        } else {
            words.extend(["--name".into(), plan.cluster.clone()]);
            let ring = |address: &String| format!(",{address}");
            let member = |node: &Member| node.name.clone() + &node.addresses.get(1).map_or_else(String::new, ring);
            words.extend(plan.nodes.iter().map(member));
            words.extend(token.iter().flat_map(|token| ["--token".into(), token.to_string()]));
        }
        if has(Feature::EncryptionFlag) {
            words.extend(["--encryption".into(), "1".into()]);
        }
        if start_at_boot {
            words.push("--enable".into());
        }
        words.push("--start".into());
        words.extend(has(Feature::SetupWait).then(|| "--wait=120".to_owned()));
        let mut create = command("    ", "pcs cluster", &words);
        create.truncate(create.trim_end().len());
        let force = "${force:+\"$force\"}";
        let last = create.lines().last().map_or(0, str::len);
        create.push_str(if last + force.len() < WIDTH { " " } else { " \\\n        " });
        let check = if has(Feature::Addresses) { "" } else { "    check_names\n" };
        let refuse = "    refuse_other_clusters\n";
        format!("if [ -n \"$make\" ]; then\n{check}{refuse}{create}{force}\nfi\n")
    }

    fn resource(&self, verb: &str, resource: &Resource) -> String {
        let mut text = String::new();
        let mut groups = vec![vec![resource.id.clone(), resource.agent.clone()], Vec::new()];
        let older = verb == "fencing" && !self.target.has(Feature::FenceNames);
        for (name, setting) in &resource.params {
            let name = if older { former(FENCE_NAMES, name) } else { name };
            let value = match setting {
                Setting::Unset => String::new(),
                Setting::Text(value) => value.clone(),
                Setting::SecretFile(path) => {
                    text.push_str(&command("", "secret", &[resource.id.clone(), name.into(), path.clone()]));
                    format!("@{}:{name}@", resource.id)
                }
            };
            groups[1].push(format!("{name}={value}"));
        }
        if !resource.meta.is_empty() {
            groups.push([vec!["meta".into()], words(&resource.meta)].concat());
        }
        groups.extend(resource.operations.iter().map(|operation| self.operation(operation)));
        groups.retain(|group| !group.is_empty());
        text + &lines("", verb, &groups)
    }

    fn operation(&self, operation: &Operation) -> Vec<String> {
        let Operation { name, interval, timeout, depth, role, on_fail } = operation;
        let mut words = vec!["op".into(), name.clone(), format!("interval={interval}s"), format!("timeout={timeout}s")];
        if *depth > 0 {
            words.push(format!("OCF_CHECK_LEVEL={depth}"));
        }
        let known = |role: &String| match self.target.has(Feature::PromotedRoles) {
            true => format!("role={role}"),
            false => format!("role={}", former(&former::ROLES, role)),
        };
        words.extend(role.as_ref().map(known));
        words.extend(on_fail.map(|then| format!("on-fail={}", then.word())));
        words
    }
}

/// Which nodes have to have which agents. Fence agents are not asked for: any node may run them, and one is enough.
fn need_agents(plan: &Plan, target: &Target) -> String {
    let primitives = plan.sections.iter().flat_map(|section| &section.steps);
    let primitives = primitives.filter_map(|step| if let Step::Primitive(one) = step { Some(one) } else { None });
    let primitives = primitives.filter(|one| one.agent.starts_with("ocf:"));
    let (everywhere, elsewhere): (Vec<_>, Vec<_>) = primitives.partition(|one| one.is_asked_everywhere());
    let all: Vec<_> = plan.nodes.iter().map(|node| node.name.clone()).collect();
    let need = |one: &Resource, nodes: &[String]| {
        command("    ", "need", &[vec![one.agent.clone(), "on".into()], nodes.to_vec()].concat())
    };
    let asked =
        everywhere.iter().map(|one| need(one, &all)).chain(elsewhere.iter().map(|one| need(one, &plan.runners)));
    let mut text = String::from("if can_ask; then\n");
    for line in asked {
        // Several resources may have the same agent.
        if !text.contains(&line) {
            text.push_str(&line);
        }
    }
    if target.has(Feature::AskForAgents) {
        text.push_str("    check_needs\n");
    }
    text + "fi\n"
}

pub(super) fn words(pairs: &[(String, String)]) -> Vec<String> {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect()
}
