//! The spool: servers that are down, bursts, the pace, processes that are killed.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::node::{self, FAILED, LOST, alert_says, begin, configure, raise, wait_is};
use crate::post::Post;
use crate::sending::{SHORT, plain};
use crate::{Body, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("what a dead server does not take waits and is sent once", down),
    ("a burst is one mail", burst),
    ("mails keep a distance", pace),
    ("a killed agent leaves its event to the next", killed),
    ("without a spool the event is told at once", no_spool),
    ("a file gets a line for each event", file),
    ("what is too old is dropped, and damage does no harm", old),
];

fn down() -> Result<()> {
    configure(&plain())?;
    raise(FAILED, &[], SHORT)?;
    raise(LOST, &[], SHORT)?;
    wait_is(2)?;
    alert_says(&["check"], 0, "tried 1 times: mail server localhost:25: connection refused")?;
    alert_says(&["flush"], 1, "localhost:25: connection refused")?;
    let post = Post::start()?;
    alert_says(&["flush"], 0, "2 sent, 0 wait\n")?;
    let mail = post.mail()?;
    ensure!(mail.header("Subject").ends_with("node osm1.priv is lost, 2 events"), "{}", mail.text);
    alert_says(&["flush"], 0, "0 sent, 0 wait\n")?;
    post.mails(0).map(|_| ())
}

fn burst() -> Result<()> {
    let post = Post::start()?;
    configure(&plain().replace("gather = 0", "gather = 2"))?;
    let mut children = Vec::new();
    for number in 0..30 {
        children.push(begin(FAILED, &[("rsc", &format!("web{number}"))])?);
    }
    for child in children {
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{output:?}");
    }
    let mail = post.mail()?;
    ensure!(mail.header("Subject").ends_with(", 30 events"), "{}", mail.header("Subject"));
    for number in 0..30 {
        ensure!(mail.body().contains(&format!("web{number} on osm1.priv: monitor")), "web{number} is missing");
    }
    wait_is(0)
}

fn pace() -> Result<()> {
    let post = Post::start()?;
    configure(&plain().replace("every = 0", "every = 6"))?;
    raise(FAILED, &[], SHORT)?;
    post.mail()?;
    // Longer than a moment, so the second waits for its time in the agent itself.
    raise(FAILED, &[], Duration::from_secs(9))?;
    post.mail()?;
    configure(&plain().replace("every = 0", "every = 600"))?;
    raise(FAILED, &[], SHORT)?;
    raise(LOST, &[], SHORT)?;
    wait_is(2)?;
    alert_says(&["flush", "--due"], 0, "")?;
    post.mails(0)?;
    alert_says(&["flush"], 0, "2 sent, 0 wait\n")?;
    post.mail().map(|_| ())
}

fn killed() -> Result<()> {
    let post = Post::start()?;
    configure(&plain().replace("gather = 0", "gather = 10"))?;
    let mut child = begin(FAILED, &[])?;
    while node::waiting() == 0 {
        ensure!(child.try_wait()?.is_none(), "ended without keeping the event");
        sleep(Duration::from_millis(10));
    }
    child.kill()?;
    child.wait()?;
    post.mails(0)?;
    alert_says(&["flush"], 0, "1 sent, 0 wait\n")?;
    post.mail().map(|_| ())
}

fn no_spool() -> Result<()> {
    let post = Post::start()?;
    configure(&plain())?;
    sh("rm -r /var/spool/inuvika-ha")?;
    alert_says(&["check"], 1, "systemd-tmpfiles --create makes it")?;
    raise(FAILED, &[], Duration::from_secs(12))?;
    post.mail().map(|_| ())
}

fn file() -> Result<()> {
    configure("gather = 0\n[file]\npath = \"/var/log/inuvika-ha/alerts.json\"\n")?;
    raise(FAILED, &[], SHORT)?;
    raise(LOST, &[], SHORT)?;
    let text = std::fs::read_to_string("/var/log/inuvika-ha/alerts.json")?;
    let lines: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(
        lines.len() == 2 && lines[0]["kind"] == "resource" && lines[1]["headline"] == "node osm1.priv is lost",
        "{text}"
    );
    wait_is(0)?;
    // A link leads nowhere.
    sh("rm /var/log/inuvika-ha/alerts.json; ln -s /etc/passwd /var/log/inuvika-ha/alerts.json")?;
    raise(LOST, &[], SHORT)?;
    wait_is(1)
}

fn old() -> Result<()> {
    configure(&format!("keep = 1\n{}", plain()))?;
    raise(FAILED, &[], SHORT)?;
    wait_is(1)?;
    // As if it had been written two hours ago.
    sh(&format!(
        "cd {}; python3 -I -c 'import json, glob
for name in glob.glob(\"*.json\"):
    record = json.load(open(name))
    record[\"seen\"] -= 7200000
    json.dump(record, open(name, \"w\"))'; printf '{{' >1.json; printf x >/var/spool/inuvika-ha/memory",
        node::QUEUE
    ))?;
    let post = Post::start()?;
    alert_says(&["flush"], 0, "0 sent, 0 wait\n")?;
    post.mails(0)?;
    raise(FAILED, &[], SHORT)?;
    post.mail().map(|_| ())
}
