//! Folders and exclusions that change while there are copies already: what was never copied does not count as copied.

use anyhow::{Result, ensure};
use inuvika_ha::ocf::check::Verdict;
use inuvika_ha::replica::{Ready, Replica};

use crate::Body;
use crate::node::{Node, Pair, SESSIONS};

pub const TRIALS: &[(&str, Body)] = &[
    ("a folder that was added is fetched by a clean move", added),
    ("without the peer a folder that was added makes a fork", added_alone),
    ("a folder that was added makes the peer's copy stale until it is there", in_place),
    ("what is no longer excluded makes a copy partial, what is copied no longer does not", excludes),
    ("a stamp of an earlier version counts as before, and a peer of that version is understood", earlier),
];

/// A folder that is there on both nodes and not copied at first.
const EXTRA: &str = "/run/replica/own/extra";

/// The parameters with that folder. The order of the others is another one.
fn wider(node: &Node) -> Replica {
    let replica = node.replica();
    let mut folders = vec![EXTRA.into()];
    folders.extend(replica.folders.iter().rev().cloned());
    Replica { folders, ..replica }
}

/// Both nodes have the folder; the first one serves without copying it, and is stopped in good order.
fn served(pair: &Pair) -> Result<()> {
    pair.one.write(&format!("{EXTRA}/used"), "of osm1");
    pair.two.write(&format!("{EXTRA}/used"), "old");
    pair.one.write(&format!("{SESSIONS}/a"), "1");
    serve(&pair.one)?;
    pair.one.stop();
    ensure!(pair.one.stamp().unwrap().clean && pair.two.stamp().unwrap().clean);
    ensure!(pair.two.read(&format!("{EXTRA}/used")).as_deref() == Some("old"));
    Ok(())
}

fn serve(node: &Node) -> Result<Ready> {
    let ready = node.prepare()?;
    node.pass(&ready);
    node.contact(ready.epoch, true);
    Ok(ready)
}

fn added(pair: &mut Pair) -> Result<()> {
    served(pair)?;
    let two = &pair.two;
    let ready = two.prepare_with(&wider(two))?;
    ensure!(ready.pushing && ready.epoch == 2, "{ready:?}");
    two.expect_log(&["folders or exclude have changed"])?;
    ensure!(two.read(&format!("{EXTRA}/used")).as_deref() == Some("of osm1"), "not fetched");
    ensure!(two.kept() == [format!("{}/used=old", EXTRA.trim_start_matches('/'))], "{:?}", two.kept());
    // Now both have it all, and the first node knows.
    let ready = pair.one.prepare_with(&wider(&pair.one))?;
    ensure!(ready.pushing && ready.epoch == 3, "{ready:?}");
    Ok(())
}

fn added_alone(pair: &mut Pair) -> Result<()> {
    served(pair)?;
    pair.one.lose();
    let two = &pair.two;
    let ready = two.prepare_with(&wider(two))?;
    ensure!(!ready.pushing && ready.epoch == 2, "{ready:?}");
    ensure!(ready.why.as_ref().is_some_and(|why| why.starts_with("osm1 has newer data")), "{ready:?}");
    // The parameters as they were: it has all of them.
    two.sh("rm -rf /var/lib/inuvika-ha/lsyncd/backup");
    two.write(
        "/var/lib/inuvika-ha/lsyncd/stamp",
        r#"{"epoch":1,"kind":"copy","complete":true,"clean":true,"node":"osm1","at":1,
        "scope":{"folders":["/run/replica/own/sessions","/run/replica/own/spool/deep"],"exclude":[".*"]}}"#,
    );
    pair.set_cib("lsyncd-epoch", "1 osm1");
    let ready = two.prepare()?;
    ensure!(ready.pushing && ready.epoch == 2, "{ready:?}");
    Ok(())
}

fn in_place(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    served(pair)?;
    let ready = one.prepare_with(&wider(one))?;
    ensure!(ready.pushing && ready.epoch == 2 && ready.backup.is_some(), "{ready:?}");
    ensure!(two.stamp().unwrap().epoch == 1, "told that it has a folder that was never copied");
    let checks = one.contact_with(&wider(one), 2, false);
    ensure!(checks[0].detail.contains("has not everything of epoch 2 yet"), "{checks:?}");
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("stale"));
    one.pass_with(&wider(one), &ready);
    let checks = one.contact_with(&wider(one), 2, true);
    ensure!(checks.iter().all(|check| check.verdict == Verdict::Ok), "{checks:?}");
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("ok"));
    ensure!(two.kept() == [format!("{}/used=old", EXTRA.trim_start_matches('/'))], "{:?}", two.kept());
    // A crash of the first node now: the copy is a whole one.
    pair.one.lose();
    let ready = pair.two.prepare_with(&wider(&pair.two))?;
    ensure!(ready.pushing && ready.epoch == 3, "{ready:?}");
    Ok(())
}

fn excludes(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    one.write(&format!("{SESSIONS}/.hidden"), "1");
    served(pair)?;
    // Less is copied than what is there: nothing is missing.
    let less = Replica { exclude: vec!["*.tmp".into(), ".*".into()], ..two.replica() };
    let less = Replica { folders: less.folders[..1].to_vec(), ..less };
    let ready = two.prepare_with(&less)?;
    ensure!(ready.pushing && ready.epoch == 2, "{ready:?}");
    ensure!(one.stamp().unwrap().epoch == 2, "the peer has the same, and was not told");
    two.stop_with(&less);
    // All of it is wanted now. The first node has it still.
    let all = Replica { exclude: Vec::new(), ..one.replica() };
    let ready = one.prepare_with(&all)?;
    one.expect_log(&["folders or exclude have changed"])?;
    ensure!(ready.pushing && ready.epoch == 3, "{ready:?}");
    ensure!(one.read(&format!("{SESSIONS}/a")).as_deref() == Some("1"));
    Ok(())
}

fn earlier(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    // Its program refuses what it does not know, as clap does.
    two.write(
        "/run/replica/own/earlier",
        "#!/bin/bash\nfor word; do [ \"$word\" != --scope ] || { echo \"unexpected argument '--scope'\" >&2; exit 2; }; done\n\
         exec /run/replica/own/real/inuvika-ha \"$@\"\n",
    );
    two.sh(
        "mkdir /run/replica/own/real; cp /usr/sbin/inuvika-ha /run/replica/own/real; chmod 755 /run/replica/own/earlier
            mount --bind /run/replica/own/earlier /usr/sbin/inuvika-ha",
    );
    served(pair)?;
    ensure!(two.stamp().unwrap().scope.is_none());
    // Updated: what it says of itself is believed as before.
    two.sh("umount /usr/sbin/inuvika-ha");
    let ready = two.prepare()?;
    ensure!(ready.pushing && ready.epoch == 2, "{ready:?}");
    ensure!(one.stamp().is_some_and(|stamp| stamp.epoch == 2 && stamp.scope.is_some()), "{:?}", one.stamp());
    Ok(())
}
