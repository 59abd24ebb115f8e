//! Depth 10: the canary, and what the peer says of itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use inuvika_ha::ocf::check::{Check, Verdict};
use inuvika_ha::replica::report::Report;
use nix::sys::signal::Signal;

use crate::Body;
use crate::node::{Node, Pair, SESSIONS, timed};

pub const TRIALS: &[(&str, Body)] = &[
    ("the canary arrives, or its absence is seen", canary),
    ("a peer that has lost its copy is not told that it has everything", reinstalled),
    ("an lsyncd outside of the cluster on the peer is seen", foreign),
    ("a peer with newer data refuses, and is named", refused),
    ("what the cluster did without an answer is put right", unanswered),
    ("a contact is quick", quick),
    ("very many kept files do not keep a peer from answering", many_kept),
];

fn find<'a>(checks: &'a [Check], name: &str) -> Result<&'a Check> {
    checks.iter().find(|check| check.name == name).ok_or_else(|| anyhow::anyhow!("no check {name}: {checks:?}"))
}

/// Serves, with a first pass.
fn serve(node: &Node) -> Result<u64> {
    let ready = node.prepare()?;
    node.pass(&ready);
    node.contact(ready.epoch, true);
    Ok(ready.epoch)
}

fn canary(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    let ready = one.prepare()?;
    let checks = one.contact(1, false);
    ensure!(find(&checks, "canary")?.detail == "no change sent yet", "{checks:?}");
    ensure!(find(&checks, "peer")?.detail.contains("has not everything of epoch 1 yet"), "{checks:?}");
    one.pass(&ready);
    let checks = one.contact(1, true);
    ensure!(find(&checks, "canary")?.detail.ends_with("has arrived"), "{checks:?}");
    ensure!(find(&checks, "peer")?.detail == "osm2 has epoch 1", "{checks:?}");
    // The second beat does not arrive: there is no lsyncd.
    let checks = one.contact(1, true);
    ensure!(find(&checks, "canary")?.detail.ends_with("has not arrived yet"), "{checks:?}");
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("ok"));
    std::thread::sleep(Duration::from_millis(6200));
    let checks = one.contact(1, true);
    let late = find(&checks, "canary")?;
    ensure!(late.verdict == Verdict::Degraded && late.detail.contains("limit 6 s"), "{checks:?}");
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("stale"));
    one.pass(&ready);
    let checks = one.contact(1, true);
    ensure!(checks.iter().all(|check| check.verdict == Verdict::Ok), "{checks:?}");
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("ok"));
    ensure!(two.kept().is_empty(), "a canary was kept");
    Ok(())
}

/// A cluster that is busy takes the value, and its tool is killed before it says so.
fn unanswered(pair: &mut Pair) -> Result<()> {
    let ready = pair.one.prepare()?;
    pair.one.pass(&ready);
    pair.one.contact(ready.epoch, true);
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("ok"));
    pair.set_cib("silent", "");
    pair.two.signal_sshd(Signal::SIGSTOP);
    pair.one.contact(ready.epoch, true);
    pair.two.signal_sshd(Signal::SIGCONT);
    pair.one.expect_log(&["tell the cluster that lsyncd-replica of osm2 is stale"])?;
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("stale"));
    // The peer still has everything, and both answer again.
    pair.unset_cib("silent");
    pair.one.pass(&ready);
    let checks = pair.one.contact(ready.epoch, true);
    let says = pair.cib("osm2.lsyncd-replica");
    ensure!(says.as_deref() == Some("ok"), "{says:?}: {checks:?}");
    Ok(())
}

fn reinstalled(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    serve(one)?;
    two.sh(&format!("rm -rf /var/lib/inuvika-ha/* {SESSIONS}/*"));
    let checks = one.contact(1, true);
    let peer = find(&checks, "peer")?;
    ensure!(peer.verdict == Verdict::Degraded && peer.detail.contains("pcs resource restart lsyncd"), "{checks:?}");
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("never"));
    ensure!(two.stamp().is_none());
    Ok(())
}

fn foreign(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    serve(one)?;
    two.sh("cp /usr/bin/sleep /run/replica/own/lsyncd; setsid /run/replica/own/lsyncd 30 >/dev/null 2>&1 </dev/null &");
    std::thread::sleep(Duration::from_millis(200));
    let checks = one.contact(1, true);
    let peer = find(&checks, "peer")?;
    ensure!(peer.verdict == Verdict::Degraded && peer.detail.starts_with("osm2: lsyncd (process "), "{checks:?}");
    two.sh("pkill -x lsyncd");
    Ok(())
}

fn refused(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    let ready = one.prepare()?;
    let newer = r#"{"epoch":9,"kind":"source","complete":true,"clean":false,"node":"osm2","at":1}"#;
    // Between the last push and the word that it was.
    one.pass(&ready);
    two.write("/var/lib/inuvika-ha/lsyncd/stamp", newer);
    for passed in [true, false] {
        let checks = one.contact(1, passed);
        ensure!(find(&checks, "peer")?.detail.starts_with("osm2 has newer data (epoch 9, here 1)"), "{checks:?}");
    }
    ensure!(!one.log().contains("osm2 has everything of epoch 1"), "{}", one.log());
    two.write("/var/lib/inuvika-ha/lsyncd/stamp", &newer.replace("\"epoch\":9", "\"epoch\":1"));
    let checks = one.contact(1, true);
    ensure!(find(&checks, "peer")?.detail.starts_with("osm2 has data of its own (epoch 1, here 1)"), "{checks:?}");
    // What it says to do: the next start raises the epoch, and the other one's files go into its backup folder.
    two.write(&format!("{SESSIONS}/mine"), "1");
    one.stop();
    let ready = one.prepare()?;
    ensure!(ready.epoch == 2, "{ready:?}");
    one.pass(&ready);
    let checks = one.contact(2, true);
    ensure!(find(&checks, "peer")?.detail == "osm2 has epoch 2", "{checks:?}");
    ensure!(two.kept().iter().any(|kept| kept.ends_with("sessions/mine=1")), "{:?}", two.kept());
    Ok(())
}

fn quick(pair: &mut Pair) -> Result<()> {
    let Pair { one, .. } = &*pair;
    serve(one)?;
    let (checks, took) = timed(|| one.contact(1, true));
    ensure!(took < Duration::from_secs(8), "{took:?}: {checks:?}");
    Ok(())
}

fn many_kept(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    let ready = one.prepare()?;
    one.pass(&ready);
    // As a first push over a node with very many sessions leaves it, and another before it.
    two.enter(|| {
        for (backup, count) in [("E1-20260101T000000Z", 10_000), ("E2-20260101T000000Z", 50_000)] {
            let folder = format!("/var/lib/inuvika-ha/lsyncd/backup/{backup}{SESSIONS}");
            std::fs::create_dir_all(&folder).unwrap();
            (0..count).for_each(|n| std::fs::write(format!("{folder}/sess_{n:05}"), "x").unwrap());
        }
    });
    let report =
        || -> Result<Report> { Ok(serde_json::from_str(&two.sh("inuvika-ha replica report --instance lsyncd"))?) };
    let (first, took) = timed(report);
    let first = first?;
    // A count that is short says so.
    for (backup, files) in first.backups.iter().zip([50_000, 10_000]) {
        ensure!(backup.more != (backup.files == files), "{} files of {files}: {backup:?}", backup.files);
        ensure!(backup.files <= files && backup.bytes == backup.files, "{backup:?}");
    }
    ensure!(first.backups.len() == 2 && first.node == "osm2", "{first:?}");
    ensure!(took < Duration::from_secs(20), "a report took {took:?}");
    // The active node gets its answer, and what it says is noted.
    let checks = one.contact(1, true);
    ensure!(find(&checks, "peer")?.detail == "osm2 has epoch 1", "{checks:?}");
    ensure!(two.stamp().is_some_and(|stamp| stamp.complete && stamp.epoch == 1));
    // A person has more time, and what was counted in full is known from then on.
    ensure!(two.sh("inuvika-ha replica list").contains("10000 files, 10000 bytes"));
    let kept = two.read("/var/lib/inuvika-ha/lsyncd/kept/E1-20260101T000000Z").unwrap_or_default();
    ensure!(kept.contains("\"files\":10000"), "not remembered: {kept}");
    Ok(())
}
