//! What becomes of failures.

use super::{Found, Subject, names};
use crate::configuration::{Resource, milliseconds, value};

pub(super) fn forgotten_too_soon(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let mut found = Vec::new();
    for resource in configuration.services() {
        let Some(forgotten) =
            configuration.meta(resource, "failure-timeout").and_then(milliseconds).filter(|ms| *ms > 0)
        else {
            continue;
        };
        let times = resource.operations.iter().filter_map(|one| milliseconds(one.timeout.as_deref()?));
        let Some(longest) = times.max().filter(|longest| *longest > forgotten) else { continue };
        let text = format!(
            "failures are forgotten after {} s, and one action may take {} s: a failure may be forgotten before it is dealt with",
            forgotten / 1000,
            longest / 1000
        );
        found.push(Found::warning(resource.id.clone(), text, "a failure-timeout above the longest timeout"));
    }
    found
}

pub(super) fn for_ever(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let limitless = |resource: &&Resource| {
        // Who says it of one resource has thought of it.
        let own = value(&resource.meta, "migration-threshold").is_some();
        let limit = configuration.meta(resource, "migration-threshold");
        !own && limit.is_none_or(|text| ["INFINITY", "0"].contains(&text))
    };
    // A clone that is everywhere has nowhere to go.
    let all = configuration.services().filter(limitless).filter(|one| !configuration.is_cloned(&one.id));
    let all: Vec<&str> = all.map(|one| one.id.as_str()).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let text =
        "no migration-threshold: a broken service is restarted on the same node for ever, and never tried on another";
    vec![Found::warning(names(&all), text, "pcs resource defaults update migration-threshold=3")]
}
