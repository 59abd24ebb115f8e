//! Every situation that can occur, by name; and rules that hold in all that can be thought of.

use super::*;

const ME: &str = "osm1";
const PEER: &str = "osm2";

/// `-` none, `s7` source, `c7` copy, `p7` copy that lacks a folder, with a final `c` clean; `f8/6` source of a fork from 6.
fn stamp(text: &str, node: &str, other: &str) -> Option<Stamp> {
    let clean = text.len() > 2 && text.ends_with('c');
    let body = text.trim_end_matches('c');
    let number = |text: &str| text.parse::<u64>().ok();
    let found = match text.chars().next()? {
        's' => Stamp::source(number(&body[1..])?, node, None),
        'c' => Stamp::copy(number(&body[1..])?, other, false),
        'p' => Stamp { partial: true, ..Stamp::copy(number(&body[1..])?, other, false) },
        'f' => {
            let (epoch, base) = body[1..].split_once('/')?;
            Stamp::source(number(epoch)?, node, number(base))
        }
        _ => return None,
    };
    Some(Stamp { clean, ..found })
}

/// `-` absent, `?` unreadable, `7 osm1`, `8 osm2/6` a fork.
fn record(text: &str) -> Known {
    let Some((epoch, node)) = text.split_once(' ') else {
        return if text == "-" { Known::Absent } else { Known::Unreadable("no answer".into()) };
    };
    let (node, base) = node.split_once('/').map_or((node, None), |(node, base)| (node, base.parse().ok()));
    Known::Recorded(Record { epoch: epoch.parse().unwrap_or(0), node: node.into(), fork: base })
}

/// `x` is unreachable.
fn decide(recorded: &str, own: &str, peer: &str) -> Decision {
    let (own, theirs) = (stamp(own, ME, PEER), stamp(peer, PEER, ME));
    let peer = match peer {
        "x" => Peer::Unreachable,
        _ => Peer::Answers { node: PEER, stamp: theirs.as_ref() },
    };
    Situation { me: ME, record: &record(recorded), own: own.as_ref(), peer }.decide()
}

fn words(decision: &Decision) -> String {
    let epoch = decision.epoch;
    let even = if decision.even { " even" } else { "" };
    match &decision.act {
        Act::Continue { fork: None } => format!("continue {epoch}"),
        Act::Continue { fork: Some(base) } => format!("continue {epoch}/{base}"),
        Act::TakeOver => format!("take {epoch}{even}"),
        Act::Pull { or_fork: None } => format!("pull {epoch} or take"),
        Act::Pull { or_fork: Some(base) } => format!("pull {epoch} or fork {base}"),
        Act::Fork { base } => format!("fork {epoch}/{base}"),
    }
}

#[test]
fn each_situation_has_its_answer() {
    // What happened, the cluster's record, own stamp, the peer, what to do. This node is osm1.
    let table = [
        ("first start ever, peer there", "-", "-", "-", "take 1"),
        ("first start ever, peer not there yet", "-", "-", "x", "take 1"),
        ("first start, killed after the record", "1 osm1", "c0", "-", "continue 1"),
        ("the same, peer not there", "1 osm1", "c0", "x", "continue 1"),
        ("normal move: the other has flushed and said so", "7 osm2", "c7c", "s7c", "take 8 even"),
        ("normal move, the other node is switched off by now", "7 osm2", "c7c", "x", "take 8"),
        ("move, the flush did not get through", "7 osm2", "c7", "s7", "pull 8 or take"),
        ("crash of the other node and takeover", "7 osm2", "c7", "x", "take 8"),
        ("the other crashed in its first pass", "7 osm2", "c6", "x", "fork 8/6"),
        ("the same, and this was the node before it", "7 osm2", "s6c", "x", "fork 8/6"),
        ("the other crashed in its first pass and is back", "7 osm2", "s6", "s7", "pull 8 or fork 6"),
        ("return of the lost node, nobody else", "8 osm2", "s7", "x", "fork 9/7"),
        ("return of the lost node, the other is there", "8 osm2", "s7", "s8", "pull 9 or fork 7"),
        ("return of the lost node, all has arrived since", "8 osm2", "c8", "s8", "pull 9 or take"),
        ("both rebooted, the active one first", "7 osm1", "s7", "x", "continue 7"),
        ("both rebooted, the passive one first", "7 osm2", "c7", "x", "take 8"),
        ("both rebooted, both there", "7 osm1", "s7", "c7", "continue 7"),
        ("restart in place after a failure", "7 osm1", "s7", "c7", "continue 7"),
        ("restart in place, first pass not through", "7 osm1", "s7", "c6", "continue 7"),
        ("stop and start here: the peer may trust its copy", "7 osm1", "s7c", "c7c", "take 8 even"),
        ("the same, peer not there", "7 osm1", "s7c", "x", "take 8"),
        ("stop killed before the peer was told", "7 osm1", "s7c", "c7", "take 8"),
        ("peer told, own stamp not clean (an old disk)", "7 osm1", "s7", "c7c", "take 8"),
        ("killed between record and stamp, takeover", "8 osm1", "c7", "s7", "continue 8"),
        ("killed between record and stamp, peer away", "8 osm1", "c7c", "x", "continue 8"),
        ("killed between record and stamp, fork", "8 osm1/6", "c6", "x", "continue 8/6"),
        ("this node's disk is an old one", "8 osm1", "s5", "c8", "pull 9 or fork 5"),
        ("this node reinstalled, peer has its data", "7 osm1", "-", "c7", "pull 8 or fork 0"),
        ("this node reinstalled, peer active before", "7 osm2", "-", "s7", "pull 8 or fork 0"),
        ("this node reinstalled, peer away", "7 osm2", "-", "x", "fork 8/0"),
        ("this node reinstalled, it was the active one", "7 osm1", "-", "x", "fork 8/0"),
        ("peer reinstalled, it was the active one", "7 osm2", "c7", "-", "take 8"),
        ("peer reinstalled before its data got here", "7 osm2", "c6", "-", "take 8"),
        ("both reinstalled", "7 osm2", "-", "-", "take 8"),
        ("fork: restart in place, peer away", "9 osm1/6", "f9/6", "x", "continue 9/6"),
        ("fork: restart in place, newer peer is back", "9 osm1/6", "f9/6", "s7", "continue 9/6"),
        ("fork: the other node was reinstalled", "9 osm1/6", "f9/6", "-", "take 10"),
        ("fork: the other node has no more than we had", "9 osm1/6", "f9/6", "c6", "take 10"),
        ("fork, way out 1: accepted here", "10 osm1", "s10", "s7", "continue 10"),
        ("the same, killed before the stamp", "10 osm1", "f9/6", "s7", "continue 10"),
        ("fork, way out 2: started on the newer node", "9 osm2/6", "s7", "f9/6", "take 10"),
        ("the same, the fork is away", "9 osm2/6", "s7", "x", "take 10"),
        ("the same, the newer data are a copy", "9 osm2/6", "c7", "f9/6", "take 10"),
        ("the fork's node after that", "10 osm2", "f9/6", "s10", "pull 11 or fork 6"),
        ("the fork's node after that, alone", "10 osm2", "f9/6", "x", "fork 11/6"),
        ("fork of the other, this node has no more", "9 osm2/6", "c6", "f9/6", "pull 10 or fork 6"),
        ("fork of the other, this node has no more, alone", "9 osm2/6", "c6", "x", "fork 10/6"),
        ("record unreadable, own source, peer away", "?", "s7", "x", "continue 7"),
        ("record unreadable, own copy, peer away", "?", "c7", "x", "take 8"),
        ("record unreadable, peer went on", "?", "s7", "s8", "pull 9 or fork 7"),
        ("record unreadable, peer has a copy", "?", "s7", "c7", "continue 7"),
        ("record unreadable, fork", "?", "f9/6", "x", "continue 9/6"),
        ("record unreadable, peer serves a fork", "?", "s7", "f9/6", "take 10"),
        ("record unreadable, no stamp, peer away", "?", "-", "x", "fork 1/0"),
        ("record unreadable, first start", "?", "-", "-", "take 1"),
        ("cluster set up anew, data from before", "-", "s7", "c7", "continue 7"),
        ("cluster set up anew, data on the peer", "-", "-", "s7", "pull 8 or fork 0"),
        ("cluster configuration restored from last year", "3 osm2", "s7", "c7", "continue 7"),
        ("raised without the cluster, then lost", "7 osm1", "s7", "s8", "pull 9 or fork 7"),
        ("two sources in one epoch, the record's counts", "7 osm2", "s7", "s7", "pull 8 or fork 6"),
        ("two sources in one epoch, no record", "-", "s7", "s7", "take 8"),
        ("folder added, move: it is fetched first", "7 osm2", "p7c", "s7c", "pull 8 or fork 6"),
        ("folder added, peer away: that folder is nowhere", "7 osm2", "p7c", "x", "fork 8/6"),
        ("folder added, peer reinstalled: nobody has it", "7 osm2", "p7c", "-", "take 8"),
        ("folder added, neither cluster nor peer", "?", "p7c", "x", "fork 8/6"),
        ("folder added, restart in place", "7 osm1", "s7", "p7", "continue 7"),
        ("folder added, stop and start here: not even", "7 osm1", "s7c", "p7c", "take 8"),
        ("folder added, the peer's older copy is no better", "7 osm2", "p7", "c6", "take 8"),
        ("folder added after a kill between record and stamp", "8 osm1", "p7", "s7", "pull 9 or fork 6"),
        ("first start here, the other forked without the cluster", "1 osm1", "s1", "f1/0", "take 2"),
        ("cluster set up anew, no data here, peer away", "-", "-", "x", "take 1"),
        ("reinstalled, its own old copy is what the cluster knows, peer away", "7 osm2", "-", "x", "fork 8/0"),
    ];
    let wrong: Vec<_> = table
        .iter()
        .map(|(what, record, own, peer, wanted)| (what, words(&decide(record, own, peer)), wanted))
        .filter(|(_, got, wanted)| got != *wanted)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_not_mounted_is_held() {
    for (recorded, own, peer, wanted) in [
        ("7 osm1", "s7c", "c7c", "fork 8/7"),
        ("7 osm1", "s7", "x", "fork 8/7"),
        ("7 osm2", "c7c", "s7c", "fork 8/7"),
        ("8 osm2", "c7", "s8", "fork 9/6"),
        ("7 osm2", "c7", "s7", "fork 8/6"),
        ("7 osm2", "c7", "x", "fork 8/6"),
        ("8 osm1/7", "f8/7", "c7c", "continue 8/7"),
        ("8 osm1/7", "s7c", "c7c", "continue 8/7"),
        ("-", "-", "-", "fork 1/0"),
    ] {
        let (own, theirs) = (stamp(own, ME, PEER), stamp(peer, PEER, ME));
        let there = if peer == "x" { Peer::Unreachable } else { Peer::Answers { node: PEER, stamp: theirs.as_ref() } };
        let held = Situation { me: ME, record: &record(recorded), own: own.as_ref(), peer: there }.hold("no disk");
        assert_eq!(words(&held), wanted, "{recorded}, {own:?}, {peer}");
    }
    // With the disk back: nobody has anything newer.
    assert_eq!(words(&decide("8 osm1/7", "f8/7", "c7c")), "take 9");
    // The last changes are with the peer alone: a person decides, and a start there goes on with them.
    assert_eq!(words(&decide("8 osm1/6", "f8/6", "s7")), "continue 8/6");
    assert_eq!(words(&decide("8 osm2/6", "s7", "f8/6")), "take 9");
}

#[test]
fn who_is_newer_is_said() {
    assert_eq!(decide("8 osm2", "s7", "x").newer, Some(("osm2".to_owned(), 8)));
    assert_eq!(decide("9 osm1/6", "f9/6", "s7").newer, Some(("osm2".to_owned(), 7)));
    assert_eq!(decide("7 osm1", "-", "x").newer, None);
}

/// All records, own stamps and peers of three epochs, possible or not.
#[test]
fn the_rules_hold_everywhere() {
    let epochs = ["0", "1", "2", "3"];
    let records = epochs.iter().flat_map(|e| [format!("{e} osm1"), format!("{e} osm2")]);
    let forks = ["3 osm1/1", "3 osm2/1", "2 osm1/0", "2 osm2/1"].map(str::to_owned);
    let records: Vec<String> = records.chain(forks).chain(["-".to_owned(), "?".to_owned()]).collect();
    let stamps =
        epochs.iter().flat_map(|e| ["s", "c", "p"].map(|kind| [format!("{kind}{e}"), format!("{kind}{e}c")])).flatten();
    let forks = ["f3/1", "f2/0", "f3/2"].map(str::to_owned);
    let stamps: Vec<String> = stamps.chain(forks).chain(["-".to_owned()]).collect();
    let peers: Vec<String> = stamps.iter().cloned().chain(["x".to_owned()]).collect();
    for recorded in &records {
        for own in &stamps {
            peers.iter().for_each(|peer| holds(recorded, own, peer));
        }
    }
}

fn holds(recorded: &str, own: &str, peer: &str) {
    let decision = decide(recorded, own, peer);
    let case = format!("record {recorded}, own {own}, peer {peer}: {}", words(&decision));
    let numbers = [recorded.split([' ', '/']).next(), own.get(1..2), peer.get(1..2)];
    let top = numbers.into_iter().flatten().filter_map(|text| text.parse::<u64>().ok()).max().unwrap_or(0);
    // A new epoch is above all others.
    assert!(decision.epoch >= top, "{case}");
    assert!(decision.epoch > top || matches!(decision.act, Act::Continue { .. }), "{case}");
    let (mine, theirs) = (stamp(own, ME, PEER), stamp(peer, PEER, ME));
    let rank = |stamp: &Option<Stamp>| stamp.as_ref().map(Stamp::rank);
    // Newer data of a peer that can be asked are never pushed over. (Pushing on after a kill is no exception: the peer's
    // data were here, or fetched, before the record named this node.)
    let pushes = matches!(decision.act, Act::TakeOver | Act::Continue { fork: None });
    let raised_here = decision.act == Act::Continue { fork: None } && recorded.ends_with("osm1");
    assert!(!pushes || raised_here || rank(&theirs) <= rank(&mine), "{case}");
    // Only a peer that has data is pulled from, and only what is as new.
    if let Act::Pull { .. } = decision.act {
        assert!(theirs.is_some(), "{case}");
        assert!(rank(&theirs) >= rank(&mine).map(|rank| rank.saturating_sub(1)), "{case}");
    }
    // The peer is told that it has everything only when it does.
    assert!(!decision.even || rank(&mine) == rank(&theirs), "{case}");
    assert!(!decision.why.is_empty(), "{case}");
}
