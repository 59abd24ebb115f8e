//! Moves, crashes, returns and forks: whose files are where afterwards.

use std::time::Duration;

use anyhow::{Result, ensure};
use inuvika_ha::replica::Ready;
use inuvika_ha::replica::stamp::Kind;

use crate::Body;
use crate::node::{INSTANCE, Node, Pair, SESSIONS, SPOOL, timed};

pub const TRIALS: &[(&str, Body)] = &[
    ("a clean move brings every file, and the peer knows it", clean_move),
    ("a stop with nothing to push takes less than a second and a half", quick_stop),
    ("what a lost node had for itself is kept when it returns, and named", crash_and_return),
    ("what a stop could not flush is fetched by the next start", fetch),
    ("files written without replication are not taken away by a pull", merge),
    ("a fork pushes nothing until a person accepts it", fork_accepted),
    ("a fork ends when the newer node starts, and its files are kept", fork_ended),
    ("the only survivor serves, whatever it lacks", survivor),
    ("without an answer from the cluster the stamps decide", no_cluster),
    ("an rsync that was left behind is ended by the next start", leftover),
];

fn file(name: &str) -> String {
    format!("{SESSIONS}/{name}")
}

/// Starts on a node that has to push, and lets lsyncd's first pass and the contact after it happen.
fn serve(node: &Node) -> Result<Ready> {
    let ready = node.prepare()?;
    ensure!(ready.pushing, "{ready:?}");
    node.pass(&ready);
    for check in node.contact(ready.epoch, true) {
        ensure!(check.verdict == inuvika_ha::ocf::check::Verdict::Ok, "{check:?}");
    }
    Ok(ready)
}

fn clean_move(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    let ready = one.prepare()?;
    ensure!(ready.epoch == 1 && ready.pushing && ready.backup.is_some() && ready.why.is_none(), "{ready:?}");
    ensure!(pair.cib("lsyncd-epoch").as_deref() == Some("1 osm1"));
    ensure!(pair.cib("osm1.lsyncd-replica").as_deref() == Some("ok"));
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("never"));
    one.write(&file("a"), "1");
    one.pass(&ready);
    one.contact(1, true);
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("ok"));
    let stamp = two.stamp().unwrap();
    ensure!(stamp.kind == Kind::Copy && stamp.complete && !stamp.clean && stamp.epoch == 1, "{stamp:?}");
    // Not pushed yet: the same size within the same second, a new folder, a folder that is gone.
    one.write(&file("a"), "2");
    one.write(&format!("{SPOOL}/x/y"), "3");
    one.stop();
    ensure!(two.read(&file("a")).as_deref() == Some("2"));
    ensure!(two.read(&format!("{SPOOL}/x/y")).as_deref() == Some("3"));
    ensure!(two.stamp().unwrap().clean && one.stamp().unwrap().clean);
    let ready = two.prepare()?;
    ensure!(ready.epoch == 2 && ready.pushing, "{ready:?}");
    ensure!(pair.cib("lsyncd-epoch").as_deref() == Some("2 osm2"));
    // Both have the same: the first node knows at once, and could take over without a pass.
    let stamp = one.stamp().unwrap();
    ensure!(stamp.kind == Kind::Copy && stamp.epoch == 2 && !stamp.clean, "{stamp:?}");
    ensure!(one.kept().is_empty() && two.kept().is_empty());
    Ok(())
}

fn quick_stop(pair: &mut Pair) -> Result<()> {
    let Pair { one, .. } = &*pair;
    one.sh(&format!("for i in $(seq 2000); do echo $i > {SESSIONS}/sess_$i; done"));
    serve(one)?;
    let ((), took) = timed(|| one.stop());
    ensure!(one.stamp().unwrap().clean);
    ensure!(took < Duration::from_secs(8), "{took:?}");
    Ok(())
}

fn crash_and_return(pair: &mut Pair) -> Result<()> {
    pair.one.write(&file("a"), "first");
    pair.one.write(&file("d"), "deleted on the new node");
    serve(&pair.one)?;
    pair.one.write(&file("a"), "lost change");
    pair.one.write(&file("dir/b"), "lost file");
    pair.one.lose();
    let ready = pair.two.prepare()?;
    ensure!(ready.epoch == 2 && ready.pushing && ready.backup.is_some(), "{ready:?}");
    ensure!(pair.cib("osm1.lsyncd-replica").as_deref() == Some("stale"));
    pair.two.write(&file("c"), "new");
    pair.two.sh(&format!("rm {SESSIONS}/d"));
    pair.one.return_back();
    pair.meet();
    pair.two.pass(&ready);
    pair.two.contact(2, true);
    ensure!(pair.one.read(&file("a")).as_deref() == Some("first"));
    ensure!(pair.one.read(&file("c")).as_deref() == Some("new"));
    ensure!(pair.one.read(&file("dir/b")).is_none());
    let below = SESSIONS.trim_start_matches('/');
    let wanted = [
        format!("{below}/a=lost change"),
        format!("{below}/d=deleted on the new node"),
        format!("{below}/dir/b=lost file"),
    ];
    ensure!(pair.one.kept() == wanted, "{:?}", pair.one.kept());
    pair.two.expect_log(&["kept on osm1: 3 files in ", "sessions/a", "sessions/dir/b"])?;
    ensure!(pair.cib("osm1.lsyncd-replica").as_deref() == Some("ok"));
    let listed = pair.one.sh("inuvika-ha replica list");
    ensure!(listed.contains("epoch 2, copy of osm2") && listed.contains("sessions/dir/b"), "{listed}");
    Ok(())
}

fn fetch(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    one.write(&file("dir/gone"), "kept");
    serve(one)?;
    two.deaf(true);
    one.write(&file("late"), "late");
    one.sh(&format!("rm -r {SESSIONS}/dir"));
    let ((), took) = timed(|| one.stop());
    ensure!(took < Duration::from_secs(8), "a stop with a deaf peer took {took:?}");
    one.expect_log(&["not flushed", "3 changes were queued", "no answer in "])?;
    ensure!(one.read("/var/lib/inuvika-ha/lsyncd/unflushed").is_some_and(|text| text.contains("\"queued\":3")));
    two.deaf(false);
    let ready = two.prepare()?;
    ensure!(ready.epoch == 2 && ready.pushing, "{ready:?}");
    ensure!(two.read(&file("late")).as_deref() == Some("late"));
    ensure!(two.read(&file("dir/gone")).is_none());
    // With the folders of a deleted folder's files, and named.
    ensure!(two.kept() == [format!("{}/dir/gone=kept", SESSIONS.trim_start_matches('/'))], "{:?}", two.kept());
    two.expect_log(&["kept here: 1 file in ", "dir/gone"])?;
    ensure!(one.stamp().unwrap().epoch == 2, "the peer has the same, and knows it");
    Ok(())
}

fn merge(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    one.write(&file("a"), "old");
    serve(one)?;
    two.deaf(true);
    one.write(&file("unsynced"), "one");
    one.stop();
    two.deaf(false);
    // The Session Manager runs there, although lsyncd could not be started.
    std::thread::sleep(Duration::from_millis(50));
    two.write(&file("a"), "newer");
    two.write(&file("mine"), "two");
    let ready = two.prepare()?;
    ensure!(ready.pushing, "{ready:?}");
    for (name, text) in [("a", "newer"), ("mine", "two"), ("unsynced", "one")] {
        ensure!(two.read(&file(name)).as_deref() == Some(text), "{name}: {:?}", two.read(&file(name)));
    }
    two.expect_log(&["files were written here without replication"])?;
    ensure!(one.stamp().unwrap().epoch == 1, "the peer has not the same");
    Ok(())
}

/// osm1 is alone with data that osm2 has newer ones of.
fn fork(pair: &mut Pair) -> Result<Ready> {
    serve(&pair.one)?;
    pair.one.stop();
    pair.one.lose();
    let ready = pair.two.prepare()?;
    ensure!(ready.epoch == 2 && ready.pushing, "{ready:?}");
    pair.two.write(&file("newer"), "of osm2");
    pair.two.lose();
    pair.one.return_back();
    let ready = pair.one.prepare()?;
    ensure!(!ready.pushing && ready.epoch == 3, "{ready:?}");
    let why = ready.why.clone().unwrap_or_default();
    ensure!(why.starts_with("osm2 has newer data (epoch 2, here 1): bring it back"), "{why}");
    ensure!(why.ends_with("inuvika-ha replica accept --instance lsyncd"), "{why}");
    ensure!(pair.cib("lsyncd-epoch").as_deref() == Some("3 osm1 fork=1"));
    pair.one.write(&file("forked"), "of osm1");
    Ok(ready)
}

fn fork_accepted(pair: &mut Pair) -> Result<()> {
    fork(pair)?;
    pair.two.return_back();
    pair.meet();
    let checks = pair.one.contact(3, false);
    ensure!(checks[0].detail.starts_with("osm2 has newer data (epoch 2, here 1)"), "{checks:?}");
    pair.one.stop();
    ensure!(pair.two.read(&file("forked")).is_none(), "a fork was flushed");
    let ready = pair.one.prepare()?;
    ensure!(!ready.pushing && ready.epoch == 3, "still a fork: {ready:?}");
    let said = pair.one.sh(&format!("inuvika-ha replica accept --instance {INSTANCE}"));
    ensure!(said.contains("epoch 4") && said.contains("pcs resource restart lsyncd"), "{said}");
    pair.one.stop();
    let ready = serve(&pair.one)?;
    ensure!(ready.epoch >= 4, "{ready:?}");
    ensure!(pair.two.read(&file("forked")).as_deref() == Some("of osm1"));
    ensure!(pair.two.kept().iter().any(|kept| kept.ends_with("newer=of osm2")), "{:?}", pair.two.kept());
    Ok(())
}

fn fork_ended(pair: &mut Pair) -> Result<()> {
    fork(pair)?;
    pair.one.stop();
    pair.two.return_back();
    pair.meet();
    let ready = serve(&pair.two)?;
    ensure!(ready.epoch == 4, "{ready:?}");
    ensure!(pair.two.read(&file("newer")).as_deref() == Some("of osm2"));
    ensure!(pair.one.read(&file("newer")).as_deref() == Some("of osm2"));
    ensure!(pair.one.kept().iter().any(|kept| kept.ends_with("forked=of osm1")), "{:?}", pair.one.kept());
    Ok(())
}

fn survivor(pair: &mut Pair) -> Result<()> {
    serve(&pair.one)?;
    pair.one.stop();
    pair.one.lose();
    // Reinstalled: no stamp, no files.
    pair.two.sh("rm -rf /var/lib/inuvika-ha/*");
    let ready = pair.two.prepare()?;
    ensure!(!ready.pushing && ready.why.is_some(), "{ready:?}");
    Ok(())
}

fn no_cluster(pair: &mut Pair) -> Result<()> {
    serve(&pair.one)?;
    pair.one.stop();
    pair.set_cib("down", "");
    let ready = pair.two.prepare()?;
    ensure!(ready.pushing && ready.epoch == 2, "{ready:?}");
    pair.two.expect_log(&["the stamps decide alone", "Could not connect to the CIB"])?;
    pair.two.expect_log(&["the cluster does not know of epoch 2"])?;
    Ok(())
}

fn leftover(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    serve(one)?;
    one.stop();
    // A pull of an action that was killed: it is marked as ours.
    one.signal_sshd(nix::sys::signal::Signal::SIGSTOP);
    let replica = two.replica();
    let dir = format!("/var/lib/inuvika-ha/{INSTANCE}/backup/E9-x");
    let line = format!("rsync -a --backup --backup-dir={dir} -e \"{}\" 10.77.0.1:/x/ /x/", replica.remote.rsh_line());
    two.sh(&format!("INUVIKA_HA_REPLICA=lsyncd setsid {line} >/dev/null 2>&1 </dev/null & sleep 0.3"));
    // An administrator's, which has the same words.
    two.sh(&format!("setsid {} >/dev/null 2>&1 </dev/null & sleep 0.3", line.replace("E9-x", "E9-y")));
    let administrators = || two.sh("pgrep -f -- '[b]ackup-dir=/.*E9-y' || true");
    let before = administrators();
    ensure!(!before.is_empty());
    let begun = two.prepare();
    let after = administrators();
    one.signal_sshd(nix::sys::signal::Signal::SIGCONT);
    begun?;
    ensure!(after == before, "an administrator's rsync was ended: {before:?} {after:?}");
    two.expect_log(&["rsync processes of before were still at work: ended"])?;
    ensure!(two.sh(&format!("pgrep -f -- '[b]ackup-dir={dir}' || true")).is_empty());
    Ok(())
}
