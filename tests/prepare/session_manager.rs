//! Two Session Managers, whose nodes log in on each other.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::script::{FOLDER, PASSWORD, SCRIPT, STATE, again, ended, install, run};
use crate::support::lab::{Lab, Machine};

pub fn prepared(lab: &Lab) -> Result<()> {
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
