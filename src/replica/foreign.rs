//! An lsyncd outside of the cluster: on a passive node it would push old data over the active node's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys::service::{Service, is_own, script_exists, unit_exists};

/// The distribution's unit and script.
const UNIT: &str = "lsyncd.service";
const SCRIPT: &str = "/etc/init.d/lsyncd";

/// How the names of our own units begin.
pub const OWN: &str = "inuvika-ha-";

/// One that runs here and is no instance's, or one that starts with the host: what, and how to turn it off.
pub fn find() -> Option<String> {
    let running = running().map(|pid| format!("lsyncd (process {pid}) runs outside of the cluster: {}", remedy()));
    running.or_else(at_boot)
}

fn at_boot() -> Option<String> {
    let unit = Service::Systemd { unit: UNIT.to_owned(), cgroup: None };
    let script = Service::Lsb { script: PathBuf::from(SCRIPT), program: PathBuf::from("/usr/bin/lsyncd") };
    let unit = unit_exists(UNIT).then(|| unit.at_boot()).flatten();
    unit.or_else(|| script_exists(Path::new(SCRIPT)).then(|| script.at_boot()).flatten())
}

fn remedy() -> &'static str {
    if crate::sys::service::systemd_runs() {
        "systemctl disable lsyncd; systemctl stop lsyncd"
    } else {
        "/etc/init.d/lsyncd stop; update-rc.d lsyncd disable"
    }
}

/// The first process whose program is lsyncd and that no instance has started; not one of another container.
fn running() -> Option<i32> {
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let root = fs::read_link("/proc/self/ns/pid").ok()?;
    pids.find(|pid| {
        let process = Path::new("/proc").join(pid.to_string());
        // A replaced binary ends in " (deleted)".
        let program = fs::read_link(process.join("exe")).unwrap_or_default();
        let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.split(' ').next() == Some("lsyncd")
            && fs::read_link(process.join("ns/pid")).is_ok_and(|own| own == root)
            && !is_own(*pid, OWN)
    })
}
