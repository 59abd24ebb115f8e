//! Start and stop.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;

use crate::Body;
use crate::host::{agent, expect, expect_monitor, nothing_left, sh, signal, timed};
use crate::support::abiquo_host as abiquo;

pub const TRIALS: &[(&str, Body)] = &[
    ("start returns when the webapps answer, and stop leaves nothing", life),
    ("a Tomcat that runs is adopted without a restart", adopted),
    ("a stop that Tomcat does itself kills nothing", graceful),
    ("what Tomcat has started does not outlive it", children),
    ("a Tomcat that ignores SIGTERM is killed in time", ignores_term),
    ("a stopped Tomcat (SIGSTOP) is seen within one monitor and ended at once", frozen),
    ("no other instance is ever touched", others),
    ("a port that somebody else has is named before anything starts", taken),
    ("a Tomcat whose port another one has is a failure the second time, and is not started", robbed),
    ("a script that does not redirect what Tomcat says is reported", chatty),
    ("a Tomcat that runs with a webapp that does not is restarted", adopted_and_wrong),
    ("webapps may take the time that start has", slow),
    ("a start whose Tomcat ends again says so and leaves nothing", ends_again),
    ("a half started Tomcat of a start that was killed is replaced", half_started),
    ("validate-all looks at the host at level 10 only", validate),
    ("ocf-tester passes", ocf_tester),
];

fn life() -> Result<()> {
    expect(&agent().probing(), "monitor", 7)?;
    expect(&agent(), "start", 0)?;
    let said = sh(&format!("curl -s --max-time 5 http://127.0.0.1:{}/am/check", abiquo::port(0)));
    ensure!(said == "rsha", "am says {said:?}");
    for depth in ["0", "10", "20"] {
        expect_monitor(depth, 0, "")?;
    }
    ensure!(std::path::Path::new(abiquo::REPOSITORY).join(".abiquo_repository").exists(), "am was not asked");
    expect(&agent().probing(), "monitor", 0)?;
    expect(&agent(), "stop", 0)?;
    nothing_left()?;
    expect_monitor("0", 7, "is not running")
}

fn adopted() -> Result<()> {
    sh("/etc/init.d/abiquo-tomcat-0 start");
    let begun = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", abiquo::port(0))).is_err() {
        ensure!(begun.elapsed().as_secs() < 60, "Tomcat does not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
    crate::host::soon("it answers", || {
        expect(&agent().probing().with("OCF_CHECK_LEVEL", "10"), "monitor", 0).map(drop)
    })?;
    let before = abiquo::processes();
    expect(&agent(), "start", 0)?;
    ensure!(abiquo::processes() == before, "{:?} instead of {before:?}", abiquo::processes());
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn graceful() -> Result<()> {
    let log = "/run/abiquo/stop.log";
    let _ = std::fs::remove_file(log);
    let logged = agent().with("HA_LOGFILE", log);
    expect(&logged, "start", 0)?;
    expect(&logged, "stop", 0)?;
    let text = std::fs::read_to_string(log)?;
    ensure!(!text.contains(IN_MEMORY), "catalina.sh redirects it: {text}");
    ensure!(text.contains("has shut down by itself") && !text.contains("killed"), "{text}");
    // Tomcat's own word for it: by its port, and not by a signal.
    let own = sh("cat /run/abiquo/0/tomcat/logs/catalina.out");
    ensure!(own.contains("A valid shutdown command was received via the shutdown port"), "{own}");
    nothing_left()
}

/// A webapp converts an image: a process of its own, which a Java machine leaves behind when it ends.
fn children() -> Result<()> {
    expect(&agent(), "start", 0)?;
    abiquo::answer(0, "xas", Some("run sleep 1000.25"));
    sh(&format!("curl -s --max-time 5 http://127.0.0.1:{}/xas/check", abiquo::port(0)));
    abiquo::answer(0, "xas", None);
    let children = || sh("pgrep -fx 'sleep 1000.25' || true");
    ensure!(!children().is_empty(), "it was not started");
    expect(&agent(), "stop", 0)?;
    let left = children();
    ensure!(left.is_empty(), "stop left {left:?}");
    nothing_left()
}

fn ignores_term() -> Result<()> {
    abiquo::write_server(0, -1);
    abiquo::write_script(0, "trap '' TERM");
    expect(&agent(), "start", 0)?;
    let begun = std::time::Instant::now();
    signal(Signal::SIGTERM);
    std::thread::sleep(Duration::from_secs(1));
    ensure!(!abiquo::processes().is_empty(), "SIGTERM ends it, so this proves nothing ({:?})", begun.elapsed());
    let (_, took) = timed(|| expect(&agent().with_param("graceful_timeout", "3s"), "stop", 0))?;
    ensure!(took > Duration::from_secs(2) && took < Duration::from_secs(30), "stop took {took:?}");
    nothing_left()
}

fn frozen() -> Result<()> {
    expect(&agent(), "start", 0)?;
    signal(Signal::SIGSTOP);
    let (result, took) = timed(|| Ok(expect_monitor("20", 1, "is stopped (SIGSTOP)")))?;
    let (stop, stop_took) = timed(|| Ok(expect(&agent(), "stop", 0)))?;
    result?;
    stop?;
    ensure!(took < Duration::from_secs(15), "monitor took {took:?}");
    // Less than it would be given if it could hear.
    ensure!(stop_took < Duration::from_secs(10), "stop waited {stop_took:?} for what cannot move");
    nothing_left()
}

fn others() -> Result<()> {
    // The same port for shutting down: whoever is told by number alone would be the wrong one.
    abiquo::write_server(0, 7001);
    sh("/etc/init.d/abiquo-tomcat-1 start");
    let begun = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", 7001)).is_err() {
        ensure!(begun.elapsed().as_secs() < 60, "the other Tomcat does not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
    let other = abiquo::processes();
    ensure!(other.len() == 1, "{other:?}");
    expect_monitor("0", 7, "")?;
    expect(&agent(), "stop", 0)?;
    ensure!(abiquo::processes() == other, "a stop without a memory has ended another instance");
    abiquo::write_server(0, 7000);
    expect(&agent(), "start", 0)?;
    abiquo::write_server(0, 7001);
    expect(&agent(), "stop", 0)?;
    ensure!(abiquo::processes() == other, "a stop has ended another instance");
    abiquo::clean();
    nothing_left()
}

fn taken() -> Result<()> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", abiquo::port(0)))?;
    let run = expect(&agent(), "start", 1)?;
    drop(listener);
    let reason = format!("127.0.0.1:{} is taken, not by /etc/init.d/abiquo-tomcat-0", abiquo::port(0));
    ensure!(run.stderr.contains(&reason), "{run}");
    ensure!(abiquo::processes().is_empty(), "Tomcat was started");
    nothing_left()
}

/// What the agent says of a script that redirects nothing.
const IN_MEMORY: &str = "lets Tomcat print into a file in memory";

/// Another Tomcat of the same datacenter, say, that somebody has started by hand: what it answers is right, and it is not ours.
fn robbed() -> Result<()> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", abiquo::port(0)))?;
    let ends = Arc::new(AtomicBool::new(false));
    let other = std::thread::spawn({
        let ends = Arc::clone(&ends);
        move || {
            for mut stream in listener.incoming().flatten() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nrsha");
            }
        }
    });
    let result = (|| {
        sh("/etc/init.d/abiquo-tomcat-0 start");
        let reason = format!("127.0.0.1:{} is taken, not by /etc/init.d/abiquo-tomcat-0", abiquo::port(0));
        crate::host::soon("its Java machine is seen", || expect_monitor("0", 0, ""))?;
        expect_monitor("10", 190, &reason)?;
        expect_monitor("10", 1, &reason)?;
        let run = expect(&agent(), "start", 1)?;
        ensure!(run.stderr.contains(&reason), "{run}");
        ensure!(abiquo::processes().is_empty(), "Tomcat was started");
        nothing_left()
    })();
    ends.store(true, Ordering::SeqCst);
    let _ = std::net::TcpStream::connect(("127.0.0.1", abiquo::port(0)));
    let _ = other.join();
    result
}

fn chatty() -> Result<()> {
    abiquo::write_script(0, "$CATALINA_HOME/bin/catalina.sh run & echo $! > $CATALINA_BASE/pid; exit 0");
    let log = "/run/abiquo/chatty.log";
    let _ = std::fs::remove_file(log);
    expect(&agent().with("HA_LOGFILE", log), "start", 0)?;
    let text = std::fs::read_to_string(log)?;
    ensure!(text.contains(&format!("/etc/init.d/abiquo-tomcat-0 {IN_MEMORY}")), "{text}");
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn adopted_and_wrong() -> Result<()> {
    sh("/etc/init.d/abiquo-tomcat-0 start");
    crate::host::soon("it answers", || {
        expect(&agent().probing().with("OCF_CHECK_LEVEL", "10"), "monitor", 0).map(drop)
    })?;
    let before = abiquo::processes();
    // Wrong until it is started anew.
    abiquo::answer(0, "xas", Some("500"));
    abiquo::write_script(0, &format!("rm -f {}/answer-xas", abiquo::folder(0).display()));
    expect(&agent(), "start", 0)?;
    ensure!(abiquo::processes() != before, "it was not restarted");
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn slow() -> Result<()> {
    abiquo::answer(0, "xas", Some("503"));
    let mut child = agent().begin("start");
    // Longer than a webapp that is missing would get.
    std::thread::sleep(Duration::from_secs(14));
    let waits = child.try_wait()?.is_none();
    abiquo::answer(0, "xas", None);
    let status = child.wait()?;
    ensure!(waits && status.code() == Some(0), "waits: {waits}, {status}");
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn ends_again() -> Result<()> {
    std::fs::write(abiquo::base(0).join("conf/server.xml"), "<Server")?;
    let (run, took) = timed(|| expect(&agent(), "start", 1))?;
    ensure!(run.stderr.contains("has ended again: see /run/abiquo/0/tomcat/logs"), "{run}");
    ensure!(took < Duration::from_secs(30), "{took:?}");
    nothing_left()
}

fn half_started() -> Result<()> {
    let mut child = agent().begin("start");
    let begun = std::time::Instant::now();
    while abiquo::processes().is_empty() {
        assert!(begun.elapsed().as_secs() < 30, "no Java machine");
        std::thread::sleep(Duration::from_millis(5));
    }
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    signal(Signal::SIGSTOP);
    expect(&agent(), "start", 0)?;
    expect_monitor("10", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn ocf_tester() -> Result<()> {
    let options: Vec<String> = abiquo::params(0)
        .into_iter()
        .map(|(name, value)| format!("-o {}={value}", name.trim_start_matches("OCF_RESKEY_")))
        .collect();
    let line = format!("OCF_ROOT=/usr/lib/ocf ocf-tester -n tested {} /run/agents/abiquo-rs 2>&1", options.join(" "));
    let said = sh(&format!("{line} || true"));
    ensure!(said.contains("passed all tests"), "{said}");
    nothing_left()
}

fn validate() -> Result<()> {
    let deep = agent().with("OCF_CHECK_LEVEL", "10");
    expect(&deep, "validate-all", 0)?;
    let absent = agent().with_param("service", "abiquo-tomcat-99");
    expect(&absent, "validate-all", 0)?;
    let run = expect(&absent.with("OCF_CHECK_LEVEL", "10"), "validate-all", 5)?;
    ensure!(run.stderr.contains("/etc/init.d/abiquo-tomcat-99"), "{run}");
    let run = expect(&deep.with_param("webapps", "am,nars"), "validate-all", 5)?;
    ensure!(run.stderr.contains("webapp nars is not in"), "{run}");
    let run = expect(&deep.with_param("properties", "/nowhere/p"), "validate-all", 5)?;
    ensure!(run.stderr.contains("/nowhere/p"), "{run}");
    Ok(())
}
