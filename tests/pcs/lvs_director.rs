//! LVS directors: the services everywhere, the address where the most real servers are seen.

use super::{add_to_state, make_fatal};
use crate::trial::{Trial, summary, transition};
use std::process::Command;

pub const EXAMPLE: &str = "lvs-director";
const NODES: [&str; 3] = ["litsha21", "litsha22", "litsha23"];
pub const OURS: &[&str] = &["virtual_ip", "lvs_director:0", "lvs_director:1", "lvs_director:2", "lvs_director"];

/// Everything configured, and started with the address on litsha21.
fn started() -> Trial {
    let (trial, _) = Trial::configured(EXAMPLE);
    let text = trial.simulate("live.xml", &[], "up.xml");
    let started = summary(&text, OURS);
    assert!(started.contains(&"Start virtual_ip ( litsha21 )".to_owned()) && started.len() == 4, "{started:?}");
    trial
}

/// What a node has published: healthy real servers and routers reached; none: nothing yet.
type View = (Option<u32>, Option<u32>);

const ALL: View = (Some(12), Some(1));
const NOTHING: View = (None, None);

fn sees(count: u32) -> View {
    (Some(count), Some(1))
}

/// The configuration of `before` with what the nodes have published.
fn published(trial: &Trial, before: &str, views: [View; 3]) -> String {
    let mut text = trial.read(before);
    for (id, (healthy, reached)) in (1..).zip(views) {
        let mut pairs = String::new();
        for (name, value) in [("lvs_director-healthy", healthy), ("router-reached", reached)] {
            if let Some(value) = value {
                pairs += &format!("<nvpair id=\"{name}-{id}\" name=\"{name}\" value=\"{value}\"/>");
            }
        }
        let set = format!("<instance_attributes id=\"views-{id}\">{pairs}</instance_attributes>");
        add_to_state(&mut text, id, &format!("<transient_attributes id=\"{id}\">{set}</transient_attributes>"));
    }
    trial.write("published.xml", &text, 0o600);
    "published.xml".to_owned()
}

/// What happens then, with the address on litsha21 before.
fn happens(trial: &Trial, views: [View; 3]) -> Vec<String> {
    summary(&trial.simulate(&published(trial, "up.xml", views), &[], "after.xml"), OURS)
}

fn moved_to(node: &str) -> Vec<String> {
    vec![format!("Move virtual_ip ( litsha21 -> {node} )")]
}

#[test]
fn the_address_goes_where_most_real_servers_are_seen() {
    let trial = started();
    let starts = |views| {
        let text = trial.simulate(&published(&trial, "live.xml", views), &[], "after.xml");
        let lines = summary(&text, &["virtual_ip"]);
        assert_eq!(summary(&text, OURS).len(), 4, "{text}");
        lines.first().cloned().unwrap_or_default()
    };
    for (views, node) in [
        ([NOTHING; 3], "litsha21"),
        ([ALL; 3], "litsha21"),
        ([sees(0); 3], "litsha21"),
        ([ALL, NOTHING, NOTHING], "litsha21"),
        ([sees(10), ALL, sees(10)], "litsha22"),
        ([sees(10), sees(10), ALL], "litsha23"),
        ([sees(2), sees(4), sees(6)], "litsha23"),
        ([sees(2), sees(6), sees(4)], "litsha22"),
        ([sees(6), sees(4), sees(2)], "litsha21"),
        ([sees(0), sees(1), sees(0)], "litsha22"),
        // The router counts for more than servers do, if any is seen at all.
        ([(Some(12), Some(0)), sees(2), sees(4)], "litsha23"),
        ([(Some(12), Some(0)), sees(0), sees(0)], "litsha21"),
        ([(Some(12), Some(0)), (Some(12), Some(0)), sees(2)], "litsha23"),
    ] {
        assert_eq!(starts(views), format!("Start virtual_ip ( {node} )"), "{views:?}");
    }
}

#[test]
fn the_address_leaves_a_director_that_alone_is_blind() {
    let trial = started();
    let lost = (Some(12), Some(0));
    for (views, node) in [
        ([sees(0), ALL, sees(10)], "litsha22"),
        ([sees(0), sees(0), sees(1)], "litsha23"),
        ([sees(0), (Some(1), Some(0)), sees(0)], "litsha22"),
        ([sees(4), ALL, sees(10)], "litsha22"),
        ([lost, ALL, sees(2)], "litsha22"),
        ([lost, lost, sees(1)], "litsha23"),
    ] {
        assert_eq!(happens(&trial, views), moved_to(node), "{views:?}");
    }
    // And to nobody's harm: no director is stopped or restarted.
    trial.simulate(&published(&trial, "up.xml", [sees(0), ALL, sees(10)]), &[], "moved.xml");
    for views in [[ALL; 3], [sees(0); 3], [ALL, sees(8), sees(8)], [NOTHING; 3], [ALL, NOTHING, ALL]] {
        let text = trial.simulate(&seen_again(&trial, "moved.xml", views), &[], "after.xml");
        assert!(summary(&text, OURS).is_empty(), "it moves back by itself: {views:?} {text}");
    }
}

/// The same after the nodes have published something else.
fn seen_again(trial: &Trial, before: &str, views: [View; 3]) -> String {
    let mut text = trial.read(before);
    while let Some(at) = text.find("<transient_attributes") {
        let end = at + text[at..].find("</transient_attributes>").unwrap() + "</transient_attributes>".len();
        text.replace_range(at..end, "");
    }
    trial.write("silent.xml", &text, 0o600);
    published(trial, "silent.xml", views)
}

#[test]
fn what_all_lose_or_one_real_server_moves_nothing() {
    let trial = started();
    let lost = |count| (Some(count), Some(0));
    for views in [
        [ALL; 3],
        [sees(0); 3],
        [lost(12); 3],
        [lost(0); 3],
        [NOTHING; 3],
        [sees(10), ALL, ALL],
        [sees(6), ALL, ALL],
        [ALL, sees(0), sees(0)],
        // Who has not said anything yet neither loses the address nor takes it from one that sees enough.
        [NOTHING, ALL, ALL],
        [(None, Some(1)), ALL, ALL],
        [(Some(12), None), ALL, ALL],
        [ALL, NOTHING, NOTHING],
        [sees(8), NOTHING, NOTHING],
    ] {
        assert!(happens(&trial, views).is_empty(), "{views:?}: {:?}", happens(&trial, views));
    }
}

#[test]
fn the_only_director_left_serves_whatever_it_sees() {
    let trial = started();
    let others = ["--node-down", "litsha22", "--node-down", "litsha23", "--quorum", "1"];
    let first = ["--node-fail", "litsha21", "--node-down", "litsha22", "--quorum", "1"];
    for view in [ALL, sees(1), sees(0), (Some(0), Some(0)), (Some(12), Some(0)), NOTHING] {
        let text = trial.simulate(&published(&trial, "up.xml", [view; 3]), &others, "after.xml");
        assert!(summary(&text, &["virtual_ip"]).is_empty(), "{view:?}: {text}");
        let text = trial.simulate(&published(&trial, "up.xml", [view; 3]), &first, "after.xml");
        assert_eq!(summary(&text, &["virtual_ip"]), moved_to("litsha23"), "{view:?}: {text}");
    }
    // The counter-proof: with a negative score for a router that is not reached, nobody would serve.
    let up = trial.read("up.xml");
    let harsh = up.replacen(
        "operation=\"not_defined\" attribute=\"router-reached\"",
        "operation=\"lt\" attribute=\"router-reached\" type=\"integer\" value=\"1\"",
        1,
    );
    assert!(harsh != up && harsh.contains("score=\"3138\""));
    let harsh = harsh.replace("score=\"3138\"", "score=\"-999999\"");
    trial.write("harsh.xml", &harsh, 0o600);
    let blind = published(&trial, "harsh.xml", [(Some(0), Some(0)); 3]);
    let text = trial.simulate(&blind, &others, "after.xml");
    assert_eq!(summary(&text, &["virtual_ip"]), ["Stop virtual_ip ( litsha21 ) due to node availability"], "{text}");
}

#[test]
fn an_address_that_moves_touches_no_director_and_the_other_way_round() {
    let trial = started();
    let views = [ALL, ALL, sees(10)];
    let text = trial.simulate(&published(&trial, "up.xml", views), &["--node-fail", "litsha21"], "one.xml");
    assert!(text.contains("Fencing litsha21 (reboot)"), "{text}");
    let lines = summary(&text, OURS);
    assert!(lines.contains(&moved_to("litsha22")[0]), "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("litsha21")), "a director elsewhere is touched: {lines:?}");

    // The address is lost, and cannot be put back: it moves alone.
    let seen = published(&trial, "up.xml", views);
    let failed = ["--op-inject", "virtual_ip_monitor_10000@litsha21=7"];
    let text = trial.simulate(&seen, &failed, "monitor.xml");
    assert_eq!(summary(&text, OURS), ["Recover virtual_ip ( litsha21 )"]);
    let start = ["--op-fail", "virtual_ip_start_0@litsha21=1"];
    trial.simulate(&seen, &[failed, start].concat(), "start.xml");
    make_fatal(&trial, "start.xml", "virtual_ip");
    let text = trial.simulate("start.xml", &[], "after.xml");
    assert_eq!(summary(&text, OURS), ["Recover virtual_ip ( litsha21 -> litsha22 )"]);

    // A director fails where the address is, and elsewhere: it is restarted alone.
    for node in NODES {
        let failed = format!("lvs_director_monitor_10000@{node}=1");
        let text = trial.simulate("up.xml", &["--op-inject", &failed], "after.xml");
        let lines = summary(&text, OURS);
        assert!(lines.len() == 1 && lines[0].starts_with("Recover lvs_director"), "{node}: {lines:?}");
        assert!(transition(&text, "virtual_ip").is_empty(), "{text}");
    }
}

#[test]
fn the_table_is_there_before_the_address_and_after_it() {
    let trial = started();
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = squeezed(&trial.simulate("live.xml", &[], "after.xml"));
    let at = |text: &str, what: &str| text.find(what).unwrap_or_else(|| panic!("no {what}: {text}"));
    let address = at(&text, "action: virtual_ip start on litsha21");
    for node in NODES {
        let start = format!("start on {node} ");
        let words = |at: usize| text[..at].split(' ').rev().nth(1).unwrap_or_default();
        let mut starts = text.match_indices(&start).map(|(at, _)| at);
        assert!(starts.any(|at| at < address && words(at).starts_with("lvs_director")), "{node}: {text}");
    }
    let text = trial.read("up.xml");
    let standby = "<nvpair id=\"standby\" name=\"standby\" value=\"on\"/>";
    let set = format!(
        "<node id=\"1\" uname=\"litsha21\"><instance_attributes id=\"s\">{standby}</instance_attributes></node>"
    );
    let standby = text.replace("<node id=\"1\" uname=\"litsha21\"/>", &set);
    assert!(standby != text);
    trial.write("standby.xml", &standby, 0o600);
    let text = squeezed(&trial.simulate("standby.xml", &[], "after.xml"));
    let gone = at(&text, "virtual_ip stop on litsha21");
    assert!(gone < at(&text, "lvs_director stop on litsha21"), "{text}");
    assert!(text.contains("virtual_ip start on litsha2"), "{text}");
}

#[test]
fn directors_are_lost_and_return() {
    let trial = started();
    let seen = published(&trial, "up.xml", [ALL; 3]);
    let text = trial.simulate(&seen, &["--node-fail", "litsha22"], "other.xml");
    assert!(summary(&text, OURS).iter().all(|line| line.contains("( litsha22 )")), "{text}");
    let both = ["--node-fail", "litsha22", "--node-fail", "litsha23", "--quorum", "0"];
    let lines = summary(&trial.simulate(&seen, &both, "alone.xml"), OURS);
    assert!(lines.contains(&"Stop virtual_ip ( litsha21 ) due to no quorum".to_owned()), "{lines:?}");

    // One that returns has no history, and its table is built anew; the address stays.
    trial.simulate(&seen, &["--node-fail", "litsha21"], "one.xml");
    let mut forget = Command::new("cibadmin");
    let history = ["--delete", "--xpath", "//node_state[@uname='litsha21']/lrm"];
    assert!(forget.env("CIB_file", trial.path("one.xml")).args(history).status().unwrap().success());
    let text = trial.simulate("one.xml", &["--node-up", "litsha21"], "back.xml");
    let lines = summary(&text, OURS);
    assert!(lines.len() == 1 && lines[0].starts_with("Start lvs_director:"), "{text}");
    assert!(lines[0].contains("( litsha21 )") && transition(&text, "virtual_ip") == ["monitor on litsha21"], "{text}");
}

#[test]
fn a_director_that_fails_too_often_loses_the_address() {
    let trial = started();
    let mut before = published(&trial, "up.xml", [sees(10), ALL, sees(10)]);
    for failure in 1..=3 {
        let after = format!("failed{failure}.xml");
        let text = trial.simulate(&before, &["--op-inject", "lvs_director_monitor_10000@litsha21=1"], &after);
        let lines = summary(&text, &["virtual_ip"]);
        assert_eq!(lines, if failure < 3 { vec![] } else { moved_to("litsha22") }, "{failure}");
        before = after;
    }
}

/// The one thing that is needed: a director. Without one that runs, the address is nowhere.
#[test]
fn the_address_is_only_where_a_director_runs() {
    let trial = started();
    let failed = ["--op-inject", "lvs_director_monitor_10000@litsha21=1"];
    let start = ["--op-fail", "lvs_director_start_0@litsha21=5"];
    let views = [sees(10), ALL, sees(10)];
    trial.simulate(&published(&trial, "up.xml", views), &[failed, start].concat(), "start.xml");
    make_fatal(&trial, "start.xml", "lvs_director");
    let text = trial.simulate("start.xml", &[], "after.xml");
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        squeezed.contains("Clone Set: lvs_director-clone [lvs_director]: * Started: [ litsha22 litsha23 ]"),
        "{text}"
    );
    assert!(squeezed.contains("virtual_ip (ocf:heartbeat:IPaddr2): Started litsha22"), "{text}");
}
