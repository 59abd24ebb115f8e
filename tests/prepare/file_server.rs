//! A file server: services that CTDB starts, and volumes that the cluster mounts.

use anyhow::{Result, ensure};

use crate::script::{again, ended, install};
use crate::support::lab::{Lab, Machine, Node};

/// The script for a file server with its addresses on these networks, each without its last number.
pub fn script(node: &Node, networks: &[&str]) -> Result<()> {
    let addresses = |number: &str| -> String {
        let all: Vec<_> = networks.iter().map(|network| format!("\"{network}.{number}\"")).collect();
        format!("[{}]", all.join(", "))
    };
    let edits = ["11", "12", "13"].map(|number| (format!("\"192.168.33.{number}\""), addresses(number)));
    let [one, two, three] = edits.each_ref().map(|(old, new)| (old.as_str(), new.as_str()));
    // The address of the clients is one of the lab's.
    let vip = ("172.16.4.26/24\"\nnic = \"ens32\"", "10.20.1.10/24\"\nnic = \"eth0\"");
    install(node, "ovd-file-server", &[one, two, three, vip])?;
    // What the archive of this lab does not have.
    node.sh("sed -i 's/ nfs-common$//' /root/prepare.sh; sed -i 's/ nfs-common / /' /root/prepare.sh").map(drop)
}

pub fn prepared(lab: &Lab) -> Result<()> {
    let node = lab.node("osm2");
    script(node, &["192.168.100"])?;
    let volume = "nas.example.com:/ctdb /mnt/nfs/ctdb nfs defaults 0 0\n";
    node.write_file("/etc/fstab", format!("# comment\n{volume}UUID=1 /srv ext4 noauto 0 2\n"), 0o644)?;
    node.sh("systemctl enable smbd 2>/dev/null; systemctl start smbd || true")?;
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
