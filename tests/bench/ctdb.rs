//! The CTDB that ofs-ctdb and the stock agent CTDB watch: one node that serves one address with Samba, on this host.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::host;

/// The recovery lock.
pub const LOCK: &str = "/mnt/nfs/ctdb/lockfile";

/// How long it may take until all is well.
const PATIENCE: Duration = Duration::from_secs(60);

/// Mounts over all that CTDB and Samba write, or want otherwise than this machine has it.
const PREPARE: &str = "set -e
mkdir -p /run/bench-etc/upper /run/bench-etc/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/bench-etc/upper,workdir=/run/bench-etc/work /etc
for d in /mnt /var/lib/ctdb /var/log/ctdb /var/log/samba /var/lib/samba /var/cache/samba; do mount -t tmpfs tmpfs $d; done
mkdir /mnt/nfs; mount -t tmpfs tmpfs /mnt/nfs; mkdir -p /mnt/nfs/ctdb/private /mnt/nfs/ovd
mkdir -p /var/lib/ctdb/volatile /var/lib/ctdb/persistent /var/lib/ctdb/state /var/lib/samba/private /run/ctdb /run/samba
printf '[cluster]\\n  recovery lock = /mnt/nfs/ctdb/lockfile\\n' >/etc/ctdb/ctdb.conf
echo 10.20.1.11 >/etc/ctdb/nodes; echo 10.20.1.26/24 eth0 >/etc/ctdb/public_addresses
for s in 48.netbios 50.samba; do ln -sf /usr/share/ctdb/events/legacy/$s.script /etc/ctdb/events/legacy/; done
rm -f /etc/rc?.d/S??ctdb /etc/rc?.d/S??smbd /etc/rc?.d/S??nmbd /etc/rc?.d/S??samba-ad-dc
printf '[global]\\n clustering = yes\\n server role = standalone server\\n private dir = /mnt/nfs/ctdb/private\\n\\
 idmap config * : backend = tdb2\\n disable spoolss = yes\\n[ovd]\\n path = /mnt/nfs/ovd\\n' >/etc/samba/smb.conf";

/// Brings it up, once for all rounds. It ends with the namespaces.
pub fn prepare() {
    let made = Command::new("bash").args(["-c", PREPARE]).status().unwrap();
    assert!(made.success(), "prepare CTDB");
    let environment = host::environment("ofs-ctdb", "start", "0");
    let started = Command::new(host::path("ofs-ctdb")).arg("start").env_clear().envs(environment).status().unwrap();
    assert!(started.success(), "start CTDB");
    // Its address and Samba come a little later.
    let begun = Instant::now();
    let environment = host::environment("ofs-ctdb", "monitor", "20");
    loop {
        let mut monitor = Command::new(host::path("ofs-ctdb"));
        let out = monitor.arg("monitor").env_clear().envs(environment.clone()).output().unwrap();
        if out.status.success() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "CTDB is not well: {out:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The parameters of ofs-ctdb, and an instance of its own: that of the others is stopped in every round.
pub fn params() -> Vec<(String, String)> {
    [
        ("OCF_RESOURCE_INSTANCE", "bench_ctdb"),
        ("OCF_RESKEY_CRM_meta_timeout", "120000"),
        ("OCF_RESKEY_service_manager", "lsb"),
        ("OCF_RESKEY_time_sync", "no"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}
