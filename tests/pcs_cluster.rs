//! The first part of a generated script, which makes the cluster, against a pcs that only writes down what it is asked.
//! The second part goes to the real pcs and a CIB file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "support/trial.rs"]
mod trial;

use std::process::Output;
use trial::Trial;

/// Writes down arguments and standard input. Each node's corosync.conf is the file remote-NODE, if there is one.
const PCS: &str = r#"#!/bin/bash
echo "$*" >>calls
case "$*" in
    --version) echo "${PCS_VERSION:-0.11.5}" ;;
    'host auth '*) cat >password ;;
    'cluster corosync '*) cat "remote-$3" 2>/dev/null || { echo "Error: Error connecting to $3 - (HTTP error: 400)" >&2; exit 1; } ;;
    'cluster setup '*) printf 'totem {\n cluster_name: %s\n}\n' "$3" >/etc/corosync/corosync.conf
        printf ' name: %s\n' osm1.priv osm2.priv pcs3.priv >>/etc/corosync/corosync.conf ;;
    -f*) exec /usr/sbin/pcs "$@" ;;
    'cluster cib-push '*) exec /usr/sbin/pcs -f live.xml cluster cib-push "$3" "$4" ;;
    *) echo "unexpected: $*" >&2; exit 1 ;;
esac
"#;

struct Node {
    trial: Trial,
}

impl Node {
    /// A node without a cluster.
    fn new() -> Node {
        let trial = Trial::new("ovd-session-manager");
        trial.write("bin/pcs", PCS, 0o755);
        trial.write("script.sh", &trial.script(&[]), 0o755);
        Node { trial }
    }

    /// Runs the script as on a node: CIB_file takes the place of the running cluster.
    fn run(&self, setting: &str, arguments: &str) -> Output {
        let _ = std::fs::remove_file(self.trial.path("calls"));
        let file = "HACLUSTER_PASSWORD_FILE=$PWD/hacluster.secret";
        let line = format!(
            "mount -t tmpfs tmpfs /var/backups; PATH=$PWD/bin:$PATH CIB_file=$PWD/live.xml {file} {setting} \
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
    let dry = node.run("", "--dry-run");
    assert!(dry.status.success() && node.calls().is_empty(), "{dry:?}");

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
    assert_eq!(node.trial.read("password"), "a b'c\n");
    assert!(!node.trial.read("calls").contains("a b'c"));

    let output = node.run("", "");
    assert!(output.status.success() && node.calls().is_empty(), "{:?} {output:?}", node.calls());
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

    std::fs::remove_file(node.trial.path("remote-osm2.priv")).unwrap();
    let output = node.run("", "");
    assert!(output.status.success(), "{output:?}");
    assert!(node.calls()[4].ends_with("--wait=120 --force"), "{:?}", node.calls());
}

#[test]
fn wrong_places_are_refused_before_anything_is_done() {
    let node = Node::new();
    refused(&node.run("PCS_VERSION=0.12.0", ""), "written for pcs 0.11, but pcs 0.12.0 is installed");
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
