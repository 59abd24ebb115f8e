//! The scripts that prepare nodes: byte for byte for a release each, and judged by shellcheck.

use std::path::Path;

use crate::trial::{examples, inuvika_ha};

/// An example with the release that its script is for: all families, both generations of corosync.
const SCRIPTS: &[(&str, &str)] = &[
    ("ovd-session-manager", "ubuntu22.04"),
    ("ovd-session-manager-guide", "rhel8"),
    ("ovd-file-server", "rhel9"),
    ("abiquo-remote-services", "rhel7"),
    ("lvs-director", "debian12"),
    ("free", "debian13"),
];

#[test]
fn scripts_that_prepare_are_what_the_generator_prints() {
    for (example, release) in SCRIPTS {
        let folder = examples().join(example);
        let arguments = ["pcs", "--part", "prepare", "--for", release, "scenario.toml"];
        let output = inuvika_ha().current_dir(&folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "{example}: {output:?}");
        let golden = folder.join(format!("prepare-{release}.sh"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &output.stdout).unwrap();
        }
        let same = std::fs::read(&golden).unwrap() == output.stdout;
        assert!(same, "{} differs: UPDATE_GOLDEN=1, then look at git diff", golden.display());
        super::check_as_bash(&golden);
    }
}

/// Remote nodes, a quorum device and sbd: the steps, which alone differ from the examples.
#[test]
fn steps_for_what_no_example_has_are_what_the_generator_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pcs/prepare");
    for release in ["debian12", "rhel9"] {
        let script = written(&folder.join("scenario.toml"), release);
        let steps = steps(&script);
        let golden = folder.join(format!("{release}.steps"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, steps).unwrap();
        }
        let same = std::fs::read_to_string(&golden).unwrap() == steps;
        assert!(same, "{} differs: UPDATE_GOLDEN=1, then look at git diff", golden.display());
    }
}

/// What is between the functions and the end, which all scripts have.
fn steps(script: &str) -> &str {
    let (_, steps) = script.split_once("# Step 1: ").expect("the script has steps");
    steps.split_once("\nif [ -n \"$dry_run\" ]").expect("the script has an end").0
}

/// The script for a release.
fn written(scenario: &Path, release: &str) -> String {
    let output = inuvika_ha().args(["pcs", "--part", "prepare", "--for", release]).arg(scenario).output().unwrap();
    assert!(output.status.success(), "{}: {output:?}", scenario.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_director_with_a_file_lets_in_what_the_file_has() {
    let folder = tempfile::tempdir().unwrap();
    let (file, scenario) = (folder.path().join("lvs.toml"), folder.path().join("scenario.toml"));
    let text = std::fs::read_to_string(examples().join("lvs-director/scenario.toml")).unwrap();
    let (head, rest) = text.split_once("\n[lvs_director]\n").unwrap();
    let (_, failover) = rest.split_once("\n[failover]\n").unwrap();
    let own = format!("config = \"{}\"", file.display());
    std::fs::write(&scenario, format!("{head}\n[lvs_director]\n{own}\n[failover]\n{failover}")).unwrap();
    let lines = || {
        let script = written(&scenario, "debian12");
        let steps = steps(&script);
        // A command may go over several lines.
        let steps = steps.replace(" \\\n    ", " ");
        let lines = steps.lines().filter(|line| line.starts_with("at director allow"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    // Not there: the script says so where there is a firewall.
    let name = file.display();
    let why = "not there when this was written; a script written where it is lets them in";
    let untold = format!("at director allow_by_hand 'the virtual services of {name} ({why})'");
    assert_eq!(lines(), [untold]);

    let service = |virt: &str, more: &str| format!("[[service]]\nvirtual = {virt}\nreal = [\"10.0.0.1\"]\n{more}\n");
    let farm = [
        "[check]\ntype = \"none\"\n[sync]\ninterface = \"eth1\"\nport = 8850\n".to_owned(),
        service("\"192.168.71.205:80\"", ""),
        service("\"192.168.71.206:80\"", ""),
        service("\"192.168.71.205:53\"", "protocol = \"udp\"\none_packet = true"),
        service("\"192.168.71.207\"", "persistent = 300\nports = [0]"),
        "[[service]]\nmark = 7\nreal = [\"10.0.0.1\"]\n".into(),
    ];
    std::fs::write(&file, farm.concat()).unwrap();
    let expected = [
        "at director allow tcp 80 from everybody for 'a virtual service'",
        "at director allow udp 53 from everybody for 'a virtual service'",
        "at director allow udp 8850 from director for 'connections, told by the others'",
        "at director allow_by_hand 'every port of 192.168.71.207, tcp'",
        "at director allow_by_hand 'what the firewall marks with 7'",
    ];
    assert_eq!(lines(), expected);

    // Wrong: as if it were not there, with what is wrong.
    std::fs::write(&file, "[[service]]\n").unwrap();
    assert!(lines().concat().contains(&format!("of {name} ({name}:1:")), "{:?}", lines());
}

#[test]
fn wrong_options_are_told_in_one_line() {
    for (options, reason) in [
        (&["--part", "prepare,auth"][..], "--part: prepare is a script of its own, for every node: ask for it alone\n"),
        (
            &["--part", "prepare", "--prune"],
            "--part: prepare is for a release (--for), not for a pcs, a dialect or --prune\n",
        ),
        (&["--part", "prepare", "--for", "sles15"], "--for: \"sles15\" is not known: there are rhel7, "),
    ] {
        let scenario = examples().join("lvs-director/scenario.toml");
        let output = inuvika_ha().arg("pcs").args(options).arg(scenario).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && text.starts_with(reason) && text.lines().count() == 1, "{text}");
    }
}
