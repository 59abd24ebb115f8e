//! What a node does not take: files of an epoch that is older than its own, from a node that does not know it yet.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use inuvika_ha::ocf::check::{Check, Verdict};
use inuvika_ha::replica::Ready;

use crate::Body;
use crate::node::{INSTANCE, Node, Pair, SESSIONS};

pub const TRIALS: &[(&str, Body)] = &[
    ("a node that goes on pushing after a takeover is refused", still_pushing),
    ("a node that was taken over in both ways does not take it back", both_active),
    ("what was let in before a takeover ends with it", |pair| on_its_way(pair, true)),
    ("so does what a version without a guard has let in", |pair| on_its_way(pair, false)),
    ("a peer with an older version gets its files as before", older_version),
    ("who looks at the stamp and replaces it is alone with it, and nobody waits for ever", at_once),
    ("an empty node in a new cluster replaces nothing on the one with the data", new_cluster),
    ("a node without Pacemaker keeps its name in the cluster", named),
];

fn file(name: &str) -> String {
    format!("{SESSIONS}/{name}")
}

/// Serves, with a first pass.
fn serve(node: &Node) -> Result<Ready> {
    let ready = node.prepare()?;
    ensure!(ready.pushing, "{ready:?}");
    node.pass(&ready);
    node.contact(ready.epoch, true);
    Ok(ready)
}

fn says(checks: &[Check], text: &str) -> Result<()> {
    let said = checks.iter().any(|check| check.verdict == Verdict::Degraded && check.detail.starts_with(text));
    let failed = checks.iter().any(|check| check.verdict == Verdict::Failed);
    ensure!(said && !failed, "nobody says {text:?}: {checks:?}");
    Ok(())
}

/// osm1 is active in epoch 1, and osm2, which cannot ask it, has taken over.
fn taken_over(pair: &mut Pair) -> Result<(Ready, Ready)> {
    pair.one.write(&file("a"), "old");
    let first = serve(&pair.one)?;
    pair.one.end_sshd();
    let second = pair.two.prepare()?;
    ensure!((first.epoch, second.epoch, second.pushing) == (1, 2, true), "{first:?} {second:?}");
    // Of another size: two times may be the same.
    pair.two.write(&file("a"), "newer");
    pair.two.write(&file("of osm2"), "1");
    pair.one.write(&file("a"), "older data");
    pair.one.write(&file("of osm1"), "1");
    Ok((first, second))
}

/// Nothing of osm1's has come to osm2.
fn untouched(two: &Node) -> Result<()> {
    ensure!(two.read(&file("a")).as_deref() == Some("newer"), "{:?}", two.read(&file("a")));
    ensure!(two.read(&file("of osm2")).is_some() && two.read(&file("of osm1")).is_none());
    ensure!(two.kept().is_empty(), "{:?}", two.kept());
    Ok(())
}

const NOTE: &str = "/run/inuvika-ha/lsyncd/refused.1";

fn still_pushing(pair: &mut Pair) -> Result<()> {
    let (first, _) = taken_over(pair)?;
    let Pair { one, two } = &*pair;
    ensure!(!one.try_pass(&first), "not refused");
    untouched(two)?;
    ensure!(one.read(NOTE).is_some(), "no note of the refusal");
    // From then on the other node is not even asked.
    let log = two.log();
    ensure!(!one.try_pass(&first));
    untouched(two)?;
    let checks = one.contact(1, true);
    says(&checks, "osm2 has newer data (epoch 2, here 1), nothing is pushed: move the service there, or stop it here")?;
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("ok"), "the newer node was given a bad name");
    ensure!(two.log() == log, "something has happened there");
    one.stop();
    one.expect_log(&["not flushed", "osm2 has newer data (epoch 2)"])?;
    untouched(two)?;
    // The last push has not only asked before: it is refused itself.
    let push = "rsync -aR --delete --no-implied-dirs --rsync-path='/usr/sbin/inuvika-ha replica receive --instance lsyncd \
                --epoch 1 --from osm1 --'";
    let rsh = one.replica().remote.rsh_line();
    let said = one.sh(&format!("{push} -e \"{rsh}\" -- {SESSIONS}/ 10.77.0.2:/ 2>&1 || true"));
    ensure!(
        said.contains("inuvika-ha: refused: this node was active in epoch 2, not to be replaced by 1 of osm1"),
        "{said}"
    );
    untouched(two)?;
    // Its stamp may be damaged or gone: what it serves, it still knows.
    let stamp = two.read("/var/lib/inuvika-ha/lsyncd/stamp").unwrap_or_default();
    for damage in ["echo x >", "rm"] {
        two.sh(&format!("{damage} /var/lib/inuvika-ha/lsyncd/stamp"));
        let said = one.sh(&format!("{push} -e \"{rsh}\" -- {SESSIONS}/ 10.77.0.2:/ 2>&1 || true"));
        ensure!(said.contains("inuvika-ha: refused: "), "{said}");
    }
    untouched(two)?;
    two.write("/var/lib/inuvika-ha/lsyncd/stamp", &stamp);
    // It runs nothing but rsync's receiving side.
    let said = two.sh("inuvika-ha replica receive --instance lsyncd --epoch 9 --from osm1 -- id 2>&1 || true");
    ensure!(said.contains("have to begin with --server"), "{said}");
    // Without the guard it would be all gone.
    let ready = Ready { epoch: 2, ..first };
    one.pass_unguarded(&ready);
    ensure!(untouched(two).is_err(), "this proves nothing");
    Ok(())
}

/// Both nodes are active, each with a ssh server: the newer one's files win, and stay.
fn both_active(pair: &mut Pair) -> Result<()> {
    let (first, second) = taken_over(pair)?;
    pair.one.start_sshd();
    let Pair { one, two } = &*pair;
    two.pass(&second);
    two.contact(2, true);
    ensure!(one.read(&file("a")).as_deref() == Some("newer"));
    ensure!(one.kept().iter().any(|kept| kept.ends_with("sessions/a=older data")), "{:?}", one.kept());
    // A restart would have both replace each other's files for ever.
    says(&one.contact(1, true), "osm2 has newer data (epoch 2, here 1), nothing is pushed")?;
    one.write(&file("of osm1"), "2");
    ensure!(!one.try_pass(&first));
    one.stop();
    ensure!(two.read(&file("of osm1")).is_none() && two.kept().is_empty());
    Ok(())
}

fn on_its_way(pair: &mut Pair, guarded: bool) -> Result<()> {
    let first = serve(&pair.one)?;
    pair.one.sh(&format!("head -c 2000000 /dev/urandom > {SESSIONS}/big"));
    let line = match guarded {
        true => pair.one.pass_line(&first, "--bwlimit=50"),
        false => pair.one.unguarded_line(&first, "--bwlimit=50"),
    };
    pair.one.sh(&format!("setsid bash -c '{}' >/dev/null 2>&1 </dev/null &", line.replace('\'', r"'\''")));
    let server = |node: &Node| !node.sh("pgrep -f '^[a-z/]*rsync --server' || true").is_empty();
    let begun = Instant::now();
    while !server(&pair.two) {
        ensure!(begun.elapsed() < Duration::from_secs(20), "no push");
        std::thread::sleep(Duration::from_millis(10));
    }
    pair.one.end_sshd();
    pair.two.prepare()?;
    pair.two.expect_log(&["rsync processes of before were still at work: ended"])?;
    ensure!(!server(&pair.two), "it goes on");
    ensure!(pair.two.read(&file("big")).is_none());
    Ok(())
}

fn older_version(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    let old = "mkdir /run/replica/own/real; cp /usr/sbin/inuvika-ha /run/replica/own/real/
               cat > /run/replica/own/old <<'END'
#!/bin/bash
if [ \"$2\" = receive ]; then
    echo \"error: unrecognized subcommand 'receive'\" >&2
    exit 2
fi
set -o pipefail
/run/replica/own/real/inuvika-ha \"$@\" | sed 's/\"guards\":true,//; s/\"named\":true,//'
END
               chmod 755 /run/replica/own/old; mount --bind /run/replica/own/old /usr/sbin/inuvika-ha";
    two.sh(old);
    one.write(&file("a"), "1");
    let ready = serve(one)?;
    one.expect_log(&["on osm2 would not refuse older files than its own: install this version there, too"])?;
    ensure!(two.read(&file("a")).as_deref() == Some("1"));
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("ok"));
    // It is installed: the next contact learns of it, and pushes are guarded without a restart.
    two.sh("umount /usr/sbin/inuvika-ha");
    let guards = || one.read("/run/inuvika-ha/lsyncd/peer").is_some_and(|text| text.contains("\"guards\":true"));
    ensure!(!guards());
    one.contact(ready.epoch, true);
    ensure!(guards(), "not learnt");
    one.write(&file("a"), "2");
    one.pass(&ready);
    ensure!(two.read(&file("a")).as_deref() == Some("2"));
    // And the other way round.
    two.sh("mount --bind /run/replica/own/old /usr/sbin/inuvika-ha");
    one.contact(ready.epoch, true);
    one.write(&file("a"), "3");
    one.pass(&ready);
    ensure!(two.read(&file("a")).as_deref() == Some("3"));
    // It cannot refuse, but it says what it has: from the next contact on this node pauses by itself, for as long as that is.
    let stamp = two.read("/var/lib/inuvika-ha/lsyncd/stamp").unwrap_or_default();
    two.write("/var/lib/inuvika-ha/lsyncd/stamp", &stamp.replace("\"epoch\":1", "\"epoch\":2"));
    says(&one.contact(1, true), "osm2 has newer data (epoch 2, here 1), nothing is pushed")?;
    one.write(&file("a"), "4");
    ensure!(!one.try_pass(&ready) && two.read(&file("a")).as_deref() == Some("3"));
    two.write("/var/lib/inuvika-ha/lsyncd/stamp", &stamp);
    one.contact(1, true);
    one.pass(&ready);
    one.stop();
    ensure!(two.read(&file("a")).as_deref() == Some("4") && two.stamp().unwrap().clean);
    Ok(())
}

fn at_once(pair: &mut Pair) -> Result<()> {
    let two = &pair.two;
    let attic = format!("/var/lib/inuvika-ha/{INSTANCE}");
    let complete = format!("inuvika-ha replica complete --instance {INSTANCE} --from osm1 --epoch");
    // Somebody is at it who makes this node the source of epoch 9: the report of epoch 5 has to wait, and to see that.
    let newer = r#"{"epoch":9,"kind":"source","complete":true,"clean":false,"node":"osm2","at":1}"#;
    let said = two.sh(&format!(
        "mkdir -p {attic}; exec 9<{attic}; flock 9
         {complete} 5 9<&- >{attic}/said 2>&1 & sleep 0.5
         echo '{newer}' >{attic}/stamp; flock -u 9
         if wait $!; then echo taken; fi; cat {attic}/said; rm {attic}/said"
    ));
    ensure!(said.contains("refused: this node was active in epoch 9") && !said.contains("taken"), "{said}");
    ensure!(two.stamp().unwrap().epoch == 9);
    let said = two.sh(&format!("exec 9<{attic}; flock 9; {complete} 10 2>&1 9<&- || true"));
    ensure!(said.contains("is in use by another command"), "{said}");
    two.sh(&format!("for n in $(seq 10 30); do {complete} $n >/dev/null 2>&1 & done; wait"));
    ensure!(two.stamp().unwrap().epoch == 30);
    let left = two.sh(&format!("ls -A {attic}"));
    ensure!(left.split_whitespace().eq(["canary", "node", "stamp"]), "left: {left}");
    Ok(())
}

fn new_cluster(pair: &mut Pair) -> Result<()> {
    pair.one.write(&file("a"), "1");
    serve(&pair.one)?;
    pair.one.stop();
    serve(&pair.one)?;
    pair.one.stop();
    pair.one.lose();
    pair.two.sh(&format!("rm -rf /var/lib/inuvika-ha/* {SESSIONS}/*"));
    // The cluster knows of data that this node has not: it serves, and pushes nothing.
    let known = pair.two.prepare()?;
    ensure!(!known.pushing && known.epoch == 3, "{known:?}");
    pair.two.stop();
    pair.two.sh("rm -rf /var/lib/inuvika-ha/*");
    // The cluster knows of none: that is a first start.
    pair.clear_cib();
    let ready = pair.two.prepare()?;
    ensure!(ready.pushing && ready.epoch == 1, "{ready:?}");
    pair.two.write(&file("of osm2"), "1");
    pair.one.return_back();
    pair.meet();
    // The start could not ask whether the peer looks at epochs: the push itself does.
    ensure!(!pair.two.try_pass(&ready), "not refused");
    ensure!(pair.one.read(&file("a")).as_deref() == Some("1") && pair.one.kept().is_empty());
    says(&pair.two.contact(1, false), "osm1 has newer data (epoch 2, here 1), nothing is pushed")?;
    ensure!(!pair.two.try_pass(&ready));
    ensure!(pair.one.read(&file("a")).as_deref() == Some("1") && pair.one.kept().is_empty());
    pair.two.stop();
    serve(&pair.one)?;
    ensure!(pair.one.read(&file("a")).as_deref() == Some("1"));
    ensure!(pair.two.read(&file("a")).as_deref() == Some("1"));
    ensure!(pair.two.kept() == [format!("{}/of osm2=1", SESSIONS.trim_start_matches('/'))], "{:?}", pair.two.kept());
    Ok(())
}

fn named(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    let ready = one.prepare()?;
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("never"));
    // crm_node does not answer: the host name is that of the machine that runs this.
    two.sh("rm /run/replica/own/name");
    one.pass(&ready);
    one.contact(1, true);
    ensure!(pair.cib("osm2.lsyncd-replica").as_deref() == Some("ok"));
    one.stop();
    let ready = one.prepare()?;
    ensure!(ready.epoch == 2, "{ready:?}");
    ensure!(pair.cib_names().iter().all(|name| !name.contains("lsyncd-replica") || name.starts_with("osm")));
    Ok(())
}
