//! A program of our own without systemd. Judges: ps, and /proc.

use std::fs;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::sys::service::{Ended, Process, Service, others};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Body;
use crate::apache::{FOLDER, deadline, main_of, run, signal, until};

pub const TRIALS: &[(&str, Body)] = &[
    ("a_program_of_our_own_has_a_session_of_its_own", a_program_of_our_own_has_a_session_of_its_own),
    ("its_children_belong_to_it", its_children_belong_to_it),
    ("children_of_a_dead_main_process_are_swept", children_of_a_dead_main_process_are_swept),
    ("one_that_does_not_listen_is_killed", one_that_does_not_listen_is_killed),
    ("one_that_ends_at_once_says_how", one_that_ends_at_once_says_how),
    ("one_that_cannot_be_used_is_replaced", one_that_cannot_be_used_is_replaced),
    ("a_start_that_is_killed_is_repaired", a_start_that_is_killed_is_repaired),
    ("strangers_are_told_and_left_alone", strangers_are_told_and_left_alone),
    ("looking_for_our_own_is_cheap", looking_for_our_own_is_cheap),
];

/// The first argument of this program where it is to start one, and be killed.
pub const MARK: &str = "--start-own";
const GRACEFUL: Duration = Duration::from_secs(3);
/// A main process that ends when it is told, with children: one of its own session, one in another.
const FAMILY: &str = "trap 'echo told > /run/site/told; exit 0' TERM\nsleep 300 &\nsetsid sleep 300 &\n\
    while :; do sleep 0.05; done";

/// Starts the program that follows, and ends.
pub fn main(words: &[String]) -> ExitCode {
    let mut service = own("killed", Path::new(&words[0]), &["300"]);
    service.start(&deadline()).unwrap();
    ExitCode::SUCCESS
}

fn own(unit: &str, program: &Path, arguments: &[&str]) -> Service {
    let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
    Service::Own { unit: format!("{unit}.service"), program: program.to_owned(), arguments, cgroup: None }
}

/// A daemon of the trial's own, as a script.
fn script(name: &str, body: &str) -> PathBuf {
    let path = Path::new(FOLDER).join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// One that is no script, with a name that nothing else has.
fn sleeper(name: &str) -> PathBuf {
    let path = Path::new(FOLDER).join(name);
    fs::copy("/bin/sleep", &path).unwrap();
    path
}

/// All processes with this text in their command line that are no zombies, by ps.
fn judged(text: &str) -> Vec<i32> {
    let list = run("ps", &["-e", "-ww", "-o", "pid=,stat=,args="]);
    let lines = list.lines().filter(|line| line.contains(text));
    let fields = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    fields.filter(|fields| !fields[1].starts_with('Z')).map(|fields| fields[0].parse().unwrap()).collect()
}

/// Stops it; nothing may be left.
fn down(service: &Service, graceful: Duration) -> Result<(Ended, Duration)> {
    let begun = Instant::now();
    let ended = service.stop(Signal::SIGTERM, graceful, &deadline())?;
    let took = begun.elapsed();
    ensure!(service.processes()?.is_empty() && service.count()? == 0);
    Ok((ended, took))
}

fn a_program_of_our_own_has_a_session_of_its_own() -> Result<()> {
    let program = sleeper("own-sleeper");
    let mut service = own("own", &program, &["300"]);
    ensure!(service.processes()?.is_empty() && !down(&service, GRACEFUL)?.0.ran);
    // Left open by a careless caller.
    let leak = nix::unistd::dup(fs::File::open("/etc/passwd")?)?.into_raw_fd();
    let begun = Instant::now();
    service.start(&deadline())?;
    eprintln!("start {} ms", begun.elapsed().as_millis());
    let main = main_of(&service)?;
    ensure!(judged("own-sleeper") == [main] && service.count()? == 1);
    ensure!(run("ps", &["-o", "sid=,pgid=,tty=", "-p", &main.to_string()]).split_whitespace().eq([
        main.to_string().as_str(),
        &main.to_string(),
        "?"
    ]));
    let folder = format!("/proc/{main}");
    let mut open: Vec<String> = fs::read_dir(format!("{folder}/fd"))?
        .map(|entry| {
            let entry = entry.unwrap();
            format!("{} {}", entry.file_name().display(), fs::read_link(entry.path()).unwrap().display())
        })
        .collect();
    open.sort();
    ensure!(open == ["0 /dev/null", "1 /dev/null", "2 /dev/null"], "{open:?}, leak was {leak}");
    let environment = fs::read_to_string(format!("{folder}/environ"))?;
    let names: Vec<&str> = environment.split_terminator('\0').filter_map(|line| line.split('=').next()).collect();
    ensure!(names == ["INUVIKA_HA_SERVICE", "LC_ALL", "PATH"], "{names:?}");
    ensure!(fs::read_link(format!("{folder}/cwd"))? == Path::new("/"));

    // Again: nothing happens.
    service.start(&deadline())?;
    ensure!(main_of(&service)? == main);
    ensure!(!service.claim(&deadline())? && service.at_boot().is_none());
    service.release(&deadline())?;
    service.locate(&deadline())?;
    // A stop needs no program.
    fs::remove_file(&program)?;
    let (ended, took) = down(&service, GRACEFUL)?;
    ensure!(ended == Ended { ran: true, killed: 0 } && took < GRACEFUL, "{ended:?} {took:?}");
    ensure!(judged("own-sleeper").is_empty());
    Ok(())
}

fn its_children_belong_to_it() -> Result<()> {
    let mut service = own("own", &script("family", FAMILY), &["--name", "a b"]);
    let mut other = own("other", &script("family", FAMILY), &["--name", "c"]);
    let _ = fs::remove_file("/run/site/told");
    service.start(&deadline())?;
    other.start(&deadline())?;
    until("children", || Ok(service.processes()?.len() >= 4 && other.processes()?.len() >= 4))?;
    let (mine, theirs) = (service.processes()?, other.processes()?);
    ensure!(mine.iter().filter(|process| process.top).count() == 1, "{mine:?}");
    ensure!(!mine.iter().any(|process| theirs.iter().any(|other| other.pid == process.pid)), "{mine:?} {theirs:?}");
    let (ended, took) = down(&service, GRACEFUL)?;
    ensure!(ended == Ended { ran: true, killed: 0 } && took < GRACEFUL, "{ended:?} {took:?}");
    ensure!(fs::read_to_string("/run/site/told")? == "told\n", "the main process was not asked");
    ensure!(judged("sleep 300").len() == 2, "{:?}", judged("sleep 300"));
    ensure!(main_of(&other)? == theirs.iter().find(|process| process.top).map(|process| process.pid).unwrap());
    ensure!(down(&other, Duration::ZERO)?.0.killed >= 4 && judged("sleep 300").is_empty());
    Ok(())
}

fn children_of_a_dead_main_process_are_swept() -> Result<()> {
    let mut service = own("own", &script("family", FAMILY), &[]);
    let mut other = own("other", &script("family", FAMILY), &["x"]);
    for by_start in [true, false] {
        service.start(&deadline())?;
        other.start(&deadline())?;
        until("children", || Ok(service.processes()?.len() >= 4 && other.processes()?.len() >= 4))?;
        signal(main_of(&service)?, Signal::SIGKILL)?;
        until("orphans only", || Ok(service.processes()?.iter().filter(|process| process.top).count() >= 2))?;
        let orphans = service.processes()?;
        if by_start {
            service.start(&deadline())?;
            let now = service.processes()?;
            ensure!(!now.iter().any(|process| orphans.contains(process)), "{now:?} {orphans:?}");
        }
        ensure!(down(&service, GRACEFUL)?.0.ran);
        until("the other's alone", || Ok(judged("sleep 300").len() == 2))?;
    }
    down(&other, GRACEFUL)?;
    Ok(())
}

fn one_that_does_not_listen_is_killed() -> Result<()> {
    let mut service = own("own", &script("deaf", "trap '' TERM HUP; while :; do sleep 0.05; done"), &[]);
    service.start(&deadline())?;
    let (ended, took) = down(&service, Duration::from_millis(500))?;
    ensure!(ended.killed >= 1 && took > Duration::from_millis(500) && took < Duration::from_secs(5), "{took:?}");
    service.start(&deadline())?;
    let begun = Instant::now();
    // Six tenths of the time, whatever is asked for.
    service.stop(Signal::SIGTERM, GRACEFUL, &Deadline::after(Duration::from_secs(4)))?;
    ensure!(begun.elapsed() < Duration::from_millis(3800) && judged("/run/site/deaf").is_empty());
    Ok(())
}

fn one_that_ends_at_once_says_how() -> Result<()> {
    for (body, reason) in [
        ("exit 7", "it ended at once: exit code 7"),
        ("sleep 0.05; exit 0", "it ended at once: exit code 0"),
        ("kill -9 $$", "it ended at once: killed by signal 9"),
        ("sleep 300 & exit 3", "it ended at once: exit code 3"),
    ] {
        let mut service = own("own", &script("short", body), &["-x"]);
        let error = service.start(&deadline()).unwrap_err().to_string();
        ensure!(error == format!("start /run/site/short: {reason}"), "{error}");
        ensure!(service.processes()?.is_empty() && judged("sleep 300").is_empty(), "{body}: something is left");
    }
    for program in ["/nowhere/daemon", "sleep"] {
        let mut service = own("own", Path::new(program), &[]);
        let error = service.start(&deadline()).unwrap_err();
        ensure!(error.kind() == std::io::ErrorKind::NotFound, "{error:?}");
        ensure!(error.to_string() == format!("start {program}: there is no program {program}"), "{error}");
    }
    let mut service = own("../own", Path::new("/bin/sleep"), &["300"]);
    ensure!(service.start(&deadline()).unwrap_err().to_string().contains("not the name of a service unit"));
    Ok(())
}

fn one_that_cannot_be_used_is_replaced() -> Result<()> {
    let program = sleeper("own-sleeper");
    let mut service = own("own", &program, &["300"]);
    service.start(&deadline())?;
    let first = main_of(&service)?;
    signal(first, Signal::SIGSTOP)?;
    until("state T", || Ok(service.processes()?.iter().any(|process| process.state == 'T')))?;
    service.start(&deadline())?;
    let second = main_of(&service)?;
    ensure!(second != first && judged("own-sleeper") == [second]);
    // Other parameters since the last start.
    let mut changed = own("own", &program, &["301"]);
    changed.start(&deadline())?;
    ensure!(judged("own-sleeper 300").is_empty() && judged("own-sleeper 301") == [main_of(&changed)?]);
    down(&changed, GRACEFUL)?;
    // Started by somebody in the same way: known by program and arguments.
    let mut child = Command::new("setsid").arg(&program).arg("300").spawn()?;
    until("it runs", || Ok(service.count()? == 1))?;
    service.start(&deadline())?;
    ensure!(main_of(&service)? == child.id().cast_signed());
    ensure!(down(&service, GRACEFUL)?.0.ran);
    child.wait()?;
    Ok(())
}

fn a_start_that_is_killed_is_repaired() -> Result<()> {
    let program = sleeper("own-sleeper");
    let mut service = own("killed", &program, &["300"]);
    let mut left = 0;
    for round in 0..40_u64 {
        let mut child = Command::new(std::env::current_exe()?).arg(MARK).arg(&program).process_group(0).spawn()?;
        std::thread::sleep(Duration::from_micros(150 * round));
        // As Pacemaker does: its whole process group.
        let _ = kill(Pid::from_raw(-child.id().cast_signed()), Signal::SIGKILL);
        child.wait()?;
        left += service.count()?;
        if round % 2 == 0 {
            service.start(&deadline())?;
            ensure!(judged("own-sleeper") == [main_of(&service)?], "round {round}: {:?}", judged("own-sleeper"));
        }
        down(&service, GRACEFUL)?;
        ensure!(judged("own-sleeper").is_empty(), "round {round}: left {:?}", judged("own-sleeper"));
    }
    eprintln!("{left} of 40 starts were killed with the program running already");
    ensure!(left > 0 && left < 40, "killed too early or too late: {left} of 40");
    Ok(())
}

fn strangers_are_told_and_left_alone() -> Result<()> {
    let program = sleeper("own-sleeper");
    let mut service = own("own", &program, &["300"]);
    ensure!(others("own-sleeper", &service).is_empty());
    service.start(&deadline())?;
    ensure!(others("own-sleeper", &service).is_empty(), "its own process is no stranger");
    let mut stranger = Command::new(&program).arg("299").spawn()?;
    let mut named = Command::new(script("own-script-of-16", "while :; do sleep 0.05; done")).spawn()?;
    // What a container runs has nothing to do with us.
    let mut container =
        Command::new("unshare").args(["--pid", "--fork", "--kill-child"]).arg(&program).arg("298").spawn()?;
    until("all run", || Ok(judged("own-sleeper 29").len() >= 2 && judged("own-script").len() == 1))?;
    // They may still be what started them.
    let ids = |all: Vec<Process>| all.iter().map(|process| process.pid).collect::<Vec<_>>();
    let id = |child: &Child| child.id().cast_signed();
    let result = (|| {
        until("the stranger", || Ok(ids(others("own-sleeper", &service)) == [id(&stranger)]))?;
        until("the script", || Ok(ids(others("own-script-of-16", &service)) == [id(&named)]))?;
        fs::remove_file(&program)?;
        ensure!(ids(others("own-sleeper", &service)) == [id(&stranger)], "gone with its file");
        down(&service, GRACEFUL)?;
        ensure!(ids(others("own-sleeper", &service)) == [id(&stranger)], "ended with ours");
        ensure!(others("own-sleep", &service).is_empty());
        Ok(())
    })();
    for child in [&mut stranger, &mut named, &mut container] {
        child.kill()?;
        child.wait()?;
    }
    result
}

fn looking_for_our_own_is_cheap() -> Result<()> {
    let mut service = own("own", &sleeper("own-sleeper"), &["300"]);
    service.start(&deadline())?;
    let begun = Instant::now();
    for _ in 0..100 {
        ensure!(service.count()? == 1);
    }
    let each = begun.elapsed() / 100;
    eprintln!("count() with {} processes in /proc: {} us", run("ps", &["-e"]).lines().count(), each.as_micros());
    ensure!(each < Duration::from_millis(50), "{each:?}");
    down(&service, GRACEFUL)?;
    Ok(())
}
