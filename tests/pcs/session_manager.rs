//! What the cluster does when the Session Manager fails, or runs twice.

use super::{EXAMPLE, MOVED, OURS, make_fatal, started, summary};
use crate::trial::{Trial, transition};

/// What is done to a resource after `events`, as `ACTION on NODE`.
fn done(trial: &Trial, before: &str, events: &[&str], resource: &str) -> Vec<String> {
    transition(&trial.simulate(before, events, "after.xml"), resource)
}

#[test]
fn it_recovers_in_place_until_it_has_failed_too_often() {
    let trial = started(EXAMPLE);
    let failed = ["--op-inject", "session_manager_monitor_3000@osm1.priv=1"];
    for (before, after) in [("up.xml", "one.xml"), ("one.xml", "two.xml")] {
        let text = trial.simulate(before, &failed, after);
        assert_eq!(summary(&text, OURS), ["Recover session_manager ( osm1.priv )"], "{before}");
        for other in ["virtual_ip", "lsyncd", "vip_src"] {
            assert!(transition(&text, other).is_empty(), "{text}");
        }
    }
    let text = trial.simulate("two.xml", &failed, "three.xml");
    assert_eq!(
        summary(&text, OURS),
        [MOVED[0], "Recover session_manager ( osm1.priv -> osm2.priv )", MOVED[2], MOVED[3]],
        "migration-threshold"
    );
    // The passive node is not asked any more when it becomes the active one, and the other way round.
    let done = transition(&text, "session_manager");
    assert!(done.contains(&"cancel=12000 on osm2.priv".into()), "{done:?}");
    assert!(done.contains(&"monitor=12000 on osm1.priv".into()), "{done:?}");
}

#[test]
fn a_start_that_fails_moves_everything() {
    let trial = started(EXAMPLE);
    let lost = ["--op-inject", "session_manager_monitor_3000@osm1.priv=7"];
    let start = ["--op-fail", "session_manager_start_0@osm1.priv=1"];
    trial.simulate("up.xml", &[lost, start].concat(), "start.xml");
    make_fatal(&trial, "start.xml", "session_manager");
    let text = trial.simulate("start.xml", &[], "moved.xml");
    let moved = [MOVED[0], "Recover session_manager ( osm1.priv -> osm2.priv )", MOVED[2], MOVED[3]];
    assert_eq!(summary(&text, OURS), moved);
}

#[test]
fn a_second_one_is_stopped_and_the_active_one_is_left_alone() {
    let trial = started(EXAMPLE);
    for found in ["session_manager_monitor_0@osm2.priv=0", "session_manager_monitor_12000@osm2.priv=0"] {
        let done = done(&trial, "up.xml", &["--op-inject", found], "session_manager");
        assert!(done.contains(&"stop on osm2.priv".into()), "{done:?}");
        assert!(!done.iter().any(|action| action == "stop on osm1.priv" || action.starts_with("start on")), "{done:?}");
    }
    // Both probes of a cluster that starts find one.
    let both = ["--op-inject", "session_manager_monitor_0@osm1.priv=0"];
    let other = ["--op-inject", "session_manager_monitor_0@osm2.priv=0"];
    let text = trial.simulate("live.xml", &[both, other].concat(), "after.xml");
    let stopped = transition(&text, "session_manager");
    let stopped: Vec<_> =
        stopped.iter().filter(|action| action.starts_with("stop") || action.starts_with("start")).collect();
    assert_eq!(stopped, ["stop on osm2.priv"], "{text}");

    // The counter-proof: Pacemaker's default restarts the active one as well.
    trial.write("default.xml", &trial.read("up.xml").replace("stop_unexpected", "stop_start"), 0o600);
    let done = done(&trial, "default.xml", &other, "session_manager");
    assert!(done.contains(&"stop on osm1.priv".into()) && done.contains(&"start on osm1.priv".into()), "{done:?}");
}

/// A node that is too slow for its monitor while it only waits may still take over.
#[test]
fn a_passive_monitor_that_fails_bans_nothing() {
    let trial = started(EXAMPLE);
    let hangs = ["--op-inject", "session_manager_monitor_12000@osm2.priv=1"];
    let takes_over = |live: &str| {
        trial.write("0.xml", live, 0o600);
        for (before, after) in [("0.xml", "1.xml"), ("1.xml", "2.xml"), ("2.xml", "3.xml")] {
            trial.simulate(before, &hangs, after);
        }
        summary(&trial.simulate("3.xml", &["--node-fail", "osm1.priv"], "after.xml"), OURS)
    };
    let live = trial.read("up.xml");
    assert_eq!(takes_over(&live), MOVED);
    // The counter-proof: the default counts it.
    let counted = live.replace(" on-fail=\"ignore\"", "");
    assert!(counted != live && takes_over(&counted)[1].starts_with("Stop session_manager"));
}

/// Why every node needs the agent: the nodes that only vote are asked, although resource-discovery=never.
#[test]
fn every_node_is_asked_for_it() {
    for (example, passive) in [
        (EXAMPLE, &["osm2.priv", "pcs3.priv"][..]),
        ("ovd-session-manager-guide", &["osm2.priv", "pcs3.priv", "pcs4.priv"]),
    ] {
        let trial = started(example);
        let mut asked = done(&trial, "live.xml", &[], "session_manager");
        asked.retain(|action| action.starts_with("monitor=12000 "));
        asked.sort();
        assert_eq!(asked, passive.iter().map(|node| format!("monitor=12000 on {node}")).collect::<Vec<_>>());
        // "Not installed" is taken for running there.
        let done =
            done(&trial, "up.xml", &["--op-inject", "session_manager_monitor_12000@pcs3.priv=5"], "session_manager");
        assert!(done.contains(&"stop on pcs3.priv".into()), "{done:?}");
    }
}
