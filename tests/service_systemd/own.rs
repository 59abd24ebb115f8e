//! A program of our own as a transient unit. Judges: systemctl, pgrep, /proc.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Body;
use crate::inside::*;
use crate::support::lab::{Machine, Node, wait_for};

pub const TRIALS: &[(&str, Body)] = &[
    ("a_program_of_our_own_is_a_unit_while_it_runs", a_program_of_our_own_is_a_unit_while_it_runs),
    ("its_children_end_with_it", its_children_end_with_it),
    ("one_that_ends_at_once_says_why", one_that_ends_at_once_says_why),
    ("one_that_failed_before_is_no_obstacle", one_that_failed_before_is_no_obstacle),
    ("one_that_does_not_listen_is_killed_and_forgotten", one_that_does_not_listen_is_killed_and_forgotten),
    ("another_command_line_replaces_the_first", another_command_line_replaces_the_first),
    ("a_start_that_is_killed_is_repaired", a_start_that_is_killed_is_repaired),
    ("a_unit_file_of_that_name_is_refused", a_unit_file_of_that_name_is_refused),
    ("our_own_works_without_a_bus", our_own_works_without_a_bus),
    ("our_own_stops_with_a_systemd_that_hangs", our_own_stops_with_a_systemd_that_hangs),
    ("strangers_are_told", strangers_are_told),
    ("at_shutdown_pacemaker_goes_first", at_shutdown_pacemaker_goes_first),
];

const OWN: &str = "trial-own.service";
const DAEMON: &str = "/root/daemon";

/// How the program inside is told of it.
fn own(arguments: &[&str]) -> String {
    [&["own", OWN, DAEMON], arguments].concat().join("\t")
}

/// Writes the daemon and takes away what an earlier trial left.
fn daemon(node: &Node, body: &str) -> Result<()> {
    node.sh(&format!(
        "{{ systemctl kill -s KILL {OWN}; systemctl stop {OWN}; systemctl reset-failed {OWN}; }} 2>/dev/null || true
        rm -f /root/told"
    ))?;
    node.write_file(DAEMON, format!("#!/bin/sh\n{body}\n"), 0o755)?;
    Ok(())
}

fn main_of(node: &Node) -> Result<i32> {
    Ok(shown_of(node, OWN, "MainPID")?.parse()?)
}

/// Nothing of it is left, in systemd's memory neither.
fn is_gone(node: &Node) -> Result<()> {
    let state = ["LoadState", "ActiveState"].map(|property| shown_of(node, OWN, property));
    let [load, active] = state;
    let (load, active) = (load?, active?);
    ensure!(load == "not-found" && active == "inactive", "{load} {active}");
    let left = node.output(["pgrep", "-f", "-r", "R,S,D,T,t", "^(/bin/sh )?/root/daemon|^sleep 300"])?.stdout;
    ensure!(left.is_empty(), "left: {left}");
    ensure!(node.run(["systemctl", "list-jobs", "--no-legend"])?.trim().is_empty(), "a job is left");
    Ok(())
}

fn a_program_of_our_own_is_a_unit_while_it_runs(node: &Node) -> Result<()> {
    // A command line that systemd might take for something else.
    let odd = ["a b", "$HOME", "${HOME}", "100%", "%n", "back\\slash", "", "\"", "'", ";"];
    daemon(node, "while :; do sleep 0.05; done")?;
    let own = own(&odd);
    ensure!(well(node, &["processes", &own])?.text.is_empty());
    ensure!(well(node, &["stop", &own])?.text == "false 0");
    for _ in 0..8 {
        let said = well(node, &["start", &own])?;
        ensure!(said.text.contains("Some(\"/system.slice/trial-own.service\")"), "{}", said.text);
        let main = main_of(node)?;
        let seen = well(node, &["processes", &own])?.text;
        ensure!(seen.split(' ').filter(|pid| pid.ends_with('*')).eq([format!("{main}*")]), "{seen}, main {main}");
        let line = node.run(["cat", &format!("/proc/{main}/cmdline")])?;
        let words: Vec<&str> = line.split_terminator('\0').collect();
        ensure!(words == [&["/bin/sh", DAEMON], odd.as_slice()].concat(), "{words:?}");
        // Again: nothing happens.
        let again = well(node, &["start", &own])?;
        ensure!(main_of(node)? == main && again.took < Duration::from_secs(3), "{again:?}");
        let stop = well(node, &["stop", &own])?;
        ensure!(stop.text == "true 0" && stop.took < Duration::from_millis(2900), "{stop:?}");
        is_gone(node)?;
    }
    ensure!(well(node, &["at-boot", &own])?.text.is_empty() && well(node, &["claim", &own])?.text == "false");
    Ok(())
}

fn its_children_end_with_it(node: &Node) -> Result<()> {
    daemon(
        node,
        "trap 'echo told > /root/told; exit 0' TERM\nsleep 300 &\nsetsid sleep 300 &\nwhile :; do sleep 0.05; done",
    )?;
    let own = own(&[]);
    for (graceful, told) in [("3000", true), ("0", false)] {
        node.run(["rm", "-f", "/root/told"])?;
        well(node, &["start", &own])?;
        wait_for(Duration::from_secs(20), "children", || {
            Ok(well(node, &["processes", &own])?.text.split(' ').count() >= 4)
        })?;
        let said = well(node, &["stop", &own, graceful])?;
        ensure!(said.text.ends_with(" 0") == told && said.took < Duration::from_millis(2900), "{said:?}");
        is_gone(node)?;
        ensure!(node.output(["test", "-e", "/root/told"])?.ok() == told);
        // The main process dies: the others with it, or with the next start.
        well(node, &["start", &own])?;
        node.run(["kill", "-KILL", &main_of(node)?.to_string()])?;
        let first = well(node, &["start", &own])?;
        ensure!(node.run(["pgrep", "-c", "-f", "^/bin/sh /root/daemon"])?.trim() == "1", "{first:?}");
        well(node, &["stop", &own])?;
        is_gone(node)?;
    }
    Ok(())
}

fn one_that_ends_at_once_says_why(node: &Node) -> Result<()> {
    let own = own(&["-x"]);
    for (body, reason) in [
        (
            "echo starting; echo 'cannot open /etc/x: no such file' >&2; exit 7",
            "it ended at once: cannot open /etc/x: no such file (exit-code (daemon: exit code 7))",
        ),
        ("exit 7", "it ended at once: exit-code (daemon: exit code 7)"),
        ("kill -9 $$", "it ended at once: signal (daemon: killed by signal 9)"),
        ("exit 0", "it ended at once: exit code 0"),
        ("sleep 300 & exit 3", "it ended at once: exit-code (daemon: exit code 3)"),
    ] {
        daemon(node, body)?;
        let said = refused(node, &["start", &own], &format!("start {OWN}: {reason}"))?;
        ensure!(said.took < Duration::from_secs(8), "{said:?}");
        is_gone(node)?;
    }
    node.write_file(DAEMON, "#!/nowhere/interpreter\n", 0o755)?;
    refused(node, &["start", &own], "it ended at once: ")?;
    is_gone(node)?;
    node.run(["rm", DAEMON])?;
    refused(node, &["start", &own], "start trial-own.service: there is no program /root/daemon")?;
    Ok(())
}

fn one_that_failed_before_is_no_obstacle(node: &Node) -> Result<()> {
    daemon(node, "while :; do sleep 0.05; done")?;
    let own = own(&[]);
    for _ in 0..8 {
        well(node, &["start", &own])?;
        node.run(["kill", "-KILL", &main_of(node)?.to_string()])?;
        wait_for(Duration::from_secs(20), "failed", || Ok(shown_of(node, OWN, "ActiveState")? == "failed"))?;
    }
    ensure!(well(node, &["processes", &own])?.text.is_empty());
    ensure!(well(node, &["stop", &own])?.text == "false 0");
    is_gone(node)
}

fn one_that_does_not_listen_is_killed_and_forgotten(node: &Node) -> Result<()> {
    daemon(node, "trap '' TERM HUP\nwhile :; do sleep 0.05; done")?;
    let own = own(&[]);
    well(node, &["start", &own])?;
    std::thread::sleep(Duration::from_millis(200));
    let said = well(node, &["stop", &own, "500"])?;
    ensure!(said.took > Duration::from_millis(500) && said.took < Duration::from_secs(8), "{said:?}");
    is_gone(node)?;
    // One that is stopped is not waited for, neither by stop nor by start.
    well(node, &["start", &own])?;
    let first = main_of(node)?;
    node.run(["kill", "-STOP", &first.to_string()])?;
    well(node, &["start", &own])?;
    ensure!(main_of(node)? != first);
    node.run(["kill", "-STOP", &main_of(node)?.to_string()])?;
    let said = well(node, &["stop", &own])?;
    ensure!(said.took < Duration::from_millis(2900), "{said:?}");
    // systemd is on its way to end it when a start comes.
    well(node, &["start", &own])?;
    let second = main_of(node)?;
    node.run(["systemctl", "stop", "--no-block", OWN])?;
    std::thread::sleep(Duration::from_millis(200));
    ensure!(shown_of(node, OWN, "ActiveState")? == "deactivating");
    well(node, &["start", &own])?;
    ensure!(main_of(node)? != second && shown_of(node, OWN, "ActiveState")? == "active");
    well(node, &["stop", &own, "0"])?;
    is_gone(node)
}

fn another_command_line_replaces_the_first(node: &Node) -> Result<()> {
    daemon(node, "while :; do sleep 0.05; done")?;
    well(node, &["start", &own(&["first"])])?;
    well(node, &["start", &own(&["second"])])?;
    ensure!(node.run(["pgrep", "-c", "-f", "^/bin/sh /root/daemon"])?.trim() == "1");
    ensure!(node.run(["cat", &format!("/proc/{}/cmdline", main_of(node)?)])?.contains("second"));
    well(node, &["stop", &own(&["third"])])?;
    is_gone(node)
}

fn a_start_that_is_killed_is_repaired(node: &Node) -> Result<()> {
    daemon(node, "while :; do sleep 0.05; done")?;
    let own = own(&[]);
    for round in 0..16 {
        let after = f64::from(round + 1) * 0.0015;
        node.write_file("/root/words", &own, 0o644)?;
        node.sh(&format!(
            "timeout -s KILL {after:.3}s {PROGRAM} {MARK} start \"$(cat /root/words)\" >/dev/null || true"
        ))?;
        if round % 2 == 0 {
            well(node, &["start", &own])?;
            ensure!(node.run(["pgrep", "-c", "-f", "^/bin/sh /root/daemon"])?.trim() == "1", "round {round}");
            // A stop that is killed.
            node.sh(&format!(
                "timeout -s KILL {after:.3}s {PROGRAM} {MARK} stop \"$(cat /root/words)\" >/dev/null || true"
            ))?;
        }
        well(node, &["stop", &own, "0"])?;
        is_gone(node)?;
    }
    Ok(())
}

fn a_unit_file_of_that_name_is_refused(node: &Node) -> Result<()> {
    daemon(node, "while :; do sleep 0.05; done")?;
    node.write_file(&format!("/run/systemd/system/{OWN}"), "[Service]\nExecStart=/bin/sleep 300\n", 0o644)?;
    node.run(["systemctl", "daemon-reload"])?;
    let result = refused(node, &["start", &own(&[])], "trial-own.service was already loaded or has a fragment file");
    node.run(["rm", &format!("/run/systemd/system/{OWN}")])?;
    node.run(["systemctl", "daemon-reload"])?;
    ensure!(result?.took < Duration::from_secs(8));
    well(node, &["start", &own(&[])])?;
    well(node, &["stop", &own(&[])])?;
    is_gone(node)
}

fn our_own_works_without_a_bus(node: &Node) -> Result<()> {
    daemon(node, "[ \"$1\" = '$HOME' ] || exit 9\nwhile :; do sleep 0.05; done")?;
    let own = own(&["$HOME"]);
    node.run(["mv", "/run/dbus/system_bus_socket", "/run/dbus/away"])?;
    let result = (|| {
        for _ in 0..2 {
            let said = well(node, &["start", &own])?;
            ensure!(said.text.contains("Some(\"/system.slice/trial-own.service\")"), "{}", said.text);
        }
        let before = shown_of(node, OWN, "Before")?;
        ensure!(before.contains("pacemaker.service") && before.contains("pacemaker_remote.service"), "{before}");
        node.run(["kill", "-KILL", &main_of(node)?.to_string()])?;
        well(node, &["start", &own])?;
        ensure!(well(node, &["stop", &own])?.text == "true 0");
        is_gone(node)
    })();
    node.run(["mv", "/run/dbus/away", "/run/dbus/system_bus_socket"])?;
    result
}

fn our_own_stops_with_a_systemd_that_hangs(node: &Node) -> Result<()> {
    daemon(node, "while :; do sleep 0.05; done")?;
    let own = own(&[]);
    well(node, &["start", &own])?;
    let first = Pid::from_raw(node.leader_pid()?.cast_signed());
    kill(first, Signal::SIGSTOP)?;
    let stop = call(node, &["stop", &own]);
    let start = call(node, &["start", &own, "0", "1500"]);
    kill(first, Signal::SIGCONT)?;
    let (stop, start) = (stop?, start?);
    ensure!(stop.ok && stop.text == "true 0" && stop.took < Duration::from_secs(15), "{stop:?}");
    ensure!(!start.ok && start.took < Duration::from_secs(8), "{start:?}");
    wait_for(Duration::from_secs(20), "systemd agrees", || {
        Ok(node.run(["systemctl", "list-jobs", "--no-legend"])?.trim().is_empty())
    })?;
    well(node, &["start", &own])?;
    well(node, &["stop", &own])?;
    is_gone(node)
}

fn strangers_are_told(node: &Node) -> Result<()> {
    daemon(node, "while :; do sleep 0.05; done")?;
    let own = own(&[]);
    well(node, &["start", &own])?;
    ensure!(well(node, &["others", &own, "daemon"])?.text.is_empty());
    node.run(["systemd-run", "--unit=stranger", DAEMON])?;
    wait_for(Duration::from_secs(20), "the stranger", || {
        Ok(well(node, &["others", &own, "daemon"])?.text == shown_of(node, "stranger.service", "MainPID")?)
    })?;
    well(node, &["stop", &own])?;
    ensure!(!well(node, &["others", &own, "daemon"])?.text.is_empty());
    node.run(["systemctl", "stop", "stranger.service"])?;
    ensure!(well(node, &["others", &own, "daemon"])?.text.is_empty());
    is_gone(node)
}

fn at_shutdown_pacemaker_goes_first(node: &Node) -> Result<()> {
    daemon(node, "while :; do sleep 0.05; done")?;
    well(node, &["start", &own(&[])])?;
    let before = shown_of(node, OWN, "Before")?;
    ensure!(["pacemaker.service", "pacemaker_remote.service", "shutdown.target"].iter().all(|u| before.contains(u)));
    ensure!(shown_of(node, OWN, "Conflicts")?.contains("shutdown.target"));
    ensure!(shown_of(node, OWN, "KillMode")? == "mixed" && shown_of(node, OWN, "Restart")? == "no");
    // A unit in Pacemaker's place, whose stop shows whether ours still runs: ours is told to stop meanwhile.
    let pacemaker = "/run/systemd/system/pacemaker.service";
    node.write_file(
        pacemaker,
        "[Service]\nExecStart=/bin/sleep 400\n\
         ExecStop=/bin/sh -c 'sleep 0.3; systemctl show -P ActiveState,SubState trial-own > /root/seen; \
         pgrep -f /root/daemon >> /root/seen'\n",
        0o644,
    )?;
    node.run(["systemctl", "daemon-reload"])?;
    let result = (|| {
        node.run(["systemctl", "start", "pacemaker.service"])?;
        let main = main_of(node)?;
        node.run(["systemctl", "stop", "pacemaker.service", OWN])?;
        let seen = node.run(["cat", "/root/seen"])?;
        ensure!(seen.lines().any(|line| line == main.to_string()), "{seen}, main {main}");
        is_gone(node)
    })();
    node.run(["rm", "-f", pacemaker])?;
    node.run(["systemctl", "daemon-reload"])?;
    result
}
