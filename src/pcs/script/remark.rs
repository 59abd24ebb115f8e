//! What a version of pcs cannot do, and what is done instead: said where the script does it.

use super::feature::Feature;
use super::older;
use super::target::Target;
use super::version::Version;
use crate::pcs::plan::{Plan, Resource, Step};

/// From here on distributions had Pacemaker 2.1.
const PACEMAKER_2_1: Version = Version(0, 10, 10);
/// From here on Pacemaker 2.1.3.
const PACEMAKER_2_1_3: Version = Version(0, 10, 14);

fn lines(text: &[&str]) -> Vec<String> {
    text.iter().map(|line| (*line).to_owned()).collect()
}

/// What is to be said before a step.
pub(super) fn on_step(step: &Step, plan: &Plan, target: &Target) -> Vec<String> {
    match step {
        Step::ClusterSetup { token, .. } => on_cluster(token.is_some(), plan, target),
        Step::Agents if !target.has(Feature::AskForAgents) => lines(&[
            "pcs of this version cannot ask other nodes for their agents. This script names what each needs, and the command",
            "that says whether it has it: look before you go on.",
        ]),
        Step::Defaults(_) if !target.has(Feature::DefaultsUpdate) && !target.has(Feature::DefaultsPlain) => lines(&[
            "Set with cibadmin: no form of \"pcs resource defaults\" is right in every pcs that this script is for.",
        ]),
        Step::Stonith(device) if !target.has(Feature::FenceNames) && has_new_names(device, plan) => lines(&[
            "Options have the names that fence agents of this age know: ipaddr, login, passwd instead of ip, username, password.",
        ]),
        Step::Tag { .. } if older::is_left_out(step, target) => {
            lines(&["Without tags: pcs has them from 0.10.6 on. Nothing that runs depends on them."])
        }
        Step::Alert(_) if older::is_left_out(step, target) => lines(&[
            "Without alerts: pcs has them from 0.9.153 on, Pacemaker from 1.1.15. Instead a clone of",
            "ocf:pacemaker:ClusterMon with extra_options=\"-E PROGRAM\" runs a program of yours for every event, with other",
            "variables (CRM_notify_...) than alerts have, so not inuvika-alert.",
        ]),
        _ => Vec::new(),
    }
}

/// Once, at the first device.
fn has_new_names(device: &Resource, plan: &Plan) -> bool {
    let mut steps = plan.sections.iter().flat_map(|section| &section.steps);
    let first = steps.find_map(|step| if let Step::Stonith(one) = step { Some(&one.id) } else { None });
    first == Some(&device.id)
}

fn on_cluster(token: bool, plan: &Plan, target: &Target) -> Vec<String> {
    let mut text = Vec::new();
    if target.has(Feature::Addresses) || target.has(Feature::EncryptionFlag) {
        text.extend(lines(&["Traffic between the nodes is encrypted."]));
    } else {
        text.extend(lines(&[
            "Traffic between the nodes is not encrypted (pcs can do that from 0.9.159 on): nobody else may be on their network.",
        ]));
    }
    if !target.has(Feature::Addresses) {
        text.extend(lines(&["The first address of a node is what its name stands for in /etc/hosts."]));
        if plan.nodes.iter().any(|node| node.addresses.len() > 2) {
            text.extend(lines(&["There can be two links: the others of the scenario are left out."]));
        }
    }
    if token && target.has(Feature::ConfigUpdate) {
        text.extend(lines(&["In a cluster that exists: pcs cluster config update totem token=1000."]));
    } else if token {
        text.extend(lines(&[
            "In a cluster that exists: in corosync.conf, then pcs cluster sync and a restart of corosync.",
        ]));
    }
    text
}

/// What is said of the push where it is not of a difference.
pub(super) fn on_push() -> Vec<String> {
    lines(&[
        "crm_verify reads the whole configuration, then it replaces the cluster's in one piece: not every pcs that this script",
        "is for can push a difference (0.9.156). Before that it looks whether somebody else has changed the configuration.",
    ])
}

/// What Pacemaker of that age does not know, for the head of the script.
pub(super) fn on_pacemaker(steps: &[&Step], target: &Target) -> Vec<String> {
    let has = |name: &str, value: &str| {
        steps.iter().any(|step| match step {
            Step::Primitive(one) => one.meta.iter().any(|(key, set)| key == name && set == value),
            _ => false,
        })
    };
    let mut text = Vec::new();
    if target.may_be_before(PACEMAKER_2_1) {
        if has("critical", "false") {
            text.extend(lines(&[
                "Before Pacemaker 2.1 critical=false means nothing: what cannot be started takes all else with it.",
            ]));
        }
        text.extend(lines(&["Before Pacemaker 2.1 a resource whose options change is restarted, not reloaded."]));
    }
    if target.may_be_before(PACEMAKER_2_1_3) && has("multiple-active", "stop_unexpected") {
        text.extend(lines(&[
            "Before Pacemaker 2.1.3 multiple-active=stop_unexpected means stop_start: found twice, it is stopped on both nodes.",
        ]));
    }
    text
}
