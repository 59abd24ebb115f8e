//! What somebody did by hand and forgot.

use super::{Found, Subject, is_false, is_true, names};
use crate::configuration::value;

pub(super) fn moved_by_hand(subject: &Subject) -> Vec<Found> {
    let mut found = Vec::new();
    for location in &subject.configuration.locations {
        let (id, resource) = (&location.id, &location.resource);
        let fix = format!("pcs resource clear {resource}");
        if id.starts_with("cli-ban-") {
            let text = format!("left by a move or ban: {resource} never runs there, also when no other node is left");
            found.push(Found::error(id.clone(), text, fix));
        } else if id.starts_with("cli-prefer-") || id.starts_with("cli-standby-") {
            let text = format!("left by a move: {resource} always goes back there when it can");
            found.push(Found::warning(id.clone(), text, fix));
        }
    }
    found
}

pub(super) fn set_aside(subject: &Subject) -> Vec<Found> {
    let configuration = &subject.configuration;
    let mut found = Vec::new();
    if value(&configuration.properties, "maintenance-mode").is_some_and(is_true) {
        let text = "the cluster looks after nothing";
        found.push(Found::warning("maintenance-mode", text, "pcs property set maintenance-mode=false"));
    }
    for node in &configuration.nodes {
        for name in
            ["standby", "maintenance"].into_iter().filter(|name| value(&node.attributes, name).is_some_and(is_true))
        {
            let verb = if name == "standby" { "unstandby" } else { "unmaintenance" };
            let text = format!("is in {name}: it takes nothing over");
            found.push(Found::warning(format!("node {}", node.name), text, format!("pcs node {verb} {}", node.name)));
        }
    }
    let says = |name: &str, is: fn(&str) -> bool| -> Vec<&str> {
        let all = configuration.resources.iter().filter(|one| configuration.meta(one, name).is_some_and(is));
        all.map(|one| one.id.as_str()).collect()
    };
    let unmanaged = says("is-managed", is_false);
    if !unmanaged.is_empty() {
        let fix = format!("pcs resource manage {}", unmanaged.join(" "));
        found.push(Found::warning(
            names(&unmanaged),
            "is-managed=false: it is neither started, stopped nor recovered",
            fix,
        ));
    }
    let stopped = says("target-role", |word| word.eq_ignore_ascii_case("stopped"));
    if !stopped.is_empty() {
        let fix = format!("pcs resource enable {}", stopped.join(" "));
        found.push(Found::warning(names(&stopped), "target-role=Stopped: it does not run", fix));
    }
    found
}
