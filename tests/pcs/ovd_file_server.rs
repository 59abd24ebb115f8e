//! OVD File Servers: volumes, CTDB and ovd-slaveserver on every one, and what a fault of one of them does to the others.

use super::add_to_state;
use crate::trial::{Trial, summary, without_units};
use std::process::Command;
use std::sync::OnceLock;

const EXAMPLE: &str = "ovd-file-server";
const NODES: [&str; 2] = ["ofs1", "ofs2"];
const SERVICES: [&str; 4] = ["ctdb_volume", "data_volume", "ofs_ctdb", "ovd_slaveserver"];

/// The resources by the names that crm_simulate has for them, instances with and without their number.
fn ours() -> Vec<String> {
    let named = SERVICES.iter().flat_map(|id| [(*id).to_owned(), format!("{id}:0"), format!("{id}:1")]);
    named.chain(["virtual_ip".to_owned()]).collect()
}

/// The lines of a summary about ours.
fn happens(text: &str) -> Vec<String> {
    summary(text, &ours().iter().map(String::as_str).collect::<Vec<_>>())
}

/// Everything configured, and started.
fn started() -> Trial {
    static AGAIN: OnceLock<()> = OnceLock::new();
    let (trial, _) = Trial::configured(EXAMPLE);
    AGAIN.get_or_init(|| {
        let first = trial.read("live.xml");
        let verify = Command::new("crm_verify").arg("-x").arg(trial.path("live.xml")).output().unwrap();
        assert!(verify.status.success(), "{verify:?}");
        let script = trial.script(&[]);
        assert!(script.contains("resource ovd_slaveserver systemd:ovd-slaveserver \\\n"), "{script}");
        let again = trial.apply(&without_units(&script));
        assert!(again.contains("nothing to push") && !again.contains("    pcs"), "{again}");
        assert_eq!(trial.read("live.xml"), first);
    });
    let text = trial.simulate("live.xml", &[], "up.xml");
    for node in NODES {
        let lines: Vec<_> = happens(&text).into_iter().filter(|line| line.contains(&format!("( {node} )"))).collect();
        assert!(lines.len() == SERVICES.len() && lines.iter().all(|line| line.starts_with("Start ")), "{text}");
    }
    assert!(happens(&text).iter().all(|line| !line.contains("pcs3")), "{text}");
    trial
}

/// Where in a transition this is done.
fn at(text: &str, action: &str) -> usize {
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    squeezed.find(action).unwrap_or_else(|| panic!("no {action} in {text}"))
}

#[test]
fn each_starts_after_what_it_needs_and_stops_before_it() {
    let trial = started();
    let text = trial.simulate("live.xml", &[], "up.xml");
    let start = |id: &str, node: &str| {
        let named = [format!("{id}:0"), format!("{id}:1"), id.to_owned()];
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        named.iter().find_map(|name| squeezed.find(&format!("{name} start on {node}"))).unwrap()
    };
    for node in NODES {
        assert!(start("ctdb_volume", node) < start("ofs_ctdb", node), "{text}");
        assert!(start("data_volume", node) < start("ofs_ctdb", node), "{text}");
        assert!(start("ofs_ctdb", node) < start("ovd_slaveserver", node), "{text}");
    }
    // A node that is to be idle: users' data are unmounted last.
    let standby = trial.read("up.xml").replace(
        "<node id=\"1\" uname=\"ofs1\"/>",
        "<node id=\"1\" uname=\"ofs1\"><instance_attributes id=\"a1\"><nvpair id=\"s1\" name=\"standby\" value=\"on\"/>\
         </instance_attributes></node>",
    );
    trial.write("standby.xml", &standby, 0o600);
    let text = trial.simulate("standby.xml", &[], "idle.xml");
    assert!(at(&text, "ovd_slaveserver stop on ofs1") < at(&text, "ofs_ctdb stop on ofs1"), "{text}");
    for volume in ["ctdb_volume", "data_volume"] {
        assert!(at(&text, "ofs_ctdb stop on ofs1") < at(&text, &format!("{volume} stop on ofs1")), "{text}");
    }
    assert!(happens(&text).iter().all(|line| !line.contains("ofs2")), "{text}");
}

#[test]
fn a_fault_on_one_node_leaves_the_other_and_its_own_neighbours_alone() {
    let trial = started();
    for (action, id) in [("ofs_ctdb_monitor_5000", "ofs_ctdb"), ("ovd_slaveserver_monitor_60000", "ovd_slaveserver")] {
        let text = trial.simulate("up.xml", &["--op-inject", &format!("{action}@ofs1=1")], "after.xml");
        let lines = happens(&text);
        assert!(lines.len() == 1 && lines[0].starts_with(&format!("Recover {id}")), "{action}: {lines:?}");
        assert!(lines[0].contains("( ofs1 )"), "{lines:?}");
    }
    // A server that is gone: the monitor's failure counts for nothing.
    for id in ["ctdb_volume", "data_volume"] {
        let failed = format!("{id}_monitor_20000@ofs1=1");
        let text = trial.simulate("up.xml", &["--op-inject", &failed], "after.xml");
        assert_eq!(happens(&text), Vec::<String>::new(), "{text}");
        // The counter-proof: without on-fail=ignore it would be recovered.
        let counted = trial.read("up.xml").replace("on-fail=\"ignore\"", "on-fail=\"restart\"");
        trial.write("counted.xml", &counted, 0o600);
        assert!(!happens(&trial.simulate("counted.xml", &["--op-inject", &failed], "after.xml")).is_empty());
    }
    let text = trial.simulate("up.xml", &["--node-fail", "ofs1"], "one.xml");
    assert!(text.contains("Fencing ofs1 (reboot)"), "{text}");
    assert!(happens(&text).iter().all(|line| line.contains("ofs1") && !line.contains("ofs2")), "{text}");
}

#[test]
fn an_address_of_the_clusters_leaves_a_node_that_is_not_well() {
    let mut trial = Trial::new(EXAMPLE);
    trial.scenario = trial.scenario.replace("# holder = \"pacemaker\"", "holder = \"pacemaker\"");
    trial.apply(&without_units(&trial.script_in("cib", &trial.scenario)));
    let text = trial.simulate("live.xml", &[], "up.xml");
    assert_eq!(summary(&text, &["virtual_ip"]), ["Start virtual_ip ( ofs1 )"], "{text}");
    let states = |first: &str, second: &str| {
        let mut text = trial.read("up.xml");
        for (id, state) in [(1, first), (2, second)] {
            let pair = format!("<nvpair id=\"state-{id}\" name=\"ofs-ctdb-state\" value=\"{state}\"/>");
            let set = format!("<instance_attributes id=\"set-{id}\">{pair}</instance_attributes>");
            add_to_state(&mut text, id, &format!("<transient_attributes id=\"{id}\">{set}</transient_attributes>"));
        }
        trial.write("said.xml", &text, 0o600);
        happens(&trial.simulate("said.xml", &[], "after.xml"))
    };
    for state in ["unhealthy", "banned", "stopped", "disabled"] {
        assert_eq!(states(state, "ok"), ["Move virtual_ip ( ofs1 -> ofs2 )"], "{state}");
        assert_eq!(states("ok", state), Vec::<String>::new(), "{state}");
        assert_eq!(states(state, state), Vec::<String>::new(), "{state}: the only ones left serve");
    }
}
