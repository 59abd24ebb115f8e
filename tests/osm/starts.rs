//! What start does, refuses and takes back.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{ATTIC, LINK, TABLE, agent, expect, expect_monitor, main_process, nothing_left, sh, timed};
use crate::support::{mariadb, osm_host};

pub const TRIALS: &[(&str, Body)] = &[
    ("start brings Apache and the cron job up, stop takes both away", life),
    ("the cron link is dead when /run is lost", link_dies),
    ("a Session Manager that runs is adopted without a restart", adopts),
    ("without a cron link it is adopted as well, and told", adopts_without_link),
    ("a package's own cron link is adopted", adopts_link),
    ("a foreign file in the link's place is kept elsewhere", foreign),
    ("start refuses settings that cannot work, and says why", settings),
    ("start succeeds with the database down", database_down),
    ("a configuration that Apache refuses is told in its words", syntax),
    ("a port that is taken is told, and nothing is left", taken_port),
    ("a start that gets no answer undoes itself in time", no_answer),
    ("a missing cron table is told", no_table),
    ("manage_cron=no leaves cron alone", no_cron),
    ("reload-agent follows manage_cron and restarts nothing", reload),
];

fn life() -> Result<()> {
    expect(&agent().probing(), "monitor", 7)?;
    let (_, took) = timed(|| expect(&agent(), "start", 0))?;
    ensure!(took < Duration::from_secs(15), "start took {took:?}");
    ensure!(fs::read_to_string(LINK)? == fs::read_to_string(TABLE)?, "cron reads something else");
    for depth in ["0", "10", "20"] {
        expect_monitor(depth, 0, "")?;
    }
    let patient = agent().with_param("graceful_timeout", "10");
    let (_, took) = timed(|| expect(&patient, "stop", 0))?;
    ensure!(took < Duration::from_secs(9), "stop of an idle Apache took {took:?}");
    expect_monitor("0", 7, "not running")?;
    nothing_left()
}

fn link_dies() -> Result<()> {
    expect(&agent(), "start", 0)?;
    // What a loss of power leaves: the link under /etc, nothing under /run, no process.
    crate::host::signal(nix::sys::signal::Signal::SIGKILL);
    fs::remove_dir_all("/run/inuvika-ha")?;
    ensure!(fs::symlink_metadata(LINK).is_ok() && fs::read(LINK).is_err(), "cron would still run the job");
    expect(&agent().probing(), "monitor", 7)?;
    expect(&agent(), "start", 0)?;
    expect_monitor("0", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn adopts() -> Result<()> {
    crate::host::start_apache();
    symlink(TABLE, LINK)?;
    let before = main_process();
    let log = "/run/agents/adopted";
    expect(&agent().probing().with("HA_LOGFILE", log).with("HA_LOGFACILITY", "none"), "monitor", 0)?;
    let told = "was never started by the cluster";
    ensure!(fs::read_to_string(log)?.contains(told), "the probe said nothing of it");
    // Taken over by a probe, it is never started: its monitors have no memory to go by.
    expect_monitor("20", 0, "")?;
    let validate = format!("OCF_CHECK_LEVEL=10 {} validate-all", agent().path.display());
    let by_hand = |words: &str| {
        let parameters = agent().env.iter().map(|(name, value)| format!("{name}='{value}' ")).collect::<String>();
        sh(&format!("export {parameters}; script -qec '{words}' /dev/null || true"))
    };
    let said = by_hand(&validate);
    ensure!(said.contains(told), "validate-all said nothing of it:\n{said}");
    expect(&agent(), "start", 0)?;
    let said = by_hand(&validate);
    ensure!(!said.contains(told), "{said}");
    ensure!(main_process() == before && sh(&format!("kill -0 {before} && echo alive")).contains("alive"), "restarted");
    expect_monitor("0", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn adopts_without_link() -> Result<()> {
    crate::host::start_apache();
    let before = main_process();
    // A monitor that fails would have it restarted.
    expect(&agent().probing(), "monitor", 190)?;
    expect_monitor("0", 190, "the cron job does not run")?;
    ensure!(main_process() == before, "restarted");
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn adopts_link() -> Result<()> {
    symlink("../0/table", LINK)?;
    expect(&agent().probing(), "monitor", 7)?;
    expect(&agent(), "start", 0)?;
    expect_monitor("0", 0, "")?;
    // A package upgrade on the active node: the job runs on, here, but it would do so after a crash as well.
    fs::remove_file(LINK)?;
    symlink(TABLE, LINK)?;
    expect_monitor("0", 190, "is the package's: it would survive a crash; the next start replaces it")?;
    ensure!(fs::read_link(LINK)?.to_str() == Some(TABLE), "a monitor changes nothing");
    expect(&agent(), "start", 0)?;
    expect_monitor("0", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn foreign() -> Result<()> {
    fs::write(LINK, "mine\n")?;
    expect(&agent(), "start", 0)?;
    expect_monitor("0", 0, "")?;
    let kept: Vec<_> = fs::read_dir(ATTIC)?.flatten().map(|entry| entry.path()).collect();
    ensure!(kept.len() == 1 && fs::read_to_string(&kept[0])? == "mine\n", "{kept:?}");
    expect(&agent(), "stop", 0)?;
    // It never comes back by itself.
    nothing_left()
}

fn settings() -> Result<()> {
    let good = osm_host::settings();
    for (text, reason) in [
        ("", "settings"),
        (&good[..good.len() / 2], "settings"),
        ("{}", "general.sql.host"),
        (r#"{"general":{"sql":{"host":""}}}"#, "host"),
        (r#"{"general":{"sql":{"host":"a b"}}}"#, "host"),
        ("a:1:{s:7:\"general\";}", "settings"),
    ] {
        osm_host::write_settings(text);
        let run = expect(&agent(), "start", 1)?;
        ensure!(run.stderr.contains(reason) && run.stderr.lines().count() == 1, "{text:?}: {run}");
        ensure!(!run.stderr.contains("p'w"), "the password: {run}");
        nothing_left()?;
    }
    osm_host::hide();
    let run = expect(&agent(), "start", 1);
    osm_host::show();
    ensure!(run?.stderr.contains("/run/osm/settings"));
    nothing_left()
}

fn database_down() -> Result<()> {
    osm_host::write_settings(&mariadb::settings("127.0.0.1:3399", mariadb::PASSWORD).to_string());
    expect(&agent(), "start", 0)?;
    expect_monitor("0", 0, "")?;
    expect_monitor("20", 190, "127.0.0.1:3399")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn syntax() -> Result<()> {
    let config = osm_host::folder(0).join("httpd.conf");
    fs::write(&config, fs::read_to_string(&config)? + "Nonsense on\n")?;
    let run = expect(&agent(), "start", 1)?;
    ensure!(run.stderr.contains("Syntax error on line") || run.stderr.contains("Nonsense"), "{run}");
    nothing_left()
}

fn taken_port() -> Result<()> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", osm_host::port(0)))?;
    let run = expect(&agent(), "start", 1)?;
    drop(listener);
    ensure!(run.stderr.contains("Address already in use"), "{run}");
    nothing_left()
}

fn no_answer() -> Result<()> {
    // It starts, but answers elsewhere.
    let agent = agent().with_param("vhost", "127.0.0.1:1999").with_param("CRM_meta_timeout", "6000");
    let (run, took) = timed(|| expect(&agent, "start", 1))?;
    ensure!(took < Duration::from_secs(6), "start took {took:?}");
    ensure!(run.stderr.contains("127.0.0.1:1999"), "{run}");
    nothing_left()
}

fn no_table() -> Result<()> {
    fs::remove_file(TABLE)?;
    let run = expect(&agent(), "start", 1)?;
    ensure!(run.stderr.contains(TABLE) && run.stderr.contains("manage_cron"), "{run}");
    nothing_left()
}

fn no_cron() -> Result<()> {
    fs::write(LINK, "mine\n")?;
    let agent = agent().with_param("manage_cron", "no");
    expect(&agent, "start", 0)?;
    expect(&agent.recurring(), "monitor", 0)?;
    expect(&agent, "stop", 0)?;
    ensure!(fs::read_to_string(LINK)? == "mine\n");
    fs::remove_file(LINK)?;
    nothing_left()
}

fn reload() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let before = main_process();
    expect(&agent().with_param("manage_cron", "no"), "reload-agent", 0)?;
    ensure!(fs::symlink_metadata(LINK).is_err(), "the link is still there");
    expect(&agent().with_param("manage_cron", "no").recurring(), "monitor", 0)?;
    expect(&agent(), "reload-agent", 0)?;
    expect_monitor("0", 0, "")?;
    ensure!(main_process() == before, "restarted");
    expect(&agent(), "stop", 0)?;
    nothing_left()
}
