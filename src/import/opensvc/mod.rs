//! Services of OpenSVC, one file (.env, .conf) each, with the links of their launchers, as a scenario of free resources.

mod ini;
mod launchers;
mod resources;

use super::cluster::Cluster;
use super::notes::Notes;
use super::{Answers, Draft, File, free};
use crate::configuration::{Group, Operation, Pairs, Resource};
use ini::{Key, Section};
use launchers::Launchers;
use resources::{Context, Kind};
use std::collections::BTreeMap;

/// What the preferred node counts for: less than the stickiness, so that nothing moves back by itself.
const PREFERENCE: &str = "100";
/// Keys of `[DEFAULT]` that are read here.
const READ: &[&str] = &["nodes", "autostart_node", "disable"];
/// The others, and what becomes of them.
const DEFAULTS: &[(&[&str], &str)] = &[
    (&["app", "service_type", "env", "comment", "id", "rollback", "create_pg"], "says nothing to a cluster"),
    (
        &["drpnode", "drpnodes", "drp_type"],
        "nodes at another site, which take over by hand: booth and a second cluster do that",
    ),
    (&["encapnodes"], "nodes inside containers: pacemaker_remote, as [[remote]], does that"),
    (
        &["cluster_type", "topology", "flex_min_nodes", "flex_max_nodes", "flex_primary"],
        "one instance: clone = true in [[group]] for more",
    ),
    (
        &["orchestrate", "placement", "monitor_action", "anti_affinity", "affinity", "parents", "children"],
        "the cluster decides now: see [[order]], [[colocation]] and [failover]",
    ),
    (
        &["monitor_schedule", "sync_schedule", "schedule", "status_schedule", "comp_schedule", "push_schedule"],
        "monitors have their own interval; the rest is for cron or a timer",
    ),
];

pub(super) fn import(files: &[File], answers: &Answers, notes: &mut Notes) -> Result<Draft, String> {
    let mut cluster = Cluster::default();
    let mut launchers = Launchers::new();
    let mut services = Vec::new();
    for file in files {
        let base = file.base();
        if file.text.lines().any(|line| line.trim_start().starts_with("[DEFAULT]")) {
            services.push(file);
        } else if launchers::add(base, base, &mut launchers) {
            let why = "is not read: what it is called by is its name";
            notes.leave(base, "", why);
        } else if base == "nodes" {
            let words = file.text.lines().map(|line| line.split('#').next().unwrap_or_default());
            words.flat_map(str::split_whitespace).for_each(|node| cluster.node(node));
        } else if base == "monitor" {
            for (index, line) in file.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let why = if line.contains(" dio ") {
                    "a disk between the nodes: sbd does that"
                } else {
                    "corosync is told the address of every node instead"
                };
                notes.leave(&format!("{base}:{}", index + 1), line, why);
            }
        } else if !launchers::listing(file, &mut launchers) {
            return Err(format!(
                "{}: is neither a service ([DEFAULT] in it), a listing of its launchers (S10NAME, K90NAME, C10NAME), nodes nor monitor",
                file.name
            ));
        }
    }
    if services.is_empty() {
        return Err("no file has a service: give its .env or .conf as well".into());
    }
    if services.len() > 1 && !launchers.is_empty() {
        for (name, one) in std::mem::take(&mut launchers) {
            notes.leave(
                &one.place,
                &name,
                "of several services nobody knows whose it is: import them one by one, or write [[resource]]",
            );
        }
    }
    let mut homes = Vec::new();
    for file in services {
        homes.extend(service(file, &launchers, &mut cluster, answers, notes));
    }
    // Where one must not run: nodes of other services.
    let nodes: Vec<String> = cluster.configuration.nodes.iter().map(|node| node.name.clone()).collect();
    for (service, own) in homes.iter().filter(|(_, own)| !own.is_empty()) {
        for node in nodes.iter().filter(|node| !own.contains(node)) {
            cluster.prefer(service, node, "-INFINITY");
        }
    }
    free::write(&mut cluster, "opensvc", answers, notes)
}

/// The name of a service: that of its file.
fn name(file: &File) -> &str {
    let base = file.base();
    base.strip_suffix(".env").or_else(|| base.strip_suffix(".conf")).unwrap_or(base)
}

/// The group or resource that a service becomes, and the nodes that it is for.
fn service(
    file: &File,
    launchers: &Launchers,
    cluster: &mut Cluster,
    answers: &Answers,
    notes: &mut Notes,
) -> Option<(String, Vec<String>)> {
    let (mut sections, odd) = ini::read(file);
    odd.iter().for_each(|(place, text)| notes.leave(place, text, "is neither a section nor a key with a value"));
    let name = name(file);
    let short = name.split('.').next().unwrap_or(name);
    let fixed = [("svcname", name), ("name", short), ("short_svcname", short), ("fqdn", name)];
    ini::resolve(
        &mut sections,
        &fixed.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<BTreeMap<_, _>>(),
    );
    let default = sections.iter().find(|section| section.name == "DEFAULT");
    let words = |key: &str| -> Vec<String> {
        let said = default.and_then(|section| section.get(key)).unwrap_or_default();
        said.split([' ', ',', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let nodes = words("nodes");
    let first: Vec<String> = words("autostart_node").into_iter().filter(|node| nodes.contains(node)).collect();
    first.iter().chain(&nodes).for_each(|node| cluster.node(node));
    let is_off = default.is_some_and(|section| section.is("disable"));
    default.iter().flat_map(|section| &section.keys).for_each(|key| global(key, notes));

    // As they start: addresses, what disks are made of, file systems, programs; among each by name.
    let mut rest: Vec<&Section> = sections.iter().filter(|section| section.name != "DEFAULT").collect();
    rest.sort_by_key(|section| (Kind::of(section), section.name.clone()));
    let mut made: Vec<Resource> = Vec::new();
    let mut context = Context { service: short, answers, launchers, taken: Vec::new(), notes };
    for section in &rest {
        made.extend(context.resource(section, cluster));
    }
    made.extend(context.launched(cluster));
    let mut members: Vec<String> = Vec::new();
    for one in made {
        let id = one.id.clone();
        members.extend(cluster.add(one, file.base(), notes).then_some(id));
    }
    let mut meta: Pairs = Vec::new();
    if is_off {
        notes.change(file.base(), "disable", "is there, but not started: target-role=Stopped");
        meta.push(("target-role".into(), "Stopped".into()));
    }
    let outer = match members.as_slice() {
        [] => {
            notes.leave(file.base(), "", "has no resource that is carried over");
            return None;
        }
        [only] => {
            let all = &mut cluster.configuration.resources;
            all.iter_mut().filter(|one| one.id == *only).for_each(|one| one.meta.extend(meta.clone()));
            only.clone()
        }
        _ => {
            let id = cluster.unique(&[name, &format!("{name}-service")]);
            cluster.configuration.groups.push(Group { id: id.clone(), members, meta });
            id
        }
    };
    if let Some(node) = first.first() {
        cluster.prefer(&outer, node, PREFERENCE);
    }
    Some((outer, nodes))
}

fn global(key: &Key, notes: &mut Notes) {
    if key.scope.is_some() {
        notes.leave(&key.place, &key.told(), "is for some nodes alone: a resource has the same parameters on all");
    } else if !READ.contains(&key.name.as_str()) {
        let known = DEFAULTS.iter().find(|(names, _)| names.contains(&key.name.as_str()));
        notes.leave(&key.place, &key.told(), known.map_or("is not known", |(_, why)| why));
    }
}

/// A monitor with the usual times.
fn monitor(interval: &str, timeout: &str) -> Operation {
    let (interval, timeout) = (Some(interval.to_owned()), Some(timeout.to_owned()));
    Operation { name: "monitor".into(), interval, timeout, ..Operation::default() }
}
