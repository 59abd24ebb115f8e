//! The protocol, asked where ctdbd can run: the questions of `conformance`, ocf-tester, and SIGKILL.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::fixture::Fixture;
use crate::site::{is_full, node};
use crate::{Body, Question, broken, cycle, nothing_left, wanted};

pub const TRIALS: &[(&str, Body)] = &[
    ("the protocol in a resource's life", || ask(cycle::QUESTIONS)),
    ("the protocol with wrong parameters", || ask(broken::QUESTIONS)),
    ("a start or stop that was killed can be repaired", repaired),
    ("ocf-tester passes", ocf_tester),
];

/// Asked otherwise here (`life`), and where a process is cheap (`conformance`).
const ELSEWHERE: [&str; 2] = ["a monitor of depth 0 starts no process", broken::HOSTILE.0];

fn ask(questions: &[Question]) -> Result<()> {
    let fixture = Fixture::new();
    for (name, question) in questions.iter().filter(|(name, _)| !ELSEWHERE.contains(name)) {
        if let Err(why) = question(&fixture) {
            bail!("{name}: {why}");
        }
    }
    Ok(())
}

/// A start takes ten seconds, so it is killed eight times and a stop four times, each at another moment; the long form kills more.
fn repaired() -> Result<()> {
    let one = node(0);
    for (action, times, whole) in [("start", 8, 11_000_u64), ("stop", 4, 3_000)] {
        let times = if is_full() { times * 4 } else { times };
        for n in 0..times {
            if action == "stop" {
                wanted(&one.agent(), "start", 0)?;
            }
            let mut child = one.agent().begin(action);
            std::thread::sleep(Duration::from_millis(whole * (n * 5 % times) / times));
            // The whole group at once, as Pacemaker does when the time is up. It may have ended by itself.
            let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
            child.wait()?;
            // Either repair must do: a start over the remains, or a stop of them.
            if n % 4 == 0 {
                wanted(&one.agent(), "start", 0)?;
                wanted(&one.agent().recurring(), "monitor", 0)?;
            }
            wanted(&one.agent(), "stop", 0)?;
            nothing_left(one)?;
        }
    }
    Ok(())
}

fn ocf_tester() -> Result<()> {
    let one = node(0);
    // With the timeout: the tester gives an action none, and the agent then takes the usual 20 s.
    let env = one.agent().env;
    let options = env.iter().map(|(name, value)| format!("-o {}={value}", name.trim_start_matches("OCF_RESKEY_")));
    let options: Vec<String> = options.collect();
    let line = format!("OCF_ROOT=/usr/lib/ocf ocf-tester -n tested {} /mnt/agents/ofs-ctdb 2>&1", options.join(" "));
    let (_, said) = one.try_sh(&line);
    ensure!(said.contains("passed all tests"), "{said}");
    nothing_left(one)
}
