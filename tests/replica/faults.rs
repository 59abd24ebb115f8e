//! A peer that does not let us in, does not answer, or has no room: the reason in words, in time, and somebody serves.

use std::time::Duration;

use anyhow::{Result, ensure};
use inuvika_ha::ocf::exit::REASON_MAX;
use inuvika_ha::replica::Replica;
use inuvika_ha::sys::remote::Remote;
use nix::sys::signal::Signal;

use crate::Body;
use crate::node::{Node, Pair, SESSIONS, timed};

pub const TRIALS: &[(&str, Body)] = &[
    ("a key that is not accepted", wrong_key),
    ("a key that others may read", open_key),
    ("a key that is not there", no_key),
    ("a host key that is not known", unknown_host),
    ("a host key that has changed", changed_host),
    ("an sshd that is stopped", stopped),
    ("packets that are dropped", dropped),
    ("a program that is missing there", no_program),
    ("a disk that is full there", full),
    ("a mount that is lost does not empty the peer", unmounted),
    ("a file that cannot be read", unreadable),
    ("a pull that stands still", stalled),
];

/// Start, contact and stop with these settings of ssh: all say why, none fails, each in time.
fn refused(pair: &Pair, remote: Remote, reason: &str) -> Result<()> {
    let one = &pair.one;
    let replica = Replica { remote, ..one.replica() };
    let (ready, took) = timed(|| one.prepare_with(&replica));
    ensure!(ready?.pushing && took < Duration::from_secs(8), "start took {took:?}");
    one.expect_log(&["the peer cannot be asked", reason])?;
    let (checks, took) = timed(|| one.contact_with(&replica, 1, false));
    ensure!(took < Duration::from_secs(8), "contact took {took:?}");
    let peer = &checks[0];
    ensure!(peer.detail.contains(reason) && peer.detail.len() <= REASON_MAX, "{checks:?}");
    let ((), took) = timed(|| one.stop_with(&replica));
    ensure!(took < Duration::from_secs(8), "stop took {took:?}");
    one.expect_log(&["not flushed to 10.77.0.2 (3 changes were queued)", reason])?;
    ensure!(!one.log().contains("PRIVATE KEY"), "key material in the log");
    ensure!(!one.stamp().unwrap().clean && pair.two.stamp().is_none());
    Ok(())
}

fn remote(pair: &Pair) -> Remote {
    pair.one.replica().remote
}

fn wrong_key(pair: &mut Pair) -> Result<()> {
    let remote = Remote { identity: Some("/run/replica/other".into()), ..remote(pair) };
    refused(pair, remote, "10.77.0.2 does not accept the key /run/replica/other for root")
}

fn open_key(pair: &mut Pair) -> Result<()> {
    pair.one.sh("cp /run/replica/key /run/replica/own/key; chmod 644 /run/replica/own/key");
    let remote = Remote { identity: Some("/run/replica/own/key".into()), ..remote(pair) };
    refused(pair, remote, "others may read the key /run/replica/own/key, so ssh does not use it: chmod 600")
}

fn no_key(pair: &mut Pair) -> Result<()> {
    let remote = Remote { identity: Some("/run/replica/none".into()), ..remote(pair) };
    refused(pair, remote, "/run/replica/none")
}

fn unknown_host(pair: &mut Pair) -> Result<()> {
    pair.one.write("/run/replica/own/known", "");
    let remote = Remote { known_hosts: Some("/run/replica/own/known".into()), ..remote(pair) };
    refused(pair, remote, "host key of 10.77.0.2 is not known: ssh-keyscan 10.77.0.2 >> /run/replica/own/known")
}

fn changed_host(pair: &mut Pair) -> Result<()> {
    pair.one.sh("sed 's/10.77.0.1 /10.77.0.2 /; 2d' /run/replica/known_hosts > /run/replica/own/known");
    let remote = Remote { known_hosts: Some("/run/replica/own/known".into()), ..remote(pair) };
    refused(pair, remote, "10.77.0.2 has another host key than /run/replica/own/known says")
}

fn stopped(pair: &mut Pair) -> Result<()> {
    pair.two.signal_sshd(Signal::SIGSTOP);
    let result = refused(pair, remote(pair), "10.77.0.2 port 22 (ssh): no answer in ");
    pair.two.signal_sshd(Signal::SIGCONT);
    result
}

fn dropped(pair: &mut Pair) -> Result<()> {
    pair.two.deaf(true);
    refused(pair, remote(pair), "10.77.0.2 port 22 (ssh): no answer in ")
}

fn no_program(pair: &mut Pair) -> Result<()> {
    pair.two.sh("mount --bind /dev/null /usr/sbin/inuvika-ha");
    let ready = pair.one.prepare()?;
    ensure!(ready.pushing, "{ready:?}");
    pair.one.expect_log(&["/usr/sbin/inuvika-ha is missing on 10.77.0.2"])
}

/// Serves, with a first pass.
fn serve(node: &Node) -> Result<()> {
    let ready = node.prepare()?;
    node.pass(&ready);
    node.contact(ready.epoch, true);
    Ok(())
}

fn full(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    serve(one)?;
    two.sh(&format!("mount -t tmpfs -o size=1m tmpfs {SESSIONS}"));
    one.sh(&format!("head -c 3000000 /dev/urandom > {SESSIONS}/big"));
    one.stop();
    one.expect_log(&["not flushed", "disk full on 10.77.0.2, make room: [receiver] write failed"])?;
    ensure!(!one.stamp().unwrap().clean && !two.stamp().unwrap().clean);
    let ready = one.prepare()?;
    let checks = one.contact(ready.epoch, false);
    ensure!(checks.iter().any(|check| check.detail.starts_with("disk nearly full on osm2")), "{checks:?}");
    Ok(())
}

/// A mount that is lost leaves an empty folder: the peer's copy stays.
fn unmounted(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    one.sh(&format!("mount -t tmpfs tmpfs {SESSIONS}"));
    one.write(&format!("{SESSIONS}/kept"), "1");
    serve(one)?;
    ensure!(two.read(&format!("{SESSIONS}/kept")).as_deref() == Some("1"));
    one.sh(&format!("umount {SESSIONS}"));
    let ready = one.stamp().unwrap().epoch;
    let checks = one.contact(ready, true);
    ensure!(checks.iter().any(|check| check.detail.contains("is its mount gone?")), "{checks:?}");
    one.stop();
    one.expect_log(&["not flushed", "is on another file system than at start: is its mount gone?"])?;
    ensure!(two.read(&format!("{SESSIONS}/kept")).as_deref() == Some("1"), "the peer was emptied");
    ensure!(!one.stamp().unwrap().clean && !two.stamp().unwrap().clean);
    Ok(())
}

/// A read error on the way makes rsync end with 23: the rest has arrived, but that is not everything.
fn unreadable(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    serve(one)?;
    one.write(&format!("{SESSIONS}/good"), "1");
    // Nobody may write over a folder with something in it that is excluded: the receiver complains, and goes on.
    two.sh(&format!("mkdir -p {SESSIONS}/bad; touch {SESSIONS}/bad/.kept"));
    one.write(&format!("{SESSIONS}/bad"), "a file there");
    one.stop();
    ensure!(two.read(&format!("{SESSIONS}/good")).as_deref() == Some("1"));
    one.expect_log(&["not flushed", "not everything could be copied"])?;
    ensure!(!one.stamp().unwrap().clean && !two.stamp().unwrap().clean);
    Ok(())
}

/// The sender stops in the middle: the start goes on with what is here, and the sender's processes do not come back.
fn stalled(pair: &mut Pair) -> Result<()> {
    let Pair { one, two } = &*pair;
    serve(one)?;
    two.deaf(true);
    one.write(&format!("{SESSIONS}/late"), "late");
    one.stop();
    two.deaf(false);
    one.sh("setsid bash -c 'for i in $(seq 500); do pkill -STOP -f \"[r]sync --server --sender\" && break; sleep 0.002; done' \
            >/dev/null 2>&1 </dev/null &");
    let replica = Replica { pull_timeout: Duration::from_secs(2), ..two.replica() };
    let (ready, took) = timed(|| two.prepare_with(&replica));
    let ready = ready?;
    one.sh("pkill -KILL -f '[r]sync --server --sender' || true");
    ensure!(took < Duration::from_secs(10), "{took:?}");
    // It had everything but the last changes.
    ensure!(ready.pushing && ready.backup.is_some(), "{ready:?}");
    two.expect_log(&["newer data could not be fetched", "not done after "])?;
    Ok(())
}
