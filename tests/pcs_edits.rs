//! Scenarios that change, and clusters that other hands have changed: what the script does with what it finds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "pcs/quick.rs"]
mod quick;
#[path = "pcs/steps.rs"]
mod steps;
#[path = "support/trial.rs"]
mod trial;

use std::sync::OnceLock;
use trial::Trial;

const EXAMPLE: &str = "ovd-session-manager";

/// One device for two nodes: as few calls of pcs as possible.
fn small() -> Trial {
    let mut trial = Trial::new(EXAMPLE);
    let (before, _) = trial.scenario.split_once("\n[[fencing]]").unwrap();
    trial.scenario = format!(
        "{before}\n[[fencing]]\nname = \"fence-all\"\nnode = [\"osm1.priv\", \"osm2.priv\", \"pcs3.priv\"]\n\
         agent = \"fence_ipmilan\"\noptions.ip = \"192.168.200.11\"\noptions.lanplus = true\n\
         options.username = \"fence=\"\noptions.password = {{ file = \"{}\" }}\n",
        trial.path("ipmi.secret").display()
    );
    trial
}

/// The same, configured.
fn configured() -> Trial {
    static LIVE: OnceLock<String> = OnceLock::new();
    let trial = small();
    let live = LIVE.get_or_init(|| {
        trial.apply(&trial.script(&[]));
        trial.read("live.xml")
    });
    trial.write("live.xml", live, 0o600);
    trial
}

fn refused(trial: &Trial, script: &str, reason: &str) {
    let output = trial.run(script, &[]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains(reason) && text.lines().count() == 1, "{output:?}");
}

#[test]
fn a_secret_arrives_whatever_the_ids_are() {
    let trial = configured();
    let script = trial.script(&[]);
    // As crmsh writes it, and with another password.
    let live = trial.read("live.xml");
    let other = live.replace("fence-all-instance_attributes-password", "p1").replace("a&amp;b", "before");
    assert!(live != other && live.contains("value=\"fence=\""), "{live}");
    trial.write("live.xml", &other, 0o600);
    let output = trial.apply(&script);
    let live = trial.read("live.xml");
    assert!(live.contains("id=\"p1\" name=\"password\" value=\"a&amp;b&lt;c&gt;&quot;d"), "{live}");
    assert!(output.contains("fence-all: password is set to what ") && !output.contains("a&b"), "{output}");
    assert!(trial.apply(&script).contains("configured like this already: nothing to push"));

    // A secret that cannot get where it belongs is no reason to push the placeholder.
    let lost = script.replace("    set_option \"$resource\" \"$option\" \"$secret_text\"\n", "");
    assert!(lost != script);
    refused(&trial, &lost.replace("lanplus=1", "lanplus=0"), "fence-all did not get where it belongs");
    assert_eq!(trial.read("live.xml"), live);

    std::fs::write(trial.path("ipmi.secret"), b"caf\xe9\n").unwrap();
    refused(&trial, &script, "ipmi.secret is not UTF-8 text");
}

#[test]
fn what_the_scenario_drops_is_taken_out() {
    let mut trial = configured();
    assert!(trial.read("live.xml").contains("name=\"lanplus\""));
    // An option less; the quorum node becomes one that may run the services and the first one at that.
    let scenario = trial.scenario.replace("options.lanplus = true\n", "").replace("\"quorum\"", "\"osm\"");
    trial.scenario = scenario.replace("osm1.priv\"\nrole = \"osm\"", "osm1.priv\"\nrole = \"quorum\"");
    let edited = trial.script(&[]);
    let output = trial.apply(&edited);
    let live = trial.read("live.xml");
    assert!(!live.contains("lanplus"), "{live}");
    assert!(live.contains("location-virtual_ip-osm2.priv-prefer") && live.contains("location-vip_src-osm1.priv-never"));
    for gone in ["osm1.priv-prefer", "pcs3.priv-never"] {
        assert!(!live.contains(gone), "{gone}: {live}");
    }
    assert_eq!(output.matches("pcs constraint remove").count(), 1, "{output}");

    // What others made stays, and is not called configured.
    for command in [
        &["constraint", "location", "add", "mine", "virtual_ip", "osm3.priv", "5"][..],
        &["resource", "create", "d", "ocf:heartbeat:Dummy", "--group", "g"],
        &["stonith", "create", "f", "fence_ipmilan", "ip=1.2.3.4", "--force"],
    ] {
        let output = trial.enter(&[&["pcs", "-f", "live.xml"], command].concat());
        assert!(output.status.success(), "{output:?}");
    }
    let output = trial.apply(&edited);
    for line in [
        ": mine (to remove it: pcs constraint delete mine)",
        ": g (to remove it: pcs resource delete g)",
        ": f (to remove it: pcs stonith delete f)",
        "nothing to push. What differs from it is named above",
    ] {
        assert!(output.contains(line), "{line}: {output}");
    }
    assert!(!output.contains("like this already"), "{output}");
}

/// The lines of `after` that `before` does not have.
fn new_lines(before: &str, after: &str) -> Vec<String> {
    let split = |text: &str| text.replace('>', ">\n").lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let before = split(before);
    split(after).into_iter().filter(|line| !before.contains(line) && !line.starts_with("<cib ")).collect()
}

#[test]
fn a_part_leaves_the_rest_and_prune_takes_out_what_is_not_in_the_file() {
    let trial = configured();
    let edited =
        trial.scenario.replace("nic = \"eth0\"", "nic = \"ens3\"").replace("stickiness = 1000", "stickiness = 500");
    let part = |parts: &str| trial.script_with(&["--dialect", "pcs-0.11", "--part", parts], &edited);
    // Others' things, one around a resource of ours; something of an earlier scenario.
    for command in [
        &["resource", "create", "d", "ocf:heartbeat:Dummy", "--group", "g"][..],
        &["resource", "group", "add", "around", "vip_src"],
        &["stonith", "create", "f", "fence_ipmilan", "ip=1.2.3.4", "--force"],
        &["constraint", "location", "add", "mine", "virtual_ip", "osm3.priv", "5"],
        &["constraint", "location", "add", "location-virtual_ip-osm2.priv-prefer", "virtual_ip", "osm2.priv", "7"],
    ] {
        let output = trial.enter(&[&["pcs", "-f", "live.xml"], command].concat());
        assert!(output.status.success(), "{output:?}");
    }
    let before = trial.read("live.xml");

    trial.apply(&part("properties"));
    let after = trial.read("live.xml");
    let changed = new_lines(&before, &after);
    assert!(changed.len() == 1 && changed[0].contains("name=\"resource-stickiness\" value=\"500\""), "{changed:?}");

    // Its own kind is named, and taken out when that is asked for; the rest is not even named.
    let output = trial.run(&part("fencing"), &["--prune"]);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success() && text.contains("    pcs stonith delete f\n"), "{output:?}");
    assert!(!text.contains("resource delete") && !text.contains("constraint"), "{text}");
    let after = trial.read("live.xml");
    assert!(after.contains("\"d\"") && after.contains("osm2.priv-prefer") && after.contains("eth0"), "{after}");

    let text = trial.apply(&part("constraints"));
    assert!(text.contains("left as it is: mine (") && !text.contains("left as it is: g "), "{text}");
    let after = trial.read("live.xml");
    assert!(
        !after.contains("osm2.priv-prefer") && after.contains("eth0") && after.contains("score=\"1260\""),
        "{after}"
    );

    let output = trial.run(&trial.script_with(&["--dialect", "pcs-0.11", "--prune"], &edited), &[]);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{output:?}");
    for command in ["resource delete g", "resource ungroup around", "constraint delete mine"] {
        assert!(text.contains(&format!("    pcs {command}\n")), "{command}: {text}");
    }
    let after = trial.read("live.xml");
    assert!(after.contains("ens3") && after.contains("\"vip_src\"") && !after.contains("Dummy"), "{after}");
    assert!(trial.apply(&part("resources,constraints,fencing,properties")).contains("configured like this already"));

    // The parts before the configuration are none on a file.
    let text = trial.apply(&part("auth,cluster"));
    assert!(text.contains("Step 2: the cluster exists") && !text.contains("Step 3"), "{text}");
    assert_eq!(trial.read("live.xml"), after);
}

#[test]
fn the_file_given_must_be_one_of_this_cluster() {
    let trial = small();
    let script = trial.script(&[]);
    let fresh = trial.read("live.xml");
    trial.write("live.xml", &fresh, 0o644);
    refused(&trial, &script, "live.xml, and secrets are to be written there: chmod 600 it");
    trial.write("live.xml", "", 0o600);
    refused(&trial, &script, "live.xml holds no configuration");
    trial.write("live.xml", &fresh.replace("pcs3.priv", "pcs4.priv"), 0o600);
    refused(&trial, &script, "pcs3.priv is in the scenario, but not in the cluster");
    trial.write("live.xml", &fresh.replace("</nodes>", "<node id=\"9\" uname=\"x\"/></nodes>"), 0o600);
    refused(&trial, &script, "x is in the cluster, but not in the scenario: add it there (role quorum");
    std::fs::remove_file(trial.path("live.xml")).unwrap();
    refused(&trial, &script, "live.xml is not a file");
}

/// Its own text may be written anew while it runs, as an editor or the generator does.
#[test]
fn a_script_that_is_replaced_while_it_runs_goes_on() {
    let trial = configured();
    let script = trial.script(&[("nic = \"eth0\"", "nic = \"ens3\"")]);
    assert!(script.contains("\nmain() {\n") && script.ends_with("\n}\nmain \"$@\"; exit\n"));
    let itself = script.replace("\nforget_earlier\nname_", "\n: >\"$0\"\nforget_earlier\nname_");
    assert!(itself != script);
    assert!(trial.apply(&itself).contains("To go back: cp"));
    assert_eq!(trial.read("script.sh"), "");
}

/// What a node attribute counts for follows the stickiness, and goes with the service that publishes it.
#[test]
fn attractions_are_replaced_and_taken_out() {
    let trial = configured();
    let first = trial.read("live.xml");
    assert!(first.contains("-rule\" score=\"2510\"") && first.contains("-rule\" score=\"1255\""), "{first}");
    let weaker = trial.script(&[("stickiness = 1000", "stickiness = 500")]);
    let output = trial.apply(&weaker);
    let second = trial.read("live.xml");
    assert!(second.contains("-rule\" score=\"1260\"") && second.contains("-rule\" score=\"630\""), "{second}");
    assert_eq!(second.matches("<rule ").count(), 4, "{second}");
    // The one for nodes without a copy is the same at any stickiness.
    assert_eq!(output.matches("pcs constraint remove").count(), 3, "{output}");

    // Another test in the rule, or a second one beside it, is not what the scenario says.
    let at = second.find("<expression id=\"location-virtual_ip-session_manager-database-ok").unwrap();
    let more = "<expression id=\"x\" operation=\"defined\" attribute=\"y\"/>";
    trial.write("live.xml", &format!("{}{more}{}", &second[..at], &second[at..]), 0o600);
    let output = trial.apply(&weaker);
    assert_eq!(output.matches("    pcs constraint").count(), 2, "{output}");
    assert!(trial.apply(&weaker).contains("configured like this already"));

    // A scenario without them takes them out, but not the rules of others.
    let command = ["constraint", "location", "virtual_ip", "rule", "score=5", "site", "eq", "a"];
    let output = trial.enter(&[&["pcs", "-f", "live.xml"], &command[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let none: String = weaker.lines().filter(|line| !line.starts_with("attract ")).map(|l| format!("{l}\n")).collect();
    let output = trial.apply(&none);
    assert_eq!(output.matches("pcs constraint remove").count(), 1, "{output}");
    let third = trial.read("live.xml");
    assert!(
        !third.contains("session_manager-database")
            && !third.contains("lsyncd-replica")
            && third.contains("attribute=\"site\""),
        "{third}"
    );
    assert!(output.contains("not in the scenario, left as it is: location-virtual_ip (to remove it:"), "{output}");
}

/// bash 4.2 has no name references and calls an empty array unbound.
#[test]
fn the_script_keeps_to_what_bash_4_2_has() {
    let script = small().script(&[]);
    for newer in ["local -n", "declare -n", "@Q}", "@E}", "[-1]", "wait -n", "${options[@]}\"", "${force[@]}"] {
        assert!(!script.contains(newer), "{newer}");
    }
    assert!(script.contains("in ${secrets[@]+\"${secrets[@]}\"}; do"));
}

/// The script for the part "alerts" alone: a few calls of pcs.
fn alerts(trial: &Trial, recipients: &str) -> String {
    let section = format!("\n[alerts]\nrecipients = [{recipients}]\n\n[[fencing]]\nname");
    trial.write("scenario.toml", &trial.scenario.replacen("\n[[fencing]]\nname", &section, 1), 0o644);
    let output =
        trial::inuvika_ha().args(["pcs", "--part", "alerts"]).arg(trial.path("scenario.toml")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let script = String::from_utf8(output.stdout).unwrap();
    let backups = trial.path("backups");
    script.replace("backups=/var/lib/inuvika-ha", &format!("backups={}", backups.display()))
}

#[test]
fn the_cluster_is_told_whom_to_tell() {
    let trial = small();
    // Nothing but alerts is configured here, and Pacemaker refuses a cluster that does not say what it does about fencing.
    let set = "<cluster_property_set id=\"p\"><nvpair id=\"p1\" name=\"stonith-enabled\" value=\"false\"/></cluster_property_set>";
    let live = trial.read("live.xml").replace("<crm_config/>", &format!("<crm_config>{set}</crm_config>"));
    trial.write("live.xml", &live, 0o600);
    let script = alerts(&trial, "\"ops@example.com\", \"hook\"");
    trial.apply(&script);
    let live = trial.read("live.xml");
    for part in [
        "<alert id=\"inuvika-alert\" path=\"/usr/share/pacemaker/alerts/inuvika-alert\">",
        "<recipient id=\"inuvika-alert-1\" value=\"ops@example.com\"/>",
        "<recipient id=\"inuvika-alert-2\" value=\"hook\"/>",
        "name=\"timeout\" value=\"30s\"",
    ] {
        assert!(live.contains(part), "no {part} in {live}");
    }
    assert!(trial.apply(&script).contains("nothing to push"));
    trial.apply(&alerts(&trial, "\"night@example.com\""));
    let live = trial.read("live.xml");
    assert!(live.contains("value=\"night@example.com\"") && !live.contains("inuvika-alert-2"), "{live}");
}
