//! Whether a node that is not heard of any more is switched off.

use super::{Found, Subject, Weight, is_false, names};
use crate::configuration::{Resource, value};

const DEVICES: &str = "a [[fencing]] device for every node";

/// What says whether nodes are fenced: Pacemaker 3.0.2 has a new name for it.
fn switch(subject: &Subject) -> Option<(&'static str, &str)> {
    let properties = &subject.configuration.properties;
    ["stonith-enabled", "fencing-enabled"].into_iter().find_map(|name| Some((name, value(properties, name)?)))
}

fn devices(subject: &Subject) -> impl Iterator<Item = &Resource> {
    subject.configuration.resources.iter().filter(|resource| resource.is_fencing())
}

fn is_off(subject: &Subject) -> bool {
    switch(subject).is_some_and(|(_, value)| is_false(value))
}

/// Whether nodes are taken for switched off by their own watchdogs: sbd without a device.
fn by_watchdog(subject: &Subject) -> bool {
    let properties = &subject.configuration.properties;
    let timeout =
        ["stonith-watchdog-timeout", "fencing-watchdog-timeout"].into_iter().find_map(|name| value(properties, name));
    // -1: twice sbd's own time.
    timeout.is_some_and(|time| time.starts_with('-') || time.chars().any(|c| ('1'..='9').contains(&c)))
}

pub(super) fn none(subject: &Subject) -> Vec<Found> {
    let weight = if subject.accepted { Weight::Warning } else { Weight::Error };
    if is_off(subject) {
        let (name, value) = switch(subject).unwrap_or(("stonith-enabled", "false"));
        let text = "nothing is switched off, ever: nodes that lose sight of each other may all run everything";
        return vec![Found::new(weight, format!("{name}={value}"), text, format!("{DEVICES}, then {name}=true"))];
    }
    if devices(subject).next().is_none() && !by_watchdog(subject) {
        let text = "fencing is asked for and there is no device: no resource starts";
        return vec![Found::error("fencing", text, DEVICES)];
    }
    Vec::new()
}

/// The nodes that a device says it is for; none: it asks itself.
fn targets(device: &Resource) -> Option<Vec<&str>> {
    let list = value(&device.params, "pcmk_host_list");
    let map = value(&device.params, "pcmk_host_map");
    match (list, map) {
        (None, None) => None,
        (list, map) => {
            let listed = list.unwrap_or_default().split([',', ';', ' ', '\t']);
            let mapped = map.unwrap_or_default().split([';', ' ', '\t']);
            let mapped = mapped.map(|entry| entry.split([':', '=']).next().unwrap_or_default());
            Some(listed.chain(mapped).filter(|name| !name.is_empty()).collect())
        }
    }
}

pub(super) fn without_device(subject: &Subject) -> Vec<Found> {
    let all: Vec<Option<Vec<&str>>> = devices(subject).map(targets).collect();
    if is_off(subject) || all.is_empty() || all.iter().any(Option::is_none) {
        return Vec::new();
    }
    let known: Vec<&str> = all.into_iter().flatten().flatten().collect();
    let voters = subject.configuration.nodes.iter().filter(|node| node.votes);
    let lost = voters.filter(|node| !known.contains(&node.name.as_str()));
    let text = "no device can switch it off: when it is not heard of any more, nothing it ran moves";
    lost.map(|node| Found::error(format!("node {}", node.name), text, "a device for it, or its name in pcmk_host_list"))
        .collect()
}

pub(super) fn race(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let two = configuration.nodes.iter().filter(|node| node.votes).count() == 2;
    let delayed =
        |device: &Resource| device.params.iter().any(|(name, _)| name.starts_with("pcmk_delay") || name == "delay");
    let preferred = value(&configuration.properties, "priority-fencing-delay").is_some();
    if !two || is_off(subject) || preferred || subject.quorum_device {
        return Vec::new();
    }
    if devices(subject).next().is_none() || devices(subject).any(delayed) {
        return Vec::new();
    }
    let text = "when two nodes lose sight of each other, both fence at once, and both may go down";
    vec![Found::warning("fencing", text, "pcmk_delay_base=5s at the device that switches off the preferred node")]
}

pub(super) fn asked_for(subject: &Subject) -> Vec<Found> {
    if !is_off(subject) {
        return Vec::new();
    }
    let fences = |resource: &&Resource| resource.operations.iter().any(|one| one.on_fail.as_deref() == Some("fence"));
    let all: Vec<&str> = subject.configuration.services().filter(fences).map(|one| one.id.as_str()).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let text = "on-fail=fence without fencing: after such a failure the resource stays blocked";
    vec![Found::error(names(&all), text, format!("{DEVICES}, or on-fail=restart"))]
}
