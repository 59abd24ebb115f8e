//! The shared folders, as this node and the others see them.
//!
//! When their server is gone, Samba is silent on every node. A restart would wait for the same server, fail, and leave nothing
//! that goes on when the server is back; so that is no failure. What only this node has lost is one: another node can serve.

use std::time::Duration;

use super::config::Config;
use super::mount::Seen;
use super::since::Since;
use crate::cluster::attribute::Attribute;
use crate::ocf::check::Verdict;
use crate::ocf::operation::Operation;

/// The node attribute with this node's view.
const NAME: &str = "ofs-ctdb-shared";
const REACHED: &str = "ok";
const LOST: &str = "lost";
/// That of a node without ctdbd: it cannot serve.
const DOWN: &str = "down";
/// A folder that is of no use, among what is remembered.
const SHARED: &str = "shared";
/// How old the view of another node may be: a minute between its monitors of depth 20, and what they take when folders hang.
const AGE: Duration = Duration::from_secs(75);
/// How long the attribute manager may take: it is on this node.
const ASK: Duration = Duration::from_secs(2);

/// Why one of the folders is of no use now; none: all answer.
pub fn trouble(config: &Config, op: &Operation) -> Option<String> {
    let mut all = [Some(&config.shared), config.data.as_ref()].into_iter().flatten();
    all.find_map(|path| Seen::of(path, &op.deadline.within(config.request_timeout)).trouble())
}

/// Lets the other nodes know whether this one reaches the folders.
pub fn publish(reached: bool, op: &Operation) {
    if op.is_recurring() {
        set(if reached { REACHED } else { LOST }, op);
    }
}

/// Lets them know that this node serves no more.
pub fn withdraw(op: &Operation) {
    set(DOWN, op);
}

/// Without Pacemaker there is nobody to tell.
fn set(value: &str, op: &Operation) {
    match attribute().publish(value, &op.deadline.within(ASK)) {
        Ok(true) => op.log.info(&format!("node attribute {NAME} is {value}")),
        Ok(false) => {}
        Err(error) => op.step(&format!("node attribute {NAME}: {error}")),
    }
}

/// What a fault amounts to that comes from a folder, if it does: with the folder as its cause. `what` names the fault in `since`:
/// it has its whole time again when the folder is back.
pub fn weighed(
    (verdict, text): (Verdict, String),
    what: &str,
    since: &mut Since,
    config: &Config,
    op: &Operation,
) -> (Verdict, String) {
    if verdict == Verdict::Ok {
        return (verdict, text);
    }
    match trouble(config, op) {
        Some(why) => {
            let known = since.lasts(SHARED) >= AGE;
            weigh((verdict, text), &why, || if known { others(op) } else { Vec::new() })
        }
        None if since.was(SHARED) => {
            since.anew(what);
            (Verdict::Degraded, text)
        }
        None => (verdict, text),
    }
}

/// Pure but for the question to the others, which is asked only where it counts.
fn weigh(
    (verdict, text): (Verdict, String),
    why: &str,
    others: impl FnOnce() -> Vec<(String, String)>,
) -> (Verdict, String) {
    if verdict != Verdict::Failed {
        return (verdict, format!("{why}; {text}"));
    }
    match others().into_iter().find(|(_, value)| value == REACHED) {
        Some((node, _)) => (Verdict::Failed, format!("{why}, but {node} reaches it; {text}")),
        None => (Verdict::Degraded, format!("{why}; {text}")),
    }
}

fn others(op: &Operation) -> Vec<(String, String)> {
    attribute().of_others(&op.deadline.within(ASK)).unwrap_or_else(|error| {
        op.step(&format!("node attribute {NAME}: {error}"));
        Vec::new()
    })
}

fn attribute() -> Attribute {
    Attribute { name: NAME.to_owned(), dampening: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_node_has_lost_is_no_failure_and_what_one_has_lost_is() {
        let view = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        for (found, others, verdict) in [
            (Verdict::Failed, &[][..], Verdict::Degraded),
            (Verdict::Failed, &[("ofs2", "lost"), ("ofs3", "down")], Verdict::Degraded),
            (Verdict::Failed, &[("ofs2", "lost"), ("ofs3", "ok")], Verdict::Failed),
            (Verdict::Degraded, &[("ofs3", "ok")], Verdict::Degraded),
        ] {
            let said = weigh((found, "Samba: silent".to_owned()), "/mnt/nfs hangs", || view(others));
            assert_eq!(said.0, verdict, "{others:?}");
            assert!(said.1.starts_with("/mnt/nfs hangs") && said.1.ends_with("; Samba: silent"), "{said:?}");
        }
    }
}
