//! The first part of a generated script, which makes the cluster, against a pcs that only writes down what it is asked.
//! The second part goes to the real pcs and a CIB file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "pcs/agents.rs"]
mod agents;
#[path = "pcs/forms.rs"]
mod forms;
#[path = "support/trial.rs"]
mod trial;

use std::process::Output;
use trial::Trial;

/// Writes down arguments and standard input. Each node's corosync.conf is the file remote-NODE, if there is one.
const PCS: &str = r#"#!/usr/bin/python3 -Es
import os, subprocess, sys
from pcs import app

words = sys.argv[1:]
with open("calls", "a") as calls:
    print(*words, file=calls)
if words == ["--version"]:
    print(os.environ.get("PCS_VERSION", "0.11.5"))
elif words[0] == "-f":
    app.main(words)
elif words[:2] == ["cluster", "cib-push"]:
    app.main(["-f", "live.xml", *words[:4]])
elif words[:2] == ["host", "auth"]:
    open("password", "w").write(sys.stdin.read())
elif words[:2] == ["cluster", "corosync"]:
    if not os.path.exists("remote-" + words[2]):
        sys.exit(f"Error: Error connecting to {words[2]} - (HTTP error: 400)")
    print(open("remote-" + words[2]).read(), end="")
elif words[:2] == ["cluster", "setup"]:
    with open("/etc/corosync/corosync.conf", "w") as conf:
        print("totem {\n cluster_name: " + words[2] + "\n}", file=conf)
        for number, name in enumerate(["osm1.priv", "osm2.priv", "pcs3.priv"], 11):
            print("node {\n  ring0_addr: 192.168.100." + f"{number}\n  name: {name}\n" + "}", file=conf)
else:
    sys.exit(f"unexpected: {words}")
"#;

/// Has nothing to complain about on any node. The real program, against a pcsd, is tried in `agents`.
const PYTHON: &str = "#!/bin/sh\nexec cat >/dev/null\n";

struct Node {
    trial: Trial,
}

impl Node {
    /// A node without a cluster.
    fn new() -> Node {
        let trial = Trial::new("ovd-session-manager");
        trial.write("bin/pcs", PCS, 0o755);
        trial.write("bin/python3", PYTHON, 0o755);
        trial.write("bin/systemctl", "#!/bin/sh\n[ ! -e disabled ]\n", 0o755);
        trial.write("script.sh", &trial.script(&[]), 0o755);
        Node { trial }
    }

    /// Runs the script as on a node: CIB_file takes the place of the running cluster.
    fn run(&self, setting: &str, arguments: &str) -> Output {
        let _ = std::fs::remove_file(self.trial.path("calls"));
        let file = "HACLUSTER_PASSWORD_FILE=$PWD/hacluster.secret";
        let line = format!(
            "PATH=$PWD/bin:$PATH CIB_file=$PWD/live.xml {file} {setting} \
             ./script.sh {arguments} </dev/null"
        );
        self.trial.enter(&["bash", "-c", &line])
    }

    /// What pcs was asked apart from editing the copy.
    fn calls(&self) -> Vec<String> {
        let calls = self.trial.read("calls");
        calls.lines().filter(|call| !call.starts_with("-f ") && *call != "--version").map(str::to_owned).collect()
    }
}

fn refused(output: &Output, reason: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text.contains(reason) && text.lines().count() == 1, "{text}");
}

#[test]
fn the_cluster_is_made_once_and_the_password_is_no_argument() {
    let node = Node::new();
    // A dry run goes through all steps but the two that make the cluster.
    let dry = node.run("", "--dry-run");
    assert!(dry.status.success() && node.calls().is_empty(), "{dry:?}");
    let text = String::from_utf8(dry.stdout).unwrap();
    assert!(text.contains("steps 1 to 3 would create it") && text.contains("pcs resource create vip_src"), "{text}");
    assert!(text.ends_with("Dry run: nothing was pushed.\n") && !node.trial.path("backups").exists(), "{text}");

    let output = node.run("", "");
    assert!(output.status.success(), "{output:?}");
    let addresses = "osm1.priv addr=192.168.100.11 osm2.priv addr=192.168.100.12 pcs3.priv addr=192.168.100.13";
    let calls = node.calls();
    assert_eq!(calls[0], format!("host auth {addresses} -u hacluster"));
    assert_eq!(calls[4], format!("cluster setup ovd-sm {addresses} --enable --start --wait=120"));
    assert!(
        calls[5].starts_with("cluster cib-push") && calls[5].ends_with("--wait=300") && calls.len() == 6,
        "{calls:?}"
    );
    assert!(text.contains("the nodes do not trust each other yet, so none is asked"), "{text}");
    assert_eq!(node.trial.read("password"), "a b'c\n");
    assert!(!node.trial.read("calls").contains("a b'c"));

    let output = node.run("", "");
    assert!(output.status.success() && node.calls().is_empty(), "{:?} {output:?}", node.calls());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("The cluster is configured like this already: nothing to push.\n"), "{text}");

    // A cluster that is otherwise than the scenario is not called configured.
    let conf = node.trial.read("etc-corosync/corosync.conf").replace("100.12", "100.22");
    node.trial.write("etc-corosync/corosync.conf", &conf.replace("totem {", "totem {\n  token: 5000"), 0o644);
    node.trial.write("disabled", "", 0o644);
    let text = String::from_utf8(node.run("", "").stdout).unwrap();
    for line in [
        "    the token timeout is 5000, not the default: pcs cluster config update totem token=\n",
        "    the addresses of osm2.priv are 192.168.100.22, not 192.168.100.12: see \"pcs cluster link update\"",
        "    the start at boot is disabled on this node: pcs cluster enable --all\n",
        "nothing to push. What differs from it is named above.",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(text.matches("    the ").count(), 3, "{text}");

    let live = node.trial.read("live.xml");
    node.trial.write("live.xml", &live.replace("have-quorum=\"1\"", "have-quorum=\"0\""), 0o600);
    refused(&node.run("", ""), "this part of the cluster has no quorum");
}

#[test]
fn only_the_packages_own_cluster_is_overwritten() {
    let node = Node::new();
    let conf = |name: &str| format!("totem {{\n\tcluster_name: {name}\n}}\n");
    node.trial.write("etc-corosync/corosync.conf", &conf("debian"), 0o644);
    node.trial.write("remote-osm1.priv", &conf("debian"), 0o644);
    node.trial.write("remote-osm2.priv", &conf("production"), 0o644);
    refused(&node.run("", ""), "osm2.priv is in the cluster production already");
    assert!(!node.trial.read("calls").contains("cluster setup"));
    node.trial.write("remote-osm2.priv", &conf("ovd-sm"), 0o644);
    refused(&node.run("", ""), "osm2.priv is in a cluster ovd-sm already, but this host is not: run this on osm2.priv");

    std::fs::remove_file(node.trial.path("remote-osm2.priv")).unwrap();
    let output = node.run("", "");
    assert!(output.status.success(), "{output:?}");
    assert!(node.calls()[4].ends_with("--wait=120 --force"), "{:?}", node.calls());
}

#[test]
fn wrong_places_are_refused_before_anything_is_done() {
    let node = Node::new();
    refused(&node.run("PCS_VERSION=0.12.0", ""), "written for pcs 0.11, but pcs 0.12.0 is installed");
    node.trial.write("ipmi.secret", "open to all\n", 0o644);
    refused(&node.run("", "--dry-run"), "ipmi.secret: chmod 600 it");
    node.trial.write("ipmi.secret", "secret\n", 0o600);
    let script = node.trial.read("script.sh");
    node.trial.write("script.sh", &script.replace("stonith:fence_ipmilan", "stonith:fence_none"), 0o755);
    refused(&node.run("", "--dry-run"), "agent stonith:fence_none is not installed on this host");
    node.trial.write("backups", "", 0o644);
    node.trial.write("script.sh", &script, 0o755);
    let output = node.run("", "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot make the folder"), "{output:?}");
    std::fs::remove_file(node.trial.path("backups")).unwrap();
    assert!(node.calls().is_empty(), "{:?}", node.calls());
    refused(&node.run("HACLUSTER_PASSWORD_FILE=", ""), "no terminal to ask for the password");
    node.trial.write("etc-corosync/corosync.conf", "totem {\n cluster_name: other\n}\n", 0o644);
    refused(&node.run("", ""), "this host is in the cluster other already");
    node.trial.write("etc-corosync/corosync.conf", "totem {\n cluster_name: ovd-sm\n}\nname: osm1.priv\n", 0o644);
    refused(&node.run("", ""), "osm2.priv is not in the cluster ovd-sm");
    assert!(node.calls().is_empty(), "{:?}", node.calls());

    let elsewhere = node.trial.read("script.sh").replace("192.168.100.11", "192.168.100.99");
    node.trial.write("script.sh", &elsewhere, 0o755);
    refused(&node.run("", ""), "run it on a node of the cluster");
    let output = node.run("", "--nonsense");
    assert_eq!(output.status.code(), Some(2));
}
