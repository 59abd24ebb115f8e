//! What each verdict of a monitor needs: the webapps and the properties.

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;

use crate::Body;
use crate::host::{agent, expect, expect_monitor, expect_monitor_of, nothing_left, passive, sh, signal, soon};
use crate::support::abiquo_host as abiquo;

pub const TRIALS: &[(&str, Body)] = &[
    ("a webapp that is undeployed is a failure, and depth 0 does not see it", undeployed),
    ("an answer of another site is a failure", wrong_site),
    ("503 without a cause is a failure the second time", without_cause),
    ("a Redis that comes back is no reason to restart Tomcat", redis_is_back),
    ("a webapp that hangs is a failure the second time, whatever else is amiss", webapp_hangs),
    ("a Tomcat from before the cluster that hangs is a failure the second time", adopted_hangs),
    ("a killed Tomcat is not running", killed),
    ("properties that break while it runs are degraded, and refused by start", broken),
    ("keys that are given twice are named", twice),
    ("a person sees every check", by_hand),
    ("a passive node answers 7, whatever it finds", on_passive),
];

fn undeployed() -> Result<()> {
    expect(&agent(), "start", 0)?;
    sh("rm -r /run/abiquo/0/tomcat/webapps/xas");
    soon("Tomcat undeploys it", || expect_monitor("10", 1, "webapp xas: status 404: it is not deployed"))?;
    expect_monitor("0", 0, "")?;
    abiquo::deploy(0, "xas");
    soon("Tomcat deploys it", || expect_monitor("10", 0, ""))?;
    expect(&agent(), "stop", 0)?;
    // Named, it has to be there when it starts.
    let named = agent().with_param("webapps", "am,nars");
    let run = expect(&named, "start", 1)?;
    ensure!(run.stderr.contains("webapp nars: status 404"), "{run}");
    nothing_left()
}

fn wrong_site() -> Result<()> {
    expect(&agent(), "start", 0)?;
    abiquo::answer(0, "vsm", Some("200 elsewhere"));
    expect_monitor("10", 1, "webapp vsm: it is of datacenter 'elsewhere', not 'rsha'")?;
    abiquo::answer(0, "vsm", None);
    expect_monitor("10", 0, "")?;
    // The file has another id than Tomcat has read: nothing restarts by itself.
    abiquo::write_properties(0, &abiquo::properties().replace("= rsha", "= new"));
    expect_monitor("10", 190, "abiquo.datacenter.id is 'new'")?;
    expect(&agent(), "stop", 0)?;
    abiquo::answer(0, "vsm", Some("200 elsewhere"));
    let run = expect(&agent(), "start", 1)?;
    ensure!(run.stderr.contains("'elsewhere'"), "{run}");
    nothing_left()
}

fn without_cause() -> Result<()> {
    expect(&agent(), "start", 0)?;
    abiquo::answer(0, "xas", Some("503"));
    let reason = "webapp xas: status 503, although redis, repository answer";
    expect_monitor("10", 190, reason)?;
    // Each depth has its own looks: the two may come right after each other.
    expect_monitor("20", 190, reason)?;
    expect_monitor("10", 1, reason)?;
    abiquo::answer(0, "xas", None);
    expect_monitor("10", 0, "")?;
    abiquo::answer(0, "xas", Some("500"));
    expect_monitor("10", 190, "webapp xas: status 500")?;
    abiquo::answer(0, "xas", None);
    abiquo::answer(0, "vsm", Some("500"));
    expect_monitor("10", 190, "webapp vsm: status 500")?;
    expect_monitor("10", 1, "webapp vsm: status 500")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

/// The connections of a webapp may be broken a little longer than Redis is.
fn redis_is_back() -> Result<()> {
    expect(&agent(), "start", 0)?;
    abiquo::answer(0, "vsm", Some("503"));
    abiquo::redis().stop();
    for _ in 0..3 {
        expect_monitor("10", 190, "webapp vsm: status 503; Redis 127.0.0.1")?;
    }
    abiquo::redis().start();
    expect_monitor("10", 190, "webapp vsm: status 503, although redis")?;
    abiquo::answer(0, "vsm", None);
    expect_monitor("10", 0, "")?;
    expect(&agent(), "stop", 0).map(drop)
}

fn webapp_hangs() -> Result<()> {
    let twice = format!("{}abiquo.some.key = 1\nabiquo.some.key = 2\n", abiquo::properties());
    abiquo::write_properties(0, &twice);
    expect(&agent(), "start", 0)?;
    let constant = "the last of several different values counts for abiquo.some.key";
    expect_monitor("10", 190, constant)?;
    abiquo::answer(0, "xas", Some("200 rsha 60"));
    let short = agent().with_param("request_timeout", "1s");
    expect_monitor_of(&short, "10", 190, constant)?;
    expect_monitor_of(&short, "10", 1, "webapp xas: no answer in")?;
    // A login that is refused makes nobody wait.
    abiquo::write_properties(0, &abiquo::properties().replace(abiquo::PASSWORD, "another"));
    expect_monitor_of(&short, "10", 1, "webapp xas: no answer in")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

/// Pacemaker calls no start for what its probe has found.
fn adopted_hangs() -> Result<()> {
    sh("/etc/init.d/abiquo-tomcat-0 start");
    soon("it answers", || expect_monitor("10", 0, ""))?;
    // All threads of its connector are busy.
    abiquo::answer(0, "xas", Some("200 rsha 60"));
    let url = format!("http://127.0.0.1:{}/xas/check", abiquo::port(0));
    sh(&format!("for n in {{1..12}}; do curl -s -m 60 -o /dev/null {url} > /dev/null 2>&1 & done; sleep 1"));
    let short = agent().with_param("request_timeout", "1s");
    let both = [190, 1].map(|code| expect_monitor_of(&short, "0", code, "no answer from"));
    expect(&agent(), "stop", 0)?;
    both.into_iter().collect::<Result<()>>()?;
    nothing_left()?;
    // It is missed like one that was started.
    sh("/etc/init.d/abiquo-tomcat-0 start");
    abiquo::answer(0, "xas", None);
    soon("it answers", || expect_monitor("10", 0, ""))?;
    signal(Signal::SIGKILL);
    soon("it is gone", || expect_monitor("0", 7, "is not running"))?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn killed() -> Result<()> {
    expect(&agent(), "start", 0)?;
    signal(Signal::SIGKILL);
    soon("it is gone", || expect_monitor("0", 7, "is not running"))?;
    expect(&agent().probing(), "monitor", 7)?;
    expect(&agent(), "start", 0)?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn broken() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let good = abiquo::properties();
    let bad = [
        (format!("<<<<<<< HEAD\n{good}"), "line 1 is no 'key = value'"),
        (good.replace("abiquo.datacenter.id", "abiquo.datacenter.ix"), "no abiquo.datacenter.id"),
        (good.replace("= 6390", "= port"), "abiquo.redis.port is no port"),
        ("\0\0\0".to_owned(), "line 1 has control characters"),
        (String::new(), "no abiquo.datacenter.id"),
    ];
    for (text, reason) in &bad {
        abiquo::write_properties(0, text);
        expect_monitor("0", 0, "")?;
        expect_monitor("10", 190, reason)?;
        expect_monitor("20", 190, reason)?;
    }
    abiquo::hide();
    let missing = expect_monitor("10", 190, "no such file or directory");
    abiquo::show();
    missing?;
    expect(&agent(), "stop", 0)?;
    for (text, reason) in &bad {
        abiquo::write_properties(0, text);
        let run = expect(&agent(), "start", 1)?;
        ensure!(run.stderr.contains(reason), "{run}, wanted {reason}");
        nothing_left()?;
    }
    Ok(())
}

fn twice() -> Result<()> {
    let twice =
        format!("{}abiquo.redis.port = {}\nabiquo.redis.host = 127.0.0.1\n", "abiquo.redis.port = 1\n", abiquo::REDIS);
    abiquo::write_properties(0, &format!("{}{twice}", abiquo::properties()));
    expect(&agent(), "start", 0)?;
    expect_monitor("10", 190, "the last of several different values counts for abiquo.redis.port")?;
    abiquo::write_properties(0, &format!("{0}{0}", abiquo::properties()));
    expect_monitor("10", 0, "")?;
    expect(&agent(), "stop", 0).map(drop)
}

fn by_hand() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let path = agent().path.display().to_string();
    let said = sh(&format!("script -qec '{path} monitor --depth 20' /dev/null; echo code $?"));
    for part in [
        "parameters of its last start",
        "tomcat",
        "answer",
        "properties",
        "repository",
        "am is of this datacenter",
        "xas is of this datacenter",
        "redis",
        "exit code 0",
    ] {
        ensure!(said.contains(part), "{part:?} is missing:\n{said}");
    }
    // A question by hand is not the cluster's: it publishes nothing.
    ensure!(!said.contains("node attribute") && !said.contains(abiquo::PASSWORD), "{said}");
    expect(&agent(), "stop", 0).map(drop)
}

fn on_passive() -> Result<()> {
    // The start on another node waits for the first look: it asks nobody, not even a Redis that takes all the time it gets.
    let first = "/run/abiquo/first.log";
    let _ = std::fs::remove_file(first);
    let logged = passive().with("HA_LOGFILE", first);
    let said = || std::fs::read_to_string(first).unwrap_or_default();
    abiquo::redis().signal(Signal::SIGSTOP);
    let asked = [(); 2].map(|()| {
        let run = expect(&logged, "monitor", 7);
        (run, said())
    });
    abiquo::redis().signal(Signal::SIGCONT);
    for ((run, said), asks) in asked.into_iter().zip([false, true]) {
        run?;
        ensure!(said.contains("Redis 127.0.0.1") == asks, "asks: {asks}, said {said:?}");
    }
    sh("/etc/init.d/abiquo-tomcat-0 start");
    let log = "/run/abiquo/passive.log";
    let _ = std::fs::remove_file(log);
    soon("it is seen", || {
        expect(&passive().with("HA_LOGFILE", log), "monitor", 7)?;
        let text = std::fs::read_to_string(log)?;
        ensure!(text.contains("runs here although the cluster has not started it"), "{text}");
        Ok(())
    })?;
    abiquo::write_properties(0, "rubbish");
    expect(&passive(), "monitor", 7)?;
    abiquo::clean();
    expect_monitor_of(&agent(), "0", 7, "")?;
    // What the monitor of a passive node remembers goes with the next stop.
    expect(&agent(), "stop", 0)?;
    nothing_left()
}
