//! What `simulate` says of a lost node is what becomes of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::support::lab::{Element, Lab, Machine, Node, wait_for, wait_idle};
use crate::support::ovd;
use crate::{makes_the_cluster, moves, settled};

/// A node of the lab has booted and joined by then.
const RETURN: Duration = Duration::from_secs(120);

/// What the two nodes publish, and say when all is well, which the simulation begins with.
const VIEWS: [(&str, &str); 2] = [("session_manager-database", "ok"), ("lsyncd-replica", "ok")];
/// Copies have arrived by then, and what is published late.
const WELL: Duration = Duration::from_secs(120);

/// By resource, the nodes that run it.
type Placement = BTreeMap<String, Vec<String>>;

pub fn lost(lab: &Lab) -> Result<()> {
    // On its own, it has to make the cluster first.
    if ovd::view(lab).is_err() {
        makes_the_cluster(lab)?;
    }
    let said = lab.node(ovd::NODES[0]).run(["inuvika-ha", "simulate", "--json", "/root/scenario.toml"])?;
    let report: Value = serde_json::from_str(&said).context("read what simulate says")?;
    let well = placement(&report["well"])?;
    ensure!(well.len() == ovd::ALL.len(), "it speaks of {well:?}");
    for name in ovd::NODES {
        one(lab, &report, &well, lab.node(name))?;
    }
    pair(lab, &report, &well)
}

/// Takes a node away, and gives it back; nothing but what was said may become of it.
fn one(lab: &Lab, report: &Value, well: &Placement, victim: &Node) -> Result<()> {
    as_well(lab, well)?;
    let (name, judge) = (victim.cluster_name(), other(lab, victim)?);
    let row = row(report, &format!("{name} is lost"))?;
    let (expected, limit) = (placement(&row["runs"])?, seconds(row)?);
    let untouched = row["interrupted"].as_array().is_some_and(Vec::is_empty);
    let before = history(judge, well)?;
    ensure!(!before.is_empty(), "no history: this proves nothing");
    let meter = ovd::measure(lab)?;
    let begun = Instant::now();
    victim.kill()?;
    wait_for(RETURN, &format!("{name} to be missed"), || Ok(!online(judge)?.contains(&name)))?;
    let arrived =
        wait_for(limit.max(RETURN), &format!("what simulate says of {name}"), || Ok(seen(judge, well)? == expected));
    let took = begun.elapsed();
    arrived.with_context(|| format!("simulate: {expected:?}, crm_mon: {:?}", seen(judge, well)))?;
    let outage = meter.stop()?;
    let worst = limit.as_secs();
    eprintln!(
        "cluster: {name} lost: as simulate says after {:.1} s (at worst {worst} s); {outage}",
        took.as_secs_f32()
    );
    ensure!(untouched || took <= limit, "simulate allows for {worst} s, it took {took:?}");
    if untouched {
        ensure!(worst == 0 && outage.lost == 0, "simulate sees no interruption: {outage}");
        ensure!(history(judge, well)? == before, "something was started again: {before:?}");
    } else {
        ensure!(outage.lost > 0, "nobody missed it: this proves nothing");
    }
    ovd::wait_all_online(lab, RETURN)?;
    wait_idle(judge, RETURN)?;
    let back = report["events"]
        .as_array()
        .and_then(|rows| rows.iter().find(|row| row["event"] == format!("{name} comes back")));
    let expected = back.map_or(Ok(expected), |row| placement(&row["runs"]))?;
    let now = seen(judge, well)?;
    ensure!(now == expected, "{name} is back: simulate: {expected:?}, crm_mon: {now:?}");
    settled(lab)
}

/// Both others are lost: what is left has no quorum.
fn pair(lab: &Lab, report: &Value, well: &Placement) -> Result<()> {
    as_well(lab, well)?;
    let [left, others @ ..] = ovd::NODES.map(|name| lab.node(name));
    let names = others.map(Node::cluster_name);
    let row = row(report, &format!("{} and {} are lost", names[0], names[1]))?;
    let (expected, limit) = (placement(&row["runs"])?, seconds(row)?);
    ensure!(row["quorum"] == false && expected.values().all(Vec::is_empty), "{row:#}");
    ensure!(seen(left, well)? == *well, "it does not run where it is to stop");
    let begun = Instant::now();
    others.iter().try_for_each(|node| node.kill())?;
    let stopped = wait_for(limit.max(RETURN), "everything to stop", || Ok(seen(left, well)? == expected));
    let took = begun.elapsed();
    let (status, switched) = (crm_mon(left), others.iter().any(|node| node.is_on()));
    others.iter().try_for_each(|node| node.power_on())?;
    stopped?;
    let quorum =
        status?.child("summary").and_then(|summary| Some(summary.all("current_dc").first()?.is("with_quorum")));
    ensure!(quorum == Some(false) && !switched, "quorum: {quorum:?}, switched on: {switched}");
    eprintln!("cluster: without quorum all had stopped after {:.1} s (at worst {limit:?})", took.as_secs_f32());
    ensure!(took <= limit, "simulate allows for {limit:?}, it took {took:?}");
    ovd::wait_all_online(lab, RETURN)?;
    wait_for(RETURN, "all resources to run again", || Ok(ovd::active(lab).is_ok()))?;
    wait_idle(left, RETURN)?;
    ovd::forget(lab)?;
    settled(lab)
}

/// Brings everything to where the simulation begins.
fn as_well(lab: &Lab, well: &Placement) -> Result<()> {
    ovd::forget(lab)?;
    let home = well[ovd::VIRTUAL_IP].first().context("no address")?;
    let home = lab.by_cluster_name(home).context("an unknown node has the address")?;
    if ovd::active(lab)?.name() != home.name() {
        moves::move_to(lab, home.name())?;
    }
    wait_for(WELL, "both nodes to say that all is well", || {
        let said = published(home)?;
        ensure!(ovd::NODES[..2].iter().all(|name| said.get(&format!("{name}.priv")).is_some_and(is_well)), "{said:?}");
        Ok(true)
    })?;
    let now = seen(home, well)?;
    ensure!(now == *well, "all is well: simulate: {well:?}, crm_mon: {now:?}");
    Ok(())
}

fn is_well(said: &BTreeMap<String, String>) -> bool {
    VIEWS.iter().all(|(name, value)| said.get(*name).is_some_and(|one| one == value))
}

/// By node, the attributes that crm_mon sees.
fn published(node: &Node) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let status = crm_mon(node)?;
    let nodes = status.child("node_attributes").map(|part| part.all("node")).unwrap_or_default();
    let of = |one: &&Element| {
        let pairs =
            one.all("attribute").iter().map(|pair| (pair.get("name").into(), pair.get("value").into())).collect();
        (one.get("name").to_owned(), pairs)
    };
    Ok(nodes.iter().map(of).collect())
}

fn other<'a>(lab: &'a Lab, victim: &Node) -> Result<&'a Node> {
    // One that does not serve: it is asked while others come and go.
    let node = lab.nodes().iter().rev().find(|node| node.name() != victim.name());
    node.map(AsRef::as_ref).context("no other node")
}

fn row<'a>(report: &'a Value, event: &str) -> Result<&'a Value> {
    let rows = report["events"].as_array().context("no events")?;
    rows.iter()
        .find(|row| row["event"] == event)
        .with_context(|| format!("simulate does not say what happens when {event}"))
}

fn seconds(row: &Value) -> Result<Duration> {
    Ok(Duration::from_secs(row["seconds"].as_u64().context("no seconds")?))
}

fn placement(value: &Value) -> Result<Placement> {
    Ok(serde_json::from_value(value.clone())?)
}

fn crm_mon(node: &Node) -> Result<Element> {
    Element::parse(&node.run(["crm_mon", "--one-shot", "--inactive", "--show-node-attributes", "--output-as=xml"])?)
}

/// Where crm_mon on that node sees the resources that the simulation speaks of.
fn seen(node: &Node, well: &Placement) -> Result<Placement> {
    let status = crm_mon(node)?;
    let resources = status.child("resources").map(|part| part.all("resource")).unwrap_or_default();
    let nodes_of = |id: &String| {
        let own = resources.iter().filter(|one| one.get("id") == id && one.is("active") && !one.is("failed"));
        let mut nodes: Vec<String> =
            own.flat_map(|one| one.all("node")).map(|node| node.get("name").to_owned()).collect();
        nodes.sort();
        (id.clone(), nodes)
    };
    Ok(well.keys().map(nodes_of).collect())
}

fn online(node: &Node) -> Result<Vec<String>> {
    let status = crm_mon(node)?;
    let nodes = status.child("nodes").map(|part| part.all("node")).unwrap_or_default();
    Ok(nodes.iter().filter(|node| node.is("online")).map(|node| node.get("name").to_owned()).collect())
}

/// When each resource was last started or stopped where it runs.
fn history(judge: &Node, well: &Placement) -> Result<Vec<String>> {
    let status = Element::parse(&judge.sh("cibadmin --query --scope status")?)?;
    let mut lines = Vec::new();
    for state in status.all("node_state") {
        for resource in state.all("lrm_resource") {
            let (node, id) = (state.get("uname").to_owned(), resource.get("id").to_owned());
            let runs = well.get(&id).is_some_and(|nodes| nodes.contains(&node));
            let done = resource.all("lrm_rsc_op");
            let done = done.iter().filter(|one| runs && ["start", "stop"].contains(&one.get("operation")));
            lines.extend(done.map(|one| format!("{id} {node} {} {}", one.get("operation"), one.get("last-rc-change"))));
        }
    }
    lines.sort();
    Ok(lines)
}
