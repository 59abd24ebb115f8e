//! What the nodes share goes wrong: the folder, the recovery lock, the nodes file.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::faults::holder;
use crate::hang::Hanging;
use crate::site::{self, node, wait_for};
use crate::{Body, monitor, nothing_left, start, wanted};

pub const TRIALS: &[(&str, Body)] = &[
    ("a shared folder that hangs on one node hangs nobody, and the other node serves", hangs),
    ("a start with a shared folder that hangs ends in time", hangs_at_start),
    ("a nodes file that ctdbd has not read is seen", nodes_file),
    ("a nodes file of another order on one node keeps that node out, and the other one serves", nodes_differ),
    ("a recovery lock that nobody holds is seen", lock),
];

/// The number of its ctdbd: another one after a restart.
fn ctdbd(node: &site::Node) -> String {
    node.sh("cat /run/ctdb/ctdbd.pid")
}

/// The folder is the first cause that anybody has to hear of. Whether another node reaches it only Pacemaker can tell: without it
/// nothing is restarted, as it would not start again.
fn hangs() -> Result<()> {
    start(&[node(0), node(1)])?;
    let (one, other) = holder();
    let before = ctdbd(other);
    let hanging = Hanging::begin(one)?;
    let begun = Instant::now();
    let hasty = one.agent().with_param("unhealthy_timeout", "0");
    while begun.elapsed() < Duration::from_secs(30) {
        monitor(one, &one.agent(), "0", 0, "")?;
        for depth in ["10", "20"] {
            monitor(one, &hasty, depth, 190, "/mnt/nfs/ctdb does not answer")?;
        }
        for depth in ["0", "10", "20"] {
            monitor(other, &other.agent(), depth, 0, "")?;
        }
    }
    let stop = Instant::now();
    wanted(&one.agent(), "stop", 0)?;
    eprintln!("ctdb: a stop with a shared folder that hangs takes {:.1} s", stop.elapsed().as_secs_f32());
    ensure!(stop.elapsed() < Duration::from_secs(50), "stop took {:?}", stop.elapsed());
    nothing_left(one)?;
    wait_for("the other node serves", || other.has_vip());
    monitor(other, &other.agent(), "10", 0, "")?;
    ensure!(ctdbd(other) == before, "the other node was restarted");
    drop(hanging);
    wanted(&one.agent(), "start", 0)?;
    monitor(one, &one.agent(), "10", 0, "")
}

fn hangs_at_start() -> Result<()> {
    let one = node(0);
    let _hanging = Hanging::begin(one)?;
    let begun = Instant::now();
    let run = wanted(&one.agent(), "start", 1)?;
    ensure!(run.stderr.contains("/mnt/nfs/ctdb does not answer within 3.0 s"), "{run}");
    ensure!(begun.elapsed() < Duration::from_secs(10), "start took {:?}", begun.elapsed());
    wanted(&one.agent(), "stop", 0)?;
    nothing_left(one)
}

fn nodes_file() -> Result<()> {
    let one = node(0);
    start(&[one, node(1)])?;
    site::write_nodes(&[1, 0]);
    monitor(one, &one.agent(), "20", 190, "the nodes file is not what ctdbd works with: ctdb reloadnodes")?;
    site::write_files();
    monitor(one, &one.agent(), "20", 0, "")
}

/// Each would be the node that the other one is.
fn nodes_differ() -> Result<()> {
    let (one, other) = (node(0), node(1));
    start(&[other])?;
    wait_for("it serves", || other.has_vip());
    let before = ctdbd(other);
    one.sh(&format!("rm /etc/ctdb/nodes; printf '%s\\n' {} {} >/etc/ctdb/nodes", site::private(1), site::private(0)));
    let refused = wanted(&one.agent().with("OCF_RESKEY_CRM_meta_timeout", "40000"), "start", 1);
    one.sh("ln -sf /mnt/nfs/ctdb/nodes /etc/ctdb/nodes");
    let said = refused?;
    ensure!(said.stderr.contains(&format!("({}) is ", site::private(0))), "{said}");
    nothing_left(one)?;
    for (depth, code, reason) in [("0", 0, ""), ("10", 0, ""), ("20", 190, "is disconnected")] {
        monitor(other, &other.agent(), depth, code, reason)?;
    }
    ensure!(ctdbd(other) == before && other.has_vip(), "the other node was touched");
    Ok(())
}

fn lock() -> Result<()> {
    let one = node(0);
    site::write_nodes(&[0]);
    start(&[one])?;
    monitor(one, &one.agent(), "20", 0, "")?;
    // The lock is on a file that nobody finds any more, until CTDB looks and makes another one.
    let path = Path::new(site::SHARED).join("ctdb/lockfile");
    fs::rename(&path, path.with_extension("gone"))?;
    monitor(one, &one.agent(), "20", 190, "recovery lock /mnt/nfs/ctdb/lockfile: ")?;
    Ok(())
}
