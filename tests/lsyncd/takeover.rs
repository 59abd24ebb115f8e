//! The other node has taken over, and nobody has told this one: its lsyncd goes on.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{
    ATTIC, STATE, agent, await_idle, await_monitor, await_there, expect, expect_monitor, file, main_process,
    nothing_left, there, write,
};
use crate::support::lsyncd_host::{self as pair, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("what a node pushes after a takeover is refused, said, and not tried for ever", refused),
    ("without the other node's say its newer files would be gone", overwritten),
];

/// The agent on the other host, from which this one cannot be reached.
struct Other;

impl Other {
    fn act(action: &str) -> Result<()> {
        let [one, other] = pair::folders(0).map(|folder| folder.display().to_string());
        let agent = "/srv/.peer/ovd-lsyncd";
        sh(&format!(
            "nsenter -t {} -m -p -n env OCF_ROOT=/ OCF_RESOURCE_INSTANCE=lsyncd OCF_RESKEY_CRM_meta_timeout=40000 \
             HA_LOGFACILITY=none OCF_RESKEY_peer={} OCF_RESKEY_folders={one},{other} OCF_RESKEY_manage_cron=no \
             OCF_RESKEY_delay=1s bash -ec 'ln -sf {} {agent}; {agent} {action} 2>&1'",
            pair::sshd(),
            pair::OWN,
            pair::PROGRAM,
        ));
        Ok(())
    }

    fn start() -> Result<Self> {
        Self::act("start").map(|()| Self)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = Self::act("stop");
    }
}

/// This node is active, and the other one has taken over; each has written the same file since.
fn take_over() -> Result<Other> {
    write("x", "of both");
    expect(&agent(), "start", 0)?;
    await_there("x", "of both");
    await_idle();
    await_monitor(&agent(), "10", 0, "")?;
    let stamp = || fs::read_to_string(pair::there(format!("{ATTIC}/stamp"))).unwrap_or_default();
    pair::wait_for("the other node to know that it has everything", || stamp().contains("\"epoch\":1"));
    let other = Other::start()?;
    ensure!(stamp().contains("\"epoch\":2,\"kind\":\"source\""), "it has not taken over: {}", stamp());
    Ok(other)
}

fn logins() -> usize {
    fs::read_to_string(format!("{}/sshd.log", pair::FOLDER)).unwrap_or_default().matches("Accepted publickey").count()
}

fn refused() -> Result<()> {
    let other = take_over()?;
    let before = main_process();
    fs::write(pair::there(file("x")), "newer, of the other")?;
    write("x", "older, of this");
    write("y", "of this");
    await_monitor(&agent(), "0", 190, "has newer data (here epoch 1), nothing is pushed")?;
    expect_monitor(&agent(), "10", 190, "has newer data (epoch 2, here 1), nothing is pushed: move the service there")?;
    let (tries, asked) = (fs::read_to_string(format!("{STATE}/pushed.1"))?, logins());
    ensure!(!tries.starts_with("1\n0"), "the last push was a good one: {tries}");
    for n in 0..8 {
        write("x", &format!("older, of this, number {n}"));
        write(&format!("y{n}"), "of this");
        std::thread::sleep(Duration::from_millis(500));
    }
    ensure!(logins() == asked, "{} logins to be refused once more", logins() - asked);
    expect_monitor(&agent(), "0", 190, "has newer data")?;
    ensure!(main_process() == before, "restarted");
    expect(&agent(), "stop", 0)?;
    ensure!(there("x").as_deref() == Some("newer, of the other"), "overwritten: {:?}", there("x"));
    ensure!(there("y").is_none() && there("y7").is_none(), "files of this node are there");
    drop(other);
    nothing_left()
}

/// The test of the test: the same with an answer as a version without the guard gives it.
fn overwritten() -> Result<()> {
    let other = take_over()?;
    let memory = format!("{STATE}/peer");
    let text = fs::read_to_string(&memory)?;
    ensure!(text.contains("\"guards\":true"), "{text}");
    fs::write(&memory, text.replace("\"guards\":true", "\"guards\":false"))?;
    fs::write(pair::there(file("x")), "newer, of the other")?;
    write("x", "older, of this");
    await_there("x", "older, of this");
    expect(&agent(), "stop", 0)?;
    drop(other);
    nothing_left()
}
