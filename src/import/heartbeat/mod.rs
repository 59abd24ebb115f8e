//! Heartbeat's files with resources of any kind: ha.cf, haresources or cib.xml, as a scenario of free resources.

mod agents;

use super::cluster::Cluster;
use super::free::REACHES;
use super::ha_cf::{self, HaCf};
use super::haresources::{self, Together};
use super::lvs::AUTHKEYS;
use super::notes::Notes;
use super::{Answers, Draft, File, free, whole_cib};
use crate::configuration::{Copies, Expression, Group, Location, Operation, Order, Resource, Rule};
use agents::Made;

/// What a node that the line names counts for. Less than the stickiness, unless that is 0.
const PREFERENCE: &str = "100";
/// The attribute that pingd publishes.
const PINGD: &str = "pingd";
/// What ocf:pacemaker:ping publishes when it is told nothing else: heartbeat's pingd counted 1 for each.
const MULTIPLIER: u32 = 1;

pub(super) fn import(files: &[File], answers: &Answers, notes: &mut Notes) -> Result<Draft, String> {
    let mut cluster = Cluster::default();
    let mut ha_cf: Option<(String, HaCf)> = None;
    let mut lines = Vec::new();
    let mut has_cib = false;
    for file in files {
        let base = file.base();
        if base.contains("authkeys") {
            notes.leave(base, "", AUTHKEYS);
        } else if file.text.trim_start().starts_with('<') {
            if has_cib {
                return Err(format!("{}: a second cib.xml: a cluster has one", file.name));
            }
            whole_cib::read(file, &mut cluster, notes)?;
            has_cib = true;
        } else if base.contains("haresources") {
            lines.extend(haresources::read(file, notes));
        } else if base.contains("ha.cf") {
            ha_cf = Some((base.to_owned(), ha_cf::read(file, notes)));
        } else {
            return Err(format!("{}: is neither ha.cf, haresources, cib.xml nor authkeys", file.name));
        }
    }
    if has_cib && !lines.is_empty() {
        for line in lines.drain(..) {
            let text = format!("{} and its {} resources", line.node, line.resources.len());
            notes.leave(&line.place, &text, "cib.xml has the resources: Heartbeat 2 does not look at haresources");
        }
    }
    // The order of haresources first: where its first line starts.
    if let Some((_, read)) = &ha_cf {
        read.nodes.iter().for_each(|node| cluster.node(node));
    }
    lines.iter().for_each(|line| cluster.node(&line.node));
    if let Some((base, read)) = &ha_cf {
        addresses(base, read, &mut cluster, answers, notes);
        if let Some((place, seconds)) = &read.deadtime {
            let why = "a silent node counts as lost after corosync's own token timeout (3 s and more); see detection";
            notes.leave(place, &format!("deadtime {seconds}"), why);
        }
    }
    if !has_cib {
        failback(ha_cf.as_ref(), &mut cluster, notes);
    }
    let mut outer = Vec::new();
    for line in &lines {
        outer.extend(together(line, &mut cluster, notes));
    }
    if let Some((base, read)) = &ha_cf {
        ping(base, read, &outer, &mut cluster, has_cib, notes);
    }
    free::write(&mut cluster, "heartbeat", answers, notes)
}

fn addresses(base: &str, read: &HaCf, cluster: &mut Cluster, answers: &Answers, notes: &mut Notes) {
    if read.nodes.iter().all(|node| answers.addresses.contains_key(node)) {
        return;
    }
    for (node, all) in read.addresses(notes, base) {
        if !all.is_empty() {
            cluster.aliases.push((node, all.iter().map(ToString::to_string).collect()));
        }
    }
}

/// Whether everything moves back to its node.
fn failback(ha_cf: Option<&(String, HaCf)>, cluster: &mut Cluster, notes: &mut Notes) {
    let (place, why) = match ha_cf.map(|(base, read)| (base.as_str(), &read.failback)) {
        Some((_, Some((_, true)))) => return cluster.usual("resource-stickiness", "0"),
        Some((_, Some((_, false)))) => return cluster.usual("resource-stickiness", "1000"),
        Some((base, None)) => {
            (base, "Heartbeat moves resources back unless told otherwise; here they stay where they are")
        }
        None => {
            ("[failover]", "no ha.cf says whether resources move back to their node; here they stay where they are")
        }
    };
    notes.change(place, "no auto_failback", why);
}

/// The resources of a line as a group that prefers its node; its id.
fn together(line: &Together, cluster: &mut Cluster, notes: &mut Notes) -> Option<String> {
    let mut members = Vec::new();
    let mut promoted = Vec::new();
    for entry in &line.resources {
        match agents::resource(entry, &line.place, cluster, notes) {
            None => {}
            Some(Made::One(resource)) => {
                let id = resource.id.clone();
                members.extend(cluster.add(resource, &line.place, notes).then_some(id));
            }
            Some(Made::Promoted(resource)) => {
                if !members.is_empty() {
                    notes.change(&line.place, &resource.id, "is promoted before everything else of its line starts");
                }
                promoted.extend(replicated(resource, &line.place, cluster, notes));
            }
        }
    }
    let outer = match members.as_slice() {
        [] => match promoted.first() {
            Some(_) => {
                notes.change(&line.place, "", "nothing but drbd: where it is promoted, only its clone says");
                return None;
            }
            None => return None,
        },
        [only] => only.clone(),
        _ => {
            let id = cluster.unique(&[&format!("on-{}", line.node), &format!("group-{}", line.node)]);
            cluster.configuration.groups.push(Group { id: id.clone(), members, meta: Vec::new() });
            id
        }
    };
    for clone in &promoted {
        cluster.colocate(&outer, clone, Some("Promoted"), "INFINITY");
        cluster.configuration.orders.push(Order {
            id: format!("order-{clone}-{outer}"),
            first: clone.clone(),
            first_action: Some("promote".into()),
            then: outer.clone(),
            then_action: Some("start".into()),
            kind: "Mandatory".into(),
            symmetrical: true,
        });
    }
    if !line.node.is_empty() {
        cluster.prefer(&outer, &line.node, PREFERENCE);
    }
    Some(outer)
}

/// A resource of which one of two instances is promoted; the id of its clone.
fn replicated(resource: Resource, place: &str, cluster: &mut Cluster, notes: &mut Notes) -> Option<String> {
    let of = resource.id.clone();
    let id = format!("{of}-clone");
    if !cluster.add(resource, place, notes) {
        return None;
    }
    let meta = [("promoted-max", "1"), ("clone-max", "2"), ("notify", "true")];
    let meta = meta.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    cluster.configuration.clones.push(Copies { id: id.clone(), of, meta, promotable: true });
    Some(id)
}

/// What ipfail and pingd did: nodes that reach something are better ones.
fn ping(base: &str, read: &HaCf, outer: &[String], cluster: &mut Cluster, has_cib: bool, notes: &mut Notes) {
    let hosts: Vec<&str> = read.ping.iter().map(|(_, host)| host.as_str()).collect();
    if hosts.is_empty() {
        return;
    }
    if read.pingd.is_none() {
        let why =
            "nobody looks at what is pinged without pingd or ipfail: add [[resource]] ocf:pacemaker:ping and a rule";
        return notes.leave(base, &format!("ping {}", hosts.join(" ")), why);
    }
    let id = cluster.unique(&["ping", "reach"]);
    let multiplier = read.pingd.unwrap_or(MULTIPLIER).max(1).to_string();
    let params =
        [("host_list", hosts.join(" ")), ("multiplier", multiplier), ("dampen", "5s".into()), ("name", PINGD.into())];
    let params = params.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let operations = vec![Operation {
        name: "monitor".into(),
        interval: Some("10s".into()),
        timeout: Some("60s".into()),
        ..Operation::default()
    }];
    let agent = "ocf:pacemaker:ping".to_owned();
    cluster.configuration.resources.push(Resource { id: id.clone(), agent, params, meta: Vec::new(), operations });
    let clone = Copies { id: format!("{id}-clone"), of: id, ..Copies::default() };
    cluster.configuration.clones.push(clone);
    if has_cib {
        // Its own rules look at the attribute.
        return;
    }
    for resource in outer {
        let reaches = Expression { attribute: PINGD.into(), operation: "gt".into(), value: Some("integer 0".into()) };
        let rule = Rule { score: REACHES.to_string(), by_attribute: false, any: false, expressions: vec![reaches] };
        cluster.configuration.locations.push(Location {
            id: format!("{resource}-reaches"),
            resource: resource.clone(),
            rules: vec![rule],
            ..Location::default()
        });
    }
    notes.change(
        base,
        &format!("ping {}", hosts.join(" ")),
        "a node that reaches none of them loses what runs there to one that does",
    );
}
