use super::{System, script};
use crate::pcs::script::release::RELEASES;
use crate::scenario;
use std::io::Write as _;
use std::process::{Command, Stdio};

const EXAMPLES: &[&str] = &[
    include_str!("../../../pcs-examples/ovd-session-manager/scenario.toml"),
    include_str!("../../../pcs-examples/ovd-file-server/scenario.toml"),
    include_str!("../../../pcs-examples/abiquo-remote-services/scenario.toml"),
    include_str!("../../../pcs-examples/lvs-director/scenario.toml"),
    include_str!("../../scenario/free/example.toml"),
];

fn written(text: &str, release: &str) -> String {
    script(&scenario::read("s.toml", text).unwrap().scenario, System::named(release).unwrap(), &|_| {
        Err("not there".into())
    })
}

/// Every set-up on every release is bash that bash can read, and leaves no mark.
#[test]
fn every_release_gets_a_script() {
    for (text, release) in EXAMPLES.iter().flat_map(|text| RELEASES.iter().map(move |one| (text, one.name))) {
        let script = written(text, release);
        for mark in ["@SYSTEM@", "@RELEASE@", "@PASSWORD@"] {
            assert!(!script.contains(mark), "{release}: {mark}");
        }
        let longest = script.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(longest.chars().count() <= 120, "{release}: {longest}");
        let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
        bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(bash.wait().unwrap().success(), "{release}");
    }
}

#[test]
fn a_node_gets_what_it_needs_and_no_more() {
    let rpm = written(EXAMPLES[1], "rhel9");
    assert!(rpm.contains("\nat ofs packages ctdb samba psmisc nfs-utils\n"), "{rpm}");
    assert!(rpm.contains("\nat ofs off ctdb smb nmb ovd-slaveserver\n"), "{rpm}");
    assert!(rpm.contains("\nat ofs allow tcp 4379 from ofs for CTDB\n"), "{rpm}");
    let deb = written(EXAMPLES[0], "ubuntu16.04");
    assert!(deb.contains(" 5404:5405 ") && deb.contains(" iptables"), "{deb}");
    assert!(!written(EXAMPLES[0], "debian12").contains("packages iptables"));
    let none = EXAMPLES[0].split("\n[[fencing]]").next().unwrap();
    let none = none.replace("\n[cluster]", "fencing = \"none\"\naccept_split_brain = true\n[cluster]");
    assert!(!written(&none, "debian12").contains("fence-agents"));
}
