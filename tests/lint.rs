//! `inuvika-ha lint`: every code is found where it should be and not in a cluster that is well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use assert_cmd::Command;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

/// Three nodes, fencing, a group, a clone, a ping clone with its rule: nothing is wrong with it.
const WELL: &str = include_str!("lint/well.xml");

struct Case {
    code: &'static str,
    /// Old text, new text.
    edits: &'static [(&'static str, &'static str)],
    /// A part of what is said.
    part: &'static str,
}

const fn case(code: &'static str, edits: &'static [(&'static str, &'static str)], part: &'static str) -> Case {
    Case { code, edits, part }
}

const ORDERS: &str = "<!-- constraints -->";

const CASES: &[Case] = &[
    case(
        "HA001",
        &[("name=\"stonith-enabled\" value=\"true\"", "name=\"stonith-enabled\" value=\"off\"")],
        "stonith-enabled=off",
    ),
    case(
        "HA001",
        &[("class=\"stonith\" type=\"fence_ipmilan\"", "class=\"ocf\" provider=\"x\" type=\"y\"")],
        "no device",
    ),
    case("HA002", &[("value=\"a,b,c\"", "value=\"a,b\"")], "node c"),
    case("HA002", &[("name=\"pcmk_host_list\" value=\"a,b,c\"", "name=\"pcmk_host_map\" value=\"a:1;c:2\"")], "node b"),
    case("HA003", &[("<node id=\"3\" uname=\"c\"/>", ""), ("value=\"a,b,c\"", "value=\"a,b\"")], "both may go down"),
    case(
        "HA004",
        &[
            ("name=\"stonith-enabled\" value=\"true\"", "name=\"stonith-enabled\" value=\"false\""),
            (
                "name=\"stop\" interval=\"0s\" timeout=\"120s\"",
                "name=\"stop\" interval=\"0s\" timeout=\"120s\" on-fail=\"fence\"",
            ),
        ],
        "stays blocked",
    ),
    case("HA005", &[("value=\"stop\"", "value=\"ignore\"")], "no-quorum-policy=ignore"),
    case(
        "HA006",
        &[
            ("<node id=\"3\" uname=\"c\"/>", "<node id=\"3\" uname=\"c\"/><node id=\"4\" uname=\"d\"/>"),
            ("a,b,c", "a b c d"),
        ],
        "4 votes tolerate the loss of 1, exactly as 3 do",
    ),
    case(
        "HA008",
        &[(ORDERS, "<rsc_colocation id=\"x\" rsc=\"g\" with-rsc=\"ping-clone\" score=\"INFINITY\"/>")],
        "g follows ping-clone",
    ),
    case(
        "HA009",
        &[("<expression id=\"e1\" attribute=\"pingd\"", "<expression id=\"e1\" attribute=\"other\"")],
        "no rule looks at pingd",
    ),
    case("HA010", &[(ORDERS, "<rsc_location id=\"x\" rsc=\"g\" node=\"a.example\" score=\"1\"/>")], "a.example"),
    case("HA011", &[(ORDERS, "<rsc_order id=\"x\" first=\"nobody\" then=\"g\"/>")], "names nobody"),
    case(
        "HA012",
        &[(
            ORDERS,
            "<rsc_order id=\"x\" first=\"g\" then=\"web-clone\"/><rsc_order id=\"y\" first=\"web-clone\" then=\"disk\"/>",
        )],
        "a loop: ",
    ),
    case("HA012", &[(ORDERS, "<rsc_order id=\"x\" first=\"ip\" then=\"ip\"/>")], "ip, then ip"),
    case(
        "HA012",
        &[(
            ORDERS,
            "<rsc_order id=\"x\"><resource_set id=\"s1\"><resource_ref id=\"ip\"/><resource_ref id=\"disk\"/></resource_set></rsc_order>",
        )],
        "a loop: ",
    ),
    case(
        "HA013",
        &[(ORDERS, "<rsc_colocation id=\"x\" rsc=\"ip\" with-rsc=\"disk\" score=\"-INFINITY\"/>")],
        "ip never where disk is",
    ),
    case(
        "HA014",
        &[("name=\"monitor\" interval=\"11s\"", "name=\"monitor\" interval=\"10s\"")],
        "twice with an interval of 10 s",
    ),
    case(
        "HA015",
        &[("name=\"stop\" interval=\"0s\" timeout=\"660s\"", "name=\"stop\" interval=\"0s\" timeout=\"100s\"")],
        "may need 600 s",
    ),
    case(
        "HA015",
        &[("name=\"stop\" interval=\"0s\" timeout=\"120s\"", "name=\"stop\" interval=\"0s\"")],
        "a stop gets 20 s and may need 60 s",
    ),
    case("HA016", &[("<op id=\"fence-m\" name=\"monitor\" interval=\"60s\" timeout=\"60s\"/>", "")], "no monitor"),
    case("HA017", &[("interval=\"20s\" timeout=\"60s\"", "interval=\"20 parsecs\" timeout=\"60s\"")], "20 parsecs"),
    case("HA018", &[("score=\"-INFINITY\" resource-discovery=\"never\"", "score=\"-INFINITY\"")], "node c"),
    case(
        "HA019",
        &[("node=\"a\" score=\"100\"", "node=\"a\" score=\"2001\"")],
        "the stickiness of 2 together) is 2000",
    ),
    case(
        "HA020",
        &[(
            "name=\"no-quorum-policy\" value=\"stop\"",
            "name=\"no-quorum-policy\" value=\"stop\"/><nvpair id=\"s\" name=\"symmetric-cluster\" value=\"false\"",
        )],
        "never starts",
    ),
    case(
        "HA021",
        &[(ORDERS, "<rsc_location id=\"cli-ban-g-on-a\" rsc=\"g\" node=\"a\" score=\"-INFINITY\"/>")],
        "pcs resource clear g",
    ),
    case(
        "HA021",
        &[(ORDERS, "<rsc_location id=\"cli-prefer-g\" rsc=\"g\" node=\"a\" score=\"INFINITY\"/>")],
        "pcs resource clear g",
    ),
    case(
        "HA022",
        &[(
            "<node id=\"1\" uname=\"a\"/>",
            "<node id=\"1\" uname=\"a\"><instance_attributes id=\"n\"><nvpair id=\"n1\" name=\"standby\" value=\"on\"/></instance_attributes></node>",
        )],
        "pcs node unstandby a",
    ),
    case(
        "HA022",
        &[(
            "<meta_attributes id=\"g-m\">",
            "<meta_attributes id=\"g-m\"><nvpair id=\"g-m2\" name=\"is-managed\" value=\"false\"/>",
        )],
        "pcs resource manage disk ip",
    ),
    case(
        "HA023",
        &[("name=\"failure-timeout\" value=\"4h\"", "name=\"failure-timeout\" value=\"90s\"")],
        "forgotten after 90 s",
    ),
    case(
        "HA024",
        &[("name=\"migration-threshold\" value=\"3\"", "name=\"migration-threshold\" value=\"INFINITY\"")],
        "disk, ip: no migration-threshold",
    ),
    case(
        "HA026",
        &[("name=\"ip\" value=\"192.0.2.10\"", "name=\"ip\" value=\"www.example.com\"")],
        "ip=www.example.com is no address",
    ),
    case("HA026", &[("name=\"cidr_netmask\" value=\"24\"", "name=\"cidr_netmask\" value=\"33\"")], "cidr_netmask=33"),
];

fn lint(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inuvika-ha")).current_dir(folder).arg("lint").args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The findings as JSON.
fn findings(output: &Output) -> Vec<serde_json::Value> {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn codes(found: &[serde_json::Value]) -> BTreeSet<String> {
    found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_code_is_found_where_it_is_and_not_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cib.xml");
    let judge = |text: &str| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        lint(folder.path(), &["--cib", "cib.xml", "--json"])
    };
    let well = judge(WELL);
    assert_eq!(findings(&well), Vec::<serde_json::Value>::new());
    assert!(well.status.success(), "{well:?}");
    assert_eq!(stdout(&lint(folder.path(), &["--cib", "cib.xml"])), "nothing found\n");
    // Pacemaker takes what the cases start from.
    let verify =
        std::process::Command::new("crm_verify").arg("-x").arg(&file).output().expect("crm_verify must be installed");
    assert!(verify.status.success(), "{verify:?}");

    let mut seen = BTreeSet::new();
    for Case { code, edits, part } in CASES {
        let mut text = WELL.to_owned();
        for (old, new) in *edits {
            assert!(text.contains(old), "{code}: {old}");
            text = text.replace(old, new);
        }
        let output = judge(&text);
        let found = findings(&output);
        let ours: Vec<_> = found.iter().filter(|one| one["code"] == *code).collect();
        assert!(!ours.is_empty(), "{code}: {found:?}");
        let said = ours.iter().map(|one| ["about", "text", "fix"].map(|key| one[key].as_str().unwrap()).join(": "));
        let said = said.collect::<Vec<_>>().join("; ");
        assert!(said.contains(part), "{code}: {said}");
        let error = found.iter().any(|one| one["weight"] == "error");
        assert_eq!(output.status.code(), Some(i32::from(error)), "{code}: {found:?}");
        seen.insert((*code).to_owned());
    }
    // These need a scenario, or files: below.
    seen.extend(["HA007".to_owned(), "HA025".to_owned()]);
    let list = stdout(&lint(folder.path(), &["--list"]));
    assert_eq!(list.lines().map(|line| line[..5].to_owned()).collect::<BTreeSet<_>>(), seen);
}

#[test]
fn every_code_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let list = stdout(&lint(folder.path(), &["--list"]));
    assert!(list.lines().count() >= 20, "{list}");
    for line in list.lines() {
        let (code, title) = line.split_once("  ").unwrap();
        let page = lint(folder.path(), &["--explain", &code.to_lowercase()]);
        assert!(page.status.success(), "{page:?}");
        assert!(stdout(&page).starts_with(&format!("# {code}: {title}\n")), "{page:?}");
    }
    let unknown = lint(folder.path(), &["--explain", "HA999"]);
    assert!(unknown.status.code() == Some(2) && unknown.stdout.is_empty(), "{unknown:?}");
    assert_eq!(lint(folder.path(), &[]).status.code(), Some(2));
}

/// A file with a secret that others may read: a CIB, and what a scenario names.
#[test]
fn secrets_are_for_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    let set = |name: &str, mode| {
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    std::fs::write(folder.path().join("cib.xml"), WELL).unwrap();
    for (mode, expected) in [(0o644, true), (0o640, true), (0o600, false)] {
        set("cib.xml", mode);
        let output = lint(folder.path(), &["--cib", "cib.xml", "--json"]);
        assert_eq!(codes(&findings(&output)).contains("HA025"), expected, "{mode:o} {output:?}");
    }
    let scenario = include_str!("../pcs-examples/lvs-director/scenario.toml");
    std::fs::write(folder.path().join("s.toml"), scenario.replace("/etc/inuvika-ha", folder.path().to_str().unwrap()))
        .unwrap();
    std::fs::write(folder.path().join("ipmi.secret"), "hunter2\n").unwrap();
    for (mode, expected) in [(0o644, true), (0o600, false)] {
        set("ipmi.secret", mode);
        let output = lint(folder.path(), &["s.toml", "--json"]);
        assert_eq!(codes(&findings(&output)).contains("HA025"), expected, "{mode:o} {output:?}");
        assert!(!stdout(&output).contains("hunter2"), "{output:?}");
    }
}

/// What the examples leave to say: each has one network, and the guide's has four votes.
#[test]
fn the_examples_are_clean_but_for_this() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("pcs-examples")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("scenario.toml").is_file() {
            continue;
        }
        let output = lint(&folder, &["scenario.toml", "--json"]);
        let found = findings(&output);
        let expected: &[&str] = match folder.file_name().unwrap().to_str().unwrap() {
            "ovd-session-manager-guide" => &["HA006", "HA007"],
            "abiquo-remote-services" | "lvs-director" | "ovd-file-server" | "ovd-session-manager" => &["HA007"],
            // Of others only that nothing is an error, below.
            _ => &[],
        };
        if !expected.is_empty() {
            let expected = expected.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<_>>();
            assert_eq!(codes(&found), expected, "{}: {found:#?}", folder.display());
        }
        assert!(output.status.success(), "{}: {output:?}", folder.display());
    }
}

#[test]
fn a_scenario_is_judged_by_what_it_becomes() {
    let folder = tempfile::tempdir().unwrap();
    let example = include_str!("../pcs-examples/lvs-director/scenario.toml");
    let judge = |text: &str| {
        std::fs::write(folder.path().join("s.toml"), text).unwrap();
        lint(folder.path(), &["s.toml", "--json"])
    };
    let fencing = example.find("\n[[fencing]]").unwrap();
    let none = judge(&format!("fencing = \"none\"\naccept_split_brain = true\n{}", &example[..fencing]));
    let found = findings(&none);
    assert_eq!(codes(&found), ["HA001", "HA007"].map(str::to_owned).into());
    // Who accepts it in so many words is warned, not refused.
    assert!(none.status.success() && found.iter().all(|one| one["weight"] == "warning"), "{found:?}");
    let two = judge(&example.replace("stickiness = 1000", "stickiness = 100"));
    assert!(codes(&findings(&two)).contains("HA019"), "{two:?}");
    let wrong = judge("setup = \"nothing\"\n");
    assert!(wrong.status.code() == Some(2) && wrong.stdout.is_empty(), "{wrong:?}");
}

#[test]
fn what_is_no_cib_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (text, part) in
        [("<a/>", "cib.xml: line 1: <a> is no CIB"), ("<cib>", "cib.xml: line 1: "), ("", "cib.xml: line 1: ")]
    {
        std::fs::write(folder.path().join("cib.xml"), text).unwrap();
        let output = lint(folder.path(), &["--cib", "cib.xml"]);
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(part) && said.lines().count() == 1, "{output:?}");
    }
}
