//! A cluster's configuration beside a scenario's: what is missing, different, or more.

mod item;
mod modern;

use crate::document::element::Element;
use crate::pcs::plan::{Plan, Setting, Step};
use crate::pcs::{cib, setting};
use crate::scenario::Scenario;
use crate::scenario::fencing::is_secret;
use item::{Items, items};
use serde::Serialize;
use std::collections::BTreeSet;

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// The cluster lacks it.
    Missing,
    /// The cluster has it otherwise.
    Different,
    /// The scenario does not have it.
    Extra,
}

/// One difference.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// How.
    pub how: How,
    /// What, as `resource vip_src`.
    pub what: String,
    /// Which part of it, where not all of it is meant.
    pub part: Option<String>,
    /// What the cluster has there; never a secret.
    pub cluster: Option<String>,
    /// What the scenario has there; never a secret.
    pub scenario: Option<String>,
}

/// What stands for a secret.
const HIDDEN: &str = "(a secret)";

/// What the cluster writes there by itself.
const OWN: [&str; 5] = ["cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog", "last-lrm-refresh"];

/// Compares. `secret` reads the first line of a file; what cannot be read is not compared. The paths of those come second.
pub fn compare(
    scenario: &Scenario,
    plan: &Plan,
    live: &Element,
    secret: impl Fn(&str) -> Option<String>,
) -> (Vec<Difference>, Vec<String>) {
    let mut wanted = items(&wanted(plan));
    let mut there = items(&modern::modern(live));
    there.retain(|(kind, name), _| kind != "property" || !OWN.contains(&name.as_str()));
    item::leave_out_memory(&mut there, &wanted);
    let mut unread = Vec::new();
    for resource in setting::resources(plan) {
        for (name, value) in &resource.params {
            let Setting::SecretFile(path) = value else { continue };
            let part = format!("option {name}");
            let key = ("resource".to_owned(), resource.id.clone());
            let known = secret(path);
            if known.is_none() {
                unread.push(path.clone());
            }
            // What is not known is taken for what is there.
            let is_there = there.get(&key).and_then(|parts| parts.get(&part)).cloned();
            if let (Some(parts), Some(value)) = (wanted.get_mut(&key), known.or(is_there)) {
                parts.insert(part, value);
            }
        }
    }
    // These are set by command while the service runs.
    for service in &scenario.services {
        let id = ("resource".to_owned(), service.kind.section.to_owned());
        let has = |part: &str| wanted.get(&id).is_some_and(|parts| parts.contains_key(part));
        let left = service.kind.left.iter().map(|name| format!("option {name}")).filter(|part| !has(part));
        let left: Vec<String> = left.collect();
        if let Some(parts) = there.get_mut(&id) {
            parts.retain(|part, _| !left.contains(part));
        }
    }
    unread.sort();
    unread.dedup();
    (differences(&wanted, &there), unread)
}

/// What of the scenario is not compared, as it is no part of the cluster's configuration.
pub fn outside(plan: &Plan) -> Vec<String> {
    let line = |what: String, where_is: &str| format!("{what} is not compared: see {where_is}");
    plan.steps()
        .filter_map(|step| match step {
            Step::QuorumDevice(device) => {
                Some(line(format!("the quorum device on {}", device.host), "pcs quorum status on a node"))
            }
            Step::Sbd(_) => Some(line("sbd".into(), "pcs stonith sbd status on a node")),
            _ => None,
        })
        .collect()
}

/// The configuration of the plan, with its nodes.
fn wanted(plan: &Plan) -> Element {
    let mut configuration = cib::configuration(plan);
    if let Some(nodes) = configuration.child_mut("nodes") {
        let known: Vec<String> = nodes.children.iter().map(|node| node.text("uname").to_owned()).collect();
        let plain = plan.nodes.iter().filter(|node| !known.contains(&node.name));
        nodes.children.extend(plain.map(|node| Element::new("node", &[("uname", &node.name)])));
    }
    Element::new("cib", &[]).with([configuration])
}

fn differences(wanted: &Items, there: &Items) -> Vec<Difference> {
    let mut all = Vec::new();
    let keys: BTreeSet<_> = wanted.keys().chain(there.keys()).collect();
    for key in keys {
        let what = format!("{} {}", key.0, key.1);
        let mut add = |how, part: Option<&String>, cluster: Option<&String>, scenario: Option<&String>| {
            let show = |value: Option<&String>| value.map(|value| shown(part, value));
            all.push(Difference {
                how,
                what: what.clone(),
                part: part.cloned(),
                cluster: show(cluster),
                scenario: show(scenario),
            });
        };
        match (wanted.get(key), there.get(key)) {
            (Some(_), None) => add(How::Missing, None, None, None),
            (None, Some(_)) => add(How::Extra, None, None, None),
            (None, None) => {}
            (Some(one), Some(other)) => {
                let parts: BTreeSet<_> = one.keys().chain(other.keys()).collect();
                for part in parts {
                    match (one.get(part), other.get(part)) {
                        (Some(scenario), Some(cluster)) if scenario != cluster => {
                            add(How::Different, Some(part), Some(cluster), Some(scenario));
                        }
                        (Some(scenario), None) => add(How::Missing, Some(part), None, Some(scenario)),
                        (None, Some(cluster)) => add(How::Extra, Some(part), Some(cluster), None),
                        _ => {}
                    }
                }
            }
        }
    }
    all.sort_by_key(|one| one.how);
    all
}

/// The value of a part, unless its name says that it is a secret.
fn shown(part: Option<&String>, value: &str) -> String {
    let name = part.and_then(|part| part.split_once(' ')).map_or("", |(_, name)| name);
    if is_secret(name) { HIDDEN.into() } else { value.to_owned() }
}

impl Difference {
    /// One line for people.
    pub fn text(&self) -> String {
        let part = self.part.as_ref().map(|part| format!(": {part}")).unwrap_or_default();
        let how = match self.how {
            How::Missing => "missing  ",
            How::Different => "different",
            How::Extra => "extra    ",
        };
        let values = match (&self.cluster, &self.scenario) {
            (Some(cluster), Some(scenario)) => format!(" is {cluster}, the scenario has {scenario}"),
            (Some(value), None) | (None, Some(value)) if !value.is_empty() => format!(" = {value}"),
            _ => String::new(),
        };
        format!("{how}  {}{part}{values}", self.what)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::pcs::plan;
    use crate::scenario::read;

    const EXAMPLE: &str = include_str!("../../pcs-examples/ovd-session-manager/scenario.toml");

    #[test]
    fn a_scenario_is_what_it_makes_and_secrets_are_not_shown() {
        let read = read("s.toml", EXAMPLE).unwrap();
        let plan = plan(&read.scenario);
        let mut live = wanted(&plan);
        let compare = |live: &Element, secret: Option<&str>| {
            let (all, unread) = compare(&read.scenario, &plan, live, |_| secret.map(str::to_owned));
            (all.iter().map(Difference::text).collect::<Vec<_>>(), unread.len())
        };
        assert_eq!(compare(&live, None), (vec![], 1));
        let (lines, unread) = compare(&live, Some("hunter2"));
        assert!(unread == 0 && lines.len() == 3, "{lines:?}");
        let line = "different  resource fence-osm1.priv: option password is (a secret), the scenario has (a secret)";
        assert_eq!(lines[0], line);
        live.each(&mut |one| {
            if one.text("name") == "nic" {
                one.set("value", "ens3");
            }
            if one.name == "rsc_order" && one.text("then") == "lsyncd" {
                one.set("kind", "Mandatory");
            }
            one.children.retain(|child| child.text("name") != "destinations" && child.text("with-rsc") != "none");
        });
        let (lines, _) = compare(&live, None);
        assert_eq!(
            lines,
            [
                "missing    resource vip_src: option destinations = 10.20.1.0/24",
                "different  order virtual_ip then lsyncd: kind is Mandatory, the scenario has Optional",
                "different  resource vip_src: option nic is ens3, the scenario has eth0",
                "different  resource virtual_ip: option nic is ens3, the scenario has eth0",
            ]
        );
    }
}
