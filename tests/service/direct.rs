//! `PROGRAM -f CONFIG -k start`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::sys::service::{Ended, Service};
use nix::sys::signal::Signal;

use super::Body;
use crate::apache::*;

pub const TRIALS: &[(&str, Body)] = &[
    ("an_idle_server_stops_at_once", an_idle_server_stops_at_once),
    ("processes_are_those_of_the_own_configuration", processes_are_those_of_the_own_configuration),
    ("a_download_may_finish", a_download_may_finish),
    ("a_download_that_takes_too_long_is_cut", a_download_that_takes_too_long_is_cut),
    ("helpers_do_not_hold_a_stop", helpers_do_not_hold_a_stop),
    ("stopped_processes_are_not_waited_for", stopped_processes_are_not_waited_for),
    ("a_stopped_worker_does_not_cut_the_others", a_stopped_worker_does_not_cut_the_others),
    ("workers_of_a_dead_main_process_are_swept", workers_of_a_dead_main_process_are_swept),
    ("a_replaced_program_is_still_found", a_replaced_program_is_still_found),
    ("stop_needs_neither_program_nor_configuration", stop_needs_neither_program_nor_configuration),
    ("a_failed_start_says_why", a_failed_start_says_why),
    ("a_start_ends_at_its_deadline", a_start_ends_at_its_deadline),
    ("another_pid_namespace_is_not_ours", another_pid_namespace_is_not_ours),
    ("looking_is_cheap", looking_is_cheap),
];

const GRACEFUL: Duration = Duration::from_secs(3);

fn an_idle_server_stops_at_once() -> Result<()> {
    for mpm in ["", "StartServers 30\nMinSpareServers 30\n"] {
        let port = free_port();
        let mut service = direct(&config("site", port, mpm));
        for _ in 0..5 {
            let started = Instant::now();
            up(&mut service, port)?;
            let start = started.elapsed();
            // Apache notices a signal that arrives while it still starts up to a second later.
            std::thread::sleep(Duration::from_millis(100));
            let (ended, took) = down(&service, GRACEFUL)?;
            eprintln!("up {} ms, down {} ms", start.as_millis(), took.as_millis());
            ensure!(ended == Ended { ran: true, killed: 0 }, "{ended:?}");
            ensure!(took < GRACEFUL, "took {took:?}");
        }
        let (ended, took) = down(&service, GRACEFUL)?;
        ensure!(ended == Ended { ran: false, killed: 0 } && took < GRACEFUL, "{ended:?} {took:?}");
    }
    Ok(())
}

fn processes_are_those_of_the_own_configuration() -> Result<()> {
    let (port, other_port) = (free_port(), free_port());
    let mut service = direct(&config("site", port, ""));
    let mut other = direct(&config("other", other_port, ""));
    up(&mut service, port)?;
    up(&mut other, other_port)?;
    at_rest(&service)?;
    at_rest(&other)?;
    // Once more is no error and starts nothing.
    service.start(&deadline())?;
    let (own, others) = (service.processes()?, other.processes()?);
    ensure!(own.len() >= 2 && own.iter().filter(|process| process.top).count() == 1, "{own:?}");
    // A spare process may come between two looks.
    until_all_are_seen(|| Ok(service.processes()?.len() + other.processes()?.len()))?;
    ensure!(!own.iter().any(|process| others.contains(process)));
    // The built-in configuration is a third instance.
    let lsb = Service::Lsb { script: "/run/site/none".into(), program: PROGRAM.into() };
    ensure!(lsb.processes()?.is_empty());
    // A link to the configuration, and one to the program, are the same.
    symlink("site.conf", Path::new(FOLDER).join("link.conf"))?;
    symlink(PROGRAM, Path::new(FOLDER).join("program"))?;
    let linked = Service::Direct { program: "/run/site/program".into(), config: "/run/site/link.conf".into() };
    until("the same through links", || Ok(linked.processes()? == own))?;
    down(&service, GRACEFUL)?;
    until("the other instance as it was", || Ok(other.processes()? == others))?;
    get(other_port, "small")?;
    Ok(())
}

fn a_download_may_finish() -> Result<()> {
    let port = free_port();
    let mut service = direct(&config("site", port, ""));
    up(&mut service, port)?;
    let client = slow_download(port)?;
    let reader = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        finish(client)
    });
    let (ended, took) = down(&service, GRACEFUL)?;
    let bytes = reader.join().unwrap();
    eprintln!("download of {bytes} bytes, down {} ms", took.as_millis());
    ensure!(is_whole(bytes), "cut after {bytes} bytes");
    ensure!(ended.killed == 0 && took > Duration::from_millis(600) && took < GRACEFUL, "{took:?}");
    Ok(())
}

fn a_download_that_takes_too_long_is_cut() -> Result<()> {
    let port = free_port();
    let mut service = direct(&config("site", port, ""));
    up(&mut service, port)?;
    let client = slow_download(port)?;
    let (ended, took) = down(&service, Duration::from_secs(1))?;
    ensure!(!is_whole(finish(client)));
    ensure!(ended.ran && ended.killed >= 1, "{ended:?}");
    ensure!(took >= Duration::from_secs(1) && took < Duration::from_secs(5), "{took:?}");

    // With little time, the kill comes early enough.
    up(&mut service, port)?;
    let _client = slow_download(port)?;
    let started = Instant::now();
    service.stop(Signal::SIGWINCH, Duration::from_secs(30), &Deadline::after(Duration::from_secs(4)))?;
    ensure!(started.elapsed() < Duration::from_millis(3800), "{:?}", started.elapsed());
    ensure!(judged().is_empty());
    Ok(())
}

fn helpers_do_not_hold_a_stop() -> Result<()> {
    let port = free_port();
    let log = format!("CustomLog \"|/usr/bin/rotatelogs {FOLDER}/access.log 86400\" \"%h\"");
    let mut service = direct(&config("site", port, &log));
    up(&mut service, port)?;
    let (ended, took) = down(&service, GRACEFUL)?;
    eprintln!("down {} ms", took.as_millis());
    ensure!(ended.killed == 0 && took < GRACEFUL, "{ended:?} {took:?}");
    Ok(())
}

fn stopped_processes_are_not_waited_for() -> Result<()> {
    let port = free_port();
    let mut service = direct(&config("site", port, ""));
    for only_main in [true, false] {
        up(&mut service, port)?;
        for process in service.processes()?.iter().filter(|process| process.top || !only_main) {
            signal(process.pid, Signal::SIGSTOP)?;
        }
        let (ended, took) = down(&service, GRACEFUL)?;
        ensure!(ended.killed >= 2 && took < GRACEFUL, "{ended:?} {took:?}");
    }
    Ok(())
}

fn a_stopped_worker_does_not_cut_the_others() -> Result<()> {
    let port = free_port();
    let mut service = direct(&config("site", port, ""));
    up(&mut service, port)?;
    let client = slow_download(port)?;
    // The one that serves has the connection; a worker that waits has not.
    let idle = service.processes()?.into_iter().filter(|process| !process.top).find(|process| {
        let sockets = run("ss", &["-Htnp", "state", "established"]);
        !sockets.contains(&format!("pid={},", process.pid))
    });
    let idle = idle.map(|process| process.pid).unwrap_or_default();
    signal(idle, Signal::SIGSTOP)?;
    let reader = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        finish(client)
    });
    let (ended, took) = down(&service, GRACEFUL)?;
    let bytes = reader.join().unwrap();
    ensure!(is_whole(bytes) && ended.killed == 1, "{bytes} bytes, {ended:?}");
    ensure!(took < GRACEFUL, "{took:?}");
    Ok(())
}

fn workers_of_a_dead_main_process_are_swept() -> Result<()> {
    let port = free_port();
    let mut service = direct(&config("site", port, ""));
    up(&mut service, port)?;
    let workers = service.processes()?.len() - 1;
    signal(main_of(&service)?, Signal::SIGKILL)?;
    std::thread::sleep(Duration::from_millis(50));
    let orphans = service.processes()?;
    // Apache may have started one more in between.
    ensure!(orphans.len() >= workers && orphans.iter().all(|process| process.top), "{orphans:?}");
    // They hold the port.
    let error = service.start(&deadline()).unwrap_err().to_string();
    ensure!(error.contains("Address already in use"), "{error}");
    let (ended, took) = down(&service, GRACEFUL)?;
    ensure!(ended.ran && took < GRACEFUL, "{ended:?} {took:?}");
    up(&mut service, port)?;
    down(&service, GRACEFUL)?;
    Ok(())
}

fn a_replaced_program_is_still_found() -> Result<()> {
    let port = free_port();
    let copy = Path::new(FOLDER).join("httpd");
    fs::copy(PROGRAM, &copy)?;
    let mut service = Service::Direct { program: copy.clone(), config: config("site", port, "") };
    up(&mut service, port)?;
    at_rest(&service)?;
    let before = service.processes()?.len();
    fs::remove_file(&copy)?;
    ensure!(service.processes()?.len() == before, "gone with the file");
    fs::copy("/bin/true", &copy)?;
    ensure!(service.processes()?.len() == before, "gone with another file");
    let (ended, _) = down(&service, GRACEFUL)?;
    ensure!(ended.ran && ended.killed == 0, "{ended:?}");
    Ok(())
}

fn stop_needs_neither_program_nor_configuration() -> Result<()> {
    let missing = Service::Direct { program: "/nowhere/httpd".into(), config: "/nowhere/httpd.conf".into() };
    ensure!(down(&missing, GRACEFUL)?.0 == Ended { ran: false, killed: 0 });
    let port = free_port();
    let path = config("site", port, "");
    let mut service = direct(&path);
    up(&mut service, port)?;
    fs::write(&path, "broken")?;
    fs::remove_file(Path::new(FOLDER).join("site.pid"))?;
    ensure!(down(&service, GRACEFUL)?.0.ran);
    up(&mut direct(&config("site", port, "")), port)?;
    fs::remove_file(&path)?;
    ensure!(down(&service, GRACEFUL)?.0.ran);
    Ok(())
}

fn a_failed_start_says_why() -> Result<()> {
    let path = config("site", free_port(), "Nonsense on");
    let mut service = direct(&path);
    let error = service.start(&deadline()).unwrap_err().to_string();
    eprintln!("{error}");
    for part in ["start /usr/sbin/apache2 -f ", "AH00526: Syntax error on line", "Invalid command 'Nonsense'"] {
        ensure!(error.contains(part), "{error}");
    }
    ensure!(!error.contains('\n') && service.processes()?.is_empty());
    let path = config("site", free_port(), "");
    fs::write(Path::new(FOLDER).join("site.pid"), format!("{}\n", std::process::id()))?;
    let error = direct(&path).start(&deadline()).unwrap_err().to_string();
    fs::remove_file(Path::new(FOLDER).join("site.pid"))?;
    ensure!(error.contains("it has no process, but reported success: httpd (pid"), "{error}");
    let mut missing = Service::Direct { program: "/nowhere/httpd".into(), config: path };
    let error = missing.start(&deadline()).unwrap_err().to_string();
    ensure!(error.contains("there is no such program"), "{error}");
    Ok(())
}

fn a_start_ends_at_its_deadline() -> Result<()> {
    let program = Path::new(FOLDER).join("slow");
    fs::write(&program, "#!/bin/sh\nexec sleep 60\n")?;
    run("chmod", &["755", "/run/site/slow"]);
    let mut service = Service::Direct { program, config: "/run/site/none".into() };
    let started = Instant::now();
    let error = service.start(&Deadline::after(Duration::from_millis(300))).unwrap_err().to_string();
    ensure!(error.contains("not done after 3") && error.contains(" ms, killed"), "{error}");
    ensure!(started.elapsed() < Duration::from_secs(10));
    Ok(())
}

fn another_pid_namespace_is_not_ours() -> Result<()> {
    let port = free_port();
    let path = config("site", port, "");
    let service = direct(&path);
    let mut container = std::process::Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", PROGRAM, "-X", "-f"])
        .arg(&path)
        .spawn()?;
    let waited = Instant::now();
    while get(port, "small").is_err() && waited.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let result = (judged().len(), service.processes()?, service.stop(Signal::SIGWINCH, GRACEFUL, &deadline())?);
    let answers = get(port, "small").is_ok();
    container.kill()?;
    container.wait()?;
    // It holds the number 1, which is in use here too.
    let _ = fs::remove_file(Path::new(FOLDER).join("site.pid"));
    ensure!(result.0 > 0 && result.1.is_empty() && !result.2.ran && answers, "{result:?}, answers: {answers}");
    Ok(())
}

fn looking_is_cheap() -> Result<()> {
    let port = free_port();
    let mut service = direct(&config("site", port, ""));
    up(&mut service, port)?;
    let started = Instant::now();
    for _ in 0..200 {
        ensure!(service.processes()?.len() > 1);
    }
    let each = started.elapsed() / 200;
    eprintln!("processes() with {} processes in /proc: {} us", run("ps", &["-e"]).lines().count(), each.as_micros());
    ensure!(each < Duration::from_millis(50), "{each:?}");
    Ok(())
}
