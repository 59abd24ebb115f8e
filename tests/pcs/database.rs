//! The database, judged by vantage point: what each node sees of it decides where the services are.

use super::{EXAMPLE, MOVED, OURS, add_to_state, started, summary};
use crate::trial::Trial;

/// The configuration of `before` with what osm1 and osm2 see of the database; an empty text: nothing yet.
fn seen(trial: &Trial, before: &str, views: [&str; 2]) -> String {
    let mut text = trial.read(before);
    while let Some(at) = text.find("<nvpair id=\"view-") {
        let end = at + text[at..].find("/>").unwrap() + 2;
        text.replace_range(at..end, "");
    }
    for (id, view) in [1, 2].into_iter().zip(views).filter(|(_, view)| !view.is_empty()) {
        let pair = format!("<nvpair id=\"view-{id}\" name=\"session_manager-database\" value=\"{view}\"/>");
        let set = format!("<instance_attributes id=\"views-{id}\">");
        if let Some(at) = text.find(&set) {
            text.insert_str(at + set.len(), &pair);
            continue;
        }
        let attributes = format!("{set}{pair}</instance_attributes>");
        add_to_state(&mut text, id, &format!("<transient_attributes id=\"{id}\">{attributes}</transient_attributes>"));
    }
    trial.write("seen.xml", &text, 0o600);
    "seen.xml".to_owned()
}

#[test]
fn the_services_go_to_the_node_that_sees_the_database_and_stay_when_none_does() {
    let trial = started(EXAMPLE);
    let happens = |before: &str, views| summary(&trial.simulate(&seen(&trial, before, views), &[], "after.xml"), OURS);
    // The active node is osm1.
    for views in [["ok", "ok"], ["ok", "lost"], ["ok", ""], ["lost", "lost"], ["lost", ""], ["", "lost"], ["", ""]] {
        assert!(happens("up.xml", views).is_empty(), "{views:?}: {:?}", happens("up.xml", views));
    }
    // A node that has just started the services says nothing yet: no reason to take them away at once.
    assert!(happens("up.xml", ["", "ok"]).is_empty());

    assert_eq!(happens("up.xml", ["lost", "ok"]), MOVED);
    std::fs::rename(trial.path("after.xml"), trial.path("moved.xml")).unwrap();
    // Nothing moves back by itself.
    for views in [["ok", "ok"], ["lost", "lost"], ["", "ok"], ["", ""], ["lost", "ok"], ["lost", ""]] {
        assert!(happens("moved.xml", views).is_empty(), "{views:?}");
    }
}

/// What no node sees stops nothing, and keeps nothing from starting.
#[test]
fn the_services_start_and_take_over_whatever_is_seen() {
    let trial = started(EXAMPLE);
    for views in [["lost", "lost"], ["lost", ""], ["", ""]] {
        let text = trial.simulate(&seen(&trial, "live.xml", views), &[], "after.xml");
        assert!(summary(&text, OURS).iter().all(|line| line.starts_with("Start")), "{text}");
        assert_eq!(summary(&text, OURS).len(), OURS.len(), "{views:?}: {text}");
    }
    for views in [["ok", "lost"], ["lost", "lost"], ["", ""]] {
        let text = trial.simulate(&seen(&trial, "up.xml", views), &["--node-fail", "osm1.priv"], "after.xml");
        assert_eq!(summary(&text, OURS), MOVED, "{views:?}");
    }
}

/// The counter-proof: had nodes that do not see it a negative score, a database that is down would stop everything.
#[test]
fn a_negative_score_would_stop_what_runs() {
    let trial = started(EXAMPLE);
    let eq = "operation=\"eq\" attribute=\"session_manager-database\"";
    let live = trial.read("up.xml");
    let ne = live.replace(eq, &eq.replace("eq\"", "ne\"")).replace("score=\"2510\"", "score=\"-2510\"");
    assert!(ne != live);
    trial.write("ne.xml", &ne, 0o600);
    let text = trial.simulate(&seen(&trial, "ne.xml", ["lost", "lost"]), &[], "after.xml");
    assert!(summary(&text, OURS).len() == OURS.len() && summary(&text, OURS)[0].starts_with("Stop"), "{text}");
}

/// Any stickiness but one that nothing outweighs.
#[test]
fn the_scores_go_with_the_stickiness() {
    let trial = started(EXAMPLE);
    let live = trial.read("up.xml");
    for (stickiness, top, moves) in
        [(0, 12, true), (1, 14, true), (100, 260, true), (399_995, 999_997, true), (1_000_000, 999_999, false)]
    {
        let text = live
            .replace(
                "name=\"resource-stickiness\" value=\"1000\"",
                &format!("name=\"resource-stickiness\" value=\"{stickiness}\""),
            )
            .replace("score=\"2510\"", &format!("score=\"{top}\""))
            .replace("score=\"1255\"", &format!("score=\"{}\"", top / 2));
        assert!(text != live);
        trial.write("sticky.xml", &text, 0o600);
        let happens = |views| summary(&trial.simulate(&seen(&trial, "sticky.xml", views), &[], "after.xml"), OURS);
        assert_eq!(!happens(["lost", "ok"]).is_empty(), moves, "{stickiness}");
        for views in [["lost", "lost"], ["ok", "ok"], ["ok", ""], ["ok", "lost"]] {
            assert!(happens(views).is_empty(), "{stickiness} {views:?}");
        }
        if stickiness >= 10 {
            assert!(happens(["lost", ""]).is_empty() && happens(["", "ok"]).is_empty(), "{stickiness}");
        }
    }
}
