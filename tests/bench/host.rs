//! The host the benchmark runs on: one link, one virtual IP, a default route, the agents' environment.

use std::path::Path;
use std::process::{Command, Stdio};

const FOLDER: &str = "/run/bench";

/// Builds the host. The variables are those every agent of the table understands.
pub fn prepare() {
    for line in [
        "netns add peer",
        "link set lo up",
        "link add eth0 type veth peer name eth0 netns peer",
        "link set eth0 up",
        "-n peer link set eth0 up",
        "addr add 10.20.1.11/24 dev eth0",
        "addr add 10.20.1.10/24 dev eth0",
        "route add default via 10.20.1.1",
    ] {
        assert!(Command::new("ip").args(line.split_whitespace()).status().unwrap().success(), "ip {line}");
    }
    std::fs::create_dir_all(FOLDER).unwrap();
    std::fs::create_dir_all("/run/resource-agents").unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_inuvika-ha"), Path::new(FOLDER).join("inuvika-ha")).unwrap();
}

/// The environment of a recurring monitor, with parameters that each agent of the table finds its own among.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
    ("OCF_ROOT", "/usr/lib/ocf"),
    ("OCF_RA_VERSION_MAJOR", "1"),
    ("OCF_RESOURCE_INSTANCE", "bench"),
    ("OCF_RESKEY_CRM_meta_interval", "10000"),
    ("OCF_RESKEY_CRM_meta_timeout", "20000"),
    ("OCF_RESKEY_virtual_ip", "10.20.1.10"),
    ("OCF_RESKEY_arp_check", "no"),
    ("OCF_RESKEY_ip", "10.20.1.10"),
    ("OCF_RESKEY_cidr_netmask", "24"),
    ("OCF_RESKEY_ipaddress", "10.20.1.10"),
    ("HA_LOGFACILITY", "none"),
    ("HA_LOGFILE", "/dev/null"),
];

/// The path of one of our agents.
pub fn agent(name: &str) -> String {
    let path = Path::new(FOLDER).join(name);
    std::os::unix::fs::symlink(Path::new(FOLDER).join("inuvika-ha"), &path).unwrap();
    path.display().to_string()
}

/// Runs a command that is not measured; it must succeed.
pub fn quiet(command: &[&str]) {
    let status = Command::new(command[0])
        .args(&command[1..])
        .env_clear()
        .envs(ENVIRONMENT.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
