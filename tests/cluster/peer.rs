//! The other node is there and of no use: somebody serves, in time, and says what is wrong.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::lost::{cut_ssh, heal_ssh};
use crate::moves::move_to;
use crate::replication::{KEPT, wait_copied, wait_told, whole, whole_among};
use crate::settled;
use crate::support::lab::{Lab, Machine, Node, wait_idle};
use crate::support::writer::{Sessions, Writer};
use crate::support::{lsyncd, ovd};

const LIMIT: Duration = Duration::from_secs(120);
const FILES: usize = 50;
/// Loads nothing that anybody needs: the danger is that it runs at all.
const FOREIGN: &str =
    "settings { logfile = '/var/log/foreign.log' }\nsync { default.direct, source = '/srv', target = '/tmp' }\n";

fn keep(lab: &Lab, prefix: &str) -> Result<Sessions> {
    let writer = Writer::start(lab, prefix)?;
    writer.more(FILES);
    writer.wait(0, KEPT)?;
    Ok(writer.kept())
}

/// Moves what serves, and clears the constraint again; how long until it is all there.
fn move_serving(lab: &Lab, target: &Node) -> Result<Duration> {
    let begun = Instant::now();
    let to = target.cluster_name();
    target.run(["crm_resource", "--move", "--resource", ovd::VIRTUAL_IP, "--node", &to])?;
    ovd::wait_serving(lab, target, LIMIT)?;
    let took = begun.elapsed();
    wait_idle(target, LIMIT)?;
    target.run(["crm_resource", "--clear", "--resource", ovd::VIRTUAL_IP])?;
    wait_idle(target, LIMIT)?;
    Ok(took)
}

/// The distribution's lsyncd starts with the node that returns: the one that runs says so, and none starts beside it.
pub fn boot_enabled(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (node, other) = (ovd::active(lab)?, ovd::passive(lab)?);
    wait_copied(lab, other)?;
    other.write_file("/etc/lsyncd/lsyncd.conf.lua", FOREIGN, 0o644)?;
    other.run(["systemctl", "enable", "lsyncd"])?;
    other.shutdown()?;
    other.boot()?;
    let result = beside_foreign(lab, node, other);
    // What the reason says helps.
    other.sh("systemctl disable lsyncd; systemctl stop lsyncd; rm -r /etc/lsyncd")?;
    // Its script does not wait for the push that it still makes.
    other.sh("for _ in $(seq 300); do pgrep -x lsyncd >/dev/null || exit 0; sleep 0.1; done; exit 1")?;
    let sessions = result?;
    ovd::forget(lab)?;
    ovd::wait_active(lab, other, LIMIT)?;
    wait_copied(lab, node)?;
    whole(&sessions, other)?;
    settled(lab)
}

fn beside_foreign(lab: &Lab, node: &Node, other: &Node) -> Result<Sessions> {
    ovd::wait_all_online(lab, LIMIT)?;
    wait_idle(node, LIMIT)?;
    wait_told(lab, &[&other.cluster_name(), "systemctl disable", "lsyncd"])?;
    let sessions = keep(lab, "foreign")?;
    let took = move_serving(lab, other)?;
    eprintln!("cluster: a move to a node with a foreign lsyncd: {:.1} s", took.as_secs_f32());
    whole(&sessions, other)?;
    let failures = ovd::failures(lab)?;
    let refused = failures.iter().find(|f| f.operation.starts_with("lsyncd_start") && f.node == other.cluster_name());
    ensure!(refused.is_some_and(|f| f.code == 5 && f.reason.contains("systemctl disable")), "{failures:?}");
    ensure!(failures.iter().all(|f| f.operation.starts_with(ovd::LSYNCD)), "{failures:?}");
    Ok(sessions)
}

/// sshd of the passive node accepts and says nothing. The node that takes over fetches by itself what did not reach it.
pub fn sshd_stopped(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (node, other) = (ovd::active(lab)?, ovd::passive(lab)?);
    wait_copied(lab, other)?;
    other.run(["pkill", "-STOP", "--exact", "sshd"])?;
    let result = (|| {
        let sessions = keep(lab, "stopped")?;
        wait_told(lab, &[&other.cluster_name()])?;
        let took = move_bounded(lab, other)?;
        eprintln!("cluster: a move to a node whose sshd hangs: {:.1} s", took.as_secs_f32());
        whole(&sessions, other)
    })();
    other.run(["pkill", "-CONT", "--exact", "sshd"])?;
    result?;
    ovd::wait_active(lab, other, LIMIT)?;
    wait_copied(lab, node)?;
    ovd::forget(lab)?;
    settled(lab)
}

/// The nodes see each other, but no ssh gets through. Whoever is to serve serves what it has; the one whose files are known to
/// be older says so and pushes nothing. In the end the newest are served, and all others are kept.
pub fn dropped(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (node, other) = (ovd::active(lab)?, ovd::passive(lab)?);
    wait_copied(lab, other)?;
    cut_ssh(other)?;
    let result = (|| {
        let first = keep(lab, "first")?;
        let took = move_bounded(lab, other)?;
        let unflushed = node.read_file(&format!("{}/unflushed", lsyncd::ATTIC))?;
        ensure!(!unflushed.trim().is_empty(), "what could not be flushed is not written down");
        // Its copy was whole, but for the last changes.
        let second = keep(lab, "second")?;
        whole(&second, other)?;
        let back = move_bounded(lab, node)?;
        eprintln!("cluster: moves without ssh: {:.1} s and {:.1} s", took.as_secs_f32(), back.as_secs_f32());
        wait_told(lab, &[&other.cluster_name(), "newer"])?;
        let third = keep(lab, "third")?;
        whole(&first, node)?;
        Ok((first, second, third))
    })();
    heal_ssh(other)?;
    let (first, second, third) = result?;
    // As long as nobody decides, nothing is overwritten.
    std::thread::sleep(Duration::from_secs(10));
    whole(&second, other)?;
    whole(&third, node)?;
    move_to(lab, other.name())?;
    whole(&second, other)?;
    wait_copied(lab, node)?;
    whole(&second, other)?;
    whole(&second, node)?;
    let kept = lsyncd::kept(node)?;
    whole_among(&first, &kept, node)?;
    whole_among(&third, &kept, node)?;
    ovd::forget(lab)?;
    settled(lab)
}

fn move_bounded(lab: &Lab, target: &Node) -> Result<Duration> {
    let took = move_serving(lab, target)?;
    ensure!(took < Duration::from_secs(60), "it took {took:?}");
    Ok(took)
}

/// The node with the newest files cannot serve any more: the other one gets them and serves.
pub fn newer_but_broken(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (node, other) = (ovd::active(lab)?, ovd::passive(lab)?);
    wait_copied(lab, other)?;
    let sessions = keep(lab, "broken")?;
    let conf = "/etc/apache2/apache2.conf";
    node.sh(&format!("mv {conf} {conf}.aside; echo Nonsense >{conf}; pkill -9 --exact apache2"))?;
    let moved = ovd::wait_active(lab, other, LIMIT);
    node.run(["mv", &format!("{conf}.aside"), conf])?;
    eprintln!("cluster: a node that cannot serve any more: moved after {:.1} s", moved?.as_secs_f32());
    whole(&sessions, other)?;
    ovd::forget(lab)?;
    wait_copied(lab, node)?;
    settled(lab)
}
