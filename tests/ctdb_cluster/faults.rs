//! What breaks on one node: who says so, what is done there, and that the other node is left alone.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::client::{LOSS, MINUTE, Writer, session};
use crate::matrices::no_failure;
use crate::site::{self, CTDB, LIMIT};
use crate::support::lab::{Lab, Machine, Net, Node, wait_for, wait_idle};
use crate::support::ovd;

/// A file system that never answers, mounted over a folder until it is killed.
const HANG: &str = r#"import ctypes, os, sys, time
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"hangs", sys.argv[1].encode(), b"fuse", 0, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
with open("/run/hang.pid", "w") as file:
    file.write(str(os.getpid()))
time.sleep(3600)
"#;

/// The id of the node's ctdbd, as systemd has it.
fn ctdbd(node: &Node) -> Result<String> {
    Ok(node.run(["systemctl", "show", "ctdb", "--property=MainPID", "--value"])?.trim().to_owned())
}

/// What of a node a restart of CTDB must not touch: ovd-slaveserver, and the mounts.
fn neighbours(node: &Node) -> Result<String> {
    node.sh("systemctl show ovd-slaveserver -p MainPID -p ActiveEnterTimestampMonotonic; \
             findmnt -no ID /mnt/nfs/ctdb; findmnt -no ID /mnt/nfs/ovd")
}

pub fn killed(lab: &Lab) -> Result<()> {
    restarted(lab, "its ctdbd is killed", &["is not running, but 10.20.1.10 is still on this node"], |node| {
        node.run(["kill", "-KILL", &ctdbd(node)?]).map(drop)
    })
}

pub fn frozen(lab: &Lab) -> Result<()> {
    restarted(lab, "its ctdbd is stopped (SIGSTOP)", &["no answer from ctdbd", "it is stopped (SIGSTOP)"], |node| {
        node.run(["kill", "-STOP", &ctdbd(node)?]).map(drop)
    })
}

/// After 60 s, as CTDB starts Samba only when it starts itself. Meanwhile the other node serves.
pub fn samba(lab: &Lab) -> Result<()> {
    restarted(lab, "its Samba is killed", &["is unhealthy: 50.samba"], |node| {
        node.run(["killall", "-KILL", "smbd"]).map(drop)
    })
}

/// Breaks CTDB on the node that serves: its monitor says `reason`, it is started again there, and nothing else is.
fn restarted(lab: &Lab, what: &str, reason: &[&str], break_it: impl FnOnce(&Node) -> Result<()>) -> Result<()> {
    ovd::forget(lab)?;
    let (serves, other) = site::holder(lab)?;
    let (before, beside, old) = (site::begun(other)?, neighbours(serves)?, ctdbd(serves)?);
    let writer = Writer::begin(lab, "fault")?;
    let begun = Instant::now();
    break_it(serves)?;
    site::wait_serves(lab, other)?;
    let moved = begun.elapsed();
    writer.goes_on()?;
    wait_for(LIMIT, "CTDB to be started again", || {
        let now = ctdbd(serves)?;
        site::all_well(serves)?;
        Ok(now != old && now != "0")
    })?;
    let again = begun.elapsed();
    wait_idle(serves, LIMIT)?;
    eprintln!(
        "ctdb_cluster: {what}: the other node has the address after {:.1} s, CTDB is well again after {:.1} s",
        moved.as_secs_f32(),
        again.as_secs_f32()
    );
    writer.goes_on()?;
    writer.end_within(what, LOSS)?;
    let failures = ovd::view(lab)?.failures;
    let is_it = |text: &str| reason.iter().all(|part| text.contains(part));
    ensure!(failures.iter().any(|f| f.code == 1 && is_it(&f.reason)), "nobody says {reason:?}: {failures:?}");
    let expected = |operation: &str| operation.starts_with(&format!("{CTDB}_monitor"));
    let unexpected =
        failures.iter().find(|f| f.code != 190 && !(expected(&f.operation) && f.node == serves.cluster_name()));
    ensure!(unexpected.is_none(), "{failures:?}");
    ensure!(site::begun(other)? == before, "something on {} was restarted", other.name());
    ensure!(neighbours(serves)? == beside, "ovd-slaveserver or a volume was touched: {beside}");
    ovd::forget(lab)?;
    site::wait_settled(lab, LIMIT)
}

pub fn slaveserver(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (serves, other) = site::holder(lab)?;
    let old = || serves.run(["systemctl", "show", "ovd-slaveserver", "--property=MainPID", "--value"]);
    let (pid, before, ctdb) = (old()?, site::begun(other)?, ctdbd(serves)?);
    let writer = Writer::begin(lab, "slaveserver")?;
    serves.run(["kill", "-KILL", pid.trim()])?;
    wait_for(LIMIT, "ovd-slaveserver to be started again", || Ok(old()? != pid && old()?.trim() != "0"))?;
    wait_idle(serves, LIMIT)?;
    writer.goes_on()?;
    writer.end("its ovd-slaveserver is killed")?;
    ensure!(ctdbd(serves)? == ctdb && site::begun(other)? == before, "more was restarted");
    ensure!(site::has_vip(serves)?, "the address has moved");
    ovd::forget(lab)?;
    site::wait_settled(lab, LIMIT)
}

/// The guide's first scenario. CTDB looks at its links every 15 s.
pub fn clients_network(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (serves, other) = site::holder(lab)?;
    let before = [site::begun(serves)?, site::begun(other)?];
    let fenced = lab.fencing.done().len();
    let writer = Writer::begin(lab, "clients")?;
    lab.net.link_down(serves.name(), Net::Srv)?;
    let done: Result<()> = (|| {
        let took = site::wait_serves(lab, other)?;
        eprintln!("ctdb_cluster: the clients' network is cut: the other node serves after {:.1} s", took.as_secs_f32());
        writer.goes_on()?;
        site::wait_reason(lab, serves, 190, "is unhealthy: 10.interface")?;
        site::wait_told(lab.node("pcs3"), serves, "unhealthy", "none")?;
        Ok(())
    })();
    lab.net.link_up(serves.name(), Net::Srv)?;
    done?;
    site::wait_settled(lab, LIMIT)?;
    writer.goes_on()?;
    writer.end_within("the clients' network of the node that serves is cut", MINUTE)?;
    ensure!([site::begun(serves)?, site::begun(other)?] == before, "something was restarted");
    ensure!(lab.fencing.done().len() == fenced, "a node was fenced: {:?}", lab.fencing.done());
    no_failure(lab)
}

/// The node that is cut off keeps its address, and perhaps the recovery lock, until it is fenced.
pub fn private_network(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (serves, other) = site::holder(lab)?;
    let (before, off) = (site::begun(other)?, lab.fencing.times_off(serves.name()));
    let writer = Writer::begin(lab, "private")?;
    lab.net.link_down(serves.name(), Net::Priv)?;
    let begun = Instant::now();
    let done: Result<()> = (|| {
        wait_for(LIMIT, "it to be fenced", || Ok(lab.fencing.times_off(serves.name()) > off))?;
        let fenced = begun.elapsed();
        site::wait_serves(lab, other)?;
        eprintln!(
            "ctdb_cluster: the nodes' network is cut: fenced after {:.1} s, the other node serves after {:.1} s",
            fenced.as_secs_f32(),
            begun.elapsed().as_secs_f32()
        );
        writer.goes_on().map(drop)
    })();
    lab.net.link_up(serves.name(), Net::Priv)?;
    done?;
    serves.boot()?;
    site::wait_settled(lab, LIMIT)?;
    writer.end_within("the nodes' network of the node that serves is cut", LOSS)?;
    ensure!(site::begun(other)? == before, "something on {} was restarted", other.name());
    no_failure(lab)
}

/// The server of the volume is gone for longer than `unhealthy_timeout`: it is said, nothing is restarted, and all goes on when
/// it is back. Something over the folder that never answers stands for it; what is open already goes on.
pub fn hanging(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let servers = site::servers(lab);
    let before = [site::begun(servers[0])?, site::begun(servers[1])?];
    let fenced = lab.fencing.done().len();
    let done: Result<()> = (|| {
        for node in servers {
            node.write_file("/root/hang.py", HANG, 0o644)?;
            node.sh("setsid python3 -I /root/hang.py /mnt/nfs/ctdb </dev/null >/run/hang.log 2>&1 & \
                     for _ in $(seq 50); do [ ! -s /run/hang.pid ] || exit 0; sleep 0.1; done; cat /run/hang.log; exit 1")?;
        }
        for node in servers {
            let told = site::wait_reason(lab, node, 190, "/mnt/nfs/ctdb")?;
            eprintln!(
                "ctdb_cluster: {}: a shared folder that hangs is told after {:.0} s",
                node.name(),
                told.as_secs_f32()
            );
        }
        // Longer than unhealthy_timeout, and than a monitor of the volume may take.
        std::thread::sleep(Duration::from_secs(120));
        Ok(())
    })();
    for node in servers {
        node.sh(
            "[ ! -e /run/hang.pid ] || { umount -l /mnt/nfs/ctdb; kill -KILL $(cat /run/hang.pid); rm /run/hang.pid; }",
        )?;
    }
    done?;
    let failures = ovd::failures(lab)?;
    let ignored = |operation: &str| operation.starts_with("ctdb_volume_monitor");
    ensure!(failures.iter().all(|f| ignored(&f.operation)), "{failures:?}");
    ensure!([site::begun(servers[0])?, site::begun(servers[1])?] == before, "something was restarted");
    ensure!(lab.fencing.done().len() == fenced, "a node was fenced: {:?}", lab.fencing.done());
    let took = session(lab, "after-hang", &[])?;
    eprintln!("ctdb_cluster: a session after the shared folder is back: {:.1} s", took.as_secs_f32());
    ovd::forget(lab)?;
    site::wait_settled(lab, LIMIT)
}
