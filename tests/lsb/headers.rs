//! Debian's own tools on the headers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::host::{packaging, sh};
use crate::support::suite::Body;

pub const TRIALS: &[(&str, Body)] =
    &[("insserv_orders_them", insserv_orders_them), ("update_rc_d_takes_them", update_rc_d_takes_them)];

fn names() -> Vec<String> {
    let entries = fs::read_dir(packaging("init.d")).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Where its package is unpacked: it is not installed, as on a host it would reorder what starts at boot.
const UNPACKED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/insserv");

/// Fetches insserv, once for all runs: before the network is left. Without it its trial fails.
pub fn fetch() {
    if program().is_none() {
        let _ = fs::remove_dir_all(UNPACKED);
        sh(&format!(
            "mkdir -p {UNPACKED} && cd {UNPACKED} && apt-get -q -o APT::Sandbox::User= download insserv >&2
             dpkg-deb -x insserv_*.deb {UNPACKED}"
        ));
    }
}

fn program() -> Option<PathBuf> {
    ["sbin/insserv", "usr/sbin/insserv"]
        .map(|path| Path::new(UNPACKED).join(path))
        .into_iter()
        .find(|path| path.exists())
}

/// A root of its own has what insserv wants of a host.
fn insserv_orders_them() -> Result<()> {
    let root = Path::new("/run/insserv");
    for folder in ["etc/init.d", "dependencies"] {
        fs::create_dir_all(root.join(folder))?;
    }
    // The facilities of the scripts, each by a script as any host has them.
    fs::write(
        root.join("etc/insserv.conf"),
        "$local_fs boot\n$remote_fs boot\n$network boot\n$named boot\n$syslog boot\n",
    )?;
    let boot = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: boot\n# Required-Start:\n# Required-Stop:\n# Default-Start: S\n\
                # Default-Stop:\n# Short-Description: boot\n### END INIT INFO\n";
    fs::write(root.join("etc/init.d/boot"), boot)?;
    sh("chmod 755 /run/insserv/etc/init.d/boot");
    for name in names() {
        fs::copy(packaging("init.d").join(&name), root.join("etc/init.d").join(&name))?;
    }
    let mut command = Command::new(program().context("no insserv in its package")?);
    command.args(["--config", "/run/insserv/etc/insserv.conf", "--path", "/run/insserv/etc/init.d"]);
    command.args(["--override", "/run/insserv/none", "--insserv-dir", "/run/insserv/dependencies", "--verbose"]);
    command.arg("boot").args(names());
    let out = command.output()?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success(), "insserv: {said}");
    for word in ["warning", "FATAL", "missing"] {
        ensure!(!said.contains(word), "insserv: {said}");
    }
    let order: Vec<String> = sh("ls /run/insserv/etc/rc2.d").lines().map(str::to_owned).collect();
    for name in names() {
        ensure!(order.iter().any(|link| link.ends_with(&name)), "{name} is not started: {order:?}\n{said}");
    }
    let at = |name: &str| order.iter().position(|link| link.ends_with(name));
    ensure!(at("ovd-vip-src") < at("ovd-osm") && at("ovd-lsyncd") < at("ovd-osm"), "{order:?}");
    Ok(())
}

fn update_rc_d_takes_them() -> Result<()> {
    for name in names() {
        let said = sh(&format!("update-rc.d {name} defaults 2>&1"));
        ensure!(!said.contains("warning") && !said.contains("error"), "{name}: {said}");
        ensure!(sh("ls /etc/rc2.d").contains(&name), "{name} has no link: {}", sh("ls /etc/rc2.d"));
        sh(&format!("update-rc.d {name} remove"));
    }
    Ok(())
}
