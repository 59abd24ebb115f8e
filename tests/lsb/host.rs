//! The host: the program and its scripts where a package puts them, eth0 with the virtual IP.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use anyhow::{Result, ensure};

use crate::support::subject::Run;
use crate::support::{lsyncd_host, osm_host};

pub const VIP: &str = "10.20.1.10";

/// Builds the host once, and brings it back to its first state each time.
pub fn clean() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        osm_host::keep("/etc");
        lsyncd_host::prepare();
        for entry in fs::read_dir(packaging("init.d")).unwrap().flatten() {
            let to = Path::new("/etc/init.d").join(entry.file_name());
            fs::copy(entry.path(), &to).unwrap();
            fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
        }
        sh("ip link add eth0 type veth peer name port0; ip link set port0 up; ip link set eth0 up
            ip address add 10.20.1.11/24 dev eth0; ip address add 10.20.1.10/24 dev eth0
            rm -f /etc/corosync/corosync.conf; mkdir -p /etc/sysconfig");
    });
    sh("nft flush ruleset");
    for name in ["ovd-vip-src", "cluster-vip-src", "ovd-osm", "ovd-lsyncd", "abiquo-rs", "lvs-director"] {
        for folder in ["/etc/default", "/etc/sysconfig"] {
            let _ = fs::remove_file(Path::new(folder).join(name));
        }
    }
    let _ = fs::remove_dir_all("/run/inuvika-ha");
}

/// A folder of what is shipped.
pub fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)
}

/// Runs a line of shell; what it printed.
pub fn sh(line: &str) -> String {
    let out = Command::new("bash").args(["-ec", line]).output().unwrap();
    assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Calls a script, with nothing in the environment.
pub fn call(script: &str, words: &[&str]) -> Run {
    let out = Command::new(Path::new("/etc/init.d").join(script)).args(words).env_clear().output().unwrap();
    Run {
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

/// `Err` when a verb ended otherwise, or did not say that; what succeeds says nothing on standard error.
pub fn expect(script: &str, verb: &str, code: i32, text: &str) -> Result<()> {
    let run = call(script, &[verb]);
    let said = format!("{}{}", run.stdout, run.stderr);
    ensure!(run.code == code && said.contains(text), "{script} {verb} gave {run} {said}, wanted {code} {text:?}");
    ensure!(!text.is_empty() || code != 0 || run.stderr.is_empty(), "{script} {verb} says {run}");
    Ok(())
}

/// Writes a settings file.
pub fn write(path: &str, text: &str) {
    fs::write(path, text).unwrap();
}

/// The addresses that rules of nftables give as source, in the order of nft.
pub fn sources() -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(&sh("nft -j list ruleset")).unwrap();
    let all = document["nftables"].as_array().unwrap().iter();
    let given = all.flat_map(|object| object["rule"]["expr"].as_array().cloned().unwrap_or_default());
    given.filter_map(|part| part["snat"]["addr"].as_str().map(str::to_owned)).collect()
}
