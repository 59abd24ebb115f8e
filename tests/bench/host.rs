//! The host the benchmark runs on: one link, one virtual IP, a default route, the agents and each one's environment.

use std::path::Path;
use std::process::Command;

use crate::support::{abiquo_host, lsyncd_host, osm_host};
use crate::{ctdb, web};

/// Where the program is installed: on a disk, as by a package. A tmpfs hands out its pages in smaller pieces, and so does a
/// file that a linker has written here and there: that costs a process a third of its start.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/bench");
/// The folder of the stock agents.
const STOCK: &str = "/usr/lib/ocf/resource.d/heartbeat";

/// Builds the host.
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
    // What an earlier run has left.
    let _ = std::fs::remove_dir_all(FOLDER);
    std::fs::create_dir_all(FOLDER).unwrap();
    std::fs::create_dir_all("/run/resource-agents").unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_inuvika-ha"), Path::new(FOLDER).join("inuvika-ha")).unwrap();
    lsyncd_host::prepare();
    // Its copy would be on a tmpfs.
    let copy = Path::new(FOLDER).join("inuvika-ha");
    let mount = Command::new("mount").arg("--bind").arg(copy).arg(lsyncd_host::PROGRAM).status().unwrap();
    assert!(mount.success(), "mount {} over {}", FOLDER, lsyncd_host::PROGRAM);
    std::os::unix::fs::symlink(lsyncd_host::PROGRAM, Path::new(FOLDER).join("ovd-lsyncd")).unwrap();
    for name in ["ovd-vip-src", "ovd-osm", "abiquo-rs", "ofs-ctdb"] {
        std::os::unix::fs::symlink(Path::new(FOLDER).join("inuvika-ha"), Path::new(FOLDER).join(name)).unwrap();
    }
    web::prepare();
}

/// The path of an agent, ours or a stock one.
pub fn path(agent: &str) -> String {
    let is_ours = ["ovd-", "abiquo-", "ofs-"].iter().any(|begin| agent.starts_with(begin));
    let folder = if is_ours { FOLDER } else { STOCK };
    format!("{folder}/{agent}")
}

/// The environment of an action: what a cluster manager gives every agent, and the parameters of this one. A monitor is a
/// recurring one.
pub fn environment(agent: &str, action: &str, depth: &str) -> Vec<(String, String)> {
    let mut all = owned(&[
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RESOURCE_INSTANCE", "bench"),
        ("OCF_RESOURCE_TYPE", agent),
        ("OCF_RESKEY_CRM_meta_timeout", "20000"),
        ("HA_LOGFACILITY", "none"),
        ("HA_LOGFILE", "/dev/null"),
    ]);
    if action == "monitor" {
        all.extend(owned(&[("OCF_RESKEY_CRM_meta_interval", "10000"), ("OCF_CHECK_LEVEL", depth)]));
    }
    all.extend(match agent {
        "ovd-vip-src" => owned(&[("OCF_RESKEY_virtual_ip", "10.20.1.10"), ("OCF_RESKEY_arp_check", "no")]),
        "IPsrcaddr" => owned(&[("OCF_RESKEY_ipaddress", "10.20.1.10"), ("OCF_RESKEY_cidr_netmask", "24")]),
        "IPaddr2" => owned(&[("OCF_RESKEY_ip", "10.20.1.10"), ("OCF_RESKEY_cidr_netmask", "24")]),
        "ovd-osm" => osm_host::params(web::INSTANCE),
        "ovd-lsyncd" => lsyncd_host::params(0),
        // Nobody serves NFS here: it would be waited for.
        "abiquo-rs" => {
            let port = ("OCF_RESKEY_repository_port".to_owned(), "0".to_owned());
            abiquo_host::params(0).into_iter().chain([port]).collect()
        }
        "tomcat" => owned(&[
            ("OCF_RESKEY_java_home", "/usr"),
            ("OCF_RESKEY_catalina_home", "/usr/share/tomcat10"),
            ("OCF_RESKEY_catalina_base", "/run/abiquo/0/tomcat"),
            ("OCF_RESKEY_catalina_pid", "/run/abiquo/0/tomcat/pid"),
            ("OCF_RESKEY_statusurl", "http://127.0.0.1:8009/xas/check"),
            ("OCF_RESKEY_tomcat_user", "root"),
        ]),
        "ofs-ctdb" => ctdb::params(),
        "CTDB" => owned(&[("OCF_RESKEY_ctdb_recovery_lock", ctdb::LOCK)]),
        "apache" => owned(&[("OCF_RESKEY_configfile", &web::config()), ("OCF_RESKEY_httpd", web::PROGRAM)]),
        "symlink" => owned(&[("OCF_RESKEY_link", &web::link()), ("OCF_RESKEY_target", &web::table())]),
        _ => Vec::new(),
    });
    all
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
