//! The scripts that configure a running cluster in one piece, as XML and by crmsh: byte for byte, judged by Pacemaker's schema
//! and crm_verify, and compared with what pcs makes of the same scenario.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "support/meaning.rs"]
mod meaning;
#[path = "support/trial.rs"]
mod trial;

use std::process::{Command, Output};
use trial::{Trial, examples, inuvika_ha, without_units};

const DIALECTS: [&str; 2] = ["cib", "crmsh"];
const EXAMPLE: &str = "ovd-session-manager";
const SAME: &str = "The cluster is configured like this already: nothing to change.\n";

fn names() -> Vec<String> {
    let folders = std::fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// What the examples do not have.
const FREE: &str = "tests/pcs/free.toml";

/// The script for this trial's scenario after edits. Where no systemd runs, nobody knows a unit: a stand-in has its place.
fn script(trial: &Trial, dialect: &str, edits: &[(&str, &str)]) -> String {
    let mut scenario = trial.scenario.clone();
    for (old, new) in edits {
        assert!(scenario.contains(old), "the scenario has no {old}");
        scenario = scenario.replace(old, new);
    }
    trial.write("scenario.toml", &scenario, 0o644);
    let output = inuvika_ha().args(["pcs", "--dialect", dialect]).arg(trial.path("scenario.toml")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    without_units(&String::from_utf8(output.stdout).unwrap())
}

fn refused(output: &Output, reason: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text.contains(reason) && text.lines().count() == 1, "{text}");
}

fn configuration(trial: &Trial) -> String {
    meaning::of(&trial.read("live.xml"))
}

fn judge(trial: &Trial) {
    let live = trial.path("live.xml");
    let schema = "/usr/share/pacemaker/pacemaker-3.9.rng";
    let output = Command::new("xmllint").args(["--noout", "--relaxng", schema]).arg(&live).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = Command::new("crm_verify").arg("-x").arg(&live).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// `UPDATE_GOLDEN=1 cargo test --test at_once` writes the files anew.
#[test]
fn examples_are_what_the_generator_prints() {
    for name in names() {
        for dialect in DIALECTS {
            let folder = examples().join(&name);
            let command = ["pcs", "--dialect", dialect, "scenario.toml"];
            let output = inuvika_ha().current_dir(&folder).args(command).output().unwrap();
            assert!(output.status.success(), "{name}: {output:?}");
            let golden = folder.join(format!("{dialect}.sh"));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::write(&golden, &output.stdout).unwrap();
            }
            let same = std::fs::read(&golden).unwrap() == output.stdout;
            assert!(same, "{} differs: UPDATE_GOLDEN=1, then look at git diff", golden.display());
            let output = Command::new("shellcheck").arg(&golden).output().expect("shellcheck must be installed");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// pcs takes a second for each of its commands: two examples are compared with it always, the others in the long form.
#[test]
fn all_dialects_make_the_same_configuration_and_a_second_run_changes_nothing() {
    for name in names().into_iter().chain([FREE.to_owned()]) {
        let trial = if name == FREE { Trial::of(FREE.as_ref()) } else { Trial::new(&name) };
        let fresh = trial.read("live.xml");
        let mut made = Vec::new();
        for dialect in DIALECTS {
            trial.write("live.xml", &fresh, 0o600);
            let script = script(&trial, dialect, &[]);
            assert!(!script.contains("a&b<c>"), "a secret is in the script");
            let output = trial.apply(&script);
            assert!(!output.contains("a&b<c>") && output.contains("To go back: cp "), "{output}");
            judge(&trial);
            let live = trial.read("live.xml");
            assert!(live.contains("a&amp;b&lt;c&gt;&quot;d") && !live.contains("password@"), "{live}");
            made.push((dialect, configuration(&trial)));
            // Whichever was first: the other changes nothing.
            let other = DIALECTS.iter().find(|other| **other != dialect).unwrap();
            assert!(trial.apply(&self::script(&trial, other, &[])).ends_with(SAME), "{name}: {dialect}, {other}");
            assert_eq!(trial.read("live.xml"), live);
        }
        if ["abiquo-remote-services", "free"].contains(&name.as_str())
            || std::env::var_os("INUVIKA_TEST_FULL").is_some()
        {
            trial.write("live.xml", &fresh, 0o600);
            trial.apply(&without_units(&trial.script(&[])));
            made.push(("pcs", configuration(&trial)));
            let output = trial.apply(&script(&trial, "cib", &[]));
            assert!(output.ends_with(SAME), "{name}: {output}");
        }
        for (dialect, other) in &made[1..] {
            assert!(made[0].1 == *other, "{name}: {} of cib is not\n{other} of {dialect}", made[0].1);
        }
    }
}

#[test]
fn what_differs_is_changed_and_what_others_made_stays() {
    for dialect in DIALECTS {
        let trial = Trial::new(EXAMPLE);
        trial.apply(&script(&trial, dialect, &[]));
        let first = trial.read("live.xml");
        // What people do to a cluster that runs: a resource of their own, one that is to be stopped, a move.
        let meta = "<meta_attributes id=\"session_manager-meta_attributes\">";
        let stopped = "<nvpair id=\"stop-it\" name=\"target-role\" value=\"Stopped\"/>";
        let edited = first
            .replace(meta, &format!("{meta}{stopped}"))
            .replacen(
                "</constraints>",
                "<rsc_location id=\"cli-prefer-lsyncd\" rsc=\"lsyncd\" node=\"osm2.priv\" score=\"1\"/></constraints>",
                1,
            )
            .replacen(
                "</resources>",
                "<primitive id=\"other\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\"/></resources>",
                1,
            )
            .replace("name=\"lanplus\" value=\"1\"", "name=\"lanplus\" value=\"0\"");
        assert_eq!(edited.matches("lanplus\" value=\"0\"").count(), 3);
        trial.write("live.xml", &edited, 0o600);
        let changed = script(
            &trial,
            dialect,
            &[
                ("nic = \"eth0\"", "nic = \"ens3\""),
                ("destinations = [\"10.20.1.0/24\"]", "exclude = [\"10.20.1.1\"]"),
                ("stickiness = 1000 ", "stickiness = 500 "),
                (
                    "# service_match = '<error id=\"1\"'",
                    "service_match = \"it's <error id=\\\"1\\\" \\\\d+ & $HOME `x` #y \\\\\\\\\"",
                ),
                ("username = \"fence\"", "username = \"it's a <\\\"$HOME\\\"> & more\""),
            ],
        );
        let dry = trial.run(&changed, &["--dry-run"]);
        assert!(dry.status.success() && trial.read("live.xml") == edited, "a dry run changed something: {dry:?}");
        let output = trial.apply(&changed);
        for line in [
            "set: resource-stickiness=500\n",
            "changed: vip_src\n",
            "left as it is: other\n",
            "as it is: cli-prefer-lsyncd\n",
        ] {
            assert!(output.contains(line), "{line}: {output}");
        }
        let second = trial.read("live.xml");
        for (name, value) in [
            ("nic", "ens3"),
            ("exclude", "10.20.1.1"),
            ("resource-stickiness", "500"),
            ("target-role", "Stopped"),
            ("lanplus", "1"),
            ("service_match", "it's &lt;error id=&quot;1&quot; \\d+ &amp; $HOME `x` #y \\\\"),
            ("username", "it's a &lt;&quot;$HOME&quot;&gt; &amp; more"),
        ] {
            let second = second.replace("&apos;", "'");
            assert!(second.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name} is not {value}: {second}");
        }
        assert!(!second.contains("name=\"destinations\"") && second.contains("cli-prefer-lsyncd"), "{second}");
        judge(&trial);
        assert!(trial.apply(&changed).ends_with(SAME));

        // The quorum node becomes one that may run the services: constraints of before are taken out.
        let roles = [("\"quorum\"", "\"osm\""), ("osm1.priv\"\nrole = \"osm\"", "osm1.priv\"\nrole = \"quorum\"")];
        let swapped = script(&trial, dialect, &roles);
        let output = trial.apply(&swapped);
        assert!(output.contains("taken out: location-vip_src-pcs3.priv-never\n"), "{output}");
        let live = trial.read("live.xml");
        assert!(!live.contains("pcs3.priv-never\"") && live.contains("location-vip_src-osm1.priv-never\""), "{live}");
    }
}

/// Where only the system's own Python is, as on RHEL 8.
#[test]
fn a_python_with_another_name_is_found() {
    let trial = Trial::new(EXAMPLE);
    let without = "mkdir only; ln -s /usr/bin/* /usr/sbin/* only/ 2>/dev/null; rm only/python3; \
                   mount -t tmpfs tmpfs /usr/libexec; export PATH=$PWD/only";
    let there = "ln -s /usr/bin/python3 /usr/libexec/platform-python";
    for dialect in ["cib", "pcs-0.11"] {
        trial.write("script.sh", &script(&trial, dialect, &[]), 0o755);
        let run = |prepare: &str| {
            let _ = std::fs::remove_dir_all(trial.path("only"));
            trial.enter(&["bash", "-c", &format!("{without}; {prepare}; ./script.sh --cib live.xml --dry-run")])
        };
        refused(&run("true"), "python3 is not installed on this host");
        let output = run(there);
        assert!(output.status.success(), "{dialect}: {output:?}");
    }
}

#[test]
fn wrong_places_are_refused_before_anything_is_changed() {
    let trial = Trial::new(EXAMPLE);
    let script = script(&trial, "cib", &[]);
    let fresh = trial.read("live.xml");
    let other = fresh.replace("pcs3.priv", "pcs4.priv");
    let more = fresh.replace("</nodes>", "<node id=\"9\" uname=\"x\"/></nodes>");
    let taken = fresh.replace(
        "<resources/>",
        "<resources><primitive id=\"lsyncd\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\"/></resources>",
    );
    for (live, reason) in [
        (other, "pcs3.priv is in the scenario, but not in the cluster"),
        (more, "x is in the cluster, but not in the scenario"),
        (taken, "lsyncd is there with another agent"),
        (String::new(), "live.xml holds no configuration"),
    ] {
        trial.write("live.xml", &live, 0o600);
        refused(&trial.run(&script, &[]), reason);
        assert_eq!(trial.read("live.xml"), live);
    }
    trial.write("live.xml", &fresh, 0o644);
    refused(&trial.run(&script, &[]), "live.xml, and secrets are to be written there: chmod 600 it");
    trial.write("live.xml", &fresh, 0o600);
    let lost =
        script.replace("type=\"ovd-osm\"", "type=\"ovd-none\"").replace("ocf:inuvika:ovd-osm", "ocf:inuvika:ovd-none");
    refused(&trial.run(&lost, &[]), "agent ocf:inuvika:ovd-none is not installed on this host");
    let wrong = script.replace("score=\"2510\"", "score=\"much\"");
    let output = trial.run(&wrong, &[]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains("crm_verify refuses the configuration"), "{output:?}");
    for (secret, mode, reason) in
        [("open to all\n", 0o644, "others may read"), ("\n", 0o600, "has no first line of plain text")]
    {
        trial.write("ipmi.secret", secret, mode);
        refused(&trial.run(&script, &[]), reason);
    }
    std::fs::write(trial.path("ipmi.secret"), b"caf\xe9\n").unwrap();
    refused(&trial.run(&script, &[]), "ipmi.secret is not UTF-8 text");
    std::fs::remove_file(trial.path("ipmi.secret")).unwrap();
    refused(&trial.run(&script, &[]), "ipmi.secret: No such file");
    assert_eq!(trial.read("live.xml"), fresh);
    assert_eq!(trial.run(&script, &["--nonsense"]).status.code(), Some(2));
    for wrong in ["yaml", "cib-2", "crmsh-5"] {
        let file = trial.path("scenario.toml");
        let output = inuvika_ha().args(["pcs", "--dialect", wrong]).arg(file).output().unwrap();
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{output:?}");
    }
}
