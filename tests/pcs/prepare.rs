//! The scripts that prepare nodes: byte for byte for a release each, and judged by shellcheck.

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
