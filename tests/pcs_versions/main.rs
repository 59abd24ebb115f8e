//! The scripts for other versions, run by those versions: pcs 0.12 of Debian 13 and pcs 0.10 of Debian 11, on a CIB file, in roots
//! and namespaces of their own. Making a root takes some minutes and 400 MB, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

#[path = "../support/meaning.rs"]
mod meaning;
mod root;
#[path = "../support/trial.rs"]
mod trial;

use root::{BULLSEYE, Root, TRIXIE};
use trial::{Trial, examples};

const EXAMPLE: &str = "ovd-session-manager";

fn names() -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every example, twice: the second run changes nothing, and what is configured means what the pcs of this machine configures.
fn all_examples(root: &Root, dialect: &str) {
    for example in names() {
        let ours = Trial::new(&example);
        ours.apply(&without_units(ours.script(&[])));
        let trial = Trial::new(&example);
        root.fresh(&trial);
        let script = without_units(in_root(&trial, trial.script_in(dialect, &trial.scenario)));
        root.apply(&trial, &script, &[]);
        let first = trial.read("live.xml");
        let verdict = root.run(&trial, &["crm_verify", "-x", "live.xml"]);
        assert!(verdict.status.success(), "{}, {example}: {verdict:?}", root.suite);
        let again = root.apply(&trial, &script, &[]);
        assert!(again.contains("nothing to push") && !again.contains("    pcs"), "{again}");
        assert_eq!(trial.read("live.xml"), first, "{}, {example}", root.suite);
        assert_eq!(meaning::of(&first), meaning::of(&ours.read("live.xml")), "{}, {example}", root.suite);
        eprintln!("{}: {example}: as by the pcs of this machine", root.suite);
    }
}

/// A scenario that changes, parts of it, and what is not in it any more.
fn changes(root: &Root, dialect: &str) {
    let trial = Trial::new(EXAMPLE);
    root.fresh(&trial);
    let script = |arguments: &[&str], scenario: &str| {
        in_root(&trial, trial.script_with(&[&["--dialect", dialect], arguments].concat(), scenario))
    };
    root.apply(&trial, &script(&[], &trial.scenario), &[]);
    let other = ["resource", "create", "other", "ocf:heartbeat:Dummy"];
    let output = root.run(&trial, &[&["pcs", "-f", "live.xml"], &other[..]].concat());
    assert!(output.status.success(), "{output:?}");

    let edited =
        trial.scenario.replace("nic = \"eth0\"", "nic = \"ens3\"").replace("stickiness = 1000", "stickiness = 500");
    let means = || meaning::of(&trial.read("live.xml")).lines().map(str::to_owned).collect::<Vec<_>>();
    let before = means();
    let text = root.apply(&trial, &script(&["--part", "properties"], &edited), &[]);
    let mut after = means();
    after.retain(|line| !before.contains(line));
    assert!(after.len() == 1 && after[0].contains("value=\"500\""), "{text}{after:?}");

    let text = root.apply(&trial, &script(&[], &edited), &[]);
    assert!(text.contains("left as it is: other (to remove it: pcs resource delete other)"), "{text}");
    let slower = script(&[], &edited).replace("monitor interval=10s timeout=10s", "monitor interval=15s timeout=10s");
    let text = root.apply(&trial, &slower, &["--prune"]);
    assert!(text.contains("    pcs resource delete other"), "{text}");
    let live = trial.read("live.xml");
    assert!(!live.contains("Dummy") && live.contains("value=\"ens3\"") && live.contains("interval=\"15s\""), "{live}");
    assert!(root.apply(&trial, &slower, &["--prune"]).contains("configured like this already"));
}

/// pcs asks systemd for a unit, and systemd does not run here: an agent takes its place.
fn without_units(script: String) -> String {
    script.replace("systemd:ovd-slaveserver", "ocf:heartbeat:Dummy")
}

/// The secrets are in the trial's folder, which has another name inside. A pcs that cannot be loaded once for all its commands would
/// be as right, but slow without a word: here it is an error.
fn in_root(trial: &Trial, script: String) -> String {
    let begin = "\nstart_quick\n";
    assert!(script.contains(begin));
    let script = script.replace(begin, &format!("{begin}[ -n \"$quick\" ] || die 'pcs cannot be loaded once'\n"));
    script.replace(trial.path("").to_str().unwrap().trim_end_matches('/'), "/mnt/trial")
}

#[test]
fn pcs_0_12_of_debian_13() {
    let root = Root::of(TRIXIE);
    all_examples(&root, "pcs-0.12");
    changes(&root, "pcs-0.12");
}

#[test]
fn pcs_0_10_of_debian_11() {
    let root = Root::of(BULLSEYE);
    all_examples(&root, &format!("pcs-{}", root.pcs));
    changes(&root, &format!("pcs-{}", root.pcs));
}
