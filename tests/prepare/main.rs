//! The script that prepares nodes, on two nodes of the lab: a real Debian 12 with its packages, sshd, PAM, systemd and nft.
//! `INUVIKA_TEST_FULL=1` tries refusals and firewalls as well. Judges: pcsd, which takes the password; ssh, which logs in; apt and dpkg; systemctl; time stamps after a second run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, ensure};
use libtest_mimic::Arguments;
use support::lab::{self, Lab, Machine, Node, Output, trial};

const SCRIPT: &str = "/root/prepare.sh";
const FOLDER: &str = "/var/lib/inuvika-ha/prepare";
/// With what shells and chpasswd trip over.
const PASSWORD: &str = "a b'c:d$e\\f";
/// An archive with one package, which is not installed.
const ARCHIVE: &str = r#"
    mkdir -p /srv/archive/new/DEBIAN
    printf 'Package: ipmitool\nVersion: 1\nArchitecture: all\nMaintainer: t <t@example.com>\nDescription: t\n' >/srv/archive/new/DEBIAN/control
    dpkg-deb -b /srv/archive/new /srv/archive/ipmitool.deb >/dev/null
    cd /srv/archive
    { cat new/DEBIAN/control; echo "Filename: ./ipmitool.deb"; echo "Size: $(stat -c %s ipmitool.deb)"
      echo "SHA256: $(sha256sum ipmitool.deb | cut -d' ' -f1)"; } >Packages
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
    echo 'deb [trusted=yes] file:/srv/archive ./' >/etc/apt/sources.list
"#;

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&["osm1", "osm2"]).unwrap();
    for node in lab.nodes() {
        node.copy_in(env!("CARGO_BIN_EXE_inuvika-ha"), "/usr/sbin/inuvika-ha", 0o755).unwrap();
        node.sh("for agent in ovd-osm ovd-lsyncd ovd-vip-src ofs-ctdb; do
            install -d /usr/lib/ocf/resource.d/inuvika
            ln -sf /usr/sbin/inuvika-ha /usr/lib/ocf/resource.d/inuvika/$agent; done")
            .unwrap();
        node.sh(ARCHIVE).unwrap();
        // A login without logind, with host keys of its own; everything that a fresh host has otherwise.
        node.sh("sed -i /pam_systemd/d /etc/pam.d/common-session
            rm -rf /etc/ssh/ssh_host_* /root/.ssh
            ssh-keygen -q -A
            systemctl disable pcsd 2>/dev/null
            usermod -p '!' hacluster
            systemctl unmask apache2 lsyncd smbd 2>/dev/null
            systemctl enable apache2 lsyncd smbd 2>/dev/null
            systemctl start smbd 2>/dev/null || true")
            .unwrap();
        node.write_file("/root/secret", format!("{PASSWORD}\n"), 0o600).unwrap();
    }
    // As an installer leaves it, and as somebody has begun it.
    lab.node("osm1").sh("sed -i '/osm2/d; /osm1.priv/d; s/^127.0.1.1.*/127.0.1.1 osm1.priv osm1/' /etc/hosts").unwrap();
    lab
});

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list {
        lab::enter();
    }
    arguments.test_threads = Some(1);
    let on = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &LAB, body);
    let full = std::env::var_os("INUVIKA_TEST_FULL").is_some();
    let more = |name: &str, body: fn(&Lab) -> Result<()>| on(name, body).with_ignored_flag(!full);
    let trials = vec![
        more("what must not be is refused in one line, and nothing is changed", refused),
        on("two Session Managers are prepared, and a second run changes nothing", session_manager),
        on("a file server is prepared, and a second run changes nothing", file_server),
        more("rules of a firewall that somebody has written are named until they are there", firewall),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The script for an example, after edits to the scenario, on a node.
fn install(node: &Node, example: &str, edits: &[(&str, &str)]) -> Result<()> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcs-examples");
    let mut text = std::fs::read_to_string(examples.join(example).join("scenario.toml"))?;
    for (old, new) in edits {
        ensure!(text.contains(old), "the example has no {old}");
        text = text.replace(old, new);
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, text)?;
    // For the release of this machine, which is that of the lab.
    let script =
        Command::new(env!("CARGO_BIN_EXE_inuvika-ha")).args(["pcs", "--part", "prepare"]).arg(file).output()?;
    ensure!(script.status.success(), "{script:?}");
    node.write_file(SCRIPT, script.stdout, 0o755)
}

fn run(node: &Node, setting: &str, option: &str) -> Result<Output> {
    let line = format!("HACLUSTER_PASSWORD_FILE=/root/secret {setting} {SCRIPT} {option} </dev/null");
    let output = node.output_with(Duration::from_secs(120), b"", &["bash", "-c", &line])?;
    ensure!(!format!("{}{}", output.stdout, output.stderr).contains(PASSWORD), "the password is told");
    Ok(output)
}

fn ended(node: &Node, setting: &str, option: &str, code: i32) -> Result<String> {
    let output = run(node, setting, option)?;
    ensure!(output.code == Some(code), "{}: not {code}: {}", node.name(), output.describe());
    Ok(output.stdout)
}

/// Everything that the script may write to. Its own folders are not there before the first run.
const STATE: &str = "shopt -s nullglob; \
     find /etc /root/.ss[h] /var/lib/inuvika-h[a] /var/lib/dpkg -xdev -type f -newer /run/mark ! -path '*/dpkg/lock*'";

/// Another run finds nothing to do, says so, and has written nothing.
fn again(node: &Node) -> Result<()> {
    node.sh("touch /run/mark; sleep 1.1")?;
    let text = ended(node, "", "", 0)?;
    ensure!(text.contains("\nNothing had to be changed.\n"), "{text}");
    let written = node.sh(STATE)?;
    ensure!(written.trim().is_empty(), "a second run wrote {written}");
    Ok(())
}

fn refused(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    install(node, "ovd-session-manager", &[])?;
    let stages: &[(&str, &str, &str)] = &[
        ("chmod 644 /root/secret", "chmod 600 /root/secret", "others may read /root/secret: chmod 600 it"),
        (
            "sed -i 's/debian 12/debian 11/' /root/prepare.sh",
            "sed -i 's/debian 11/debian 12/' /root/prepare.sh",
            "but this is debian 12",
        ),
        (
            "ip address add 192.168.100.12/24 dev eth0",
            "ip address del 192.168.100.12/24 dev eth0",
            "addresses of osm1.priv and of osm2.priv",
        ),
        (
            "sed -i 's/192.168.100.11/192.168.100.91/' /root/prepare.sh",
            "sed -i 's/192.168.100.91/192.168.100.11/' /root/prepare.sh",
            "none of the addresses",
        ),
        (
            "sed -i 's/(192.168.100.11 /(\"192.168.100.11 10.9.9.9\" /' /root/prepare.sh",
            "sed -i 's/\"192.168.100.11 10.9.9.9\"/192.168.100.11/' /root/prepare.sh",
            "lacks its address 10.9.9.9",
        ),
        (
            "printf 'totem {\\n cluster_name: other\\n}\\n' >/etc/corosync/corosync.conf",
            "rm /etc/corosync/corosync.conf",
            "in the cluster other already",
        ),
    ];
    for (breaks, mends, reason) in stages {
        node.sh(&format!("{breaks}; touch /run/mark; sleep 0.02"))?;
        let output = run(node, "", "")?;
        let written = node.sh(STATE)?;
        node.sh(mends)?;
        ensure!(output.code == Some(1), "{reason}: {}", output.describe());
        ensure!(
            output.stderr.contains(reason) && output.stderr.lines().count() == 1,
            "{reason}: {}",
            output.describe()
        );
        ensure!(written.trim().is_empty(), "{reason}: wrote {written}");
    }
    let output = run(node, "HACLUSTER_PASSWORD_FILE=", "")?;
    ensure!(output.code == Some(1) && output.stderr.contains("no terminal to ask"), "{}", output.describe());
    Ok(())
}

fn session_manager(lab: &Lab) -> Result<()> {
    let (one, two) = (lab.node("osm1"), lab.node("osm2"));
    for node in [one, two] {
        install(node, "ovd-session-manager", &[])?;
    }
    // A dry run says everything and does nothing.
    one.sh("touch /run/mark; sleep 0.02")?;
    let text = ended(one, "", "--dry-run", 0)?;
    for line in [
        "install ipmitool",
        "< 127.0.1.1 osm1.priv osm1",
        "> 192.168.100.12 osm2.priv",
        "make the key",
        "switch apache2 off",
    ] {
        ensure!(text.contains(line), "{line}: {text}");
    }
    let written = one.sh(STATE)?;
    ensure!(written.trim().is_empty(), "a dry run wrote {written}");

    // A name with another address is somebody's decision.
    one.sh("cp /etc/hosts /root/hosts; echo 10.1.1.1 pcs3.priv >>/etc/hosts")?;
    let output = run(one, "", "")?;
    ensure!(
        output.code == Some(1) && output.stderr.contains("/etc/hosts has pcs3.priv at 10.1.1.1, not 192.168.100.13"),
        "{}",
        output.describe()
    );
    one.sh("cat /root/hosts >/etc/hosts; rm /root/hosts")?;

    // The public keys are brought by hand.
    for (node, other) in [(one, "osm2.priv"), (two, "osm1.priv")] {
        let text = ended(node, "", "", 3)?;
        ensure!(text.contains(&format!("run this on {other} as well")), "{text}");
    }
    for (node, other) in [(one, two), (two, one)] {
        let file = format!("{FOLDER}/{}.keys", other.cluster_name());
        node.write_file(&file, other.read_file(&file)?, 0o600)?;
    }
    one.sh(&format!("echo nonsense >>{FOLDER}/osm2.priv.keys"))?;
    let output = run(one, "", "")?;
    ensure!(output.code == Some(1) && output.stderr.contains("is no public key"), "{}", output.describe());
    one.sh(&format!("sed -i '$d' {FOLDER}/osm2.priv.keys"))?;
    let text = ended(one, "", "", 3)?;
    ensure!(text.contains("osm2.priv does not let this node in yet"), "{text}");
    ended(two, "", "", 0)?;
    again(one)?;
    again(two)?;

    // The judges.
    for (node, other) in [(one, two), (two, one)] {
        let login = ["ssh", "-i", "/root/.ssh/sync_rsa", "-o", "BatchMode=yes", &other.cluster_name(), "hostname"];
        ensure!(node.run_within(Duration::from_secs(20), &login)?.trim() == other.name());
        let state = node.sh("systemctl is-enabled apache2 lsyncd pcsd || true; dpkg -s ipmitool | grep ^Status")?;
        ensure!(state.split_whitespace().take(3).eq(["disabled", "disabled", "enabled"]), "{state}");
        ensure!(state.contains("install ok installed"), "{state}");
        ensure!(!node.read_file(SCRIPT)?.contains(PASSWORD));
    }
    let auth = "pcs host auth osm1.priv osm2.priv -u hacluster </root/secret";
    one.sh_within(Duration::from_secs(60), auth)?;
    ensure!(!one.read_file("/etc/hosts")?.contains("127.0.1.1 osm1.priv"), "{}", one.read_file("/etc/hosts")?);
    // What was there is kept.
    ensure!(one.sh(&format!("cat {FOLDER}/backup/*_etc_hosts"))?.contains("127.0.1.1 osm1.priv osm1"));
    // Another password is set; without one the old one stays.
    one.sh("echo other >/root/secret; chmod 600 /root/secret")?;
    ensure!(ended(one, "", "", 0)?.contains("    set the password of hacluster"));
    again(one)?;
    ended(one, "HACLUSTER_PASSWORD_FILE=", "", 0)?;
    // Another host key is not believed.
    one.sh("ssh-keygen -q -R osm2.priv >/dev/null 2>&1; awk '{ print \"osm2.priv\", $1, $2 }' /etc/ssh/ssh_host_ed25519_key.pub >>/root/.ssh/known_hosts")?;
    let output = run(one, "", "")?;
    ensure!(
        output.code == Some(1) && output.stderr.contains("has another ssh-ed25519 key of osm2.priv"),
        "{}",
        output.describe()
    );
    Ok(())
}

fn file_server(lab: &Lab) -> Result<()> {
    let node = lab.node("osm2");
    let edits =
        [("192.168.33.11", "192.168.100.11"), ("192.168.33.12", "192.168.100.12"), ("192.168.33.13", "192.168.100.13")];
    install(node, "ovd-file-server", &edits)?;
    let volume = "nas.example.com:/ctdb /mnt/nfs/ctdb nfs defaults 0 0\n";
    node.write_file("/etc/fstab", format!("# comment\n{volume}UUID=1 /srv ext4 noauto 0 2\n"), 0o644)?;
    // What the archive of this lab does not have.
    node.sh("sed -i 's/ nfs-common$//' /root/prepare.sh; sed -i 's/ nfs-common / /' /root/prepare.sh")?;
    let text = ended(node, "", "", 0)?;
    ensure!(text.contains("    switch smbd off at boot"), "{text}");
    let fstab = node.read_file("/etc/fstab")?;
    ensure!(
        fstab.contains(&format!("# the cluster mounts it: {volume}")) && fstab.contains("\nUUID=1 /srv"),
        "{fstab}"
    );
    let state = node.sh("systemctl is-enabled smbd || true; systemctl is-active smbd || true")?;
    ensure!(state.split_whitespace().eq(["disabled", "inactive"]), "{state}");
    again(node)
}

fn firewall(lab: &Lab) -> Result<()> {
    let node = lab.node("osm2");
    install(node, "ovd-session-manager", &[])?;
    node.sh(
        "nft 'add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }'
        nft add rule inet filter input ct state established,related accept
        nft add rule inet filter input iif lo accept",
    )?;
    let text = ended(node, "", "", 3)?;
    let rules: Vec<_> = text.lines().filter_map(|line| line.split_once(" for input: ").map(|(_, rule)| rule)).collect();
    ensure!(rules.contains(&"ip saddr 192.168.100.13 udp dport 5404-5412 accept"), "{text}");
    for rule in &rules {
        node.sh(&format!("nft add rule inet filter input {rule}"))?;
    }
    let open = node.output(["bash", "-c", "FIREWALL=mine /root/prepare.sh </dev/null"])?;
    let output = run(node, "", "")?;
    node.sh("nft delete table inet filter")?;
    ensure!(open.ok() && open.stdout.contains("firewall: mine"), "{}", open.describe());
    ensure!(!output.stdout.contains("for input:"), "{}", output.describe());
    // Firewalls with commands of their own: what they are asked is written down, and remembered.
    for (name, asked, program) in [
        (
            "ufw",
            "allow from 192.168.100.11 to any port 5404:5412 proto udp",
            "case $1 in status) echo 'Status: active' ;; show) sed 's/^/ufw /' /run/ufw 2>/dev/null ;; *) echo \"$*\" >>/run/ufw ;; esac",
        ),
        (
            "firewall-cmd",
            "--permanent --zone=public --add-service=high-availability",
            "case $* in --state) ;; --get*) echo public ;; *--query*) grep -qxF -- \"${*/--query/--add}\" /run/firewall-cmd ;; *) echo \"$*\" >>/run/firewall-cmd ;; esac",
        ),
    ] {
        node.write_file(&format!("/usr/sbin/{name}"), format!("#!/bin/bash\n{program}\n"), 0o755)?;
        let text = ended(node, "", "", 0)?;
        let calls = node.read_file(&format!("/run/{name}"))?;
        node.sh("touch /run/mark")?;
        let second = ended(node, "", "", 0);
        node.sh(&format!("rm /usr/sbin/{name}"))?;
        ensure!(calls.lines().any(|line| line == asked), "{name}: {calls}{text}");
        ensure!(second?.contains("Nothing had to be changed."), "{name}: {calls}");
    }
    Ok(())
}
