//! What the answers of CTDB amount to. Pure.
//!
//! A node that an administrator has disabled, or that CTDB has banned, is as somebody wants it: a restart would undo that and hide
//! the reason. And what another node has lost is no fault of this one: were it a failure, all nodes would restart because one has
//! died.

use std::net::IpAddr;
use std::time::Duration;

use super::since::Since;
use super::status::{Flag, Node};
use crate::ocf::check::Verdict;
use crate::probe::ctdb::Served;

/// This node's own state. `cause` is asked only where it is unhealthy: which of its checks has failed.
pub fn own(
    node: &Node,
    since: &mut Since,
    patience: Duration,
    cause: impl FnOnce() -> Option<String>,
) -> (Verdict, String) {
    let name = node.name();
    match node.flag() {
        None => (Verdict::Ok, format!("{name} is OK")),
        Some(Flag::Unhealthy) => {
            let verdict = since.verdict("unhealthy", patience);
            let cause = cause().unwrap_or_else(|| "ctdb event status legacy monitor".to_owned());
            (verdict, format!("{name} is unhealthy: {cause}"))
        }
        Some(Flag::PartiallyOnline) => {
            (Verdict::Degraded, format!("{name} serves, but one of its interfaces has no link: ctdb ifaces"))
        }
        Some(Flag::Disabled) => (Verdict::Degraded, format!("{name} is disabled by an administrator: ctdb enable")),
        Some(Flag::Stopped) => (Verdict::Degraded, format!("{name} is stopped by an administrator: ctdb continue")),
        Some(Flag::Banned) => {
            (Verdict::Degraded, format!("{name} is banned by CTDB for a while: its log says why; ctdb unban ends it"))
        }
        Some(flag @ (Flag::Disconnected | Flag::Unknown)) => {
            (Verdict::Degraded, format!("{name} says that it is {} itself", flag.word()))
        }
    }
}

/// The other nodes.
pub fn others(nodes: &[Node]) -> (Verdict, String) {
    let amiss = nodes.iter().filter(|node| !node.is_own).filter_map(|node| node.flag().map(|flag| (node, flag)));
    let amiss: Vec<String> = amiss.map(|(node, flag)| format!("{} is {}", node.name(), flag.word())).collect();
    match amiss.first() {
        None if nodes.len() < 2 => (Verdict::Ok, "there is no other node".to_owned()),
        None => (Verdict::Ok, format!("{} nodes, all well", nodes.len())),
        Some(_) => (Verdict::Degraded, amiss.join(", ")),
    }
}

/// The public addresses: every one has to be served by some node.
pub fn addresses(all: &[Served], own: u32) -> (Verdict, String) {
    let lost: Vec<String> = all.iter().filter(|one| one.node.is_none()).map(|one| one.address.to_string()).collect();
    if !lost.is_empty() {
        return (Verdict::Degraded, format!("served by no node: {}", lost.join(", ")));
    }
    let here: Vec<String> = held(all, own).map(|address| address.to_string()).collect();
    let here = if here.is_empty() { "none here".to_owned() } else { format!("here: {}", here.join(", ")) };
    (Verdict::Ok, format!("{} public addresses, {here}", all.len()))
}

/// Those that the node of this number serves.
pub fn held(all: &[Served], own: u32) -> impl Iterator<Item = IpAddr> {
    all.iter().filter(move |one| one.node == Some(own)).map(|one| one.address)
}

/// Whether the nodes file is what ctdbd works with: it reads it when it starts, and when it is told to.
pub fn loaded(file: &[IpAddr], nodes: &[Node]) -> (Verdict, String) {
    let used: Vec<IpAddr> = nodes.iter().map(|node| node.address).collect();
    if file == used {
        (Verdict::Ok, format!("{} nodes", file.len()))
    } else {
        (Verdict::Degraded, "the nodes file is not what ctdbd works with: ctdb reloadnodes, on one node".to_owned())
    }
}

/// The first check that has not passed in what `ctdb event status legacy monitor` says: `50.samba ERROR 0.4 DATE`, and its words in
/// a line of their own.
pub fn failed_check(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let failed = lines.find(|line| {
        let word = line.split_whitespace().nth(1);
        word.is_some_and(|word| matches!(word, "ERROR" | "TIMEDOUT" | "TIMEOUT"))
    })?;
    let script = failed.split_whitespace().next()?;
    let said = lines.next().and_then(|line| line.trim().strip_prefix("OUTPUT:")).map(str::trim);
    match said.filter(|said| !said.is_empty()) {
        Some(said) => Some(format!("{script}: {said}")),
        None => Some(format!("{script} fails")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::status::parse;
    use super::*;

    fn nodes(own: &str, other: &str) -> Vec<Node> {
        let header = "|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|PartiallyOnline|ThisNode|";
        parse(&format!("{header}\n|0|10.0.0.1|{own}|Y|\n|1|10.0.0.2|{other}|N|\n")).unwrap()
    }

    const WELL: &str = "0|0|0|0|0|0|0";

    #[test]
    fn only_what_ctdb_does_not_want_becomes_a_failure() {
        let minute = Duration::from_secs(60);
        for (flags, patience, verdict, said) in [
            (WELL, minute, Verdict::Ok, "is OK"),
            ("0|0|0|0|1|0|0", minute, Verdict::Degraded, "unhealthy: 50.samba: no"),
            ("0|0|0|0|1|0|0", Duration::ZERO, Verdict::Failed, "unhealthy: 50.samba: no"),
            ("0|0|0|1|0|0|0", Duration::ZERO, Verdict::Degraded, "ctdb enable"),
            ("0|0|0|1|1|0|0", Duration::ZERO, Verdict::Degraded, "ctdb enable"),
            ("0|0|0|0|0|1|0", Duration::ZERO, Verdict::Degraded, "ctdb continue"),
            ("0|0|1|0|1|0|0", Duration::ZERO, Verdict::Degraded, "banned"),
            ("0|0|0|0|0|0|1", Duration::ZERO, Verdict::Degraded, "no link"),
            ("0|1|0|0|0|0|0", Duration::ZERO, Verdict::Degraded, "unknown"),
        ] {
            let all = nodes(flags, WELL);
            let found = own(&all[0], &mut Since::default(), patience, || Some("50.samba: no".to_owned()));
            assert!(found.0 == verdict && found.1.contains(said), "{flags}: {found:?}");
            assert!(found.1.len() <= 128, "{}", found.1);
        }
    }

    #[test]
    fn another_nodes_loss_is_never_a_failure() {
        for flags in ["1|0|0|0|0|0|0", "0|0|1|0|0|0|0", "0|0|0|0|1|0|0"] {
            let all = nodes(WELL, flags);
            assert_eq!(own(&all[0], &mut Since::default(), Duration::ZERO, || None).0, Verdict::Ok);
            assert_eq!(others(&all).0, Verdict::Degraded, "{flags}");
        }
        assert!(others(&nodes(WELL, "1|0|0|0|0|0|0")).1.contains("node 1 (10.0.0.2) is disconnected"));
        assert_eq!(others(&nodes("0|0|1|0|0|0|0", WELL)).0, Verdict::Ok);
    }

    #[test]
    fn an_address_that_nobody_serves_is_reported() {
        let served = |node| Served { address: "172.16.4.26".parse().unwrap(), node };
        assert_eq!(addresses(&[served(Some(0))], 0), (Verdict::Ok, "1 public addresses, here: 172.16.4.26".to_owned()));
        assert!(addresses(&[served(Some(1))], 0).1.ends_with("none here"));
        assert_eq!(addresses(&[served(None)], 0).0, Verdict::Degraded);
        assert_eq!(held(&[served(Some(1)), served(Some(0))], 0).count(), 1);
    }

    #[test]
    fn a_nodes_file_that_ctdbd_has_not_read_is_seen() {
        let all = nodes(WELL, WELL);
        let file = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(loaded(&file(&["10.0.0.1", "10.0.0.2"]), &all).0, Verdict::Ok);
        for other in [&["10.0.0.2", "10.0.0.1"][..], &["10.0.0.1"], &["10.0.0.1", "10.0.0.3"]] {
            assert_eq!(loaded(&file(other), &all).0, Verdict::Degraded, "{other:?}");
        }
    }

    #[test]
    fn the_check_that_failed_is_named() {
        let text = "00.ctdb              OK         0.002 Sat Nov 21 20:35:42 2026\n\
                    10.interface         ERROR      0.044 Sat Nov 21 20:35:42 2026\n\
                    \x20 OUTPUT: ERROR: No link on the public network interface lan0\n";
        let said = failed_check(text).unwrap();
        assert_eq!(said, "10.interface: ERROR: No link on the public network interface lan0");
        assert_eq!(failed_check("50.samba TIMEDOUT 30 x\n").as_deref(), Some("50.samba fails"));
        assert_eq!(failed_check("50.samba OK 0.4 x\n"), None);
        assert_eq!(failed_check(""), None);
    }
}
