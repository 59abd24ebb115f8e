//! `inuvika-ha import`: every old set-up under tests/import gives the scenario beside it, and that goes all the way to a script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use assert_cmd::Command;
use std::path::{Path, PathBuf};
use std::process::Output;

fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import");
    let mut folders: Vec<_> = std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn words(folder: &Path, name: &str) -> Vec<String> {
    std::fs::read_to_string(folder.join(name)).unwrap().split_whitespace().map(str::to_owned).collect()
}

fn inuvika_ha(folder: &Path, arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inuvika-ha")).current_dir(folder.join("in")).args(arguments).output().unwrap()
}

fn import(folder: &Path, more: &[String]) -> Output {
    inuvika_ha(folder, &[vec!["import".into()], words(folder, "arguments"), more.to_vec()].concat())
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// `UPDATE_GOLDEN=1 cargo test --test import` writes the files anew.
#[test]
fn every_old_set_up_gives_its_scenario() {
    for folder in folders() {
        let output = import(&folder, &[]);
        assert_eq!(output.status.code(), Some(3), "{}: nothing says how to fence: {output:?}", folder.display());
        let golden = folder.join("out.toml");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &output.stdout).unwrap();
        }
        let printed = String::from_utf8(output.stdout.clone()).unwrap();
        let expected = std::fs::read_to_string(&golden).unwrap();
        assert!(expected == printed, "{} differs: UPDATE_GOLDEN=1, then look at git diff", golden.display());
        // What stands in the file is told as well, and where the generator stops.
        let told = stderr(&output);
        let listed = printed.lines().filter(|line| line.starts_with("# - ")).count();
        assert_eq!(told.lines().count(), listed + 1, "{told}");
        assert!(told.lines().last().unwrap().starts_with("the generator stops at: imported scenario:"), "{told}");
        for text in [&printed, &told] {
            assert!(!text.contains("ca0e0814") && !text.contains("not-to-be-seen"), "a secret is shown: {text}");
        }
        // The generator says the same.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &printed).unwrap();
        let output = inuvika_ha(&folder, &["pcs".into(), file.path().to_str().unwrap().into()]);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{output:?}");
    }
}

/// With an answer to every question the scenario becomes a script.
#[test]
fn answered_they_become_clusters() {
    for folder in folders() {
        let target = tempfile::tempdir().unwrap();
        let file = target.path().join("scenario.toml");
        let file = file.to_str().unwrap().to_owned();
        let more = [words(&folder, "answers"), vec!["-o".into(), file.clone()]].concat();
        let output = import(&folder, &more);
        assert!(output.status.success() && output.stdout.is_empty(), "{}: {output:?}", folder.display());
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("# OPEN") && !text.contains('?'), "{text}");
        let script = inuvika_ha(&folder, &["pcs".into(), file.clone()]);
        assert!(script.status.success() && !script.stdout.is_empty(), "{script:?}");
        // It never overwrites.
        let again = import(&folder, &more);
        assert_eq!(again.status.code(), Some(1), "{again:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn what_cannot_be_read_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    for (name, text) in [
        ("ha.cf", "node a b\n"),
        ("notes.txt", "nothing\n"),
        ("lvs.sh", "ipvsadm -A -t 192.0.2.1:80\n"),
        ("haresources", "b 192.0.2.1\n"),
        ("ha.xml", "<ha/>\n"),
        ("S10x", "#!/bin/sh\n"),
    ] {
        std::fs::write(folder.path().join("in").join(name), text).unwrap();
    }
    for (arguments, code, part) in [
        (&["lvs", "ha.cf"][..], 2, "no file says which virtual services there are"),
        (&["lvs", "lvs.sh"], 2, "no file names the nodes"),
        (&["lvs", "notes.txt"], 2, "notes.txt: is neither ha.cf"),
        (&["lvs", "missing"], 1, "inuvika-ha: read missing: No such file"),
        (&["heartbeat", "notes.txt"], 2, "notes.txt: is neither ha.cf, haresources"),
        (&["heartbeat", "ha.cf"], 2, "no file has a resource that can be carried over"),
        (&["heartbeat", "haresources"], 2, "the files name one node, b: a cluster has at least two"),
        (&["cman", "notes.txt"], 2, "no file names the nodes"),
        (&["cman", "ha.xml"], 2, "ha.xml: line 1: <ha> is no cluster.conf"),
        (&["opensvc", "notes.txt"], 2, "notes.txt: is neither a service"),
        (&["opensvc", "S10x"], 2, "no file has a service"),
        (&["lvs", "ha.cf", "--address", "a"], 2, "--address: \"a\" must be NAME=ADDRESS"),
        (&["lvs", "ha.cf", "--hosts", "missing"], 1, "inuvika-ha: read missing: "),
    ] {
        let arguments: Vec<String> = [&["import"], arguments].concat().iter().map(|word| (*word).to_owned()).collect();
        let output = inuvika_ha(folder.path(), &arguments);
        let said = stderr(&output);
        assert!(output.status.code() == Some(code) && output.stdout.is_empty(), "{arguments:?} {output:?}");
        assert!(said.contains(part) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
}

/// Services that differ need a file of the director's own; it is one that the director takes.
#[test]
fn services_that_differ_come_with_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    std::fs::write(input.join("ha.cf"), "node a b\nucast eth1 192.0.2.1\nucast eth1 192.0.2.2\nauto_failback on\n")
        .unwrap();
    std::fs::write(input.join("haresources"), "b 198.51.100.1/28/eth0\n").unwrap();
    let script = "V=198.51.100.1\nipvsadm -A -t $V:80 -s wrr -p 60\nipvsadm -a -t $V:80 -r 203.0.113.1:8080 -m -w 3\n\
                  ipvsadm -A -u $V:53\nipvsadm -a -u $V:53 -r 203.0.113.2 -m\nipvsadm --start-daemon master --mcast-interface eth1\n";
    std::fs::write(input.join("lvs.sh"), script).unwrap();
    let arguments = ["import", "lvs", "ha.cf", "haresources", "lvs.sh", "--accept-split-brain"].map(str::to_owned);
    let output = inuvika_ha(folder.path(), &arguments);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("config = \"/etc/inuvika-ha/lvs.toml\"") && text.contains("\nstickiness = 0\n"), "{text}");
    // The preferred node is the first.
    assert!(text.find("name = \"b\"").unwrap() < text.find("name = \"a\"").unwrap(), "{text}");
    let farm = text.split("# /etc/inuvika-ha/lvs.toml, the same on every director:\n").nth(1).unwrap();
    let lines = farm.lines().take_while(|line| line.starts_with('#')).filter(|line| !line.starts_with("# Carried"));
    let farm: String =
        lines.map(|line| format!("{}\n", line.trim_start_matches("# ").trim_start_matches('#'))).collect();
    std::fs::write(input.join("farm.toml"), &farm).unwrap();
    let output = inuvika_ha(folder.path(), &["lvs", "check", "--config", "farm.toml"].map(str::to_owned));
    assert!(output.status.success(), "{output:?}\n{farm}");
}

/// A file that opens elements and never ends: whoever walks through them would run out of stack.
#[test]
fn nesting_without_end_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcs-examples/lvs-director/scenario.toml");
    let scenario = scenario.to_str().unwrap();
    let deep = 40_000;
    let open = "<clone id=\"a\">".repeat(deep);
    let close = "</clone>".repeat(deep);
    for (name, text) in [
        ("deep.xml", format!("<cib><configuration><resources>{open}{close}</resources></configuration></cib>")),
        ("open.xml", format!("<cib><configuration>{open}")),
        ("cluster.conf", format!("<cluster>{}", "<rm a=\"1\">\n".repeat(deep))),
        ("lost.xml", format!("<cib>{}", "<a i=\"1\">\n<b>\n".repeat(deep))),
    ] {
        std::fs::write(input.join(name), text).unwrap();
        for arguments in [
            &["diff", scenario, "--cib", name][..],
            &["lint", "--cib", name],
            &["import", "lvs", name],
            &["import", "abiquo", name],
            &["import", "heartbeat", name],
            &["import", "cman", name],
        ] {
            let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
            let output = inuvika_ha(folder.path(), &arguments);
            let said = stderr(&output);
            assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{arguments:?} {output:?}");
            let last = said.lines().last().unwrap();
            assert!(last.contains(": line ") && last.contains("nested more than 64 deep"), "{arguments:?}: {said}");
        }
    }
}

/// What lint finds in the imported clusters and what simulate says of them: crm_verify and crm_simulate take them, and every loss of
/// one node ends as it is written down in `judged`. `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn answered_they_are_simulated() {
    for folder in folders() {
        let target = tempfile::tempdir().unwrap();
        let file = target.path().join("scenario.toml").to_str().unwrap().to_owned();
        let output = import(&folder, &[words(&folder, "answers"), vec!["-o".into(), file.clone()]].concat());
        assert!(output.status.success(), "{}: {output:?}", folder.display());
        let ask = |command: &str| {
            let output = inuvika_ha(&folder, &[command.into(), "--json".into(), file.clone()]);
            let data: serde_json::Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| panic!("{command} {}: {output:?}", folder.display()));
            (data, output.status.code().unwrap())
        };
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let (findings, code) = ask("lint");
        let mut judged = format!("lint exits with {code}\n");
        for one in findings.as_array().unwrap() {
            judged += &format!("  {} {}\n", text(&one["code"]), text(&one["about"]));
        }
        let (report, code) = ask("simulate");
        let events = report["events"].as_array().unwrap();
        judged += &format!("simulate exits with {code}: {} events\n", events.len());
        for one in report["single_points_of_failure"].as_array().unwrap() {
            judged += &format!("  loses the service alone: {}\n", text(one));
        }
        let losses = events.iter().filter(|one| {
            let event = one["event"].as_str().unwrap();
            event.ends_with(" is lost")
        });
        let mut seen = 0;
        for one in losses {
            seen += 1;
            judged += &format!("  {}\n", text(&one["event"]));
            for (resource, nodes) in one["runs"].as_object().unwrap() {
                let nodes: Vec<String> = nodes.as_array().unwrap().iter().map(text).collect();
                judged += &format!("    {resource}: {}\n", nodes.join(" "));
            }
        }
        assert!(seen >= 2, "{}: {report:#}", folder.display());
        let golden = folder.join("judged");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &judged).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap();
        assert!(expected == judged, "{} differs: UPDATE_GOLDEN=1, then look at git diff\n{judged}", golden.display());
    }
}
