//! A file system that is not mounted: its empty folder is neither pushed nor fetched nor taken for a copy.

use anyhow::{Result, ensure};
use inuvika_ha::ocf::check::Verdict;
use inuvika_ha::ocf::exit::REASON_MAX;
use inuvika_ha::replica::Ready;

use crate::Body;
use crate::node::{INSTANCE, Node, Pair, SESSIONS};

pub const TRIALS: &[(&str, Body)] = &[
    ("a mount that is missing at start is not pushed as emptiness, and is pushed when it is back", back),
    ("a missing mount can be accepted, and the peer keeps its files", accepted),
    ("an empty disk in the place of a full one is a missing mount", other_disk),
    ("a mount that was moved with its files is none", moved),
    ("nothing is fetched from a peer whose folder is not mounted", fetched),
    ("the last changes are not fetched from a peer whose folder is not mounted", last_changes),
    ("a peer whose folder is not mounted gets no stamp", stamped),
];

/// Where the folder's files are, whether they are mounted or not.
const DISK: &str = "/run/replica/own/disk";

fn mount(node: &Node) {
    node.sh(&format!("mkdir -p {DISK}; mount --bind {DISK} {SESSIONS}"));
}

fn unmount(node: &Node) {
    node.sh(&format!("umount {SESSIONS}"));
}

fn kept(node: &Node) -> Option<String> {
    node.read(&format!("{SESSIONS}/kept"))
}

fn serve(node: &Node) -> Result<Ready> {
    let ready = node.prepare()?;
    ensure!(ready.pushing, "{ready:?}");
    node.pass(&ready);
    node.contact(ready.epoch, true);
    Ok(ready)
}

/// The first node has served with its disk; both nodes have everything.
fn served(pair: &Pair) -> Result<()> {
    mount(&pair.one);
    pair.one.write(&format!("{SESSIONS}/kept"), "1");
    serve(&pair.one)?;
    pair.one.stop();
    ensure!(pair.two.stamp().unwrap().clean && kept(&pair.two).is_some());
    Ok(())
}

/// The first node starts without its disk.
fn held(pair: &Pair) -> Result<Ready> {
    served(pair)?;
    unmount(&pair.one);
    let ready = pair.one.prepare()?;
    let why = ready.why.clone().unwrap_or_default();
    ensure!(!ready.pushing && why.starts_with(&format!("{SESSIONS} is not mounted any more: mount it")), "{ready:?}");
    ensure!(why.ends_with(&format!("accept --instance {INSTANCE}")) && why.len() <= REASON_MAX, "{why}");
    ensure!(pair.cib("lsyncd-epoch").as_deref() == Some("2 osm1 fork=1"));
    ensure!(pair.cib("osm1.lsyncd-replica").as_deref() == Some("stale"));
    let checks = pair.one.contact(ready.epoch, false);
    ensure!(checks[0].detail == why, "{checks:?}");
    Ok(ready)
}

fn back(pair: &mut Pair) -> Result<()> {
    held(pair)?;
    let Pair { one, two } = &*pair;
    one.write(&format!("{SESSIONS}/below"), "written without the disk");
    one.write(&format!("{}/meanwhile", crate::node::SPOOL), "2");
    one.stop();
    one.expect_log(&["not flushed", "is not mounted any more"])?;
    ensure!(kept(two).is_some(), "the peer was emptied");
    ensure!(!one.prepare()?.pushing, "the same again");
    one.stop();
    mount(one);
    let ready = one.prepare()?;
    ensure!(ready.pushing && ready.epoch == 3 && kept(one).is_some(), "{ready:?}");
    one.pass(&ready);
    one.contact(3, true);
    ensure!(kept(two).is_some() && two.kept().is_empty(), "{:?}", two.kept());
    ensure!(two.read(&format!("{}/meanwhile", crate::node::SPOOL)).is_some(), "what was written meanwhile counts");
    Ok(())
}

fn accepted(pair: &mut Pair) -> Result<()> {
    held(pair)?;
    let Pair { one, two } = &*pair;
    one.write(&format!("{SESSIONS}/new"), "2");
    one.sh(&format!("inuvika-ha replica accept --instance {INSTANCE}"));
    one.stop();
    serve(one)?;
    ensure!(two.read(&format!("{SESSIONS}/new")).is_some());
    ensure!(two.kept() == [format!("{}/kept=1", SESSIONS.trim_start_matches('/'))], "{:?}", two.kept());
    one.stop();
    serve(one)?;
    Ok(())
}

fn other_disk(pair: &mut Pair) -> Result<()> {
    served(pair)?;
    let one = &pair.one;
    one.sh(&format!("umount {SESSIONS}; mount -t tmpfs empty {SESSIONS}"));
    let ready = one.prepare()?;
    let why = ready.why.clone().unwrap_or_default();
    ensure!(!ready.pushing && why.contains("is empty, on another disk than before"), "{ready:?}");
    ensure!(kept(&pair.two).is_some());
    Ok(())
}

fn moved(pair: &mut Pair) -> Result<()> {
    served(pair)?;
    let one = &pair.one;
    one.sh(&format!("umount {SESSIONS}; mount -t tmpfs other {SESSIONS}; cp -a {DISK}/. {SESSIONS}"));
    serve(one)?;
    ensure!(kept(&pair.two).is_some() && pair.two.kept().is_empty());
    Ok(())
}

fn fetched(pair: &mut Pair) -> Result<()> {
    served(pair)?;
    // The first node raises the epoch, and is lost before it pushes.
    pair.two.deaf(true);
    ensure!(pair.one.prepare()?.epoch == 2);
    pair.two.deaf(false);
    pair.one.lose();
    unmount(&pair.one);
    pair.one.return_back();
    pair.meet();
    let two = &pair.two;
    let ready = two.prepare()?;
    ensure!(!ready.pushing && ready.epoch == 3, "{ready:?}");
    two.expect_log(&["newer data could not be fetched: osm1: ", "is not mounted any more"])?;
    ensure!(kept(two).is_some() && two.kept().is_empty(), "the folder was replaced by an empty one");
    // With the disk they can.
    two.stop();
    mount(&pair.one);
    pair.one.write(&format!("{SESSIONS}/newer"), "2");
    let checks = two.contact(3, false);
    ensure!(checks.iter().all(|check| !check.detail.contains("mounted")), "{checks:?}");
    Ok(())
}

fn last_changes(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    mount(one);
    one.write(&format!("{SESSIONS}/kept"), "1");
    serve(one)?;
    two.deaf(true);
    one.write(&format!("{SESSIONS}/late"), "2");
    one.stop();
    two.deaf(false);
    unmount(one);
    let ready = two.prepare()?;
    ensure!(ready.pushing && ready.epoch == 2, "{ready:?}");
    ensure!(kept(two).is_some() && two.kept().is_empty(), "the folder was replaced by an empty one");
    two.expect_log(&["osm1: ", "is not mounted any more"])?;
    Ok(())
}

fn stamped(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    mount(two);
    one.write(&format!("{SESSIONS}/kept"), "1");
    serve(one)?;
    unmount(two);
    let ready = one.prepare()?;
    let checks = one.contact(ready.epoch, false);
    ensure!(checks[0].detail.contains("osm2: ") && checks[0].detail.contains("is not mounted any more"), "{checks:?}");
    let first = one.pass_line(&ready, "");
    let first = first.lines().next().unwrap();
    let said = one.sh(&format!("{first} 2>&1 || true"));
    ensure!(said.contains("is not mounted any more"), "the peer took files below a mount that is missing: {said}");
    // By an older version, or an administrator's own lsyncd.
    one.pass_unguarded(&ready);
    let checks = one.contact(ready.epoch, true);
    ensure!(checks[0].detail.contains("osm2: ") && checks[0].detail.contains("is not mounted any more"), "{checks:?}");
    one.stop();
    one.expect_log(&["not flushed", "osm2: ", "is not mounted any more"])?;
    ensure!(!two.stamp().unwrap().clean);
    let listed = two.sh("inuvika-ha replica list");
    ensure!(listed.contains("is not mounted any more"), "{listed}");
    // A person has moved the files to the root disk: this is where they are to be from now on.
    let said = two.sh("inuvika-ha replica accept --instance lsyncd");
    ensure!(said.contains("the folders are right"), "{said}");
    let listed = two.sh("inuvika-ha replica list");
    ensure!(!listed.contains("is not mounted any more"), "{listed}");
    let ready = one.prepare()?;
    one.pass(&ready);
    let checks = one.contact(ready.epoch, true);
    ensure!(checks.iter().all(|check| check.verdict == Verdict::Ok), "{checks:?}");
    Ok(())
}
