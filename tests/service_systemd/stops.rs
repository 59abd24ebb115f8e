//! What stop copes with.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Body;
use crate::inside::*;
use crate::support::lab::{Machine, Node, wait_for};

pub const TRIALS: &[(&str, Body)] = &[
    ("a_download_may_finish_or_is_cut", a_download_may_finish_or_is_cut),
    ("stopped_processes_are_killed_at_once", stopped_processes_are_killed_at_once),
    ("workers_of_a_dead_main_process_are_swept", workers_of_a_dead_main_process_are_swept),
    ("a_unit_that_restarts_itself_stays_down", a_unit_that_restarts_itself_stays_down),
    ("stop_works_without_systemd", stop_works_without_systemd),
    ("a_systemd_that_hangs_holds_nobody_for_long", a_systemd_that_hangs_holds_nobody_for_long),
    ("a_unit_in_another_slice_is_found", a_unit_in_another_slice_is_found),
    ("a_unit_that_ignores_signals_is_killed", a_unit_that_ignores_signals_is_killed),
];

/// A client that reads 64 MB in about a second, or in half a minute.
fn download(node: &Node, rate: &str) -> Result<()> {
    let command = format!("curl -s --limit-rate {rate} -o /tmp/large -w '%{{size_download}}' http://127.0.0.1/large");
    node.sh(&format!(
        "rm -f /tmp/large /tmp/size; ({command} > /tmp/size 2>/dev/null; true) >/dev/null 2>&1 & sleep 0.4"
    ))?;
    Ok(())
}

fn downloaded(node: &Node) -> Result<u64> {
    node.sh("for i in $(seq 50); do [ -s /tmp/size ] && break; sleep 0.1; done; cat /tmp/size")?
        .trim()
        .parse()
        .map_err(Into::into)
}

fn a_download_may_finish_or_is_cut(node: &Node) -> Result<()> {
    well(node, &["start", UNIT])?;
    is_up(node)?;
    download(node, "50M")?;
    let said = well(node, &["stop", UNIT])?;
    is_down(node)?;
    ensure!(downloaded(node)? == 64 << 20 && said.text == "true 0", "{} of 64 MB", downloaded(node)?);

    well(node, &["start", UNIT])?;
    is_up(node)?;
    download(node, "2M")?;
    let said = well(node, &["stop", UNIT, "1000"])?;
    ensure!(said.took > Duration::from_millis(1000) && said.took < Duration::from_secs(8), "{said:?}");
    ensure!(said.text.starts_with("true ") && said.text != "true 0", "{said:?}");
    ensure!(downloaded(node)? < 64 << 20);
    is_down(node)
}

fn stopped_processes_are_killed_at_once(node: &Node) -> Result<()> {
    for who in ["-o", ""] {
        well(node, &["start", UNIT])?;
        is_up(node)?;
        node.sh(&format!("pkill -STOP {who} -x apache2"))?;
        let said = well(node, &["stop", UNIT])?;
        ensure!(said.took < Duration::from_millis(2900), "{said:?}");
        is_down(node)?;
    }
    Ok(())
}

fn workers_of_a_dead_main_process_are_swept(node: &Node) -> Result<()> {
    // With KillMode=process systemd leaves them.
    for mode in ["mixed", "process"] {
        drop_in(node, &format!("[Service]\nKillMode={mode}\nRestart=no\n"))?;
        well(node, &["start", UNIT])?;
        is_up(node)?;
        node.sh("pkill -KILL -o -x apache2; sleep 0.3")?;
        eprintln!("{mode}: {} left by systemd", judged(node)?.len());
        let said = well(node, &["stop", UNIT])?;
        ensure!(said.took < Duration::from_millis(2900), "{said:?}");
        is_down(node)?;
        well(node, &["start", UNIT])?;
        is_up(node)?;
        well(node, &["stop", UNIT])?;
        is_down(node)?;
    }
    Ok(())
}

fn a_unit_that_restarts_itself_stays_down(node: &Node) -> Result<()> {
    for delay in ["0", "100ms", "2s"] {
        drop_in(node, &format!("[Service]\nRestart=always\nRestartSec={delay}\nStartLimitIntervalSec=0\n"))?;
        well(node, &["start", UNIT])?;
        is_up(node)?;
        well(node, &["stop", UNIT])?;
        is_down(node)?;
        well(node, &["start", UNIT])?;
        is_up(node)?;
        download(node, "2M")?;
        well(node, &["stop", UNIT, "300"])?;
        is_down(node)?;
        // A restart that systemd plans while nothing runs.
        well(node, &["start", UNIT])?;
        is_up(node)?;
        node.sh("pkill -KILL -x apache2")?;
        well(node, &["stop", UNIT])?;
        is_down(node)?;
        std::thread::sleep(Duration::from_millis(2500));
        is_down(node)?;
    }
    Ok(())
}

fn stop_works_without_systemd(node: &Node) -> Result<()> {
    let away = "mv /run/systemd/private /run/systemd/private.away; mv /run/dbus/system_bus_socket /run/dbus/away";
    let back = "mv /run/systemd/private.away /run/systemd/private; mv /run/dbus/away /run/dbus/system_bus_socket";
    // An `ExecStop=` that takes its time must not be killed: that would count as a crash, and be answered by a restart.
    let slow = "ExecStop=\nExecStop=/bin/sleep 2\n";
    for (restart, stopping, comes_back) in [("on-abort", "", false), ("on-abort", slow, false), ("always", "", true)] {
        drop_in(node, &format!("[Service]\nRestart={restart}\n{stopping}"))?;
        well(node, &["start", UNIT])?;
        is_up(node)?;
        node.sh(away)?;
        let said = call(node, &["stop", UNIT]);
        node.sh(back)?;
        let said = said?;
        if comes_back {
            ensure!(!said.ok && said.text.contains("systemd restarts it"), "{said:?}");
        } else {
            ensure!(said.ok && said.text == "true 0", "{said:?}");
            std::thread::sleep(Duration::from_millis(500));
            is_down(node)?;
        }
    }
    Ok(())
}

fn a_systemd_that_hangs_holds_nobody_for_long(node: &Node) -> Result<()> {
    well(node, &["claim", UNIT])?;
    well(node, &["start", UNIT])?;
    is_up(node)?;
    let first = Pid::from_raw(node.leader_pid()?.cast_signed());
    kill(first, Signal::SIGSTOP)?;
    let start = call(node, &["start", "trial.service", "0", "1500"]);
    let stop = call(node, &["stop", UNIT]);
    let left = judged(node);
    kill(first, Signal::SIGCONT)?;
    let (start, stop) = (start?, stop?);
    ensure!(!start.ok && start.took < Duration::from_secs(8), "{start:?}");
    ensure!(stop.ok && stop.text == "true 0" && stop.took < Duration::from_secs(15) && left?.is_empty(), "{stop:?}");
    wait_for(Duration::from_secs(20), "systemd agrees", || Ok(is_down(node).is_ok()))?;
    well(node, &["start", UNIT])?;
    is_up(node)
}

fn a_unit_in_another_slice_is_found(node: &Node) -> Result<()> {
    drop_in(node, "[Service]\nSlice=web-site.slice\n")?;
    let said = well(node, &["start", UNIT])?;
    ensure!(said.text.contains("/web.slice/web-site.slice/apache2.service"), "{}", said.text);
    is_up(node)?;
    ensure!(well(node, &["locate", UNIT])?.text == said.text);
    download(node, "50M")?;
    let said = well(node, &["stop", UNIT])?;
    ensure!(said.text == "true 0" && downloaded(node)? == 64 << 20, "{said:?}");
    is_down(node)?;
    ensure!(well(node, &["locate", UNIT])?.text.contains("None"));
    Ok(())
}

fn a_unit_that_ignores_signals_is_killed(node: &Node) -> Result<()> {
    unit(node, "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM WINCH HUP; while :; do sleep 0.2; done'\n")?;
    well(node, &["start", "trial.service"])?;
    std::thread::sleep(Duration::from_millis(200));
    let said = well(node, &["stop", "trial.service", "500"])?;
    ensure!(said.took > Duration::from_millis(500) && said.took < Duration::from_secs(8), "{said:?}");
    ensure!(shown_of(node, "trial.service", "ActiveState")? == "failed");
    Ok(())
}
