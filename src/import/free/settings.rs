//! Properties and defaults: what of them a scenario takes.

use super::resources::is_value;
use crate::configuration::{Pairs, milliseconds};
use crate::import::cluster::Cluster;
use crate::import::notes::{Notes, pair};
use crate::import::write::{Writer, quote, quoted_key};
use crate::scenario::fencing::is_secret;
use crate::scenario::names::is_id;

/// Properties that mean now what they meant then.
const KEPT: &[&str] = &[
    "batch-limit",
    "cluster-delay",
    "cluster-recheck-interval",
    "concurrent-fencing",
    "load-threshold",
    "maintenance-mode",
    "migration-limit",
    "node-health-strategy",
    "placement-strategy",
    "priority-fencing-delay",
    "stonith-timeout",
    "symmetric-cluster",
];
/// The others, and what becomes of them.
const OTHERS: &[(&str, &str)] = &[
    ("no-quorum-policy", "a part without the majority stops everything: the generator sets it"),
    ("stonith-enabled", "follows from [[fencing]]"),
    ("cluster-name", "follows from [cluster]"),
    ("stop-orphan-resources", "is so unless told otherwise"),
    ("stop-orphan-actions", "is so unless told otherwise"),
    ("remove-after-stop", "is gone: nothing that is stopped is forgotten"),
    ("transition-idle-timeout", "is called cluster-delay now, and its default does"),
    ("is-managed-default", "resources are managed unless told otherwise"),
    ("cluster-infrastructure", "is state, no configuration"),
    ("dc-version", "is state, no configuration"),
    ("have-watchdog", "is state, no configuration"),
    ("last-lrm-refresh", "is state, no configuration"),
];
/// Seconds that a failure has to be remembered at least: actions must be shorter.
const SHORTEST: u64 = 300;

#[derive(Debug, Default)]
pub(super) struct Settings {
    failover: Vec<(&'static str, String)>,
    properties: Pairs,
    defaults: Pairs,
    operation_defaults: Pairs,
}

impl Settings {
    pub(super) fn of(cluster: &Cluster, notes: &mut Notes) -> Settings {
        let old = &cluster.configuration;
        let mut made = Settings::default();
        for (name, said) in &old.properties {
            let new = name.replace('_', "-");
            let shown = pair(name, said);
            match new.as_str() {
                "default-resource-stickiness" => made.usual("resource-stickiness", said, notes),
                new if KEPT.contains(&new) && is_value(said) => add(&mut made.properties, new, said),
                new => {
                    let why = OTHERS.iter().find(|(known, _)| *known == new).map(|(_, why)| *why);
                    notes.leave("properties", &shown, why.unwrap_or("is not known to Pacemaker any more"));
                }
            }
        }
        for (name, said) in &old.defaults {
            made.usual(&name.replace('_', "-"), said, notes);
        }
        for (name, said) in &old.operation_defaults {
            if is_id(name) && !is_secret(name) && is_value(said) {
                add(&mut made.operation_defaults, name, said);
            } else {
                notes.leave("operation defaults", &pair(name, said), "is no option with a value");
            }
        }
        made
    }

    /// A default of all resources.
    fn usual(&mut self, name: &str, said: &str, notes: &mut Notes) {
        let number = said.parse::<u32>().ok().filter(|n| *n <= 1_000_000).map(|n| n.to_string());
        let (key, value) = match name {
            "resource-stickiness" if said == "INFINITY" => ("stickiness", Some(quote(said))),
            "resource-stickiness" => ("stickiness", number),
            "migration-threshold" => ("migration_threshold", number.filter(|n| n != "0")),
            "failure-timeout" => {
                let seconds = milliseconds(said).map(|n| n.div_ceil(1000)).filter(|n| *n > SHORTEST);
                ("failure_timeout", seconds.map(|n| quote(&format!("{n}s"))))
            }
            name if is_id(name) && !is_secret(name) && is_value(said) => return add(&mut self.defaults, name, said),
            _ => ("", None),
        };
        match value {
            Some(value) if !self.failover.iter().any(|(known, _)| *known == key) => self.failover.push((key, value)),
            _ => notes.leave("resource defaults", &pair(name, said), "is nothing that [failover] takes"),
        }
    }

    pub(super) fn write(&self, text: &mut Writer) {
        if !self.failover.is_empty() {
            text.section("failover", false);
            self.failover.iter().for_each(|(key, value)| text.plain(key, value));
        }
        for (name, all) in [
            ("properties", &self.properties),
            ("defaults", &self.defaults),
            ("operation_defaults", &self.operation_defaults),
        ] {
            if !all.is_empty() {
                text.section(name, false);
                all.iter().for_each(|(key, value)| text.text(&quoted_key(key), value));
            }
        }
    }
}

fn add(all: &mut Pairs, name: &str, said: &str) {
    if !all.iter().any(|(known, _)| known == name) {
        all.push((name.to_owned(), said.to_owned()));
    }
}
