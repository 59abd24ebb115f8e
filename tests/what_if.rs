//! What would happen, and what is otherwise: simulate and diff, on scenarios and configurations in files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "what_if/remote.rs"]
mod remote;
#[path = "support/trial.rs"]
mod trial;

use serde_json::Value;
use std::process::Command;
use trial::{Trial, examples, inuvika_ha};

const EXAMPLE: &str = "ovd-session-manager";

/// What simulate finds, and its exit code. Nothing may be left in the folder for temporary files.
fn simulate(scenario: &str) -> (Value, i32) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, scenario).unwrap();
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let output = inuvika_ha().env("TMPDIR", &temporary).args(["simulate", "--json"]).arg(&file).output().unwrap();
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (report, output.status.code().unwrap())
}

fn example(name: &str) -> String {
    std::fs::read_to_string(examples().join(name).join("scenario.toml")).unwrap()
}

fn row<'a>(report: &'a Value, event: &str) -> &'a Value {
    let rows = report["events"].as_array().unwrap();
    rows.iter().find(|row| row["event"] == event).unwrap_or_else(|| panic!("no {event} in {rows:#?}"))
}

fn list(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

fn runs<'a>(row: &'a Value, resource: &str) -> Vec<&'a str> {
    list(&row["runs"][resource])
}

#[test]
fn nodes_and_services_fail_one_by_one() {
    let (report, code) = simulate(&example(EXAMPLE));
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(list(&report["single_points_of_failure"]), Vec::<&str>::new());
    assert_eq!((&report["votes"], &report["tolerated"]), (&3.into(), &1.into()));
    let all = ["virtual_ip", "session_manager", "vip_src", "lsyncd"];

    let lost = row(&report, "osm1.priv is lost");
    assert!(all.iter().all(|id| runs(lost, id) == ["osm2.priv"]), "{lost:#}");
    assert_eq!(list(&lost["interrupted"]), all);
    let steps = list(&lost["steps"]);
    let at = |what: &str| steps.iter().position(|step| *step == what).unwrap_or_else(|| panic!("{what}: {steps:?}"));
    assert_eq!(at("switch off osm1.priv"), 0);
    assert!(at("start lsyncd on osm2.priv") < at("start session_manager on osm2.priv"));
    // Token of three nodes and consensus, fencing, then the address, lsyncd and the Session Manager one after the other.
    assert_eq!(lost["seconds"], 9 + 60 + 20 + 90 + 60);
    for passive in ["osm2.priv", "pcs3.priv"] {
        let row = row(&report, &format!("{passive} is lost"));
        assert!(list(&row["interrupted"]).is_empty() && row["seconds"] == 0, "{row:#}");
    }
    for pair in ["osm1.priv and osm2.priv", "osm1.priv and pcs3.priv", "osm2.priv and pcs3.priv"] {
        let row = row(&report, &format!("{pair} are lost"));
        assert!(row["quorum"] == false && row["single"] == false, "{row:#}");
        assert_eq!(list(&row["lost"]), ["virtual_ip", "session_manager"]);
    }
    let again = row(&report, "virtual_ip fails on osm1.priv");
    assert_eq!(list(&again["interrupted"]), ["virtual_ip"]);
    assert!(runs(row(&report, "session_manager cannot start on osm1.priv"), "virtual_ip") == ["osm2.priv"]);
    let stop = row(&report, "vip_src cannot be stopped on osm1.priv");
    assert_eq!(list(&stop["steps"])[0], "switch off osm1.priv");
    let missing = row(&report, "vip_src cannot start on osm1.priv");
    assert!(list(&missing["missing"]) == ["vip_src"] && list(&missing["lost"]).is_empty(), "{missing:#}");
    assert_eq!(runs(missing, "session_manager"), ["osm1.priv"]);
    let blind = row(&report, "osm1.priv alone loses session_manager-database");
    assert_eq!(runs(blind, "session_manager"), ["osm2.priv"]);
    assert!(list(&row(&report, "all nodes lose session_manager-database")["interrupted"]).is_empty());
    let back = row(&report, "osm1.priv comes back");
    assert!(list(&back["interrupted"]).is_empty() && runs(back, "virtual_ip") == ["osm2.priv"], "{back:#}");
    assert!(list(&report["outside"]).contains(&"the database that session_manager asks"), "{report:#}");
}

#[test]
fn every_example_survives_a_single_failure_and_four_votes_are_no_better_than_three() {
    for (name, outside) in [
        ("abiquo-remote-services", "mounted by vm_repository"),
        ("lvs-director", "the network between the nodes"),
        ("ovd-file-server", "nas.example.com:/ovd, mounted by data_volume"),
    ] {
        let (report, code) = simulate(&example(name));
        assert_eq!(code, 0, "{report:#}");
        assert!(list(&report["outside"]).iter().any(|line| line.contains(outside)), "{name}: {report:#}");
    }
    let (report, code) = simulate(&example("ovd-session-manager-guide"));
    assert_eq!(code, 0);
    let notes = list(&report["notes"]);
    assert!(notes[0].starts_with("4 votes tolerate no more losses than 3") && report["tolerated"] == 1, "{notes:?}");
    assert_eq!(row(&report, "pcs3.priv and pcs4.priv are lost")["quorum"], false);
}

#[test]
fn resources_of_any_agent_are_simulated_and_looked_at() {
    const FREE: &str = include_str!("pcs/free.toml");
    let (report, code) = simulate(FREE);
    assert_eq!(code, 0, "{report:#}");
    let lost = row(&report, "web1 is lost");
    assert!(["virtual_ip", "web", "one", "two"].iter().all(|id| runs(lost, id) == ["web2"]), "{lost:#}");
    // An instance of store is elsewhere already, but has to be promoted.
    assert_eq!(list(&lost["interrupted"]), ["virtual_ip", "web", "store", "one", "two"]);
    assert_eq!(runs(row(&report, "web2 is lost"), "store"), ["web1"]);
    // A group is where its members are, and the rule keeps it from where it must not be.
    let elsewhere = FREE.replace("rack eq b", "rack eq a");
    let (report, _) = simulate(&elsewhere);
    assert_eq!(runs(row(&report, "web2 is lost"), "one"), Vec::<&str>::new());
    assert_eq!(runs(row(&report, "vote3 is lost"), "two"), ["web2"]);
    let outside = serde_json::to_string(&report).unwrap();
    assert!(outside.contains("the database db1, which web needs"), "{outside}");
    // No constraint names something that is not there; what it does not simulate it says.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, FREE).unwrap();
    let output = inuvika_ha().args(["lint", "--json"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_promotion_is_no_start_and_a_quorum_device_has_votes() {
    const FREE: &str = include_str!("pcs/free.toml");
    let (report, _) = simulate(FREE);
    let lost = row(&report, "web1 is lost");
    let steps = list(&lost["steps"]);
    assert!(steps.contains(&"promote store on web2") && !steps.contains(&"start store on web2"), "{steps:?}");
    assert!(list(&row(&report, "vote3 is lost")["steps"]).iter().all(|step| !step.contains("promote")), "{report:#}");
    assert_eq!(row(&report, "web1 and vote3 are lost")["quorum"], false);
    // With as many votes as all nodes but one, one node alone goes on.
    let device = "\n[quorum_device]\nhost = \"qnetd\"\naddress = \"10.20.1.9\"\nalgorithm = \"lms\"\n";
    let sbd = "\n[sbd]\nwatchdog = \"/dev/watchdog\"\n";
    let (report, _) = simulate(&format!("{FREE}{device}{sbd}"));
    let both = row(&report, "web1 and vote3 are lost");
    assert!(both["quorum"] == true && runs(both, "web") == ["web2"], "{both:#}");
    assert!(report["votes"] == 5 && report["majority"] == 3 && report["tolerated"] == 2, "{report:#}");
    let notes = serde_json::to_string(&report["notes"]).unwrap();
    for part in ["quorum device on qnetd are counted (lms)", "no node may be lost", "sbd is not simulated"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
}

/// Without any device, by watchdogs alone: that is fencing for all three.
#[test]
fn a_watchdog_is_fencing() {
    let (before, _) = include_str!("pcs/free.toml").split_once("[[fencing]]").unwrap();
    let text = before.replace("setup = \"free\"", "setup = \"free\"\nfencing = \"watchdog\"");
    let text = format!("{text}\n[sbd]\nwatchdog = \"/dev/watchdog\"\ntimeout = 40\n");
    let (report, code) = simulate(&text);
    assert_eq!(code, 0, "{report:#}");
    let lost = row(&report, "web1 is lost");
    assert!(list(&lost["steps"])[0] == "switch off web1" && runs(lost, "web") == ["web2"], "{lost:#}");
    // Twice the watchdog's time is more than what a device may take.
    assert!(serde_json::to_string(&report["notes"]).unwrap().contains(", 80 s for fencing"), "{report:#}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, text).unwrap();
    let output = inuvika_ha().args(["lint", "--json"]).arg(&file).output().unwrap();
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !found.contains("HA001"), "{found}");
    let output = inuvika_ha().arg("diagram").arg(&file).output().unwrap();
    let drawn = String::from_utf8_lossy(&output.stdout);
    assert!(drawn.contains("switched off by its own watchdog (sbd)") && !drawn.contains("NO FENCING"), "{drawn}");
}

/// While all is well, as a row.
fn json_well(report: &Value) -> Value {
    serde_json::json!({ "runs": report["well"] })
}

#[test]
fn without_fencing_a_stop_that_fails_loses_the_service() {
    let text = example(EXAMPLE);
    let (before, _) = text.split_once("\n[[fencing]]").unwrap();
    let none = before.replacen("\n[cluster]", "\nfencing = \"none\"\naccept_split_brain = true\n[cluster]", 1);
    let (report, code) = simulate(&none);
    assert_eq!(code, 1, "{report:#}");
    let single = list(&report["single_points_of_failure"]);
    assert!(single.contains(&"session_manager cannot be stopped on osm1.priv"), "{single:?}");
    assert!(!single.contains(&"osm1.priv is lost"), "{single:?}");
    assert!(list(&report["notes"])[0].starts_with("without fencing"), "{report:#}");

    // For people: a table, with the verdict at its end.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, none).unwrap();
    let output = inuvika_ha().arg("simulate").arg(&file).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && table.contains("\nONE failure loses the service:\n  - "), "{table}");
    assert!(table.contains("SERVICE LOST: no virtual_ip, session_manager (no quorum)"), "{table}");
    std::fs::write(&file, "setup = 1\n").unwrap();
    let output = inuvika_ha().arg("simulate").arg(&file).output().unwrap();
    assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{output:?}");
}

/// `UPDATE_GOLDEN=1 cargo test --test what_if` writes the files anew: then look at them.
#[test]
fn every_example_has_its_diagram() {
    for entry in std::fs::read_dir(examples()).unwrap() {
        let folder = entry.unwrap().path();
        let output = inuvika_ha().current_dir(&folder).args(["diagram", "scenario.toml"]).output().unwrap();
        assert!(output.status.success(), "{}: {output:?}", folder.display());
        let golden = folder.join("diagram.svg");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &output.stdout).unwrap();
        }
        let drawn = String::from_utf8(output.stdout).unwrap();
        let same = std::fs::read_to_string(&golden).unwrap() == drawn;
        assert!(same, "{} differs: UPDATE_GOLDEN=1, then look at it", golden.display());
        // A judge of its own: it is XML, and nothing in it is beyond its edge.
        let lint = Command::new("xmllint").arg("--noout").arg(&golden).output().unwrap();
        assert!(lint.status.success(), "{lint:?}");
        let root = inuvika_ha::document::element::Element::read(&drawn).unwrap();
        let number = |text: &str| text.parse::<u32>().unwrap();
        let (width, height) = (number(root.text("width")), number(root.text("height")));
        for part in root.all("rect").iter().chain(&root.all("text")) {
            let wide = part.get("width").map_or(0, number);
            assert!(number(part.text("x")) + wide <= width && number(part.text("y")) <= height, "{part:?}");
        }
    }
}

/// The lines of diff, and its exit code.
fn diff(trial: &Trial) -> (Vec<String>, i32) {
    let live = trial.path("live.xml");
    let output = inuvika_ha().arg("diff").arg(trial.path("scenario.toml")).arg("--cib").arg(live).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("a&b") && !String::from_utf8_lossy(&output.stderr).contains("a&b"), "a secret: {text}");
    (text.lines().map(str::to_owned).collect(), output.status.code().unwrap())
}

#[test]
fn a_cluster_is_compared_with_its_scenario() {
    let trial = Trial::new(EXAMPLE);
    trial.write("scenario.toml", &trial.scenario, 0o644);
    let (lines, code) = diff(&trial);
    assert!(code == 1 && lines.contains(&"missing    resource virtual_ip".to_owned()), "{lines:?}");
    for dialect in ["crmsh", "cib"] {
        let command = ["pcs", "--dialect", dialect];
        let output = inuvika_ha().args(command).arg(trial.path("scenario.toml")).output().unwrap();
        trial.apply(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(diff(&trial), (vec!["The cluster is as the scenario says.".to_owned()], 0));
    }
    let live = trial.read("live.xml");
    let edited = live
        .replace("name=\"lanplus\" value=\"1\"", "name=\"lanplus\" value=\"0\"")
        .replacen("value=\"a&amp;b&lt;c&gt;", "value=\"a&amp;b", 1)
        .replace("</constraints>", "<rsc_location id=\"cli-prefer-lsyncd\" rsc=\"lsyncd\" node=\"osm2.priv\" score=\"INFINITY\"/></constraints>")
        .replace("score=\"2510\"", "score=\"2500\"");
    trial.write("live.xml", &edited, 0o600);
    let (lines, code) = diff(&trial);
    assert_eq!(code, 1);
    assert_eq!(
        lines,
        [
            "different  location virtual_ip where session_manager-database eq ok: score is 2500, the scenario has 2510",
            "different  resource fence-osm1.priv: option lanplus is 0, the scenario has 1",
            "different  resource fence-osm1.priv: option password is (a secret), the scenario has (a secret)",
            "different  resource fence-osm2.priv: option lanplus is 0, the scenario has 1",
            "different  resource fence-pcs3.priv: option lanplus is 0, the scenario has 1",
            "extra      location lsyncd on osm2.priv",
        ]
    );
    // A secret that cannot be read is said not to be compared.
    trial.write("live.xml", &live, 0o600);
    std::fs::remove_file(trial.path("ipmi.secret")).unwrap();
    let command = |cib: &str| {
        let mut command = inuvika_ha();
        command.arg("diff").arg(trial.path("scenario.toml")).arg("--cib").arg(trial.path(cib)).output().unwrap()
    };
    let output = command("live.xml");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("ipmi.secret: it was not compared"), "{output:?}");
    trial.write("other.xml", "<cib>", 0o600);
    for wrong in ["none.xml", "other.xml", "scenario.toml"] {
        let output = command(wrong);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{wrong}: {output:?}");
    }
}
