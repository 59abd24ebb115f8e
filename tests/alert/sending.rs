//! Mail: encryption, login, what it says, and what goes wrong.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::node::{CONFIG, FAILED, LOST, alert, alert_says, begin, configure, raise, secret, wait_is};
use crate::post::{CA, PASSWORD, Post, USER};
use crate::{Body, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("a failure becomes one mail, over STARTTLS and with a login", starttls),
    ("TLS from the first byte, none at all, and a recipient of the cluster", other_ways),
    ("a server that somebody else certifies gets nothing", other_ca),
    ("a wrong password is said and not shown, and the mail goes when it is mended", wrong_password),
    ("a configuration that others may read or that is wrong is refused, and the event waits", refused),
    ("a server that says nothing holds nobody for long", hangs),
    ("what went well is told to nobody", successes),
];

const SECRET: &str = "/etc/inuvika-ha/mail.secret";
pub const SHORT: Duration = Duration::from_secs(6);

/// A configuration for the server, events not gathered.
pub fn config(more: &str) -> String {
    format!("gather = 0\nevery = 0\n[mail]\nhost = \"localhost\"\nfrom = \"Cluster <c@example.com>\"\n{more}\n")
}

pub fn plain() -> String {
    config("tls = \"none\"\nto = \"ops@example.com\"")
}

fn with_login() -> String {
    config(&format!(
        "ca = \"{CA}\"\nusername = \"{USER}\"\npassword_file = \"{SECRET}\"\nto = [\"ops@example.com\", \"b@example.com\"]"
    ))
}

fn starttls() -> Result<()> {
    let post = Post::start()?;
    secret(SECRET, &format!("{PASSWORD}\n"))?;
    configure(&with_login())?;
    let when = [("timestamp_epoch", "1700000000"), ("timestamp_usec", "5")];
    raise(FAILED, &when, SHORT)?;
    // One for each of the two mailboxes.
    let mail = post.mails(2)?.remove(0);
    ensure!(mail.header("Received").contains(" with esmtpsa "), "no TLS or no login: {}", mail.text);
    ensure!(
        mail.header("To").contains("ops@example.com") && mail.header("To").contains("b@example.com"),
        "{}",
        mail.text
    );
    ensure!(
        mail.header("Subject").ends_with("] session_manager on osm1.priv: monitor failed (1, error)"),
        "{}",
        mail.text
    );
    ensure!(mail.header("Auto-Submitted") == "auto-generated", "{}", mail.text);
    for part in
        ["monitor every 10 s, result 1 instead of 0, took 21 ms", "pcs resource cleanup session_manager", "2023-11-1"]
    {
        ensure!(mail.body().contains(part), "no {part} in {}", mail.text);
    }
    wait_is(0)
}

fn other_ways() -> Result<()> {
    let post = Post::start()?;
    configure(&config(&format!("tls = \"implicit\"\nca = \"{CA}\"\nto = \"ops@example.com\"")))?;
    alert_says(&["test"], 0, "the mail server has taken a mail to ops@example.com\n")?;
    let mail = post.mail()?;
    ensure!(mail.header("Received").contains(" with esmtps "), "{}", mail.text);
    ensure!(mail.header("Subject").contains("test message from"), "{}", mail.text);

    configure(&plain())?;
    raise(LOST, &[("recipient", "anna@example.com")], SHORT)?;
    let mail = post.mail()?;
    ensure!(mail.header("Received").contains(" with esmtp "), "{}", mail.text);
    ensure!(mail.header("Envelope-to") == "anna@example.com", "{}", mail.text);
    ensure!(mail.header("Subject").ends_with("node osm1.priv is lost"), "{}", mail.text);
    // Pacemaker's recipient of a configuration of its own.
    fs::rename(CONFIG, "/etc/inuvika-ha/night.toml")?;
    raise(FAILED, &[("recipient", "/etc/inuvika-ha/night.toml")], SHORT)?;
    post.mail().map(|_| ())
}

fn other_ca() -> Result<()> {
    let post = Post::start()?;
    for (ca, said) in [
        ("ca = \"/run/mail/other.pem\"", "certificate not accepted: it is not signed by the given CA certificates"),
        ("", "certificate not accepted"),
        ("ca = \"/run/mail/none.pem\"", "read CA certificates /run/mail/none.pem: No such file"),
    ] {
        configure(&config(&format!("tls = \"implicit\"\n{ca}\nto = \"ops@example.com\"")))?;
        alert_says(&["test"], 1, &format!("localhost:465: {said}"))?;
    }
    // Encryption is not given up because the server does not offer it.
    drop(post);
    let listener = TcpListener::bind("127.0.0.1:587")?;
    let server = std::thread::spawn(move || bare_server(&listener));
    configure(&config("to = \"ops@example.com\""))?;
    alert_says(&["test"], 1, "localhost:587: ")?;
    let heard = server.join().unwrap_or_default();
    ensure!(!heard.contains("MAIL"), "sent without encryption: {heard}");
    Ok(())
}

/// A server without STARTTLS; what it heard.
fn bare_server(listener: &TcpListener) -> String {
    use std::io::{Read, Write};
    let Ok((mut stream, _)) = listener.accept() else { return "nobody came".into() };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(3)));
    let _ = stream.write_all(b"220 bare ESMTP\r\n");
    let mut heard = String::new();
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        heard.push_str(&String::from_utf8_lossy(&buffer[..length]));
        let _ = stream.write_all(b"250 bare\r\n");
    }
    heard
}

fn wrong_password() -> Result<()> {
    let post = Post::start()?;
    secret(SECRET, "hunter2\n")?;
    configure(&with_login())?;
    raise(FAILED, &[], SHORT)?;
    wait_is(1)?;
    alert_says(&["check"], 0, "tried 1 times: mail server localhost:587: refused (535)")?;
    let output = alert(&["flush"])?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let kept = sh_text("cat /var/spool/inuvika-ha/memory /var/spool/inuvika-ha/queue/*")?;
    ensure!(!format!("{output:?}{kept}").contains("hunter2"), "the password is shown: {output:?} {kept}");
    // The timer leaves the server alone for a while.
    alert_says(&["flush", "--due"], 0, "")?;
    ensure!(kept_count()? == 2, "asked again too early");
    secret(SECRET, &format!("{PASSWORD}\n"))?;
    alert_says(&["flush"], 0, "1 sent, 0 wait\n")?;
    post.mails(2)?;
    wait_is(0)
}

/// How often the server was asked in vain, as `alert check` says.
fn kept_count() -> Result<usize> {
    let text = String::from_utf8(alert(&["check"])?.stdout)?;
    let count =
        text.split("tried ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|number| number.parse().ok());
    count.ok_or_else(|| anyhow::anyhow!("no trouble in {text}"))
}

fn sh_text(script: &str) -> Result<String> {
    let output = std::process::Command::new("bash").args(["-euc", script]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn refused() -> Result<()> {
    let post = Post::start()?;
    alert_says(&["check"], 2, "/etc/inuvika-ha/alert.toml: is not there")?;
    configure(&plain())?;
    sh(&format!("chmod 644 {CONFIG}"))?;
    alert_says(&["check"], 2, "alert.toml: may be read by others: chown hacluster:haclient")?;
    raise(FAILED, &[], SHORT)?;
    sh(&format!("chown daemon {CONFIG}; chmod 600 {CONFIG}"))?;
    alert_says(&["check"], 2, "hacluster may not read it: chown hacluster:haclient")?;
    raise(FAILED, &[], SHORT)?;
    configure(&plain().replace("localhost", "local host"))?;
    alert_says(&["check"], 2, "alert.toml:4:8: mail.host: \"local host\" is not allowed")?;
    raise(FAILED, &[], SHORT)?;
    wait_is(3)?;
    post.mails(0)?;
    configure(&plain())?;
    alert_says(&["flush", "--due"], 0, "3 sent, 0 wait\n")?;
    ensure!(post.mail()?.body().contains("times      3,"), "not one mail for all");
    // Whoever refuses a recipient for good is said.
    alert_says(&["test", "nobody@example.com"], 1, "refused (550): no such user here")?;
    alert_says(&["test", "hook"], 2, "alert.toml: has no [hook]")
}

fn hangs() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:25")?;
    configure(&plain())?;
    raise(FAILED, &[], Duration::from_secs(15))?;
    wait_is(1)?;
    drop(listener);
    let _post = Post::start()?;
    alert_says(&["flush"], 0, "1 sent, 0 wait\n")
}

fn successes() -> Result<()> {
    let post = Post::start()?;
    configure(&plain())?;
    raise(FAILED, &[("rc", "0"), ("desc", "ok")], SHORT)?;
    raise(FAILED, &[("interval", "0"), ("rc", "7"), ("target_rc", "7")], SHORT)?;
    post.mails(0)?;
    wait_is(0)?;
    configure(&format!("resources = \"all\"\n{}", plain()))?;
    raise(FAILED, &[("rc", "0"), ("desc", "ok")], SHORT)?;
    ensure!(post.mail()?.header("Subject").ends_with("session_manager on osm1.priv: monitor ok"), "other subject");
    // No event, no message.
    let output = begin(&[], &[])?.wait_with_output()?;
    ensure!(output.status.code() == Some(2) && !output.stderr.is_empty(), "{output:?}");
    Ok(())
}
