//! What the script refuses.

use anyhow::{Result, ensure};

use crate::script::{STATE, install, run};
use crate::support::lab::{Lab, Machine};

pub fn refused(lab: &Lab) -> Result<()> {
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
