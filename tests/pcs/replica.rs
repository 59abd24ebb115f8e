//! The copies of the data: which node serves what, and that lsyncd itself moves nothing.

use super::{EXAMPLE, MOVED, OURS, add_to_state, make_fatal, started, summary};
use crate::trial::{Trial, transition};

/// The configuration of `before` with how good the copies of osm1 and osm2 are, and what each sees of the database; an empty
/// text: nothing is known.
fn known(trial: &Trial, before: &str, copies: [&str; 2], views: [&str; 2]) -> String {
    let mut text = trial.read(before);
    for (id, node) in [(1, "osm1.priv"), (2, "osm2.priv")] {
        let set = |kind: &str, name: &str, value: &str| {
            let pair = format!("<nvpair id=\"{kind}-{id}-pair\" name=\"{name}\" value=\"{value}\"/>");
            format!("<instance_attributes id=\"{kind}-{id}\">{pair}</instance_attributes>")
        };
        let copy = copies[id - 1];
        let empty = format!("<node id=\"{id}\" uname=\"{node}\"/>");
        assert!(text.contains(&empty), "{text}");
        if !copy.is_empty() {
            let full = format!("<node id=\"{id}\" uname=\"{node}\">{}</node>", set("copy", "lsyncd-replica", copy));
            text = text.replace(&empty, &full);
        }
        let view = views[id - 1];
        if !view.is_empty() {
            let set = set("view", "session_manager-database", view);
            add_to_state(&mut text, id, &format!("<transient_attributes id=\"{id}\">{set}</transient_attributes>"));
        }
    }
    trial.write("known.xml", &text, 0o600);
    "known.xml".to_owned()
}

const WELL: [&str; 2] = ["ok", "ok"];

/// What Pacemaker does when that is known while osm1 runs everything.
fn happens(trial: &Trial, copies: [&str; 2], views: [&str; 2]) -> Vec<String> {
    summary(&trial.simulate(&known(trial, "up.xml", copies, views), &[], "after.xml"), OURS)
}

#[test]
fn a_copy_moves_nothing_that_runs() {
    let trial = started(EXAMPLE);
    for views in [WELL, ["lost", "lost"], ["", ""], ["lost", ""], ["", "ok"]] {
        for copies in [["ok", "ok"], ["ok", "stale"], ["ok", "never"], ["stale", "ok"], ["", "ok"], ["stale", ""]] {
            let moved = happens(&trial, copies, views);
            assert!(moved.is_empty(), "{copies:?} {views:?}: {moved:?}");
        }
    }
}

#[test]
fn a_database_lost_by_the_active_node_alone_moves_everything_to_an_old_copy_too() {
    let trial = started(EXAMPLE);
    for copies in [["ok", "ok"], ["ok", "stale"], ["ok", ""], ["", ""]] {
        assert_eq!(happens(&trial, copies, ["lost", "ok"]), MOVED, "{copies:?}");
    }
    // To none at all: never.
    assert!(happens(&trial, ["ok", "never"], ["lost", "ok"]).is_empty());
}

/// Where a cluster starts that was off as a whole.
#[test]
fn a_whole_copy_comes_before_the_first_node() {
    let trial = started(EXAMPLE);
    for (copies, views, node) in [
        (["", ""], ["", ""], "osm1.priv"),
        (["ok", "ok"], ["", ""], "osm1.priv"),
        (["stale", "ok"], ["", ""], "osm2.priv"),
        (["never", "ok"], ["", ""], "osm2.priv"),
        (["never", "stale"], ["", ""], "osm2.priv"),
        (["ok", "never"], ["", ""], "osm1.priv"),
        (["stale", "ok"], WELL, "osm2.priv"),
        // The database counts for more: without it there is nothing to serve.
        (["stale", "ok"], ["ok", "lost"], "osm1.priv"),
    ] {
        let text = trial.simulate(&known(&trial, "live.xml", copies, views), &[], "after.xml");
        let expected: Vec<_> = OURS.iter().map(|id| format!("Start {id} ( {node} )")).collect();
        assert_eq!(summary(&text, OURS), expected, "{copies:?} {views:?}");
    }
}

#[test]
fn the_only_survivor_serves_unless_it_never_had_a_copy() {
    let trial = started(EXAMPLE);
    let survives = |copies| {
        let text = trial.simulate(&known(&trial, "up.xml", copies, WELL), &["--node-fail", "osm1.priv"], "after.xml");
        summary(&text, OURS)
    };
    for copy in ["ok", "stale", ""] {
        assert_eq!(survives(["ok", copy]), MOVED, "{copy}");
    }
    let stopped = survives(["ok", "never"]);
    assert!(stopped.len() == OURS.len() && stopped.iter().all(|line| line.starts_with("Stop")), "{stopped:?}");
}

#[test]
fn the_session_manager_starts_after_it_and_stops_before_it() {
    let trial = started(EXAMPLE);
    let text = trial.simulate("up.xml", &["--node-fail", "pcs3.priv"], "after.xml");
    assert!(summary(&text, OURS).is_empty(), "{text}");
    let prefer = "rsc=\"virtual_ip\" node=\"osm1.priv\" score=\"1\"";
    let moved = trial.read("up.xml").replace(prefer, "rsc=\"virtual_ip\" node=\"osm2.priv\" score=\"INFINITY\"");
    trial.write("moved.xml", &moved, 0o600);
    let text = trial.simulate("moved.xml", &[], "after.xml");
    assert_eq!(summary(&text, OURS), MOVED);
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let at = |what: &str| squeezed.find(what).unwrap_or_else(|| panic!("no {what}: {text}"));
    let order = [
        "session_manager stop on osm1.priv",
        "lsyncd stop on osm1.priv",
        "virtual_ip stop on osm1.priv",
        "virtual_ip start on osm2.priv",
        "lsyncd start on osm2.priv",
        "session_manager start on osm2.priv",
    ];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{squeezed}");
}

/// However it fails, the Session Manager is neither moved nor restarted.
#[test]
fn a_failure_of_it_touches_nothing_else() {
    let trial = started(EXAMPLE);
    let failed = ["--op-inject", "lsyncd_monitor_5000@osm1.priv=1"];
    let mut before = "up.xml".to_owned();
    for loss in 1..=4 {
        let after = format!("loss{loss}.xml");
        let text = trial.simulate(&before, &failed, &after);
        assert_eq!(summary(&text, OURS), ["Recover lsyncd ( osm1.priv )"], "loss {loss}");
        let restarted: Vec<_> = transition(&text, "session_manager");
        assert!(restarted.is_empty(), "{restarted:?}");
        before = after;
    }
    let start = ["--op-fail", "lsyncd_start_0@osm1.priv=1"];
    trial.simulate("up.xml", &[failed, start].concat(), "start.xml");
    make_fatal(&trial, "start.xml", "lsyncd");
    let text = trial.simulate("start.xml", &[], "stopped.xml");
    assert_eq!(summary(&text, OURS), ["Stop lsyncd ( osm1.priv ) due to node availability"]);

    // The counter-proofs: critical=true would have moved everything, and a mandatory order restarts the web server.
    let critical = trial.read("start.xml");
    let at = critical.find("<primitive id=\"lsyncd\"").unwrap();
    let critical = format!("{}{}", &critical[..at], critical[at..].replacen("value=\"false\"", "value=\"true\"", 1));
    trial.write("critical.xml", &critical, 0o600);
    let text = trial.simulate("critical.xml", &[], "moved.xml");
    assert!(summary(&text, OURS)[0].starts_with("Move virtual_ip"), "{text}");
    let order = "first=\"lsyncd\" then=\"session_manager\" kind=\"";
    let up = trial.read("up.xml");
    let mandatory = up.replace(&format!("{order}Optional"), &format!("{order}Mandatory"));
    assert!(mandatory != up, "{up}");
    trial.write("mandatory.xml", &mandatory, 0o600);
    let text = trial.simulate("mandatory.xml", &failed, "after.xml");
    assert!(summary(&text, OURS).iter().any(|line| line.starts_with("Restart session_manager")), "{text}");
}

/// A start that fails on the node that takes over: the Session Manager starts there all the same.
#[test]
fn somebody_serves_when_it_cannot_start() {
    let trial = started(EXAMPLE);
    let lost = ["--node-fail", "osm1.priv", "--op-fail", "lsyncd_start_0@osm2.priv=5"];
    trial.simulate("up.xml", &lost, "half.xml");
    make_fatal(&trial, "half.xml", "lsyncd");
    let text = trial.simulate("half.xml", &[], "after.xml");
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed.contains("session_manager (ocf:inuvika:ovd-osm): Started osm2.priv"), "{text}");
    assert!(squeezed.contains("virtual_ip (ocf:heartbeat:IPaddr2): Started osm2.priv"), "{text}");
}
