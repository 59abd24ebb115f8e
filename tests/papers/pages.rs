//! All manual pages.

use std::process::Command;

use super::{Files, agents, command, compare, files, scenario};

/// Pages that are written by hand, where they stand.
const BY_HAND: &[&str] = &["inuvika-alert.8"];

fn pages() -> Files {
    let mut all: Files = agents::pages().collect();
    all.insert("inuvika-ha.8".to_owned(), command::page());
    all.insert("inuvika-ha-scenario.5".to_owned(), scenario::page());
    all
}

#[test]
fn pages_are_as_shipped() {
    compare("man", &pages(), BY_HAND, 0o644);
}

/// A folder with the pages as they are made now.
fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in pages() {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    for file in BY_HAND {
        std::fs::copy(super::folder("man").join(file), folder.path().join(file)).unwrap();
    }
    folder
}

#[test]
fn mandoc_has_nothing_to_say() {
    let folder = made();
    for file in files(folder.path()) {
        let output = Command::new("mandoc").args(["-T", "lint", "-W", "all"]).arg(folder.path().join(&file)).output();
        let output = output.expect("mandoc, which tests/support/install brings");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(said.is_empty() && output.status.success(), "{said}");
    }
}

/// As a person sees them: nothing is lost between the tables and the screen.
#[test]
fn a_reader_sees_every_parameter_and_example() {
    let folder = made();
    for (file, words) in [
        (
            "ocf_inuvika_ovd-vip-src.7",
            ["virtual_ip", "pcs resource create ovd_vip_src ocf:inuvika:ovd-vip-src", "OCF_CHECK_LEVEL 10"],
        ),
        ("inuvika-ha.8", ["inuvika-ha lvs drain", "--guide", "--resource ID"]),
        (
            "inuvika-ha-scenario.5",
            ["[[fencing]]", "accept_split_brain", "options.password = { file = \"/etc/inuvika-ha/vmware.secret\" }"],
        ),
    ] {
        let output = Command::new("mandoc")
            .args(["-T", "ascii", "-O", "width=120"])
            .arg(folder.path().join(file))
            .output()
            .unwrap();
        // Bold is a sign, a backspace and the sign again.
        let mut text = String::new();
        for c in String::from_utf8_lossy(&output.stdout).chars() {
            if c == '\u{8}' {
                text.pop();
            } else {
                text.push(c);
            }
        }
        for word in words {
            assert!(text.contains(word), "{file}: {word:?} cannot be read in\n{text}");
        }
    }
}

/// The page of the alert agent is written by hand: the example of its settings has every key.
#[test]
fn every_setting_of_the_alert_agent_is_documented() {
    let read = |path: &str| std::fs::read_to_string(super::folder("").join(path)).unwrap();
    let page = read("man/inuvika-alert.8").replace("\\-", "-");
    let example = read("alert.toml");
    let keys = example.lines().filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    let keys: Vec<&str> = keys.map(|(key, _)| key).filter(|key| !key.contains(' ')).collect();
    assert!(keys.len() > 10, "{keys:?}");
    for key in keys {
        assert!(page.contains(key), "{key} is in packaging/alert.toml and not in inuvika-alert(8)");
    }
}
