//! The host: eth0 with the node's address and the virtual IP, eth1 on the same segment, a peer that answers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use anyhow::{Result, ensure};

use crate::support::subject::{Run, Subject};

pub const VIP: &str = "10.20.1.10";
pub const VIP6: &str = "fd00:20:1::10";
const FOLDER: &str = "/run/agents";

/// Builds the host once, and brings it back to its first state each time.
pub fn clean() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The switch is a namespace of its own: as a bridge of this host it would answer for the host's addresses too.
        for line in [
            "link set lo up",
            "netns add peer",
            "netns add switch",
            "-n switch link add br0 type bridge forward_delay 0",
            "-n switch link set br0 up",
            "link add eth0 type veth peer name port0 netns switch",
            "link add eth1 type veth peer name port1 netns switch",
            "-n peer link add eth0 type veth peer name port2 netns switch",
            "-n switch link set port0 master br0 up",
            "-n switch link set port1 master br0 up",
            "-n switch link set port2 master br0 up",
            "-n peer link set lo up",
        ] {
            ip(line);
        }
        std::fs::create_dir_all(FOLDER).unwrap();
        let binary = Path::new(FOLDER).join("inuvika-ha");
        std::fs::copy(env!("CARGO_BIN_EXE_inuvika-ha"), &binary).unwrap();
        std::os::unix::fs::symlink(&binary, Path::new(FOLDER).join("ovd-vip-src")).unwrap();
        // corosync.conf and /etc/hosts are the trial's own.
        std::fs::create_dir_all("/run/corosync").unwrap();
        sh("mount --bind /run/corosync /etc/corosync");
    });
    let _ = std::fs::remove_file("/etc/corosync/corosync.conf");
    let _ = std::fs::remove_dir_all("/run/inuvika-ha");
    sh("nft flush ruleset; iptables-legacy -t nat -F; ip6tables-legacy -t nat -F");
    for line in ["address flush dev eth0", "address flush dev eth1", "-n peer address flush dev eth0"] {
        ip(line);
    }
    for line in [
        "link set eth0 up",
        "link set eth1 up",
        "-n peer link set eth0 up",
        "address add 10.20.1.11/24 dev eth0",
        "address add 10.20.1.10/24 dev eth0",
        "address add fd00:20:1::11/64 dev eth0 nodad",
        "address add fd00:20:1::10/64 dev eth0 nodad",
        "-n peer address add 10.20.1.21/24 dev eth0",
        "-n peer address add fd00:20:1::21/64 dev eth0 nodad",
    ] {
        ip(line);
    }
}

/// Runs ip(8).
pub fn ip(line: &str) {
    sh(&format!("ip {line}"));
}

/// Runs a line of shell; what it printed.
pub fn sh(line: &str) -> String {
    let out = Command::new("bash").args(["-c", line]).output().unwrap();
    assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The agent as resource `vip_src`, as Pacemaker calls it, with the virtual IP alone.
pub fn agent() -> Subject {
    let path = PathBuf::from(FOLDER).join("ovd-vip-src");
    let subject = Subject { path, agent_type: "ovd-vip-src".into(), instance: "vip_src".into(), env: Vec::new() };
    subject.with_param("virtual_ip", VIP).with_param("CRM_meta_timeout", "20000").with_param("arp_check", "no")
}

/// `Err` when an action ended otherwise.
pub fn expect(subject: &Subject, action: &str, code: i32) -> Result<Run> {
    let run = subject.run(action);
    ensure!(run.code == code, "{action} gave {run}, wanted {code}");
    Ok(run)
}

/// `Err` when a recurring monitor ends otherwise, or gives another reason.
pub fn expect_monitor(subject: &Subject, code: i32, reason: &str) -> Result<()> {
    let run = expect(&subject.recurring(), "monitor", code)?;
    ensure!(
        run.stderr.contains(reason) && (code != 0 || run.stderr.is_empty()),
        "monitor said {run}, wanted {reason:?}"
    );
    Ok(())
}

/// Source NAT rules in nftables that give `address`, as nft lists them.
pub fn rules(address: &str) -> usize {
    let document: serde_json::Value = serde_json::from_str(&sh("nft -j list ruleset")).unwrap();
    let gives = |object: &&serde_json::Value| {
        object["rule"]["expr"].as_array().is_some_and(|all| all.iter().any(|e| e["snat"]["addr"] == address))
    };
    document["nftables"].as_array().unwrap().iter().filter(gives).count()
}

/// What is left of us: tables and state.
pub fn nothing_left() -> Result<()> {
    let tables = sh("nft list tables");
    ensure!(!tables.contains("inuvika"), "left: {tables}");
    let chains = sh("iptables-nft -t nat -S; iptables-legacy -t nat -S");
    ensure!(!chains.contains("inuvika"), "left: {chains}");
    ensure!(!Path::new("/run/inuvika-ha").exists(), "left: {}", sh("find /run/inuvika-ha"));
    Ok(())
}

/// The source that the peer sees of a TCP connection that this host opens to it.
pub fn source_seen(to: &str) -> String {
    let script = "
import socket, subprocess, sys
to = sys.argv[1]
server = subprocess.Popen(['ip', 'netns', 'exec', 'peer', 'timeout', '5', 'python3', '-c', '''
import socket, sys
s = socket.create_server((sys.argv[1], 9000), family=socket.AF_INET6 if \":\" in sys.argv[1] else socket.AF_INET)
print(\"ready\", flush=True)
print(s.accept()[1][0], flush=True)
''', to], stdout=subprocess.PIPE, text=True)
server.stdout.readline()
c = socket.create_connection((to, 9000), 3)
print(server.stdout.readline().strip())
server.wait()
";
    let out = Command::new("python3").args(["-c", script, to]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}
