//! Redis and RabbitMQ: what is lost is told apart from what has failed.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;

use crate::Body;
use crate::host::{
    RABBIT, agent, expect, expect_monitor, expect_monitor_of, nothing_left, properties_with_rabbit, rabbit, sh, soon,
    timed,
};
use crate::support::abiquo_host::{self as abiquo, Daemon};

/// Well below what a monitor has (20 s), however slow the machine is: it asks no longer than 3 s.
const LONG: Duration = Duration::from_secs(15);

pub const TRIALS: &[(&str, Body)] = &[
    ("a Redis that is down is degraded, with the webapp that misses it", redis_down),
    ("a Redis that takes connections and never answers costs its timeout", redis_hangs),
    ("a Redis that refuses the password is degraded", redis_refuses),
    ("start succeeds without Redis, and monitors it as degraded", start_without),
    ("Redis over TLS gets the password only when its certificate is looked at", redis_tls),
    ("RabbitMQ is logged in to, and a wrong password is said", rabbit_password),
    ("a RabbitMQ that is down is degraded", rabbit_down),
];

fn redis_down() -> Result<()> {
    expect(&agent(), "start", 0)?;
    abiquo::redis().stop();
    expect_monitor("0", 0, "")?;
    // The webapp says 503, and the reason says why.
    expect_monitor(
        "10",
        190,
        &format!("webapp vsm: status 503; Redis 127.0.0.1:{}: connection refused", abiquo::REDIS),
    )?;
    expect_monitor("20", 190, "connection refused")?;
    expect_monitor_of(&agent().with_param("dependency_failure", "fail"), "20", 1, "connection refused")?;
    // Executors before Pacemaker 2.1 do not know 190.
    expect_monitor_of(&agent().with_param("crm_feature_set", "3.0.14"), "20", 0, "")?;
    abiquo::redis().start();
    soon("all is well again", || expect_monitor("20", 0, ""))?;
    expect(&agent(), "stop", 0).map(drop)
}

fn redis_hangs() -> Result<()> {
    expect(&agent(), "start", 0)?;
    abiquo::redis().signal(Signal::SIGSTOP);
    let (at_10, took_10) = timed(|| Ok(expect_monitor("10", 190, "Redis 127.0.0.1:")))?;
    let (at_20, took_20) = timed(|| Ok(expect_monitor("20", 190, "Redis 127.0.0.1:")))?;
    abiquo::redis().signal(Signal::SIGCONT);
    at_10?;
    at_20?;
    ensure!(took_10 < LONG && took_20 < LONG, "{took_10:?} {took_20:?}");
    soon("all is well again", || expect_monitor("20", 0, ""))?;
    expect(&agent(), "stop", 0).map(drop)
}

fn redis_refuses() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let good = abiquo::properties();
    abiquo::write_properties(0, &good.replace(abiquo::PASSWORD, "another"));
    expect_monitor("20", 190, "refuses: WRONGPASS")?;
    // Refused here is refused on every node: also with dependency_failure=fail nothing is to move.
    expect_monitor_of(&agent().with_param("dependency_failure", "fail"), "20", 190, "WRONGPASS")?;
    abiquo::write_properties(0, &good.replace(&format!("abiquo.redis.password = {}\n", abiquo::PASSWORD), ""));
    expect_monitor("20", 190, "refuses: NOAUTH")?;
    expect(&agent(), "stop", 0).map(drop)
}

fn start_without() -> Result<()> {
    abiquo::redis().stop();
    expect(&agent(), "start", 0)?;
    expect_monitor("10", 190, "connection refused")?;
    abiquo::redis().start();
    soon("all is well", || expect_monitor("20", 0, ""))?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn redis_tls() -> Result<()> {
    let folder = format!("{}/tls", abiquo::FOLDER);
    for ca in ["ours", "other"] {
        sh(&format!(
            "mkdir -p {folder}; cd {folder}; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={ca} -keyout {ca}.key \
             -out {ca}.pem -addext basicConstraints=critical,CA:TRUE 2>&1"
        ));
    }
    sh(&format!(
        "cd {folder}; openssl req -newkey rsa:2048 -nodes -subj /CN=redis -keyout redis.key -out redis.csr 2>&1; \
         printf 'subjectAltName=IP:127.0.0.1\\n' > names; \
         openssl x509 -req -days 2 -in redis.csr -CA ours.pem -CAkey ours.key -CAcreateserial -extfile names -out redis.pem 2>&1"
    ));
    let server = Daemon::new(6391, || {
        let mut command = std::process::Command::new("redis-server");
        command.args(["--port", "0", "--tls-port", "6391", "--bind", "127.0.0.1", "--requirepass", abiquo::PASSWORD]);
        command.args(["--tls-cert-file", "redis.pem", "--tls-key-file", "redis.key", "--tls-ca-cert-file", "ours.pem"]);
        command.args(["--tls-auth-clients", "no", "--save", ""]).current_dir(format!("{}/tls", abiquo::FOLDER));
        command
    });
    // The stand-ins speak no TLS: only the one that needs no Redis is asked.
    let agent = agent().with_param("webapps", "xas");
    let tls = abiquo::properties().replace("port = 6390", "port = 6391") + "abiquo.redis.tls = true\n";
    abiquo::write_properties(0, &tls);
    expect(&agent, "start", 0)?;
    let ours = agent.with_param("tls_ca", &format!("{folder}/ours.pem"));
    expect_monitor_of(&ours, "20", 0, "")?;
    let other = agent.with_param("tls_ca", &format!("{folder}/other.pem"));
    expect_monitor_of(&other, "20", 190, "certificate not accepted")?;
    // A wrong password is only seen by who sends it.
    abiquo::write_properties(0, &tls.replace(abiquo::PASSWORD, "another"));
    expect_monitor_of(&ours, "20", 190, "refuses: WRONGPASS")?;
    expect_monitor_of(&agent, "20", 0, "")?;
    server.stop();
    expect_monitor_of(&ours, "20", 190, "connection refused")?;
    expect(&agent, "stop", 0).map(drop)
}

fn rabbit_password() -> Result<()> {
    rabbit().start();
    // It listens before its users are there.
    soon("RabbitMQ is up", || {
        let out = sh("cat /run/abiquo/daemon-5690.log");
        ensure!(out.contains("completed with"), "{out}");
        Ok(())
    })?;
    abiquo::write_properties(0, &properties_with_rabbit("guest"));
    expect(&agent(), "start", 0)?;
    expect_monitor("20", 0, "")?;
    abiquo::write_properties(0, &properties_with_rabbit("t0psecret"));
    let run = expect(&agent().recurring().with("OCF_CHECK_LEVEL", "20"), "monitor", 190)?;
    ensure!(run.stderr.contains(&format!("RabbitMQ 127.0.0.1:{RABBIT} refuses: ACCESS_REFUSED")), "{run}");
    ensure!(!run.stderr.contains("t0psecret"), "the password: {run}");
    let text = properties_with_rabbit("guest") + "abiquo.rabbitmq.virtualHost = nowhere\n";
    abiquo::write_properties(0, &text);
    expect_monitor("20", 190, "refuses: NOT_ALLOWED")?;
    // Each question says good-bye: the server has seen no client get lost.
    let log = sh("cat /run/abiquo/daemon-5690.log");
    ensure!(!log.contains("closed unexpectedly") && !log.contains("connection_closed_abruptly"), "{log}");
    expect(&agent(), "stop", 0).map(drop)
}

fn rabbit_down() -> Result<()> {
    rabbit().start();
    abiquo::write_properties(0, &properties_with_rabbit("guest"));
    expect(&agent(), "start", 0)?;
    soon("all is well", || expect_monitor("20", 0, ""))?;
    rabbit().signal(Signal::SIGSTOP);
    let (hung, took) = timed(|| Ok(expect_monitor("20", 190, &format!("RabbitMQ 127.0.0.1:{RABBIT}: no answer in"))))?;
    rabbit().signal(Signal::SIGCONT);
    hung?;
    ensure!(took < LONG, "{took:?}");
    rabbit().stop();
    expect_monitor("10", 190, &format!("webapp vsm: status 503; RabbitMQ 127.0.0.1:{RABBIT}: connection refused"))?;
    expect(&agent(), "stop", 0).map(drop)
}
