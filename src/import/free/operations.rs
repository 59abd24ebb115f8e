//! Operations of resources: what of them a scenario takes.

use crate::configuration::{Operation, milliseconds};
use crate::import::notes::Notes;
use crate::import::write::quote;
use crate::scenario::free::is_action;

/// An operation as it stands in a scenario.
pub(super) fn operation(one: &Operation) -> String {
    let keys = [
        ("name", Some(&one.name)),
        ("interval", one.interval.as_ref()),
        ("timeout", one.timeout.as_ref()),
        ("role", one.role.as_ref()),
        ("on_fail", one.on_fail.as_ref()),
    ];
    let keys: Vec<String> =
        keys.into_iter().filter_map(|(key, said)| Some(format!("{key} = {}", quote(said?)))).collect();
    format!("{{ {} }}", keys.join(", "))
}

/// A time as a scenario takes it: whole seconds, at most a day.
fn seconds(text: &str) -> Option<String> {
    let milliseconds = milliseconds(text)?;
    let seconds = milliseconds.div_ceil(1000);
    (seconds <= 86_400).then(|| format!("{seconds}s"))
}

/// Those of a resource that are carried over.
pub(super) fn operations(id: &str, all: &[Operation], notes: &mut Notes) -> Vec<Operation> {
    let mut kept: Vec<Operation> = Vec::new();
    for one in all {
        let recurring = one.name == "monitor";
        let interval = one.interval.as_deref().and_then(seconds).filter(|time| time != "0s");
        let timeout = one.timeout.as_deref().and_then(seconds).filter(|time| time != "0s");
        let shown = format!(
            "{id}: op {} interval={} timeout={}",
            one.name,
            one.interval.as_deref().unwrap_or("-"),
            one.timeout.as_deref().unwrap_or("-")
        );
        if !is_action(&one.name) || (recurring && interval.is_none() && one.interval.is_some()) {
            notes.leave("resources", &shown, "is not run by Pacemaker again and again, or has no time that it takes");
            continue;
        }
        let interval = interval.filter(|_| recurring);
        if kept.iter().any(|other| other.name == one.name && (other.interval == interval || !recurring)) {
            notes.leave("resources", &shown, "is there already with this interval");
            continue;
        }
        let roles = ["Promoted", "Unpromoted", "Started", "Stopped"];
        let role = one.role.clone().filter(|role| recurring && roles.contains(&role.as_str()));
        let known = ["ignore", "block", "stop", "restart", "standby", "fence"];
        let on_fail = one.on_fail.clone().filter(|word| known.contains(&word.as_str()));
        if one.role.is_some() != role.is_some() || one.on_fail.is_some() != on_fail.is_some() {
            notes.leave("resources", &format!("{shown} role, on-fail"), "is not carried over as it stands");
        }
        kept.push(Operation { name: one.name.clone(), interval, timeout, role, on_fail });
    }
    kept
}
