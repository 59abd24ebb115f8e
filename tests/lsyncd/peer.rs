//! What the peer causes: degraded, with the reason, and never a failure here.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{
    STATE, agent, await_idle, await_monitor, await_there, expect, expect_monitor, file, have_stamps, main_process,
    nothing_left, there, timed, write,
};
use crate::support::lsyncd_host::{self as pair, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("a peer whose sshd hangs: changes wait, then it is told, then they arrive", hangs),
    ("a peer that is down does not stop the start", down),
    ("a first start without a peer serves, and pushes nothing", alone),
    ("a stop with a peer that hangs ends in time and counts what is lost", stop_hangs),
    ("a full disk at the peer is told in rsync's words", full),
    ("a file that the peer cannot take is not forgotten (rsync 23)", partial),
    ("a push that was killed does not count", killed_push),
    ("a key that the peer does not take is told", wrong_key),
    ("a host key that nobody knows is told", unknown_host),
];

fn hangs() -> Result<()> {
    let agent = agent().with_param("max_lag", "3s");
    expect(&agent, "start", 0)?;
    await_idle();
    let before = main_process();
    pair::freeze(true);
    write("x", "1");
    await_monitor(&agent, "0", 190, "changes, /srv/osm-0/config for")?;
    let (deep, took) = timed(|| Ok(expect_monitor(&agent, "10", 190, "")))?;
    pair::freeze(false);
    deep?;
    ensure!(took < Duration::from_secs(10), "depth 10 took {took:?} with a peer that hangs");
    await_there("x", "1");
    await_monitor(&agent, "0", 0, "")?;
    ensure!(main_process() == before, "restarted");
    expect(&agent, "stop", 0)?;
    nothing_left()
}

fn down() -> Result<()> {
    have_stamps()?;
    pair::freeze(true);
    write("x", "1");
    let started = timed(|| expect(&agent(), "start", 0));
    let verdict = expect_monitor(&agent(), "10", 190, "");
    pair::freeze(false);
    let (_, took) = started?;
    verdict?;
    ensure!(took < Duration::from_secs(15), "start took {took:?}");
    await_there("x", "1");
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn alone() -> Result<()> {
    pair::freeze(true);
    write("x", "1");
    let result = expect(&agent(), "start", 0).and_then(|_| {
        expect_monitor(&agent(), "0", 190, "inuvika-ha replica accept")?;
        ensure!(pair::lsyncd_processes().is_empty(), "it pushes");
        // Running, whatever it does not do.
        expect(&agent().probing(), "monitor", 190)?;
        expect(&agent(), "start", 0)?;
        expect(&agent(), "stop", 0)
    });
    pair::freeze(false);
    result?;
    ensure!(there("x").is_none(), "pushed");
    nothing_left()
}

fn stop_hangs() -> Result<()> {
    let slow = agent().with_param("delay", "300s");
    expect(&slow, "start", 0)?;
    await_idle();
    for n in 0..5 {
        write(&format!("x{n}"), "1");
    }
    std::thread::sleep(Duration::from_millis(2500));
    pair::freeze(true);
    let stopped = timed(|| expect(&slow.with_param("CRM_meta_timeout", "20000"), "stop", 0));
    pair::freeze(false);
    let (_, took) = stopped?;
    ensure!(took < Duration::from_secs(15), "stop took {took:?}");
    let unflushed = fs::read_to_string(format!("{}/unflushed", crate::host::ATTIC)).unwrap_or_default();
    ensure!(unflushed.contains(|c| matches!(c, '1'..='9')), "not counted: {unflushed:?}");
    ensure!(there("x0").is_none());
    nothing_left()
}

fn full() -> Result<()> {
    let agent = agent().with_param("max_lag", "2s");
    expect(&agent, "start", 0)?;
    await_idle();
    pair::fill_peer();
    write("big", &"x".repeat(1 << 20));
    await_monitor(&agent, "0", 190, "No space left")?;
    fs::remove_file(pair::there("/srv/filler"))?;
    await_there("big", &"x".repeat(1 << 20));
    await_monitor(&agent, "0", 0, "")?;
    expect(&agent, "stop", 0)?;
    nothing_left()
}

fn partial() -> Result<()> {
    let agent = agent().with_param("max_lag", "2s");
    fs::create_dir(file("locked"))?;
    expect(&agent, "start", 0)?;
    await_idle();
    let enter = format!("nsenter -t {} -m", pair::sshd());
    let folder = file("locked").display().to_string();
    sh(&format!("{enter} mount --bind {folder} {folder}; {enter} mount -o remount,ro,bind {folder}"));
    write("locked/x", "1");
    write("free", "2");
    await_there("free", "2");
    let told = await_monitor(&agent, "0", 190, "Read-only");
    sh(&format!("{enter} umount {folder}"));
    told?;
    await_there("locked/x", "1");
    await_monitor(&agent, "0", 0, "")?;
    expect(&agent, "stop", 0)?;
    nothing_left()
}

fn killed_push() -> Result<()> {
    have_stamps()?;
    pair::freeze(true);
    write("x", "1");
    // The decision of start waits for the peer, too: it is told here that there is none.
    let result = expect(&agent(), "start", 0).and_then(|_| {
        let rsync = || sh("pgrep -x rsync --ns $$ --nslist pid || true");
        pair::wait_for("a push", || !rsync().is_empty());
        sh("pkill -KILL -x rsync --ns $$ --nslist pid");
        let note = || fs::read_to_string(format!("{STATE}/pushed.1")).unwrap_or_default();
        pair::wait_for("the note of it", || note().contains("killed"));
        ensure!(!std::path::Path::new(&format!("{STATE}/passed.1")).exists(), "it counts as a full push");
        Ok(())
    });
    pair::freeze(false);
    result?;
    await_there("x", "1");
    pair::wait_for("the full push", || fs::read_to_string(format!("{STATE}/passed.1")).is_ok_and(|t| t == "0\n"));
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn wrong_key() -> Result<()> {
    have_stamps()?;
    let agent = agent().with_param("identity_file", "/run/pair/wrong").with_param("max_lag", "2s");
    expect(&agent, "start", 0)?;
    await_monitor(&agent, "0", 190, "ssh to 10.77.5.2 fails")?;
    expect_monitor(&agent, "10", 190, "authorized_keys")?;
    expect(&agent, "stop", 0)?;
    ensure!(there("x").is_none());
    nothing_left()
}

fn unknown_host() -> Result<()> {
    have_stamps()?;
    fs::write("/run/pair/nobody", "")?;
    let agent = agent().with_param("known_hosts", "/run/pair/nobody");
    expect(&agent, "start", 0)?;
    expect_monitor(&agent, "10", 190, "ssh-keyscan")?;
    expect(&agent, "stop", 0)?;
    nothing_left()
}
