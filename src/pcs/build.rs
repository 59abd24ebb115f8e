//! A scenario as a plan.

use super::ipaddr2;
use super::plan::{Member, Operation, OrderKind, Plan, Resource, Rule, Section, Setting, Step, View, Weight};
use crate::ocf::spec::STOPPED;
use crate::scenario::Scenario;
use crate::scenario::cluster::{Cluster, Detection};
use crate::scenario::failover::{Failover, Weighed};
use crate::scenario::fencing::{Device, Fencing, Value};
use crate::scenario::node::{Node, Role};
use crate::scenario::setup::{NEVER, OK, Service};
use crate::scenario::virtual_ip;

/// The token timeout of `detection = "fast"`, in milliseconds.
const FAST_TOKEN: u32 = 1000;

/// What a service has without which the others are of no use: they follow it to another node.
const CRITICAL: &[(&str, &str)] = &[("critical", "true")];

/// What a service has that is no reason to move the others: it is repaired in place as often as it takes.
const NOT_CRITICAL: &[(&str, &str)] =
    &[("critical", "false"), ("migration-threshold", "INFINITY"), ("failure-timeout", "10min")];

/// The plan for a scenario.
pub fn plan(scenario: &Scenario) -> Plan {
    let names = |role| scenario.nodes.iter().filter(move |node| node.role == role).map(|node| node.name.clone());
    let quorum: Vec<String> = names(Role::Quorum).collect();
    let mut sections = vec![auth(), agents(), cluster(&scenario.cluster), properties(), fencing(&scenario.fencing)];
    sections.push(defaults(&scenario.failover));
    sections.push(virtual_ip(scenario, &quorum));
    sections.extend(scenario.services.iter().map(|one| service(one, scenario, &quorum)));
    let members = scenario.nodes.iter().map(|node| Member {
        name: node.name.clone(),
        addresses: node.addresses.iter().map(ToString::to_string).collect(),
    });
    let mut notes = Vec::new();
    if matches!(scenario.fencing, Fencing::None) {
        notes = lines(&[
            "WARNING: this cluster has no fencing. When the nodes lose sight of each other, both may run everything",
            "at once (split brain). The scenario accepts that.",
        ]);
    }
    Plan {
        cluster: scenario.cluster.name.clone(),
        title: format!("{} behind {}", scenario.setup.title, scenario.virtual_ip.net),
        nodes: members.collect(),
        runners: names(Role::Active).collect(),
        notes,
        sections,
    }
}

fn lines(text: &[&str]) -> Vec<String> {
    text.iter().map(|line| (*line).to_owned()).collect()
}

fn section(title: &str, why: &[&str], steps: Vec<Step>) -> Section {
    Section { title: title.into(), why: lines(why), steps }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn auth() -> Section {
    section("the nodes trust each other", &["Only when there is no cluster of this name yet."], vec![Step::Auth])
}

fn agents() -> Section {
    section(
        "the nodes have the agents",
        &[
            "A monitor with role=Stopped runs on every node of the cluster, on those that only vote, too. A node without",
            "its agent answers \"not installed\"; Pacemaker takes the resource for running there, tries to stop it, and has",
            "the node fenced. So every node is asked first, and one that lacks an agent or is down ends this script here.",
        ],
        vec![Step::Agents],
    )
}

fn cluster(cluster: &Cluster) -> Section {
    let mut why = vec!["Only when there is no cluster of this name yet. Traffic between the nodes is encrypted."];
    let token = match cluster.detection {
        Detection::Default => {
            why.push("A silent node counts as lost after corosync's own token timeout.");
            None
        }
        Detection::Fast => {
            why.push("A silent node counts as lost after about one second (token), not after corosync's default. The price: when");
            why.push("a host or hypervisor pauses for longer (snapshot, live migration, backup), a healthy node is switched off.");
            why.push("In a cluster that exists: pcs cluster config update totem token=1000.");
            Some(FAST_TOKEN)
        }
    };
    if !cluster.start_at_boot {
        why.push("Nodes do not join by themselves when they boot: pcs cluster start on the node that came back.");
    }
    section("the cluster exists", &why, vec![Step::ClusterSetup { token, start_at_boot: cluster.start_at_boot }])
}

fn properties() -> Section {
    section(
        "cluster properties",
        &["A part of the cluster that has lost the majority stops everything: the other part may be running it."],
        vec![Step::Property(pairs(&[("no-quorum-policy", "stop")]))],
    )
}

fn fencing(fencing: &Fencing) -> Section {
    let enabled = |value| Step::Property(pairs(&[("stonith-enabled", value)]));
    let Fencing::Devices(devices) = fencing else {
        let why = "The scenario says fencing = \"none\" and accept_split_brain = true: nothing is switched off, ever.";
        return section("no fencing", &[why], vec![enabled("false")]);
    };
    let mut steps = vec![enabled("true")];
    for device in devices {
        steps.push(Step::Stonith(stonith(device)));
        if let [node] = device.nodes.as_slice() {
            steps.push(Step::Location { resource: device.id.clone(), node: node.clone(), rule: Rule::Avoid });
        }
    }
    section(
        "fencing",
        &[
            "A node that is not heard of any more is switched off before another node takes over: so nothing runs twice.",
            "The device that switches a node off is watched from another node.",
        ],
        steps,
    )
}

fn stonith(device: &Device) -> Resource {
    let setting = |value: &Value| match value {
        Value::Plain(text) => Setting::Text(text.clone()),
        Value::File(path) => Setting::SecretFile(path.clone()),
    };
    let mut params: Vec<_> = device.options.iter().map(|(name, value)| (name.clone(), setting(value))).collect();
    if !device.options.iter().any(|(name, _)| name == "pcmk_host_map") {
        params.push(("pcmk_host_list".into(), Setting::Text(device.nodes.join(","))));
    }
    // Management boards are slow to log in to: Pacemaker's default of 20 s counts a slow answer as a failure.
    let operation = |name, interval| Operation::plain(name, interval, 60);
    let operations = vec![operation("start", 0), operation("monitor", 60)];
    Resource { id: device.id.clone(), agent: device.agent.clone(), params, meta: Vec::new(), operations }
}

fn defaults(failover: &Failover) -> Section {
    let threshold = failover.migration_threshold.to_string();
    let values = [
        ("resource-stickiness", failover.stickiness.as_str()),
        ("migration-threshold", &threshold),
        ("failure-timeout", &failover.failure_timeout),
    ];
    section(
        "when services move",
        &[
            "stickiness: nothing moves back by itself when a node returns (every resource adds this much).",
            "migration-threshold: after so many failures on one node the next one is tried, not the same for ever.",
            "failure-timeout: after so long failures are forgotten; in hours, so that one that comes back is seen.",
        ],
        vec![Step::Defaults(pairs(&values))],
    )
}

fn never(resource: &str, quorum: &[String]) -> Vec<Step> {
    let never = |node: &String| Step::Location { resource: resource.into(), node: node.clone(), rule: Rule::Never };
    quorum.iter().map(never).collect()
}

fn virtual_ip(scenario: &Scenario, quorum: &[String]) -> Section {
    let mut steps = vec![Step::Primitive(ipaddr2::resource(&scenario.virtual_ip))];
    let first = scenario.nodes.iter().find(|node| node.role == Role::Active);
    let prefer =
        |node: &Node| Step::Location { resource: virtual_ip::ID.into(), node: node.name.clone(), rule: Rule::Prefer };
    steps.extend(first.map(prefer));
    steps.extend(never(virtual_ip::ID, quorum));
    let mut why = vec![
        "Everything else stands around this address like a star. It starts on the first node of the scenario, the one",
        "that has the data; the preference is too weak to move it back there later (score 1 against the stickiness).",
    ];
    if !quorum.is_empty() {
        why.push("Nodes that only vote never run it: they need no software of OVD.");
    }
    section("the virtual IP address", &why, steps)
}

fn service(service: &Service, scenario: &Scenario, quorum: &[String]) -> Section {
    let id = service.kind.section;
    let setting = |value: &Option<String>| value.clone().map_or(Setting::Unset, Setting::Text);
    let resource = Resource {
        id: id.into(),
        agent: format!("ocf:inuvika:{}", service.spec.name),
        params: service.params.iter().map(|(name, value)| ((*name).into(), setting(value))).collect(),
        meta: [pairs(if service.kind.critical { CRITICAL } else { NOT_CRITICAL }), pairs(service.kind.meta)].concat(),
        operations: operations(service),
    };
    let everywhere = resource.is_asked_everywhere();
    let mut steps = vec![Step::Primitive(resource)];
    steps.extend(never(id, quorum));
    steps.push(Step::Colocation { resource: id.into(), with: virtual_ip::ID.into(), score: "INFINITY".into() });
    steps.push(Step::Order { first: virtual_ip::ID.into(), then: id.into(), kind: OrderKind::Optional });
    let there = |name: &&&str| scenario.services.iter().any(|other| other.kind.section == **name);
    for then in service.kind.before.iter().filter(there) {
        steps.push(Step::Order { first: id.into(), then: (*then).into(), kind: OrderKind::Optional });
    }
    let mut why = service.kind.why.to_vec();
    if !service.kind.critical {
        why.extend([
            "critical=false: nothing else moves when it fails. migration-threshold=INFINITY: however often it is lost, it",
            "is put back where it is. failure-timeout: a start that failed is tried again after this time.",
        ]);
    }
    why.push("kind=Optional: it starts after the address and stops before it; an address that recovers in place does");
    why.push("not restart it.");
    if everywhere {
        why.push("The monitor with role=Stopped runs on every node where it is not to run, and reports a second one.");
        why.push(
            "on-fail=ignore: one that hangs three times does not keep the passive node from taking over; what it finds",
        );
        why.push("running is stopped all the same.");
    }
    if let Some(vantage) = service.kind.vantage {
        let (attraction, reason) = attraction(scenario, &format!("{id}-{vantage}"));
        steps.extend(attraction);
        why.extend(reason);
    }
    if let Some(replica) = service.kind.replica {
        steps.extend(copies(scenario, &format!("{id}-{replica}")));
        why.extend(COPIES);
    }
    section(id, &why, steps)
}

const COPIES: &[&str] = &[
    "The active node publishes how good the other one's copy is. Where nothing runs, a node with a whole copy comes before",
    "the first node. It counts for less than the stickiness: nothing that runs moves because of it. It counts for less",
    "than a database that only the other node reaches, too. A node that has never had a whole copy serves nothing.",
];

/// What makes the services start where the newest data are. A node of which nothing is known, or whose copy is old, has
/// neither: when it is the only one left, it must serve.
fn copies(scenario: &Scenario, attribute: &str) -> [Step; 2] {
    let score = scenario.failover.weights(&Weighed::of(&scenario.services)).replica;
    let step = |value: &str, weight| Step::Attraction {
        resource: virtual_ip::ID.into(),
        attribute: attribute.into(),
        view: View::Is(value.into()),
        weight,
    };
    [step(OK, Weight::For(score)), step(NEVER, Weight::Never)]
}

/// What makes the services leave a node for one that sees something they need, and why it does.
///
/// The scores are positive: a node with a negative one may run nothing, so a database that nobody sees would stop
/// everything.
fn attraction(scenario: &Scenario, attribute: &str) -> ([Step; 2], &'static [&'static str]) {
    let weights = scenario.failover.weights(&Weighed::of(&scenario.services));
    let step = |view, score| Step::Attraction {
        resource: virtual_ip::ID.into(),
        attribute: attribute.into(),
        view,
        weight: Weight::For(score),
    };
    let steps = [step(View::Is(OK.into()), weights.database), step(View::Unknown, weights.database / 2)];
    let why: &[_] = match weights.moves {
        true => &[
            "Every node publishes whether it reaches the database. Everything moves when the active node has lost it and",
            "another has not: the score of a node that says ok is above all that keeps them here together. When all have",
            "lost it, nothing moves. A node that says nothing yet is in between: half of the score neither attracts",
            "services from a node that says lost, nor lets those of a node that has just started go.",
        ],
        false => &[
            "WARNING: every node publishes whether it reaches the database, but nothing moves because of it: no score",
            "is above this stickiness.",
        ],
    };
    (steps, why)
}

/// The operations that Pacemaker runs, also one that the meta-data leaves out; not those that only tools run.
fn operations(service: &Service) -> Vec<Operation> {
    let run = service.spec.actions.iter().filter(|a| !["meta-data", "validate-all", "status"].contains(&a.name));
    run.map(|action| Operation {
        depth: action.depth.unwrap_or(0),
        role: action.role.map(Into::into),
        failure_ignored: action.role == Some(STOPPED),
        ..Operation::plain(action.name, action.interval.unwrap_or(0), action.timeout)
    })
    .collect()
}
