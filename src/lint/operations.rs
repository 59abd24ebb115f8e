//! How resources are watched, and how long their actions may take.

use super::{Found, Subject, Weight, names};
use crate::agents;
use crate::configuration::{Operation, Resource, milliseconds, value};

/// What Pacemaker gives an action of which nothing says how long it may take, in seconds.
const DEFAULT: u64 = 20;
/// How long a stop may take by itself, in seconds: the units' own patience, and what their agents' meta-data say.
const STOPS: &[(&str, u64, &str)] = &[
    ("systemd:ovd-slaveserver", 600, "it waits up to 600 s for sessions (stop_timeout of slaveserver.conf)"),
    ("lsb:ovd-slaveserver", 600, "it waits up to 600 s for sessions (stop_timeout of slaveserver.conf)"),
    ("service:ovd-slaveserver", 600, "it waits up to 600 s for sessions (stop_timeout of slaveserver.conf)"),
    ("ocf:heartbeat:Filesystem", 60, "processes that use it are ended first"),
    ("ocf:heartbeat:apache", 60, "requests that are under way may end first"),
    ("ocf:heartbeat:IPaddr2", 20, ""),
    ("systemd:", 90, "systemd itself waits 90 s before it kills"),
];
/// The provider of our agents.
const OURS: &str = "ocf:inuvika:";

pub(super) fn equal_intervals(subject: &Subject) -> Vec<Found> {
    let mut found = Vec::new();
    for resource in &subject.configuration.resources {
        let mut seen: Vec<(&str, u64)> = Vec::new();
        for operation in &resource.operations {
            let Some(interval) = operation.interval.as_deref().and_then(milliseconds).filter(|ms| *ms > 0) else {
                continue;
            };
            let key = (operation.name.as_str(), interval);
            if seen.contains(&key) {
                let text =
                    format!("{} twice with an interval of {} s: Pacemaker runs one of them", key.0, interval / 1000);
                found.push(Found::error(
                    resource.id.clone(),
                    text,
                    "intervals that differ, also for different roles: 10s and 11s",
                ));
            } else {
                seen.push(key);
            }
        }
    }
    found
}

/// How long an action of a resource may take, in seconds.
fn timeout(subject: &Subject, operation: Option<&Operation>) -> Option<u64> {
    let own = operation.and_then(|one| one.timeout.as_deref());
    match own.or_else(|| value(&subject.configuration.operation_defaults, "timeout")) {
        Some(text) => milliseconds(text).map(|ms| ms / 1000),
        None => Some(DEFAULT),
    }
}

pub(super) fn short(subject: &Subject) -> Vec<Found> {
    let mut found = Vec::new();
    for resource in subject.configuration.services() {
        let stop = resource.named("stop").next();
        let need = STOPS.iter().find(|(agent, ..)| {
            resource.agent == *agent || (agent.ends_with(':') && resource.agent.starts_with(agent))
        });
        if let (Some((_, seconds, why)), Some(given)) = (need, timeout(subject, stop))
            && given < *seconds
        {
            let weight = if *seconds >= 600 { Weight::Error } else { Weight::Warning };
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            let text = format!(
                "a stop gets {given} s and may need {seconds} s{why}; a stop that takes longer gets the node fenced"
            );
            found.push(Found::new(
                weight,
                resource.id.clone(),
                text,
                format!("op stop timeout={}s", seconds + seconds / 10),
            ));
        }
        let Some(agent) = resource.agent.strip_prefix(OURS).and_then(agents::find) else { continue };
        for action in agent.table().actions.iter().filter(|action| ["start", "stop"].contains(&action.name)) {
            let needs = u64::from(action.timeout);
            let given = timeout(subject, resource.named(action.name).next());
            if let Some(given) = given.filter(|given| *given < needs) {
                let text = format!("{} gets {given} s, and the agent's table says {needs} s", action.name);
                found.push(Found::warning(resource.id.clone(), text, format!("op {} timeout={needs}s", action.name)));
            }
        }
    }
    found
}

pub(super) fn unwatched(subject: &Subject) -> Vec<Found> {
    let watched = |resource: &&Resource| {
        // One with role=Stopped looks where it should not run.
        let mut own = resource.named("monitor").filter(|one| one.role.as_deref() != Some("Stopped"));
        own.any(|one| one.interval.as_deref().and_then(milliseconds) != Some(0))
    };
    let all: Vec<&str> =
        subject.configuration.resources.iter().filter(|one| !watched(one)).map(|one| one.id.as_str()).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let text = "no monitor: when it fails, nobody notices";
    vec![Found::warning(names(&all), text, "op monitor with an interval and a timeout, as the agent's meta-data say")]
}

/// Meta attributes that are times.
const TIMES: &[&str] = &["failure-timeout"];

pub(super) fn no_time(subject: &Subject) -> Vec<Found> {
    let mut found = Vec::new();
    let mut check = |about: &str, name: &str, text: &str| {
        if milliseconds(text).is_none() {
            let text = format!("{name}={text} is no time: Pacemaker takes its default without a word");
            found.push(Found::error(about.to_owned(), text, "a time such as 30s, 10min or 4h"));
        }
    };
    let configuration = &subject.configuration;
    for resource in &configuration.resources {
        for operation in &resource.operations {
            let times = [("interval", &operation.interval), ("timeout", &operation.timeout)];
            times.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?))).for_each(|(name, text)| {
                check(&resource.id, &format!("{} {name}", operation.name), text);
            });
        }
        TIMES
            .iter()
            .filter_map(|name| Some((name, value(&resource.meta, name)?)))
            .for_each(|(name, text)| check(&resource.id, name, text));
    }
    TIMES
        .iter()
        .filter_map(|name| Some((name, value(&configuration.defaults, name)?)))
        .for_each(|(name, text)| check("resource defaults", name, text));
    let timeout = value(&configuration.operation_defaults, "timeout");
    timeout.into_iter().for_each(|text| check("operation defaults", "timeout", text));
    found
}
