//! What each verdict on this node needs, and how soon it comes.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;

use crate::Body;
use crate::host::{
    ATTIC, LINK, STATE, agent, await_idle, await_monitor, await_there, expect, expect_monitor, file, main_process,
    nothing_left, signal, there, timed, write,
};
use crate::support::lsyncd_host::{self as pair, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("a stopped lsyncd (SIGSTOP) is seen at once, and stop does not wait for it", stopped),
    ("an lsyncd that notices nothing is failed", deaf),
    ("an lsyncd that is gone while its pushes go on is a failure", orphans),
    ("a folder whose mount is gone ends lsyncd before it pushes that the folder is empty", unmounted),
    ("too many changes are degraded", many),
    ("a damaged status file is said and heals by itself", damaged),
    ("the cron link is watched", cron),
    ("a start without inotify watches says what to do", no_watches),
    ("an lsyncd that ran out of inotify watches says so", out_of_watches),
    ("a monitor of depth 0 starts no process and costs little", cheap),
    ("a person sees every check", by_hand),
];

fn stopped() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    signal(Signal::SIGSTOP);
    expect_monitor(&agent(), "0", 1, "is stopped (SIGSTOP)")?;
    let (_, took) = timed(|| expect(&agent(), "stop", 0))?;
    ensure!(took < Duration::from_millis(2900), "stop waited {took:?} for what cannot move");
    nothing_left()
}

fn deaf() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    // Twenty seconds ago a beat was written that the status file is older than.
    fs::create_dir_all(format!("{ATTIC}/canary"))?;
    fs::write(format!("{ATTIC}/canary/beat"), "{}")?;
    std::thread::sleep(Duration::from_millis(1500));
    sh(&format!("touch -d '-40 seconds' {STATE}/lsyncd.status; touch -d '-20 seconds' {ATTIC}/canary/beat"));
    // Not while the kernel happens to run it: then it is busy.
    await_monitor(&agent(), "0", 1, "has not noticed a change")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn orphans() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    pair::freeze(true);
    write("x", "1");
    let pushing = || !sh("pgrep -x rsync --ns $$ --nslist pid || true").is_empty();
    pair::wait_for("a push", pushing);
    signal(Signal::SIGKILL);
    pair::wait_for("it to end", || pair::lsyncd_processes().is_empty());
    let verdict = expect_monitor(&agent(), "0", 1, "lsyncd is gone");
    pair::freeze(false);
    expect(&agent(), "stop", 0)?;
    verdict.and_then(|()| nothing_left())
}

fn unmounted() -> Result<()> {
    let folder = file("").display().to_string();
    sh(&format!("mkdir -p /srv/disk; mount --bind /srv/disk {folder}"));
    let result = (|| {
        write("x", "1");
        expect(&agent(), "start", 0)?;
        await_there("x", "1");
        await_idle();
        await_monitor(&agent(), "10", 0, "")?;
        sh(&format!("umount {folder}"));
        // A question by hand changes nothing.
        let run = agent().run("monitor");
        ensure!(run.code == 1 && run.stderr.contains("is not mounted any more"), "{run}");
        ensure!(!pair::lsyncd_processes().is_empty(), "a question has ended lsyncd");
        expect_monitor(&agent(), "0", 1, "is not mounted any more")?;
        pair::wait_for("lsyncd to end", || pair::lsyncd_processes().is_empty());
        // What Pacemaker does then.
        expect(&agent(), "stop", 0)?;
        let begun = expect(&agent(), "start", 0)?;
        ensure!(pair::lsyncd_processes().is_empty(), "it pushes: {begun}");
        expect_monitor(
            &agent(),
            "0",
            190,
            &format!("{} is not mounted any more: mount it", folder.trim_end_matches('/')),
        )?;
        expect(&agent().with("OCF_CHECK_LEVEL", "10"), "validate-all", 0)?;
        ensure!(there("x").as_deref() == Some("1"), "the peer was emptied");
        expect(&agent(), "stop", 0)?;
        sh(&format!("mount --bind /srv/disk {folder}"));
        write("y", "2");
        expect(&agent(), "start", 0)?;
        await_there("y", "2");
        await_idle();
        await_monitor(&agent(), "10", 0, "")?;
        expect(&agent(), "stop", 0)?;
        ensure!(there("x").as_deref() == Some("1"));
        nothing_left()
    })();
    sh(&format!("umount {folder} 2>/dev/null || true; rm -rf /srv/disk"));
    result
}

fn many() -> Result<()> {
    let agent = agent().with_param("delay", "300s").with_param("max_queue", "20");
    expect(&agent, "start", 0)?;
    await_idle();
    for n in 0..40 {
        write(&format!("x{n}"), "1");
    }
    await_monitor(&agent, "0", 190, "more than 20 (max_queue)")?;
    expect_monitor(&agent.with_param("max_queue", "10000"), "0", 0, "")?;
    expect(&agent, "stop", 0)?;
    nothing_left()
}

fn damaged() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    let file = format!("{STATE}/lsyncd.status");
    let whole = fs::read_to_string(&file)?;
    for text in ["", "\0\u{1}rubbish", &whole[..whole.len() / 2]] {
        fs::write(&file, text)?;
        expect_monitor(&agent(), "0", 190, "is damaged")?;
    }
    fs::remove_file(&file)?;
    expect_monitor(&agent(), "0", 190, "status file")?;
    write("x", "1");
    await_monitor(&agent(), "0", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn cron() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    fs::remove_file(LINK)?;
    expect_monitor(&agent(), "0", 1, "is gone")?;
    fs::write(LINK, "mine\n")?;
    expect_monitor(&agent(), "0", 1, "is a file, not our link")?;
    let before = main_process();
    expect(&agent(), "start", 0)?;
    ensure!(main_process() == before, "restarted");
    expect_monitor(&agent(), "0", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

/// A user namespace has a limit of its own, so that of this machine stays what it is.
fn no_watches() -> Result<()> {
    let agent = agent();
    let path = agent.path.display();
    let limited = format!("echo 2 > /proc/sys/user/max_inotify_watches; exec {path} start");
    let mut command = agent.command(&[]);
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "bash", "-c", &limited]).env_clear();
    unshare.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let out = unshare.output()?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    ensure!(out.status.code() == Some(1) && said.contains("max_user_watches"), "{:?}: {said}", out.status);
    let _ = command.stdin(std::process::Stdio::null());
    nothing_left()
}

/// The limit reached later, imitated by what lsyncd logs then.
fn out_of_watches() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    signal(Signal::SIGKILL);
    pair::wait_for("it to end", || pair::lsyncd_processes().is_empty());
    let words = "Sat Nov 21 09:35:18 2026 Error: Terminating since out of inotify watches.\nConsider increasing x\n";
    fs::write(format!("{STATE}/lsyncd.log"), words)?;
    expect_monitor(&agent(), "0", 1, "raise fs.inotify.max_user_watches")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn cheap() -> Result<()> {
    write("x", "1");
    expect(&agent(), "start", 0)?;
    await_there("x", "1");
    await_idle();
    let marker = || {
        Ok::<_, std::io::Error>({
            let mut child = std::process::Command::new("/bin/true").spawn()?;
            child.wait()?;
            child.id()
        })
    };
    // Ids are handed out one by one in this namespace: their distance counts what was started.
    let before = marker()?;
    expect_monitor(&agent(), "0", 0, "")?;
    let started = marker()? - before - 1;
    let cost = |command: &str| -> Result<f64> {
        let line = format!("TIMEFORMAT='%U %S'; time for i in $(seq 40); do {command}; done");
        let env: Vec<String> = agent().recurring().env.iter().map(|(n, v)| format!("export {n}='{v}'")).collect();
        let text = sh(&format!(
            "{}; export OCF_RESOURCE_INSTANCE=lsyncd OCF_ROOT=/ HA_LOGFACILITY=none; {{ {line}; }} 2>&1",
            env.join("; ")
        ));
        let last = text.lines().last().unwrap_or_default();
        last.split_whitespace().map(|word| word.parse::<f64>().map_err(Into::into)).sum()
    };
    let ours = cost(&format!("{} monitor", agent().path.display()))?;
    let base = cost("/bin/true")?;
    println!("    a monitor takes {:.2} ms of CPU, /bin/true {:.2} ms", ours * 25.0, base * 25.0);
    expect(&agent(), "stop", 0)?;
    ensure!(started == 1, "the monitor is {started} processes or threads");
    nothing_left()
}

fn by_hand() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    let path = agent().path.display().to_string();
    let said = sh(&format!("script -qec '{path} monitor --depth 20' /dev/null || true"));
    for part in ["parameters of its last start", "lsyncd", "status file", "activity", "queue", "cron job", "inotify"] {
        ensure!(said.contains(part), "{part:?} is missing:\n{said}");
    }
    expect(&agent(), "stop", 0)?;
    nothing_left()
}
