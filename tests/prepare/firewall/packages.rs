//! The packages of ufw and firewalld, which are not installed on the machine itself: they would look after its own network.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::support::lab::{Machine, Node};

const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/firewalls");

/// Fetches them and what they need, once for all runs: before the network is left. Without them their trials fail.
pub fn fetch() {
    if !packages().is_empty() {
        return;
    }
    let script = format!(
        "mkdir -p {CACHE}/partial && apt-get -q -y --no-install-recommends -o APT::Sandbox::User= -o Debug::NoLocking=1 \
         -o Dir::Cache::archives={CACHE} --download-only install ufw firewalld >&2"
    );
    if !Command::new("sh").args(["-euc", &script]).status().is_ok_and(|status| status.success()) {
        eprintln!("lab: ufw and firewalld cannot be fetched");
    }
}

fn packages() -> Vec<String> {
    let files = std::fs::read_dir(Path::new(CACHE)).into_iter().flatten().flatten();
    let names = files.map(|file| file.path().display().to_string());
    names.filter(|name| name.ends_with(".deb")).collect()
}

/// Installs them on a node, where neither is started.
pub fn install(node: &Node) -> Result<()> {
    if node.output(["sh", "-c", "command -v ufw && command -v firewall-cmd"])?.ok() {
        return Ok(());
    }
    let packages = packages();
    ensure!(!packages.is_empty(), "{CACHE} has no packages: apt-get did not get them");
    for package in &packages {
        let name = Path::new(package).file_name().and_then(|name| name.to_str()).context("a strange name")?;
        node.copy_in(package, &format!("/srv/firewalls/{name}"), 0o644)?;
    }
    node.sh("printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
        DEBIAN_FRONTEND=noninteractive dpkg -i /srv/firewalls/*.deb
        rm /usr/sbin/policy-rc.d
        systemctl disable ufw firewalld")
        .map(drop)
}
