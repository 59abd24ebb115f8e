//! A script in the way of /etc/init.d.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::sys::service::{Ended, Service, script_exists};

use super::Body;
use crate::apache::*;

pub const TRIALS: &[(&str, Body)] = &[
    ("a_script_starts_and_processes_end", a_script_starts_and_processes_end),
    ("another_root_is_another_server", another_root_is_another_server),
    ("a_script_that_fails_says_why", a_script_that_fails_says_why),
    ("a_script_that_hangs_is_killed", a_script_that_hangs_is_killed),
    ("a_daemon_that_keeps_its_output_open_holds_nobody", a_daemon_that_keeps_its_output_open_holds_nobody),
];

const GRACEFUL: Duration = Duration::from_secs(3);

fn script(body: &str) -> PathBuf {
    let path = Path::new(FOLDER).join("script");
    fs::write(&path, format!("#!/bin/sh\n[ \"$1\" = start ] || exit 2\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The built-in configuration, put in place of the host's: /etc/apache2 is the namespace's own.
fn built_in(port: u16) {
    let site = config("built-in", port, "");
    let own = Path::new(FOLDER).join("etc");
    fs::create_dir_all(&own).unwrap();
    fs::copy(site, own.join("apache2.conf")).unwrap();
    run("mount", &["--bind", own.to_str().unwrap(), "/etc/apache2"]);
}

fn a_script_starts_and_processes_end() -> Result<()> {
    let port = free_port();
    built_in(port);
    let path = script(&format!("exec {PROGRAM} -k start"));
    ensure!(script_exists(&path) && !script_exists(Path::new("script")) && !script_exists(Path::new("/nowhere")));
    let mut service = Service::Lsb { script: path.clone(), program: PROGRAM.into() };
    up(&mut service, port)?;
    service.start(&deadline())?;
    main_of(&service)?;
    until_all_are_seen(|| Ok(service.processes()?.len()))?;
    let (ended, took) = down(&service, GRACEFUL)?;
    eprintln!("down {} ms", took.as_millis());
    ensure!(ended == Ended { ran: true, killed: 0 } && took < GRACEFUL, "{ended:?} {took:?}");

    up(&mut service, port)?;
    fs::remove_file(path)?;
    ensure!(down(&service, GRACEFUL)?.0.ran, "a stop needs no script");
    ensure!(!down(&service, GRACEFUL)?.0.ran);
    ensure!(!service.claim(&deadline())? && service.at_boot().is_none());
    service.release(&deadline())?;
    Ok(())
}

fn another_root_is_another_server() -> Result<()> {
    let (port, other_port) = (free_port(), free_port());
    built_in(port);
    // Debian's way to have a second one: the same program, another root, no -f.
    let root = Path::new(FOLDER).join("other-root");
    fs::create_dir_all(&root)?;
    fs::copy(config("other", other_port, ""), root.join("apache2.conf"))?;
    run(PROGRAM, &["-d", root.to_str().unwrap(), "-k", "start"]);
    let mut service = Service::Lsb { script: script(&format!("exec {PROGRAM} -k start")), program: PROGRAM.into() };
    while get(other_port, "small").is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    ensure!(service.processes()?.is_empty(), "the other server was taken for ours");
    up(&mut service, port)?;
    down(&service, GRACEFUL)?;
    get(other_port, "small")?;
    // A script that names the root means that one.
    let named = script(&format!("exec {PROGRAM} -d {} -k start", root.display()));
    let named = Service::Lsb { script: named, program: PROGRAM.into() };
    until_all_are_seen(|| Ok(named.processes()?.len()))?;
    ensure!(down(&named, GRACEFUL)?.0.ran && get(other_port, "small").is_err());
    Ok(())
}

fn a_script_that_fails_says_why() -> Result<()> {
    for (body, reason) in [
        ("echo Starting; echo 'no such user: www' >&2; exit 1", "no such user: www"),
        ("echo Starting; echo 'Action start failed.'; exit 1", "Action start failed."),
        ("exit 6", "exit code 6"),
        ("kill -9 $$", "killed by signal 9"),
        ("exit 0", "it has no process, but reported success"),
        ("echo already running", "it has no process, but reported success: already running"),
    ] {
        let mut service = Service::Lsb { script: script(body), program: PROGRAM.into() };
        let error = service.start(&deadline()).unwrap_err().to_string();
        ensure!(error == format!("start /run/site/script: {reason}"), "{error}");
    }
    Ok(())
}

fn a_script_that_hangs_is_killed() -> Result<()> {
    let mut service = Service::Lsb { script: script("exec sleep 60"), program: PROGRAM.into() };
    let error = service.start(&Deadline::after(Duration::from_millis(300))).unwrap_err().to_string();
    ensure!(error.contains("not done after 3"), "{error}");
    Ok(())
}

fn a_daemon_that_keeps_its_output_open_holds_nobody() -> Result<()> {
    // It says something long after its start: over a pipe of ours that would be its end.
    let body = "(sleep 1; echo late; echo late >&2; echo lived > /run/site/lived; exec sleep 60) & exit 0";
    let mut service = Service::Lsb { script: script(body), program: "/bin/sh".into() };
    let _ = fs::remove_file("/run/site/lived");
    let begin = std::time::Instant::now();
    service.start(&deadline())?;
    ensure!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    std::thread::sleep(Duration::from_millis(1500));
    ensure!(Path::new("/run/site/lived").exists());
    let files = run("sh", &["-c", "ls -A /run | grep inuvika-ha"]);
    ensure!(files.is_empty(), "left: {files}");
    run("sh", &["-c", "kill $(ps -e -o pid=,args= | awk '/sleep 60/ && !/awk/ {print $1}')"]);
    Ok(())
}
