//! LVS directors: the services everywhere, the address where the most real servers are seen.

use super::{add_to_state, check_as_bash, make_fatal};
use crate::trial::{Trial, summary, transition};
use std::process::Command;
use std::sync::OnceLock;

const EXAMPLE: &str = "lvs-director";
const NODES: [&str; 3] = ["litsha21", "litsha22", "litsha23"];
const OURS: &[&str] = &["virtual_ip", "lvs_director:0", "lvs_director:1", "lvs_director:2", "lvs_director"];

/// Everything configured, and started with the address on litsha21.
fn started() -> Trial {
    static CONFIGURED: OnceLock<String> = OnceLock::new();
    let trial = Trial::new(EXAMPLE);
    let live = CONFIGURED.get_or_init(|| {
        trial.apply(&trial.script(&[]));
        trial.read("live.xml")
    });
    trial.write("live.xml", live, 0o600);
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
fn a_second_run_changes_nothing_and_repairs_what_others_changed() {
    let trial = Trial::new(EXAMPLE);
    let script = trial.script(&[]);
    let output = trial.apply(&script);
    assert!(output.contains("ip route replace default via 192.168.71.205\n"), "{output}");
    let first = trial.read("live.xml");
    let verify = Command::new("crm_verify").arg("-x").arg(trial.path("live.xml")).output().unwrap();
    assert!(verify.status.success(), "{verify:?}");
    let again = trial.apply(&script);
    assert!(again.contains("configured like this already") && !again.contains("    pcs"), "{again}");
    assert_eq!(trial.read("live.xml"), first);

    // Another number of instances and another preference are put right; what is drained stays so.
    for command in [
        &["resource", "meta", "lvs_director-clone", "clone-max=1", "interleave=false"][..],
        &["resource", "update", "lvs_director", "drained=192.168.71.150", "scheduler=wlc"],
        &["constraint", "remove", "location-virtual_ip-lvs_director-healthy-6"],
    ] {
        let output = trial.enter(&[&["pcs", "-f", "live.xml"], command].concat());
        assert!(output.status.success(), "{output:?}");
    }
    let edited = trial.read("live.xml").replace("node=\"litsha21\" score=\"200\"", "node=\"litsha21\" score=\"5\"");
    trial.write("live.xml", &edited, 0o600);
    let output = trial.apply(&script);
    let live = trial.read("live.xml");
    assert!(!live.contains("clone-max") && live.contains("name=\"interleave\" value=\"true\""), "{live}");
    assert!(live.contains("name=\"drained\" value=\"192.168.71.150\""), "{live}");
    assert!(live.contains("name=\"scheduler\" value=\"rr\""), "{live}");
    assert!(live.contains("location-virtual_ip-lvs_director-healthy-6-rule\" score=\"241\""), "{live}");
    assert!(live.contains("node=\"litsha21\" score=\"200\""), "{live}");
    assert_eq!(output.matches("    pcs").count(), 5, "{output}");
    assert!(trial.apply(&script).contains("configured like this already"));
}

#[test]
fn an_edited_scenario_changes_the_rules() {
    let mut trial = Trial::new(EXAMPLE);
    trial.apply(&trial.script(&[]));
    // A director less on the list of those that may run, one port less, no router any more.
    trial.scenario = trial.scenario.replace("[router]\naddress = \"192.168.71.1\"\n", "");
    let edits =
        [("ports = \"80 443\"", "ports = 80"), ("litsha23\"\nrole = \"director\"", "litsha23\"\nrole = \"quorum\"")];
    let script = trial.script(&edits);
    let output = trial.apply(&script);
    let live = trial.read("live.xml");
    for number in [1, 2, 3, 4, 5, 6, 8, 12] {
        let there = live.contains(&format!("location-virtual_ip-lvs_director-healthy-{number}\""));
        assert_eq!(there, number <= 6, "{number}: {live}");
    }
    for resource in ["lvs_director-clone", "virtual_ip"] {
        assert!(live.contains(&format!("location-{resource}-litsha23-never")), "{resource}: {live}");
    }
    assert!(!live.contains("router-reached-"), "{live}");
    assert!(
        output.contains("left as it is: router-clone (to remove it: pcs resource unclone router-clone)"),
        "{output}"
    );
    let again = trial.apply(&script);
    assert!(again.contains("nothing to push") && !again.contains("    pcs"), "{again}");
    // Nothing runs on a node that only votes, nor is looked for there.
    let text = trial.simulate("live.xml", &[], "up.xml");
    assert!(summary(&text, OURS).iter().all(|line| !line.contains("litsha23")), "{text}");
    let looked = ["virtual_ip", "lvs_director:0", "lvs_director"].map(|id| transition(&text, id)).concat();
    assert!(looked.iter().all(|line| !line.contains("litsha23")), "{looked:?}");
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

#[test]
fn a_farm_in_a_file_and_other_ways_of_forwarding() {
    let trial = Trial::new(EXAMPLE);
    let (head, rest) = trial.scenario.split_once("[lvs_director]").unwrap();
    let (_, tail) = rest.split_once("[failover]").unwrap();
    let with = |section: &str| trial.script_for(&format!("{head}[lvs_director]\n{section}\n[failover]{tail}"));
    let file = with("config = \"/etc/inuvika-ha/lvs.toml\"");
    assert!(file.contains(" virtual_ip= ports= ") && file.contains("config=/etc/inuvika-ha/lvs.toml"), "{file}");
    let steps: Vec<_> = file.lines().filter(|line| line.contains("lvs_director-healthy gte integer ")).collect();
    assert_eq!(steps.len(), 9, "{steps:?}");
    assert!(steps[8].ends_with(" 256") && file.contains("say '    tun:'\n"), "{file}");
    let simple =
        |way: &str| with(&format!("ports = 80\nreal_servers = \"192.168.71.220-225\"\nforwarding = \"{way}\""));
    let dr = simple("dr");
    assert!(dr.contains("arp_ignore=1") && dr.contains("ip address add 192.168.71.205/32 dev lo'\n"), "{dr}");
    assert!(!dr.contains("default via") && !dr.contains("tunl0"));
    let tun = simple("tun");
    assert!(tun.contains("ip address add 192.168.71.205/32 dev tunl0'\n") && tun.contains("rp_filter=0"), "{tun}");
    let far = with("ports = 80\nreal_servers = \"10.0.0.5\"");
    assert!(far.contains("10.0.0.5 is not in 192.168.71.0/24"), "{far}");
    for (script, name) in [(file, "file.sh"), (dr, "dr.sh"), (tun, "tun.sh"), (far, "far.sh")] {
        trial.write(name, &script, 0o755);
        check_as_bash(&trial.path(name));
    }
}
