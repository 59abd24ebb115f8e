//! The generated scripts: byte for byte, then run with the real pcs, then judged by crm_verify and crm_simulate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "pcs/abiquo.rs"]
mod abiquo;
#[path = "pcs/database.rs"]
mod database;
#[path = "pcs/lvs_director.rs"]
mod lvs_director;
#[path = "pcs/lvs_script.rs"]
mod lvs_script;
#[path = "pcs/ovd_file_server.rs"]
mod ovd_file_server;
#[path = "pcs/prepare.rs"]
mod prepare;
#[path = "pcs/replica.rs"]
mod replica;
#[path = "pcs/session_manager.rs"]
mod session_manager;
#[path = "support/trial.rs"]
mod trial;

use std::path::Path;
use std::process::Command;
use trial::{Trial, examples, inuvika_ha, summary, transition};

const EXAMPLE: &str = "ovd-session-manager";
/// The dialects that every example is written in.
const DIALECTS: &[&str] = &["pcs-0.9.169", "pcs-0.10.18", "pcs-0.11", "pcs-0.12"];
const OURS: &[&str] = &["virtual_ip", "session_manager", "vip_src", "lsyncd"];
/// What the summary says when everything leaves osm1.
const MOVED: &[&str] = &[
    "Move virtual_ip ( osm1.priv -> osm2.priv )",
    "Move session_manager ( osm1.priv -> osm2.priv )",
    "Move vip_src ( osm1.priv -> osm2.priv )",
    "Move lsyncd ( osm1.priv -> osm2.priv )",
];

/// `UPDATE_GOLDEN=1 cargo test --test pcs_golden` writes the files anew.
#[test]
fn examples_are_what_the_generator_prints() {
    let folders: Vec<_> = std::fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap().path()).collect();
    for (folder, dialect) in folders.iter().flat_map(|folder| DIALECTS.iter().map(move |dialect| (folder, dialect))) {
        let arguments = ["pcs", "--dialect", dialect, "scenario.toml"];
        let output = inuvika_ha().current_dir(folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}: {output:?}", folder.display());
        let golden = folder.join(format!("{dialect}.sh"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &output.stdout).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(expected == printed, "{} differs: UPDATE_GOLDEN=1, then look at git diff", golden.display());
        // They differ in the forms of some commands only.
        if ["pcs-0.9.169", "pcs-0.12"].contains(dialect) || std::env::var_os("INUVIKA_TEST_FULL").is_some() {
            check_as_bash(&golden);
        }
    }
}

fn check_as_bash(script: &Path) {
    let output = Command::new("shellcheck").arg(script).output().expect("shellcheck must be installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let longest = std::fs::read_to_string(script).unwrap().lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest <= 120, "a line of {} has {longest} characters", script.display());
}

#[test]
fn a_second_run_changes_nothing_and_an_edited_scenario_changes_what_differs() {
    let (trial, _) = Trial::configured(EXAMPLE);
    let script = trial.script(&[]);
    assert!(!script.contains("a&b<c>"), "a secret is in the script");
    let first = trial.read("live.xml");
    assert!(first.contains("a&amp;b&lt;c&gt;&quot;d"), "the secret has not arrived");
    let verify = Command::new("crm_verify").arg("-x").arg(trial.path("live.xml")).output().unwrap();
    assert!(verify.status.success(), "{verify:?}");

    let again = trial.apply(&script);
    assert!(again.contains("nothing to push") && !again.contains("    pcs"), "{again}");
    assert_eq!(trial.read("live.xml"), first);

    let edited = trial.script(&[
        ("nic = \"eth0\"", "nic = \"ens3\""),
        ("destinations = [\"10.20.1.0/24\"]", "exclude = [\"10.20.1.1\"]"),
        ("stickiness = 1000 ", "stickiness = 500 "),
        ("# service_match = '<error id=\"1\"'", "service_match = \"it's <error id=\\\"1\\\" \\\\d+ & $HOME `x`\""),
        ("username = \"fence\"", "username = \"it's a <\\\"$HOME\\\"> & more\""),
    ]);
    let dry = trial.run(&edited, &["--dry-run"]);
    assert!(dry.status.success() && trial.read("live.xml") == first, "a dry run changed something: {dry:?}");
    trial.apply(&edited);
    let second = trial.read("live.xml");
    for (name, value) in [("nic", "ens3"), ("exclude", "10.20.1.1"), ("resource-stickiness", "500")] {
        assert!(second.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name} is not {value}: {second}");
    }
    assert!(second.contains("&lt;error id=&quot;1&quot; \\d+ &amp; $HOME `x`\""), "{second}");
    assert!(!second.contains("name=\"destinations\"") && !second.contains("eth0"), "{second}");

    let slower = edited.replace("monitor interval=10s timeout=10s", "monitor interval=15s timeout=10s");
    trial.apply(&slower);
    let third = trial.read("live.xml");
    assert!(
        third.contains("vip_src-monitor-interval-15s") && !third.contains("vip_src-monitor-interval-10s"),
        "{third}"
    );
    trial.apply(&slower);
    assert_eq!(trial.read("live.xml"), third);
}

#[test]
fn what_the_scenario_does_not_have_is_named_and_a_failure_changes_nothing() {
    let (trial, _) = Trial::configured(EXAMPLE);
    let script = trial.script(&[]);
    let dummy = ["-f", "live.xml", "resource", "create", "other", "ocf:heartbeat:Dummy"];
    let output = trial.enter(&[&["pcs"], &dummy[..]].concat());
    assert!(output.status.success(), "{output:?}");
    assert!(trial.apply(&script).contains("left as it is: other (to remove it: pcs resource delete other)\n"));
    let before = trial.read("live.xml");

    for (broken, reason) in [
        (script.replace("nic=eth0", "nic=eth1 nonsense=1"), "nonsense"),
        (script.replace("ocf:inuvika:ovd-vip-src", "ocf:inuvika:other"), "agent ocf:inuvika:other is not installed"),
        (script.replace("pcs_before=0.12.0", "pcs_before=0.11.3"), "written for pcs 0.11, but pcs 0.11"),
    ] {
        let output = trial.run(&broken, &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(reason), "{output:?}");
        assert_eq!(trial.read("live.xml"), before);
    }
    trial.write("ipmi.secret", "open to all\n", 0o644);
    let output = trial.run(&script, &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("others may read"), "{output:?}");
}

/// Everything configured, and started on osm1.
fn started(example: &str) -> Trial {
    let trial = if example == EXAMPLE { Trial::configured(example).0 } else { Trial::configured_at_once(example) };
    let text = trial.simulate("live.xml", &[], "up.xml");
    assert_eq!(summary(&text, OURS), OURS.iter().map(|id| format!("Start {id} ( osm1.priv )")).collect::<Vec<_>>());
    for resource in OURS {
        for node in ["pcs3.priv", "pcs4.priv"] {
            assert!(!transition(&text, resource).contains(&format!("monitor on {node}")), "{text}");
        }
    }
    trial
}

/// Puts more into the state of a node, which may have been empty.
fn add_to_state(text: &mut String, id: usize, more: &str) {
    let state = text.find(&format!("<node_state id=\"{id}\"")).unwrap();
    let end = state + text[state..].find('>').unwrap();
    if text[..end].ends_with('/') {
        text.replace_range(end - 1..=end, &format!(">{more}</node_state>"));
    } else {
        text.insert_str(end + 1, more);
    }
}

/// crm_simulate before 2.1.10 only counts a failed start; the cluster sets the count to INFINITY.
fn make_fatal(trial: &Trial, cib: &str, resource: &str) {
    let count = format!("name=\"fail-count-{resource}#start_0\" value=\"");
    let text = trial.read(cib);
    let at = text.find(&count).unwrap() + count.len();
    let end = at + text[at..].find('"').unwrap();
    trial.write(cib, &format!("{}INFINITY{}", &text[..at], &text[end..]), 0o600);
}

#[test]
fn nodes_fail_and_the_services_go_where_they_may() {
    let trial = started(EXAMPLE);
    let text = trial.simulate("up.xml", &["--node-fail", "osm1.priv"], "one.xml");
    assert!(text.contains("Fencing osm1.priv (reboot)"), "{text}");
    assert_eq!(summary(&text, OURS), MOVED);
    let at = |what: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").find(what).unwrap();
    assert!(at("virtual_ip start on osm2.priv") < at("vip_src start on osm2.priv"));
    assert!(at("virtual_ip start on osm2.priv") < at("lsyncd start on osm2.priv"));
    assert!(at("lsyncd start on osm2.priv") < at("session_manager start on osm2.priv"));

    // A node that comes back has no history of its own; nothing moves back to it.
    let history = ["--delete", "--xpath", "//node_state[@uname='osm1.priv']/lrm"];
    let mut forget = Command::new("cibadmin");
    assert!(forget.env("CIB_file", trial.path("one.xml")).args(history).status().unwrap().success());
    let text = trial.simulate("one.xml", &["--node-up", "osm1.priv"], "back.xml");
    assert!(text.contains("virtual_ip      monitor on osm1.priv"), "osm1 is not back: {text}");
    assert!(summary(&text, OURS).is_empty(), "{text}");

    for node in ["osm2.priv", "pcs3.priv"] {
        let text = trial.simulate("up.xml", &["--node-fail", node], "other.xml");
        assert!(summary(&text, OURS).is_empty(), "{text}");
    }
    // The one node left without quorum stops, and the quorum node never takes anything.
    let both = ["--node-fail", "osm2.priv", "--node-fail", "pcs3.priv", "--quorum", "0"];
    let text = trial.simulate("up.xml", &both, "alone.xml");
    assert!(summary(&text, OURS).iter().all(|line| line.starts_with("Stop")), "{text}");
    let text = trial.simulate("up.xml", &["--node-down", "osm1.priv", "--node-down", "osm2.priv"], "none.xml");
    assert!(summary(&text, OURS).iter().all(|line| line.starts_with("Stop")), "{text}");
}

#[test]
fn a_failure_of_vip_src_touches_nothing_else() {
    let trial = started(EXAMPLE);
    let failed = ["--op-inject", "vip_src_monitor_10000@osm1.priv=1"];
    // However often it is lost, it is put back in place.
    let mut before = "up.xml".to_owned();
    for loss in 1..=4 {
        let after = format!("loss{loss}.xml");
        let text = trial.simulate(&before, &failed, &after);
        assert_eq!(summary(&text, OURS), ["Recover vip_src ( osm1.priv )"], "loss {loss}");
        let count = format!("name=\"fail-count-vip_src#monitor_10000\" value=\"{loss}\"");
        assert!(trial.read(&after).contains(&count), "{}", trial.read(&after));
        before = after;
    }

    let start = ["--op-fail", "vip_src_start_0@osm1.priv=1"];
    trial.simulate("up.xml", &[failed, start].concat(), "start.xml");
    make_fatal(&trial, "start.xml", "vip_src");
    let text = trial.simulate("start.xml", &[], "stopped.xml");
    assert_eq!(summary(&text, OURS), ["Stop vip_src ( osm1.priv ) due to node availability"]);
    // After its failure-timeout it is tried again.
    let later = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 660;
    let clock = Command::new("date").args(["-u", "-d", &format!("@{later}"), "+%Y-%m-%d %H:%M:%SZ"]).output().unwrap();
    let clock = String::from_utf8(clock.stdout).unwrap();
    let text = trial.simulate("stopped.xml", &["--set-datetime", clock.trim()], "again.xml");
    assert_eq!(summary(&text, OURS), ["Start vip_src ( osm1.priv )"]);

    // The counter-proof: with critical=true the address would have moved.
    trial.write(
        "critical.xml",
        &trial.read("start.xml").replace("name=\"critical\" value=\"false\"", "name=\"critical\" value=\"true\""),
        0o600,
    );
    let text = trial.simulate("critical.xml", &[], "moved.xml");
    assert!(summary(&text, OURS)[0].starts_with("Move virtual_ip"), "{text}");
}

#[test]
fn the_address_recovers_in_place_and_takes_vip_src_along_when_it_moves() {
    let trial = started(EXAMPLE);
    let failed = ["--op-inject", "virtual_ip_monitor_10000@osm1.priv=7"];
    let text = trial.simulate("up.xml", &failed, "monitor.xml");
    assert_eq!(summary(&text, OURS), ["Recover virtual_ip ( osm1.priv )"]);

    let start = ["--op-fail", "virtual_ip_start_0@osm1.priv=1"];
    trial.simulate("up.xml", &[failed, start].concat(), "start.xml");
    make_fatal(&trial, "start.xml", "virtual_ip");
    let text = trial.simulate("start.xml", &[], "moved.xml");
    assert_eq!(summary(&text, OURS), ["Recover virtual_ip ( osm1.priv -> osm2.priv )", MOVED[1], MOVED[2], MOVED[3]]);
}

#[test]
fn the_guide_with_four_nodes_works_as_well() {
    let trial = started("ovd-session-manager-guide");
    let text = trial.simulate("up.xml", &["--node-fail", "osm1.priv"], "one.xml");
    assert_eq!(summary(&text, OURS), MOVED, "{text}");
}

#[test]
fn one_device_for_all_nodes_and_none_at_all() {
    let trial = Trial::new(EXAMPLE);
    let (before, _) = trial.scenario.split_once("\n[[fencing]]").unwrap();
    let fresh = trial.read("live.xml");
    let none = before.replace("\n[cluster]", "fencing = \"none\"\naccept_split_brain = true\n[cluster]");
    let secret = trial.path("ipmi.secret");
    let vmware = format!(
        "{before}\n[[fencing]]\nname = \"fence-vmware\"\nnode = [\"osm1.priv\", \"osm2.priv\", \"pcs3.priv\"]\n\
         agent = \"fence_vmware_rest\"\n[fencing.options]\nip = \"vcenter.example.com\"\nssl = true\n\
         username = \"fence@vsphere.local\"\npassword = {{ file = \"{}\" }}\n\
         pcmk_host_map = \"osm1.priv:osm1;osm2.priv:osm2;pcs3.priv:pcs3\"\n",
        secret.display()
    );
    for (scenario, enabled) in [(none, "false"), (vmware, "true")] {
        trial.write("live.xml", &fresh, 0o600);
        let script = trial.script_for(&scenario);
        trial.apply(&script);
        let live = trial.read("live.xml");
        assert!(live.contains(&format!("name=\"stonith-enabled\" value=\"{enabled}\"")), "{live}");
        assert!(trial.apply(&script).contains("nothing to push"));
        let verify = Command::new("crm_verify").arg("-x").arg(trial.path("live.xml")).output().unwrap();
        assert!(verify.status.success(), "{verify:?}");
        assert_eq!(summary(&trial.simulate("live.xml", &[], "up.xml"), OURS).len(), OURS.len());
    }
}
