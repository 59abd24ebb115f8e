//! A scenario as a plan.

mod everywhere;
mod externals;
mod free;
mod grouped;
mod services;
mod volumes;

use super::ipaddr2;
use super::plan::{Alert, Event, Member, Operation, OrderKind, Plan, Resource, Rule, Score, Section, Setting, Step};
use crate::scenario::Scenario;
use crate::scenario::cluster::Detection;
use crate::scenario::failover::Failover;
use crate::scenario::fencing::{Device, Fencing, Value};
use crate::scenario::node::{Node, Role};
use crate::scenario::setup::{Service, clone_id};
use crate::scenario::virtual_ip::{self, VirtualIp};

/// The token timeout of `detection = "fast"`, in milliseconds.
const FAST_TOKEN: u32 = 1000;

/// The plan for a scenario.
pub fn plan(scenario: &Scenario) -> Plan {
    let names = |role| scenario.nodes.iter().filter(move |node| node.role == role).map(|node| node.name.clone());
    let quorum: Vec<String> = names(Role::Quorum).collect();
    let passive = |step: &Step| matches!(step, Step::Primitive(one) if one.is_asked_everywhere());
    let who = if scenario.setup.group.is_some() { "node" } else { "director" };
    let mut resources: Vec<Section> =
        scenario.router.iter().map(|router| everywhere::router(router, who, &quorum)).collect();
    let (apart, following): (Vec<_>, Vec<_>) = scenario.services.iter().partition(|one| one.is_everywhere());
    match scenario.volumes.is_empty() {
        true => resources.extend(apart.iter().map(|one| everywhere::service(one, &quorum))),
        false => resources.extend(volumes::sections(scenario, &apart, &quorum)),
    }
    match scenario.setup.group {
        Some(group) => resources.extend(grouped::sections(group, &following, scenario, &quorum)),
        None => {
            // Unless a service moves it by itself.
            if let Some(vip) = scenario.virtual_ip.as_ref().filter(|vip| !vip.own) {
                resources.push(virtual_ip(scenario, vip, &apart, &quorum));
                resources.extend(everywhere::reach(scenario));
            }
            resources.extend(following.iter().map(|one| services::follower(one, scenario, &quorum)));
        }
    }
    let asked_everywhere = resources.iter().flat_map(|section| &section.steps).any(passive);
    let mut sections =
        vec![auth(), agents(asked_everywhere), cluster(scenario), properties(), fencing(&scenario.fencing)];
    sections.push(defaults(&scenario.failover));
    free::before(&scenario.free, &mut sections);
    sections.extend(resources);
    sections.extend(free::after(&scenario.free, &quorum));
    sections.extend(scenario.alert.as_ref().map(alert));
    let by_hand = scenario.virtual_ip.as_ref().map(|vip| (scenario.setup.by_hand)(&scenario.services, vip));
    if let Some(by_hand) = by_hand.filter(|lines| !lines.is_empty()) {
        let why = "On other hosts than the nodes of the cluster: this is for whoever looks after them.";
        sections.push(section("elsewhere, by hand", &[why], vec![Step::ByHand(by_hand)]));
    }
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
        title: match &scenario.virtual_ip {
            Some(vip) => format!("{} behind {}", scenario.setup.title, vip.net),
            None => scenario.setup.title.to_owned(),
        },
        nodes: members.collect(),
        runners: names(Role::Active).collect(),
        needs: lines(scenario.setup.needs),
        notes,
        externals: externals::of(scenario),
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

/// `everywhere`: whether there is a monitor with role=Stopped.
fn agents(everywhere: bool) -> Section {
    let why: &[_] = match everywhere {
        true => &[
            "A monitor with role=Stopped runs on every node of the cluster, on those that only vote, too. A node without",
            "its agent answers \"not installed\"; Pacemaker takes the resource for running there, tries to stop it, and has",
            "the node fenced. So every node is asked first, and one that lacks an agent or is down ends this script here.",
        ],
        false => &[
            "A node that lacks an agent would only be noticed after the push, when nothing runs there. So every node that may",
            "run the services is asked first, and one that lacks an agent or is down ends this script here.",
        ],
    };
    section("the nodes have the agents", why, vec![Step::Agents])
}

fn cluster(scenario: &Scenario) -> Section {
    let cluster = &scenario.cluster;
    let mut why = vec!["Only when there is no cluster of this name yet."];
    let token = match cluster.detection {
        Detection::Default => {
            why.push("A silent node counts as lost after corosync's own token timeout.");
            None
        }
        Detection::Fast => {
            why.push("A silent node counts as lost after about one second (token), not after corosync's default. The price: when");
            why.push("a host or hypervisor pauses for longer (snapshot, live migration, backup), a healthy node is switched off.");
            Some(FAST_TOKEN)
        }
    };
    if !cluster.start_at_boot {
        why.push("Nodes do not join by themselves when they boot: pcs cluster start on the node that came back.");
    }
    let mut steps = vec![Step::ClusterSetup { token, start_at_boot: cluster.start_at_boot }];
    if let Some(device) = &scenario.free.quorum_device {
        why.push("Before it, on the quorum device's host: pcs qdevice setup model net --enable --start. It has a vote, so that of two");
        why.push("halves of a split cluster one goes on.");
        steps.push(Step::QuorumDevice(device.clone()));
    }
    if let Some(sbd) = &scenario.free.sbd {
        why.push("sbd: a node without news from the cluster is switched off by its own watchdog. The nodes need the package sbd and");
        why.push("a watchdog in hardware; on disks: pcs stonith sbd device setup once, before it.");
        steps.push(Step::Sbd(sbd.clone()));
    }
    section("the cluster exists", &why, steps)
}

fn alert(alert: &Alert) -> Section {
    section(
        "who is told what happens",
        &[
            "Pacemaker runs the agent on every node that sees an event; one node tells it. The mail server stands in",
            "/etc/inuvika-ha/alert.toml on every node: inuvika-ha alert check, then inuvika-ha alert test. See inuvika-alert(8).",
        ],
        vec![Step::Alert(alert.clone())],
    )
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
    if matches!(fencing, Fencing::Watchdog) {
        let why = [
            "No device: a node that has lost the others is switched off by its own watchdog (sbd), and these wait until it has",
            "been. -1: for twice the time of the watchdog. It needs three votes, or two and a quorum device.",
        ];
        let timeout = Step::Property(pairs(&[("stonith-watchdog-timeout", "-1")]));
        return section("fencing by watchdog", &why, vec![enabled("true"), timeout]);
    }
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
    let mut params: Vec<_> = device.options.iter().map(|(name, value)| (name.clone(), setting(value))).collect();
    if !device.options.iter().any(|(name, _)| name == "pcmk_host_map") {
        params.push(("pcmk_host_list".into(), Setting::Text(device.nodes.join(","))));
    }
    // Management boards are slow to log in to: Pacemaker's default of 20 s counts a slow answer as a failure.
    let operation = |name, interval| Operation::plain(name, interval, 60);
    let operations = vec![operation("start", 0), operation("monitor", 60)];
    Resource { id: device.id.clone(), agent: device.agent.clone(), params, meta: Vec::new(), operations, whole: true }
}

fn setting(value: &Value) -> Setting {
    match value {
        Value::Plain(text) => Setting::Text(text.clone()),
        Value::File(path) => Setting::SecretFile(path.clone()),
    }
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

/// What the first node counts for.
fn preference(scenario: &Scenario) -> Rule {
    Rule::Score(Score::Number(i32::try_from(scenario.setup.preference).unwrap_or(i32::MAX)))
}

/// An order of two starts, and of their stops the other way round.
fn after(first: impl Into<Event>, then: impl Into<Event>, kind: OrderKind) -> Step {
    Step::Order { first: first.into(), then: then.into(), kind, symmetrical: true }
}

fn never(resource: &str, quorum: &[String]) -> Vec<Step> {
    let never = |node: &String| Step::Location { resource: resource.into(), node: node.clone(), rule: Rule::Never };
    quorum.iter().map(never).collect()
}

/// The address; it runs only where the services `apart` from it do.
fn virtual_ip(scenario: &Scenario, vip: &VirtualIp, apart: &[&Service], quorum: &[String]) -> Section {
    let mut steps = vec![Step::Primitive(ipaddr2::resource(vip))];
    let first = scenario.nodes.iter().find(|node| node.role == Role::Active);
    let rule = preference(scenario);
    let prefer = |node: &Node| Step::Location { resource: virtual_ip::ID.into(), node: node.name.clone(), rule };
    steps.extend(first.map(prefer));
    steps.extend(never(virtual_ip::ID, quorum));
    for service in apart {
        let with = clone_id(service.kind.section);
        let resource = virtual_ip::ID.to_owned();
        steps.push(Step::Colocation {
            part: resource.clone().into(),
            with: with.clone().into(),
            score: "INFINITY".into(),
        });
        steps.push(after(with, resource, OrderKind::Optional));
    }
    if scenario.setup.own_address.is_some() {
        steps.extend(volumes::well(scenario));
    }
    let mut why = scenario.setup.address.to_vec();
    if !quorum.is_empty() {
        why.push(scenario.setup.voters);
    }
    section("the virtual IP address", &why, steps)
}
