//! The command line: what it prints, where, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use assert_cmd::Command;
use std::process::Output;

const EXAMPLE: &str = include_str!("../pcs-examples/ovd-session-manager/scenario.toml");
const LVS: &str = include_str!("../pcs-examples/lvs-director/scenario.toml");
const ABIQUO: &str = include_str!("../pcs-examples/abiquo-remote-services/scenario.toml");
const FILES: &str = include_str!("../pcs-examples/ovd-file-server/scenario.toml");
const GUIDE: &str = include_str!("../pcs-examples/ovd-session-manager-guide/scenario.toml");

fn inuvika_ha(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inuvika-ha")).args(arguments).output().unwrap()
}

/// Runs `pcs` on a text, as file s.toml.
fn pcs(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_inuvika-ha"));
    command.current_dir(folder.path()).args(["pcs", "--dialect", "pcs-0.11", "s.toml"]).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn init_prints_the_examples_and_never_overwrites() {
    assert_eq!(inuvika_ha(&["init", "ovd-session-manager"]).stdout, EXAMPLE.as_bytes());
    assert_eq!(inuvika_ha(&["init", "ovd-session-manager", "--guide"]).stdout, GUIDE.as_bytes());
    assert_eq!(inuvika_ha(&["init", "lvs-director"]).stdout, LVS.as_bytes());
    assert_eq!(inuvika_ha(&["init", "abiquo-remote-services"]).stdout, ABIQUO.as_bytes());
    assert_eq!(inuvika_ha(&["init", "ovd-file-server"]).stdout, FILES.as_bytes());
    let guide = inuvika_ha(&["init", "lvs-director", "--guide"]);
    assert!(guide.status.code() == Some(2) && guide.stdout.is_empty(), "{guide:?}");
    assert_eq!(stderr(&guide), "--guide is for ovd-session-manager only: leave it out\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    let arguments = ["init", "ovd-session-manager", "-o", file.to_str().unwrap()];
    assert!(inuvika_ha(&arguments).status.success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), EXAMPLE);
    std::fs::write(&file, "mine").unwrap();
    let output = inuvika_ha(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with(&format!("inuvika-ha: write {}: File exists", file.display())), "{output:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn exit_codes_are_documented_and_kept() {
    let help = inuvika_ha(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("Exit codes:"));
    assert_eq!(inuvika_ha(&["nonsense"]).status.code(), Some(2));
    let output = inuvika_ha(&["pcs", "/nonexistent/s.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "inuvika-ha: read /nonexistent/s.toml: No such file or directory (os error 2)\n");
    assert_eq!(pcs(EXAMPLE).status.code(), Some(0));
}

#[test]
fn what_lvs_cannot_take_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lvs.toml");
    std::fs::write(&file, "[[service]]\nvirtual = \"192.0.2.10:80\"\nreal = \"192.0.2.21:81\"\nforwarding = \"dr\"\n")
        .unwrap();
    let file = file.to_str().unwrap();
    for (words, code, part) in [
        (&["lvs", "check", "--config", file][..], 2, "lvs.toml:3"),
        (&["lvs", "check", "--config", file, "--param", "fall=3"], 2, "parameter fall"),
        (&["lvs", "check", "--param", "virtual_ip=192.0.2.10"], 2, "parameter ports is needed"),
        (&["lvs", "check", "--param", "colour=red"], 2, "no parameter 'colour'"),
        (&["lvs", "check", "--config", "/nonexistent/lvs.toml"], 1, "/nonexistent/lvs.toml is not there"),
        (&["lvs", "run", "--instance", "none-such"], 1, "give its parameters"),
    ] {
        let output = inuvika_ha(words);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {output:?}");
        assert!(text.contains(part) && text.lines().count() == 1 && output.stdout.is_empty(), "{words:?}: {output:?}");
    }
    assert_eq!(inuvika_ha(&["lvs", "drain", "rs1", "--instance", "lvs"]).status.code(), Some(2));
}

/// Every wrong input gives exactly one line with its place, exit code 2, and nothing on standard output.
#[test]
fn wrong_input_is_one_clear_line() {
    let table = include!("cli/wrong.in");
    for (old, new, line) in table {
        let at = EXAMPLE.find(old).unwrap_or_else(|| panic!("the example has no {old:?}"));
        let text = format!("{}{new}{}", &EXAMPLE[..at], &EXAMPLE[at + old.len()..]);
        let output = pcs(&text);
        assert_eq!(stderr(&output), format!("s.toml:{line}\n"), "{new}");
        assert_eq!(output.status.code(), Some(2), "{new}");
        assert!(output.stdout.is_empty(), "{new}");
    }
}

/// The same for what only directors have.
#[test]
fn wrong_directors_are_one_clear_line() {
    let table = include!("cli/wrong_lvs.in");
    for (old, new, line) in table {
        let at = LVS.find(old).unwrap_or_else(|| panic!("the example has no {old:?}"));
        let text = format!("{}{new}{}", &LVS[..at], &LVS[at + old.len()..]);
        let output = pcs(&text);
        assert_eq!(stderr(&output), format!("s.toml:{line}\n"), "{new}");
        assert_eq!(output.status.code(), Some(2), "{new}");
        assert!(output.stdout.is_empty(), "{new}");
    }
}

/// Without fencing a scenario must say so in so many words.
#[test]
fn no_fencing_has_to_be_accepted() {
    let (before, _) = EXAMPLE.split_once("\n[[fencing]]").unwrap();
    let none = "fencing = \"none\"\n";
    for (added, line) in [
        (
            "",
            "1:1: fencing: is missing: [[fencing]] for every node, or fencing = \"none\" with accept_split_brain = true",
        ),
        (
            none,
            "8:11: fencing: without fencing two nodes may run everything at once: write accept_split_brain = true as well, \
             or describe a [[fencing]] device for every node",
        ),
        ("fencing = \"off\"\n", "8:11: fencing: \"off\" is not allowed: must be none, or [[fencing]] for every node"),
        ("fencing = 5\n", "8:11: fencing: must be a list of tables: [[fencing]], not integer"),
        (
            "fencing = []\n",
            "8:11: fencing: must be [[fencing]] for every node, or \"none\" with accept_split_brain = true",
        ),
    ] {
        let output = pcs(&before.replace("\n[cluster]", &format!("\n{added}[cluster]")));
        assert_eq!(stderr(&output), format!("s.toml:{line}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_file_that_is_not_text_is_wrong_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.toml");
    std::fs::write(&file, b"\xff\xfe").unwrap();
    let output = inuvika_ha(&["pcs", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).ends_with("s.toml:1:1: is not UTF-8 text\n"));
    let empty = pcs("");
    assert_eq!(
        stderr(&empty),
        "s.toml:1:1: setup: is missing: ovd-session-manager or lvs-director or abiquo-remote-services or ovd-file-server or free\n"
    );
}

/// Doubtful input is told about on standard error; the script is printed all the same.
#[test]
fn doubtful_input_is_a_warning() {
    let without = |text: &str, name: &str| {
        let mut parts: Vec<&str> = text.split("\n[[").collect();
        parts.retain(|part| !part.contains(&format!("\"{name}\"")) || part.contains("[virtual_ip]"));
        parts.join("\n[[")
    };
    let (before, _) = EXAMPLE.split_once("\n[[fencing]]").unwrap();
    let no_fencing = before.replace("\n[cluster]", "fencing = \"none\"\naccept_split_brain = true\n\n[cluster]");
    let two = EXAMPLE.replace("[[node]]\nname = \"pcs3.priv\"\nrole = \"quorum\"\naddress = \"192.168.100.13\"\n", "");
    let two = without(&two, "pcs3.priv");
    let stuck = EXAMPLE.replace("stickiness = 1000", "stickiness = \"INFINITY\"");
    let unasked = LVS.replace("[router]\naddress = \"192.168.71.1\"\n", "");
    let heavy = LVS.replace("stickiness = 1000", "stickiness = 400000");
    let hasty = EXAMPLE.replace("\"4h\"", "\"10min\"").replace("stickiness = 1000", "stickiness = 0");
    for (text, warnings) in [
        (EXAMPLE, &[][..]),
        (LVS, &[]),
        (&unasked, &["setup: without [router] the address stays on a node that clients do not reach any more"]),
        (&heavy, &["failover.stickiness: no score is above this: a node that alone sees no server or router keeps"]),
        (GUIDE, &["4 votes tolerate the loss of 1 and no more, exactly as 3 do"]),
        (&no_fencing, &["warning: fencing: two nodes may run everything at once"]),
        (&two, &["two votes: corosync gets two_node", "two nodes may switch off each other"]),
        (&stuck, &["failover.stickiness: no score is above this: a node that alone loses its database keeps"]),
        (&hasty, &["failover.stickiness: with 0 everything moves back", "failover.failure_timeout: below 1h"]),
    ] {
        let output = pcs(text);
        assert!(output.status.success(), "{output:?}");
        let lines: Vec<_> = stderr(&output).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), warnings.len(), "{lines:?}");
        for (line, warning) in lines.iter().zip(warnings) {
            assert!(line.starts_with("s.toml:") && line.contains("warning: ") && line.contains(warning), "{line}");
        }
    }
}

/// What else a scenario can ask for, and where it shows in the script.
#[test]
fn variants_show_in_the_script() {
    let script = |old: &str, new: &str| {
        assert!(EXAMPLE.contains(old), "{old}");
        let output = pcs(&EXAMPLE.replace(old, new));
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!script("# detection", "# detection").contains("totem token=1000 "));
    assert!(script("# detection", "detection").contains("totem token=1000"));
    assert!(script("# detection", "detection").contains("\ntoken=1000\n"));
    assert!(script("# start_at_boot", "start_at_boot").contains("\nat_boot=disable\n"));
    assert!(!script("# start_at_boot", "start_at_boot").contains("--enable"));
    assert!(script("stickiness = 1000", "stickiness = \"INFINITY\"").contains("resource-stickiness=INFINITY"));
    // What nodes count for: a database seen; nothing known of it; a whole copy; none ever.
    let attract = |old, new| {
        let text = script(old, new);
        let scores = text.lines().filter_map(|line| line.strip_prefix("attract virtual_ip score="));
        scores.map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(attract("stickiness = 1000", "stickiness = 1000"), ["2510", "1255", "500", "-INFINITY"]);
    assert_eq!(attract("stickiness = 1000", "stickiness = 399995"), ["999997", "499998", "199997", "-INFINITY"]);
    assert_eq!(attract("stickiness = 1000", "stickiness = 399997"), ["999999", "499999", "199998", "-INFINITY"]);
    assert_eq!(attract("stickiness = 1000", "stickiness = \"INFINITY\""), ["999999", "499999", "249999", "-INFINITY"]);
    // Without its section there is no copying at all; without the section's peer it is the two nodes.
    let (lsyncd, failover) = (EXAMPLE.find("[lsyncd]\n").unwrap(), EXAMPLE.find("[failover]\n").unwrap());
    let without = String::from_utf8(pcs(&format!("{}{}", &EXAMPLE[..lsyncd], &EXAMPLE[failover..])).stdout).unwrap();
    assert!(without.contains("attract virtual_ip score=2010 ") && !without.contains("lsyncd"), "{without}");
    assert!(script("# peer", "# peer").contains(" peer=osm1.priv,osm2.priv "));
    assert!(
        script("# peer = [\"osm1.priv\", \"osm2.priv\"]", "peer = \"the-other-osm\"").contains(" peer=the-other-osm ")
    );
    let values = "service_match = '<error id=\"1\"'\nmanage_cron = false\ngraceful_timeout = 5\nvhost = \"[::1]:1111\"";
    let values = script("# service_match = '<error id=\"1\"'", values);
    for word in ["'service_match=<error id=\"1\"'", " manage_cron=no ", " graceful_timeout=5 ", " 'vhost=[::1]:1111' "]
    {
        assert!(values.contains(word), "{word}: {values}");
    }
    let split = script("address = \"10.20.1.10/24\"", "address = \"10.20.1.10\"\nnetwork = \"10.20.0.0/16\"");
    assert!(split.contains("ip=10.20.1.10 cidr_netmask=16 nic=eth0"));
    assert!(script("nic = \"eth0\"", "").contains("ip=10.20.1.10 cidr_netmask=24 nic= "));
    let map = script("11\"\noptions.lanplus = true", "11\"\noptions.pcmk_host_map = \"osm1.priv:a;\"");
    assert!(map.contains("'pcmk_host_map=osm1.priv:a;'"));
    let quoted = script("options.username = \"fence\"", "options.username = \"it's $HOME\"");
    assert!(quoted.contains(r"'username=it'\''s $HOME'"));
    let links = EXAMPLE.replace("address = \"192.168.100.1", "address = [\"10.9.9.1\", \"192.168.100.1");
    let mut number = 0;
    let links: String = links
        .lines()
        .map(|line| match line.starts_with("address = [") {
            true => {
                number += 1;
                format!("{}]\n", line.replace("10.9.9.1", &format!("10.9.9.{number}")))
            }
            false => format!("{line}\n"),
        })
        .collect();
    let output = pcs(&links);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.contains("osm1.priv addr=10.9.9.1 addr=192.168.100.11 "), "{output:?}");
}

/// What a script is for: asked for, or that of this machine.
#[test]
fn the_script_is_for_the_pcs_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.toml");
    std::fs::write(&file, EXAMPLE).unwrap();
    let ask = |options: &[&str]| inuvika_ha(&[&["pcs"], options, &[file.to_str().unwrap()]].concat());
    let text = |options: &[&str]| String::from_utf8(ask(options).stdout).unwrap();
    for (options, title) in [
        (&["--for", "rhel8"][..], "0.10"),
        (&["--for", "rhel7"], "0.9.150 or a later 0.9"),
        (&["--for", "ubuntu16.04"], "0.9.149"),
        (&["--for", "debian13"], "0.12"),
        (&["--pcs-version", "0.10.4"], "0.10.1 to 0.10.5"),
        (&["--dialect", "pcs-0.12.1"], "0.12"),
        (&["--dialect", "pcs"], "0.11"),
    ] {
        assert!(text(options).contains(&format!("by \"inuvika-ha pcs\" for pcs {title}. Edit")), "{options:?}");
    }
    // pcs of this machine is 0.11.
    assert_eq!(text(&[]), text(&["--dialect", "pcs-0.11"]));
    // What a pcs cannot do is said, and what is done instead.
    let old = text(&["--for", "ubuntu16.04"]);
    for words in [
        "cannot ask other nodes for their agents",
        "is not encrypted (pcs can do that from 0.9.159 on)",
        "can push a difference (0.9.156)",
        "Set with cibadmin",
        "Before Pacemaker 2.1 critical=false means nothing",
    ] {
        assert!(old.contains(words), "{words}");
    }
    assert!(!text(&["--for", "rhel9"]).contains("Before Pacemaker"));
    for (options, part) in [
        (&["--for", "debian9"][..], "--for: \"debian9\" is not known: there are rhel7, "),
        (
            &["--pcs-version", "0.9.137"],
            "--pcs-version: no script is written for pcs 0.9.137: scripts are for 0.9.149 to",
        ),
        (&["--pcs-version", "new"], "--pcs-version: \"new\" is no version of pcs"),
        (&["--dialect", "perl"], "--dialect: there is no dialect \"perl\": there are pcs ("),
        (&["--dialect", "pcs-7"], "--dialect: \"7\" is no version of pcs"),
        (&["--part", "auth,all"], "--part: \"all\" is no part of a script: there are auth, cluster, "),
    ] {
        let output = ask(options);
        let said = stderr(&output);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{options:?}: {output:?}");
        assert!(said.starts_with(part) && said.lines().count() == 1, "{options:?}: {said}");
    }
    assert_eq!(ask(&["--for", "rhel8", "--pcs-version", "0.11"]).status.code(), Some(2));
}

#[test]
fn only_file_servers_have_a_configuration_of_ctdb() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.toml");
    std::fs::write(&file, EXAMPLE).unwrap();
    let output = inuvika_ha(&["ofs-config", file.to_str().unwrap()]);
    assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{output:?}");
    let said = stderr(&output);
    assert!(
        said.ends_with("a scenario of ovd-session-manager has no CTDB: see inuvika-ha init ovd-file-server\n"),
        "{said}"
    );
}
