//! The monitor of a node where the Session Manager is not to run: it answers 7, and puts aside what must not be there.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{ATTIC, LINK, TABLE, agent, expect, nothing_left, passive, sh, timed};
use crate::support::osm_host;

pub const TRIALS: &[(&str, Body)] = &[
    ("a passive node is quiet", quiet),
    ("a link that an upgrade brought back is put aside", upgraded),
    ("a file in the link's place is kept elsewhere", file),
    ("an Apache that somebody started is no Session Manager of the cluster's", stray),
    ("where the cluster did start it, the monitor says so", really_active),
    ("a node that only votes needs nothing", voter),
    ("a probe changes nothing", probe),
    ("a database that hangs holds up no move: the first look does not wait for it", first_look),
];

fn silent() -> Result<()> {
    let run = expect(&passive(), "monitor", 7)?;
    ensure!(run.stderr.is_empty() && run.stdout.is_empty(), "{run}");
    Ok(())
}

fn quiet() -> Result<()> {
    silent()?;
    silent()?;
    // No attribute manager here: that is remembered, so that it is said once.
    sh("rm -rf /run/inuvika-ha/session_manager.passive; rmdir /run/inuvika-ha 2>/dev/null || true");
    nothing_left()
}

fn upgraded() -> Result<()> {
    symlink(TABLE, LINK)?;
    silent()?;
    ensure!(fs::symlink_metadata(LINK).is_err(), "the link is still there");
    ensure!(!std::path::Path::new(ATTIC).exists(), "the package's own link is not worth keeping");
    silent()
}

fn file() -> Result<()> {
    fs::write(LINK, "mine\n")?;
    silent()?;
    ensure!(fs::symlink_metadata(LINK).is_err(), "the file is still there");
    let kept: Vec<_> = fs::read_dir(ATTIC)?.flatten().map(|entry| entry.path()).collect();
    ensure!(kept.len() == 1 && fs::read_to_string(&kept[0])? == "mine\n", "{kept:?}");
    Ok(())
}

fn stray() -> Result<()> {
    crate::host::start_apache();
    silent()?;
    let said = passive().with("HA_LOGFILE", "/run/agents/log").with("HA_LOGFACILITY", "none");
    sh("rm -rf /run/inuvika-ha /run/agents/log");
    for _ in 0..3 {
        expect(&said, "monitor", 7)?;
    }
    let log = fs::read_to_string("/run/agents/log")?;
    ensure!(log.matches("runs here although the cluster has not started it").count() == 1, "not said once:\n{log}");
    // It still is the administrator's: nobody has ended it.
    ensure!(!crate::support::apache::processes().is_empty());
    Ok(())
}

fn really_active() -> Result<()> {
    expect(&agent(), "start", 0)?;
    expect(&passive(), "monitor", 0)?;
    expect(&agent(), "stop", 0)?;
    silent()
}

fn voter() -> Result<()> {
    let voter = passive()
        .with_param("session_manager_config", "/nowhere/config")
        .with_param("cron_link", "/nowhere/cron.d/link")
        .with_param("httpd", "/nowhere/httpd");
    let run = expect(&voter, "monitor", 7)?;
    ensure!(run.stderr.is_empty(), "{run}");
    // Parameters that nobody can read are start's business.
    expect(&passive().with_param("vhost", "nonsense"), "monitor", 7)?;
    nothing_left()
}

fn probe() -> Result<()> {
    symlink(TABLE, LINK)?;
    expect(&agent().probing(), "monitor", 7)?;
    ensure!(fs::read_link(LINK)?.to_str() == Some(TABLE));
    fs::remove_file(LINK)?;
    nothing_left()
}

fn first_look() -> Result<()> {
    sh("rm -rf /run/inuvika-ha/session_manager.passive");
    osm_host::database().freeze()?;
    let looks = (timed(silent), timed(silent));
    osm_host::database().thaw()?;
    let ((), first) = looks.0?;
    let ((), second) = looks.1?;
    // The second one waits for the whole of database_timeout (3 s).
    ensure!(second.as_secs_f32() >= 3.0 && first * 2 < second, "{first:?}, then {second:?}");
    sh("rm -rf /run/inuvika-ha/session_manager.passive; rmdir /run/inuvika-ha 2>/dev/null || true");
    nothing_left()
}
