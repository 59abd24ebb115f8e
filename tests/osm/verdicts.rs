//! What each verdict needs, and how soon it comes.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};

use crate::Body;
use crate::host::{
    LINK, TABLE, agent, expect, expect_monitor, expect_monitor_of, main_process, nothing_left, sh, signal, timed,
};
use crate::support::{apache, osm_host};

pub const TRIALS: &[(&str, Body)] = &[
    ("a stopped Apache (SIGSTOP) is seen within one monitor", stopped),
    ("a busy Apache is degraded at first, then failed", busy),
    ("an Apache that is gone while its cron job runs is a failure", gone),
    ("orphans of a killed main process are a failure", orphans),
    ("a restart by hand is no failure", restarted),
    ("the cron link is watched", cron),
    ("a cron table that cron ignores is degraded", ignored_table),
    ("errors that come with status 200 are seen", errors_as_200),
    ("a default page that never matched is degraded, not failed", never_matched),
    ("after an upgrade a page that does not match anew is degraded", upgraded),
    ("maintenance mode is healthy", maintenance),
    ("all requests of the monitor share one session", one_session),
    ("validate-all looks at the host at level 10 only", validate),
    ("a person sees every check", by_hand),
];

fn stopped() -> Result<()> {
    expect(&agent(), "start", 0)?;
    signal(Signal::SIGSTOP);
    let (result, took) = timed(|| Ok(expect_monitor("0", 1, "are stopped (SIGSTOP)")))?;
    let (stop, stop_took) = timed(|| Ok(expect(&agent().with_param("graceful_timeout", "10"), "stop", 0)))?;
    result?;
    stop?;
    ensure!(took < Duration::from_secs(15), "monitor took {took:?}");
    ensure!(stop_took < Duration::from_secs(9), "stop waited {stop_took:?} for what cannot move");
    nothing_left()
}

fn busy() -> Result<()> {
    expect(&agent(), "start", 0)?;
    // More clients than it has workers: each has sent half of its request.
    let mut clients = Vec::new();
    for _ in 0..12 {
        let mut client = std::net::TcpStream::connect(("127.0.0.1", osm_host::port(0)))?;
        std::io::Write::write_all(&mut client, b"GET / HTTP/1.0\r\n")?;
        clients.push(client);
    }
    std::thread::sleep(Duration::from_millis(1500));
    let first = expect_monitor_of(&agent().with_param("request_timeout", "1s"), "0", 190, "no answer from");
    let second = expect_monitor_of(&agent().with_param("request_timeout", "1s"), "0", 1, "no answer from");
    drop(clients);
    first.and(second)?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn gone() -> Result<()> {
    expect(&agent(), "start", 0)?;
    signal(Signal::SIGKILL);
    while !apache::processes().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    expect_monitor("0", 1, "the cron job still runs here")?;
    // A probe after a restart of Pacemaker: not a clean stop either.
    expect(&agent().probing(), "monitor", 1)?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn orphans() -> Result<()> {
    expect(&agent(), "start", 0)?;
    while apache::processes().len() < 3 {
        std::thread::sleep(Duration::from_millis(10));
    }
    kill(main_process(), Signal::SIGKILL)?;
    std::thread::sleep(Duration::from_millis(300));
    let left = apache::processes().len();
    ensure!(left > 1, "prefork's children live on, or this proves nothing: {left}");
    expect_monitor("0", 1, "is gone")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()?;
    expect(&agent(), "start", 0)?;
    expect_monitor("0", 0, "")?;
    expect(&agent(), "stop", 0).map(|_| ())
}

fn restarted() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let config = osm_host::folder(0).join("httpd.conf").display().to_string();
    sh(&format!("{0} -f {config} -k graceful", apache::PROGRAM));
    std::thread::sleep(Duration::from_millis(300));
    expect_monitor("0", 0, "")?;
    let before = main_process();
    sh(&format!("{0} -f {config} -k stop; while kill -0 {before} 2>/dev/null; do sleep 0.05; done", apache::PROGRAM));
    crate::host::start_apache();
    expect_monitor("0", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn cron() -> Result<()> {
    expect(&agent(), "start", 0)?;
    fs::remove_file(LINK)?;
    expect_monitor("0", 1, "is gone")?;
    symlink("/nowhere", LINK)?;
    expect_monitor("0", 1, "a link to /nowhere")?;
    fs::remove_file(LINK)?;
    fs::write(LINK, "mine\n")?;
    expect_monitor("0", 1, "is a file, not our link")?;
    // A package that ships the job as a file: it runs here, so nothing is restarted for it.
    fs::copy(TABLE, LINK)?;
    expect_monitor("0", 190, "is a file with the same job")?;
    ensure!(fs::symlink_metadata(LINK)?.is_file(), "a monitor changes nothing");
    expect(&agent(), "start", 0)?;
    expect_monitor("0", 0, "")?;
    fs::remove_file("/run/inuvika-ha/session_manager/cron")?;
    expect_monitor("0", 1, "leads nowhere")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn ignored_table() -> Result<()> {
    expect(&agent(), "start", 0)?;
    sh(&format!("chmod 666 {TABLE}"));
    expect_monitor("0", 190, "cron ignores")?;
    sh(&format!("chmod 644 {TABLE}; chown nobody {TABLE}"));
    expect_monitor("0", 190, "owner is not root")?;
    sh(&format!("chown root {TABLE}"));
    expect(&agent(), "stop", 0).map(|_| ())
}

fn page() -> std::path::PathBuf {
    osm_host::folder(0).join("www/server/status")
}

fn errors_as_200() -> Result<()> {
    expect(&agent(), "start", 0)?;
    expect_monitor("10", 0, "")?;
    fs::write(page(), "<?xml version=\"1.0\"?><error id=\"0\" message=\"Internal error\"/>")?;
    expect_monitor("0", 0, "")?;
    // It has matched on this node before, so this is no other version: it is broken.
    expect_monitor("10", 1, "'Internal error'")?;
    fs::remove_file(page())?;
    expect_monitor("10", 1, "status 404")?;
    expect(&agent(), "stop", 0).map(|_| ())
}

fn never_matched() -> Result<()> {
    fs::write(page(), "<status of=\"another version\"/>")?;
    expect(&agent(), "start", 0)?;
    expect_monitor("10", 190, "never matched here")?;
    let named = agent().with_param("service_match", "another [a-z]+");
    expect_monitor_of(&named, "10", 0, "")?;
    let wrong = agent().with_param("service_match", "nothing like it");
    expect_monitor_of(&wrong, "10", 1, "does not match")?;
    expect(&agent(), "stop", 0).map(|_| ())
}

fn upgraded() -> Result<()> {
    osm_host::keep("/usr/share");
    let pages = "/usr/share/ovd/session-manager/webservices";
    sh(&format!("mkdir -p {pages}; echo old > {pages}/server_status.php"));
    let good = fs::read(page())?;
    let bad = "<error id=\"0\" message=\"Internal error\"/>";
    expect(&agent(), "start", 0)?;
    expect_monitor("10", 0, "")?;
    fs::write(page(), bad)?;
    expect_monitor("10", 1, "'Internal error'")?;
    // As dpkg and rpm do it.
    sh(&format!(
        "echo new > {pages}/server_status.php.dpkg-new; cd {pages}; mv server_status.php.dpkg-new server_status.php"
    ));
    expect_monitor("10", 190, "not matched since the upgrade")?;
    fs::write(page(), good)?;
    expect_monitor("10", 0, "")?;
    fs::write(page(), bad)?;
    expect_monitor("10", 1, "'Internal error'")?;
    expect(&agent(), "stop", 0).map(|_| ())
}

fn maintenance() -> Result<()> {
    fs::write(page(), "<response code=\"in_maintenance\"/>")?;
    expect(&agent(), "start", 0)?;
    expect_monitor("10", 0, "")?;
    expect_monitor_of(&agent().with_param("service_match", "something else"), "10", 0, "")?;
    expect(&agent(), "stop", 0).map(|_| ())
}

fn one_session() -> Result<()> {
    // Apache itself says what it was asked: the log format has the cookie.
    let config = osm_host::folder(0).join("httpd.conf");
    let log = osm_host::folder(0).join("cookies.log");
    let _ = fs::remove_file(&log);
    let line = format!("LogFormat \"%r|%{{Cookie}}i\" cookies\nCustomLog {} cookies\n", log.display());
    fs::write(&config, fs::read_to_string(&config)? + &line)?;
    expect(&agent(), "start", 0)?;
    for _ in 0..3 {
        expect_monitor("10", 0, "")?;
    }
    expect(&agent(), "stop", 0)?;
    let text = fs::read_to_string(log)?;
    let pages: Vec<_> = text.lines().filter(|line| line.contains("/server/status")).collect();
    ensure!(pages.len() == 3 && pages.iter().all(|line| line.ends_with("|PHPSESSID=inuvikahamonitor")), "{text}");
    ensure!(text.lines().all(|line| line.contains("/server/status") || line.starts_with("OPTIONS *")), "{text}");
    Ok(())
}

fn validate() -> Result<()> {
    let deep = agent().with("OCF_CHECK_LEVEL", "10");
    expect(&deep, "validate-all", 0)?;
    let absent = agent().with_param("cron_target", "/nowhere/table");
    expect(&absent, "validate-all", 0)?;
    let run = expect(&absent.with("OCF_CHECK_LEVEL", "10"), "validate-all", 5)?;
    ensure!(run.stderr.contains("/nowhere/table"), "{run}");
    let absent = agent().with_param("httpd", "/nowhere/httpd").with("OCF_CHECK_LEVEL", "10");
    let run = expect(&absent, "validate-all", 5)?;
    ensure!(run.stderr.contains("/nowhere/httpd"), "{run}");
    Ok(())
}

fn by_hand() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let path = agent().path.display().to_string();
    let said = sh(&format!("script -qec '{path} monitor --depth 20' /dev/null; echo code $?"));
    for part in ["parameters of its last start", "web server", "answer", "cron job", "page", "database", "exit code 0"]
    {
        ensure!(said.contains(part), "{part:?} is missing:\n{said}");
    }
    // A question by hand is not the cluster's: it publishes nothing and remembers nothing.
    ensure!(!said.contains("node attribute") && !std::path::Path::new(crate::host::ATTIC).exists(), "{said}");
    expect(&agent(), "stop", 0).map(|_| ())
}
