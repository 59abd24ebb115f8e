//! Start, stop, and what start wants.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::site::{self, node, wait_for};
use crate::{Body, monitor, nothing_left, start, wanted};

pub const TRIALS: &[(&str, Body)] = &[
    ("two nodes start, one serves the address, and stop leaves nothing", life),
    ("a ctdbd that runs is adopted without a restart", adopted),
    ("start wants the shared folder mounted", unmounted),
    ("start refuses what this CTDB would not read or do", refused),
    ("a monitor of depth 0 starts no process", no_process),
];

fn life() -> Result<()> {
    let (one, two) = (node(0), node(1));
    wanted(&one.agent().probing(), "monitor", 7)?;
    wanted(&one.agent().with("OCF_CHECK_LEVEL", "10"), "validate-all", 0)?;
    start(&[one, two])?;
    // Each has waited for itself.
    let well = || one.sh("ctdb -X status").matches("|0|0|0|0|0|0|0|0|").count() == 2;
    wait_for("each sees both well", well);
    wait_for("somebody serves the address", || one.has_vip() != two.has_vip());
    // A Samba that has just begun may take longer for its first answer than a monitor waits.
    let answers = |node: &site::Node| node.agent().recurring().with("OCF_CHECK_LEVEL", "10").run("monitor").code == 0;
    wait_for("Samba answers where the address is", || answers(one) && answers(two));
    for depth in ["0", "10", "20"] {
        monitor(one, &one.agent(), depth, 0, "")?;
        monitor(two, &two.agent(), depth, 0, "")?;
    }
    // A second start has nothing to do.
    let (before, begun) = (one.daemons(), Instant::now());
    wanted(&one.agent(), "start", 0)?;
    ensure!(one.daemons() == before && begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    wanted(&one.agent(), "stop", 0)?;
    nothing_left(one)?;
    monitor(one, &one.agent(), "0", 7, "is not running")?;
    // The other one goes on, and has the address.
    wait_for("the other node serves the address", || two.has_vip());
    wait_for("the other Samba answers there", || answers(two));
    monitor(two, &two.agent(), "0", 0, "")?;
    monitor(two, &two.agent(), "10", 0, "")?;
    monitor(two, &two.agent(), "20", 190, &format!("node 0 ({}) is disconnected", site::private(0)))?;
    wanted(&two.agent().without_params().with_param("service_manager", "lsb"), "stop", 0)?;
    nothing_left(two)
}

fn adopted() -> Result<()> {
    let one = node(0);
    one.sh("/etc/init.d/ctdb start");
    wait_for("it is healthy", || one.try_sh("ctdb -X nodestatus").0);
    wait_for("Samba runs", || one.daemons().contains("smbd"));
    let ctdbd = one.sh("cat /run/ctdb/ctdbd.pid");
    wanted(&one.agent().probing(), "monitor", 0)?;
    monitor(one, &one.agent(), "10", 0, "")?;
    wanted(&one.agent(), "start", 0)?;
    ensure!(one.sh("cat /run/ctdb/ctdbd.pid") == ctdbd, "it was restarted");
    wanted(&one.agent(), "stop", 0)?;
    nothing_left(one)
}

fn unmounted() -> Result<()> {
    let one = node(0);
    let elsewhere = one.agent().with_param("shared", "/var/tmp");
    let run = wanted(&elsewhere, "start", 1)?;
    ensure!(run.stderr.contains("/var/tmp is not on a mounted file system of its own"), "{run}");
    let run = wanted(&one.agent().with_param("data", "/mnt/nfs/none"), "start", 1)?;
    ensure!(run.stderr.contains("/mnt/nfs/none: no such file or directory"), "{run}");
    nothing_left(one)
}

fn refused() -> Result<()> {
    let one = node(0);
    let put = |name: &str, text: &str| fs::write(Path::new(site::SHARED).join("ctdb").join(name), text).unwrap();
    let said = |reason: &str| {
        let run = wanted(&one.agent(), "start", 1)?;
        ensure!(run.stderr.contains(reason), "start said {run}, wanted {reason:?}");
        nothing_left(one)
    };
    // The guide's own file, as its command line puts it in place.
    put("ctdb.conf", "CTDB_RECOVERY_LOCK=/mnt/nfs/ctdb/lockfile\nCTDB_MANAGES_SAMBA=yes\n");
    one.sh("ln -sf /mnt/nfs/ctdb/ctdb.conf /etc/default/ctdb");
    said("no recovery lock in /etc/ctdb/ctdb.conf (this CTDB ignores CTDB_RECOVERY_LOCK")?;
    one.sh("rm /etc/default/ctdb");
    put("ctdb.conf", "[cluster]\n recovery lock = /var/tmp/lockfile\n");
    said("recovery lock: /var/tmp is not on a mounted file system of its own")?;
    put("ctdb.conf", "[cluster]\n recovery lock = /mnt/nfs/none/lockfile\n");
    said("recovery lock: /mnt/nfs/none: no such file or directory")?;
    site::write_files();
    one.sh("rm /etc/ctdb/events/legacy/50.samba.script");
    said("ctdb event script enable legacy 50.samba")?;
    one.sh("ln -s /usr/share/ctdb/events/legacy/50.samba.script /etc/ctdb/events/legacy/");
    put("smb.conf", "[global]\n workgroup = OVD\n");
    said("smb.conf: [global] has no 'clustering = yes'")?;
    site::write_files();
    put("nodes", "192.168.33.98\n192.168.33.99\n");
    said("no address of /etc/ctdb/nodes is on this node")?;
    site::write_files();
    put("public_addresses", "172.16.4.26/24 ens32\n");
    said("public_addresses names ens32: this node has no such interface")?;
    site::write_files();
    one.sh("ln -s ../init.d/smbd /etc/rc3.d/S01smbd");
    said("/etc/init.d/smbd starts at boot: update-rc.d smbd disable")?;
    one.sh("rm /etc/rc3.d/S01smbd");
    Ok(())
}

/// In a PID namespace ids are handed out one by one: their distance counts what was started. CTDB's own scripts take some, so the
/// least of several runs counts.
fn no_process() -> Result<()> {
    let one = node(0);
    start(&[one])?;
    let env = one.agent().recurring().env;
    let env: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let line = format!(
        "export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=ofs_ctdb {}; for n in 1 2 3 4 5 6 7 8; do\n\
         true & a=$!; wait $a; /mnt/agents/ofs-ctdb monitor || exit 1; true & b=$!; wait $b; echo $((b - a - 1)); done",
        env.join(" ")
    );
    let least = one.sh(&line).lines().filter_map(|line| line.parse::<i32>().ok()).min();
    wanted(&one.agent(), "stop", 0)?;
    ensure!(least == Some(1), "a monitor is {least:?} processes or threads, itself included");
    Ok(())
}
