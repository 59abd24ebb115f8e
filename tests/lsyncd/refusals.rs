//! What start refuses, what validate-all sees before, and what a passive node does.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{ATTIC, LINK, agent, await_there, expect, nothing_left, write};
use crate::support::lsyncd_host::{self as pair, sh};
use crate::support::subject::Subject;

pub const TRIALS: &[(&str, Body)] = &[
    ("an lsyncd outside of the cluster is refused and reported", foreign),
    ("an lsyncd that starts at boot is refused and reported", at_boot),
    ("two instances are not foreign to each other", two),
    ("what is missing on this host is told", missing),
    ("folders that links lead into each other are refused", entangled),
    ("a key that ssh would not use is told by validate-all", key),
    ("stop copes with any parameters when nothing runs", broken_stop),
    ("stop copes with any parameters when it runs", broken_stop_running),
    ("a missing cron table matters only when it was asked for", table),
    ("a passive node is quiet", passive_quiet),
    ("a cron link on a passive node is put aside", passive_link),
    ("an lsyncd that somebody started on a passive node is told once", passive_foreign),
    ("where the cluster did start it, the monitor says so", passive_active),
];

/// An lsyncd as an administrator would start it.
struct Stranger(Child);

impl Stranger {
    fn start() -> Result<Self> {
        fs::create_dir_all("/srv/stranger/a")?;
        fs::create_dir_all("/srv/stranger/b")?;
        fs::write(
            "/srv/stranger/conf",
            "sync{ default.rsync, source = '/srv/stranger/a', target = '/srv/stranger/b' }\n",
        )?;
        let child = Command::new("lsyncd")
            .args(["-nodaemon", "/srv/stranger/conf"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        pair::wait_for("the stranger", || pair::lsyncd_processes().len() == 1);
        Ok(Self(child))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        // Its last push ends by itself.
        pair::wait_for("its rsync", || sh("pgrep -x rsync --ns $$ --nslist pid || true").is_empty());
    }
}

fn passive() -> Subject {
    agent().recurring().with_param("CRM_meta_role", "Stopped")
}

fn deep() -> Subject {
    agent().with("OCF_CHECK_LEVEL", "10")
}

fn foreign() -> Result<()> {
    let stranger = Stranger::start()?;
    let run = expect(&agent(), "start", 5)?;
    ensure!(run.stderr.contains("update-rc.d lsyncd disable"), "{run}");
    let run = expect(&deep(), "validate-all", 5)?;
    ensure!(run.stderr.contains("runs outside of the cluster"), "{run}");
    // Nothing of it is ours: stop leaves it alone.
    expect(&agent(), "stop", 0)?;
    ensure!(pair::lsyncd_processes().len() == 1, "the administrator's lsyncd was ended");
    drop(stranger);
    expect(&deep(), "validate-all", 0)?;
    nothing_left()
}

fn at_boot() -> Result<()> {
    symlink("../init.d/lsyncd", "/etc/rc3.d/S01lsyncd")?;
    let start = expect(&agent(), "start", 5);
    let validate = expect(&deep(), "validate-all", 5);
    fs::remove_file("/etc/rc3.d/S01lsyncd")?;
    for run in [start?, validate?] {
        ensure!(run.stderr.contains("starts at boot") && run.stderr.contains("disable"), "{run}");
    }
    nothing_left()
}

fn two() -> Result<()> {
    let mut other = agent().without_params().named("second");
    other.env.extend(pair::params(1));
    expect(&agent(), "start", 0)?;
    expect(&other, "start", 0)?;
    expect(&agent(), "stop", 0)?;
    ensure!(pair::lsyncd_processes().len() == 1, "the other one was ended, too");
    expect(&other, "stop", 0)?;
    nothing_left()
}

fn missing() -> Result<()> {
    for (name, value, code) in [
        ("folders", "/srv/nowhere", 5),
        ("lsyncd", "/srv/nowhere/lsyncd", 5),
        ("config", "/srv/nowhere/conf", 5),
        ("peer", pair::OWN, 1),
    ] {
        let run = expect(&agent().with_param(name, value), "start", code)?;
        ensure!(run.stderr.contains(value), "{name}: {run}");
        expect(&agent().with_param(name, value), "validate-all", 0)?;
        expect(&deep().with_param(name, value), "validate-all", 5)?;
        nothing_left()?;
    }
    // Of both nodes the own one is left out.
    let both = agent().with_param("peer", &format!("{},{}", pair::OWN, pair::PEER));
    write("x", "1");
    expect(&both, "start", 0)?;
    await_there("x", "1");
    expect(&both, "stop", 0)?;
    nothing_left()
}

fn entangled() -> Result<()> {
    let [one, _] = pair::folders(0).map(|folder| folder.display().to_string());
    fs::create_dir_all(format!("{one}/inner"))?;
    for (target, named) in
        [(format!("{one}/inner"), one.clone()), ("/var/lib/inuvika-ha".into(), "/var/lib/inuvika-ha".into())]
    {
        symlink(&target, "/srv/entangled")?;
        let agent = agent().with_param("folders", &format!("{one},/srv/entangled"));
        let start = expect(&agent, "start", 5);
        let validate = expect(&agent.with("OCF_CHECK_LEVEL", "10"), "validate-all", 5);
        fs::remove_file("/srv/entangled")?;
        for run in [start?, validate?] {
            ensure!(run.stderr.contains("not to be copied beside") && run.stderr.contains(&named), "{run}");
        }
    }
    nothing_left()
}

fn key() -> Result<()> {
    expect(&deep(), "validate-all", 0)?;
    sh("cp /run/pair/key /run/pair/open");
    let open = deep().with_param("identity_file", "/run/pair/open");
    fs::set_permissions("/run/pair/open", fs::Permissions::from_mode(0o644))?;
    let run = expect(&open, "validate-all", 5)?;
    ensure!(run.stderr.contains("chmod 600"), "{run}");
    sh("chmod 600 /run/pair/open; chown nobody /run/pair/open");
    let run = expect(&open, "validate-all", 5)?;
    ensure!(run.stderr.contains("chown root"), "{run}");
    let run = expect(&deep().with_param("identity_file", "/srv/nowhere"), "validate-all", 5)?;
    ensure!(run.stderr.contains("/srv/nowhere"), "{run}");
    Ok(())
}

const BROKEN: [(&str, &str); 6] = [
    ("peer", "$(id)"),
    ("folders", "relative"),
    ("lsyncd", "/srv/nowhere/lsyncd"),
    ("config", "nowhere"),
    ("cron_link", "/srv/nowhere/cron.d/link"),
    ("cron_target", "relative"),
];

fn broken_stop() -> Result<()> {
    expect(&agent().without_params(), "stop", 0)?;
    for (name, value) in BROKEN {
        expect(&agent().with_param(name, value), "stop", 0)?;
    }
    nothing_left()
}

fn broken_stop_running() -> Result<()> {
    for (name, value) in BROKEN {
        expect(&agent(), "start", 0)?;
        expect(&agent().with_param(name, value), "stop", 0)?;
        nothing_left()?;
    }
    Ok(())
}

fn table() -> Result<()> {
    pair::hide();
    let asked = expect(&agent(), "start", 1);
    pair::show();
    let run = asked?;
    ensure!(run.stderr.contains("manage_cron"), "{run}");
    let mut silent = agent();
    silent.env.retain(|(name, _)| !name.contains("cron"));
    expect(&silent, "start", 0)?;
    expect(&silent.recurring(), "monitor", 0)?;
    ensure!(!Path::new("/etc/cron.d/lsyncd").exists(), "a link to nothing");
    expect(&silent, "stop", 0)?;
    nothing_left()
}

fn silent() -> Result<()> {
    let run = expect(&passive(), "monitor", 7)?;
    ensure!(run.stderr.is_empty() && run.stdout.is_empty(), "{run}");
    Ok(())
}

fn passive_quiet() -> Result<()> {
    silent()?;
    silent()?;
    // Parameters that nobody can read are start's business.
    expect(&passive().with_param("peer", "$(id)"), "monitor", 7)?;
    nothing_left()
}

fn passive_link() -> Result<()> {
    symlink("/run/pair/table", LINK)?;
    silent()?;
    ensure!(fs::symlink_metadata(LINK).is_err(), "the link is still there");
    fs::write(LINK, "mine\n")?;
    silent()?;
    let kept: Vec<_> = fs::read_dir(ATTIC)?.flatten().map(|entry| entry.path()).collect();
    ensure!(kept.len() == 1 && fs::read_to_string(&kept[0])? == "mine\n", "{kept:?}");
    nothing_left()
}

fn passive_foreign() -> Result<()> {
    let stranger = Stranger::start()?;
    for _ in 0..3 {
        silent()?;
    }
    let log = crate::host::log();
    ensure!(log.matches("runs outside of the cluster").count() == 1, "not said once:\n{log}");
    ensure!(pair::lsyncd_processes().len() == 1, "it is the administrator's to end");
    drop(stranger);
    silent()?;
    nothing_left()
}

fn passive_active() -> Result<()> {
    expect(&agent(), "start", 0)?;
    expect(&passive(), "monitor", 0)?;
    expect(&agent(), "stop", 0)?;
    silent()
}
