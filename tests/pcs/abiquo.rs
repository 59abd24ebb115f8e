//! Abiquo's Remote Services: a group, and what makes it leave a node.

use super::add_to_state;
use crate::trial::{Trial, summary};

const EXAMPLE: &str = "abiquo-remote-services";
const MEMBERS: &[&str] = &["vm_repository", "virtual_ip", "abiquo_rs"];

/// Everything configured, and started on rsha1.
fn started() -> Trial {
    let trial = Trial::configured_at_once(EXAMPLE);
    let text = trial.simulate("live.xml", &[], "up.xml");
    assert_eq!(summary(&text, MEMBERS), lines("Start", "( rsha1 )"), "{text}");
    trial
}

fn lines(what: &str, place: &str) -> Vec<String> {
    MEMBERS.iter().map(|id| format!("{what} {id} {place}")).collect()
}

/// What a node has published: its view of the dependencies, and routers reached; none: nothing yet.
type View = (Option<&'static str>, Option<u32>);

const ALL: View = (Some("ok"), Some(1));
const NOTHING: View = (None, None);
const LOST: View = (Some("lost"), Some(1));
const BLIND: View = (Some("ok"), Some(0));

/// What happens when the nodes have published this, with everything on rsha1 before.
fn happens(trial: &Trial, before: &str, views: [View; 2]) -> Vec<String> {
    let mut text = trial.read(before);
    for (id, (dependencies, reached)) in (1..).zip(views) {
        let mut pairs = String::new();
        let dependencies = dependencies.map(|value| ("abiquo_rs-dependencies", value.to_owned()));
        let reached = reached.map(|value| ("router-reached", value.to_string()));
        for (name, value) in [dependencies, reached].into_iter().flatten() {
            pairs += &format!("<nvpair id=\"{name}-{id}\" name=\"{name}\" value=\"{value}\"/>");
        }
        let set = format!("<instance_attributes id=\"views-{id}\">{pairs}</instance_attributes>");
        add_to_state(&mut text, id, &format!("<transient_attributes id=\"{id}\">{set}</transient_attributes>"));
    }
    trial.write("published.xml", &text, 0o600);
    summary(&trial.simulate("published.xml", &[], "after.xml"), MEMBERS)
}

#[test]
fn the_group_leaves_a_node_that_alone_has_lost_something() {
    let trial = started();
    let moved = lines("Move", "( rsha1 -> rsha2 )");
    for views in [[LOST, ALL], [BLIND, ALL], [(Some("lost"), Some(0)), ALL], [BLIND, LOST]] {
        assert_eq!(happens(&trial, "up.xml", views), moved, "{views:?}");
    }
}

#[test]
fn what_both_have_lost_moves_nothing() {
    let trial = started();
    let stays: [[View; 2]; 9] = [
        [ALL, ALL],
        [NOTHING, NOTHING],
        [LOST, LOST],
        [BLIND, BLIND],
        [ALL, NOTHING],
        [NOTHING, ALL],
        [LOST, NOTHING],
        [ALL, LOST],
        [LOST, BLIND],
    ];
    for views in stays {
        assert_eq!(happens(&trial, "up.xml", views), Vec::<String>::new(), "{views:?}");
    }
}

/// What becomes of the group when every start of a resource failed on both nodes so long ago.
fn after_failed_starts(trial: &Trial, resource: &str, minutes: u64) -> Vec<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let pairs = [("fail-count", "INFINITY".to_owned()), ("last-failure", (now - minutes * 60).to_string())];
    let mut text = trial.read("up.xml");
    for id in [1, 2] {
        let nvpair = |(name, value): &(&str, String)| {
            format!("<nvpair id=\"{name}-{id}\" name=\"{name}-{resource}#start_0\" value=\"{value}\"/>")
        };
        let pairs: String = pairs.iter().map(nvpair).collect();
        let set = format!("<instance_attributes id=\"failures-{id}\">{pairs}</instance_attributes>");
        add_to_state(&mut text, id, &format!("<transient_attributes id=\"{id}\">{set}</transient_attributes>"));
    }
    trial.write("failed.xml", &text, 0o600);
    summary(&trial.simulate("failed.xml", &[], "after.xml"), MEMBERS)
}

/// A server that is gone for everybody makes the starts fail on both nodes, which bans the group until that is forgotten.
#[test]
fn a_start_that_failed_everywhere_is_tried_again_after_ten_minutes() {
    let trial = started();
    for id in MEMBERS {
        let soon = after_failed_starts(&trial, id, 8);
        assert!(soon.iter().any(|line| line.starts_with(&format!("Stop {id}"))), "{id}: {soon:?}");
        assert_eq!(after_failed_starts(&trial, id, 12), Vec::<String>::new(), "{id}");
    }
}

#[test]
fn two_nodes_are_done_right() {
    let trial = started();
    let live = trial.read("live.xml");
    assert!(
        live.contains("name=\"stonith-enabled\" value=\"true\"") && live.contains("no-quorum-policy\" value=\"stop\"")
    );
    assert!(live.contains("name=\"pcmk_delay_base\" value=\"5s\""), "{live}");
    // The guide's colocation with the ping clone is not there: it never looks at what the clone finds.
    assert!(!live.contains("<rsc_colocation"), "{live}");
    let order: Vec<usize> = MEMBERS.iter().map(|id| live.find(&format!("<primitive id=\"{id}\"")).unwrap()).collect();
    assert!(order.is_sorted(), "{live}");
}

#[test]
fn a_group_that_others_have_arranged_is_named() {
    let trial = Trial::configured_at_once(EXAMPLE);
    let script = trial.script(&[]);
    let line = [
        "pcs",
        "-f",
        "live.xml",
        "resource",
        "group",
        "add",
        "remote_services",
        "vm_repository",
        "--after",
        "abiquo_rs",
    ];
    let output = trial.enter(&line);
    assert!(output.status.success(), "{output:?}");
    let output = trial.run(&script, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("pcs resource ungroup remote_services first"), "{output:?}");
}
