//! What start waits for, and what it says.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Body;
use crate::inside::*;
use crate::support::lab::{Machine, Node};

pub const TRIALS: &[(&str, Body)] = &[
    ("start_waits_for_systemd_and_finds_the_processes", start_waits_for_systemd_and_finds_the_processes),
    ("units_that_cannot_start_are_told_apart", units_that_cannot_start_are_told_apart),
    ("many_starts_in_a_row_are_not_refused", many_starts_in_a_row_are_not_refused),
    ("a_start_that_takes_too_long_is_cancelled", a_start_that_takes_too_long_is_cancelled),
    ("an_active_unit_without_a_process_is_started", an_active_unit_without_a_process_is_started),
    ("start_works_without_a_bus", start_works_without_a_bus),
    ("a_unit_that_is_masked_while_it_runs_is_told", a_unit_that_is_masked_while_it_runs_is_told),
    ("looking_is_cheap", looking_is_cheap),
];

fn start_waits_for_systemd_and_finds_the_processes(node: &Node) -> Result<()> {
    ensure!(well(node, &["processes", UNIT])?.text.is_empty());
    for _ in 0..3 {
        let said = well(node, &["start", UNIT])?;
        ensure!(said.text.contains("Some(\"/system.slice/apache2.service\")"), "{}", said.text);
        is_up(node)?;
        // Until Apache has started all its workers.
        std::thread::sleep(Duration::from_millis(1500));
        let seen = well(node, &["processes", UNIT])?.text;
        let mut pids: Vec<i32> = seen.split(' ').map(|pid| pid.trim_end_matches('*').parse().unwrap()).collect();
        let mut judged = judged(node)?;
        pids.sort_unstable();
        judged.sort_unstable();
        ensure!(pids == judged, "{pids:?} {judged:?}");
        let main = shown(node, "MainPID")?;
        ensure!(seen.split(' ').filter(|pid| pid.ends_with('*')).eq([format!("{main}*")]), "{seen}, main {main}");
        // Again: nothing happens.
        let again = well(node, &["start", UNIT])?;
        ensure!(again.text == said.text && shown(node, "MainPID")? == main && again.took < Duration::from_secs(3));
        let stop = well(node, &["stop", UNIT])?;
        ensure!(stop.text == "true 0" && stop.took < Duration::from_millis(2900), "{stop:?}");
        is_down(node)?;
    }
    ensure!(well(node, &["stop", UNIT])?.text == "false 0");
    Ok(())
}

fn units_that_cannot_start_are_told_apart(node: &Node) -> Result<()> {
    ensure!(well(node, &["exists", UNIT])?.text == "true");
    ensure!(well(node, &["exists", "nothing.service"])?.text == "false");
    refused(node, &["start", "nothing.service"], "start nothing.service: there is no such unit")?;
    ensure!(well(node, &["stop", "nothing.service"])?.text == "false 0");
    for wrong in ["../x.service", "", "apache2", "system.slice"] {
        ensure!(!call(node, &["start", wrong])?.ok && well(node, &["stop", wrong])?.text == "false 0", "{wrong}");
    }

    node.run(["systemctl", "mask", UNIT])?;
    ensure!(well(node, &["exists", UNIT])?.text == "false");
    refused(node, &["start", UNIT], "start apache2.service: it is masked: systemctl unmask apache2.service")?;
    ensure!(well(node, &["stop", UNIT])?.text == "false 0");
    node.run(["systemctl", "unmask", UNIT])?;

    node.write_file("/etc/apache2/conf-enabled/trial.conf", "Nonsense on\n", 0o644)?;
    let said =
        refused(node, &["start", UNIT], "start apache2.service: job failed: exit-code (apachectl: exit code 1)")?;
    ensure!(said.took < Duration::from_secs(10));
    ensure!(well(node, &["stop", UNIT])?.text == "false 0");
    is_down(node)?;
    node.run(["rm", "/etc/apache2/conf-enabled/trial.conf"])?;

    unit(node, "[Service]\nExecStart=nonsense/relative\n")?;
    refused(node, &["start", "trial.service"], "systemd cannot read it (bad-setting)")?;
    unit(node, "[Service]\nExecStart=/bin/sh -c 'kill -9 $$$$'\nType=oneshot\n")?;
    refused(node, &["start", "trial.service"], "job failed: signal (sh: killed by signal 9)")?;
    Ok(())
}

fn many_starts_in_a_row_are_not_refused(node: &Node) -> Result<()> {
    // systemd's limit: five within ten seconds.
    for _ in 0..8 {
        well(node, &["start", UNIT])?;
        well(node, &["stop", UNIT])?;
    }
    is_down(node)
}

fn a_start_that_takes_too_long_is_cancelled(node: &Node) -> Result<()> {
    drop_in(node, "[Service]\nExecStartPre=/bin/sleep 60\n")?;
    let said = refused(node, &["start", UNIT, "0", "1500"], "job cancelled")?;
    ensure!(said.took < Duration::from_secs(8), "{said:?}");
    ensure!(node.run(["systemctl", "list-jobs", "--no-legend"])?.trim().is_empty(), "a job is left");
    let stop = well(node, &["stop", UNIT, "500"])?;
    ensure!(stop.took < Duration::from_secs(10), "{stop:?}");
    is_down(node)?;
    ensure!(!node.output(["pgrep", "-x", "sleep"])?.ok());
    Ok(())
}

fn an_active_unit_without_a_process_is_started(node: &Node) -> Result<()> {
    // As units are that systemd makes from LSB scripts.
    drop_in(node, "[Service]\nRemainAfterExit=yes\n")?;
    well(node, &["start", UNIT])?;
    node.sh("pkill -TERM -o -x apache2; sleep 1.5; [ $(systemctl show -P SubState apache2) = exited ]")?;
    ensure!(judged(node)?.is_empty());
    well(node, &["start", UNIT])?;
    is_up(node)?;
    well(node, &["stop", UNIT])?;
    is_down(node)
}

fn start_works_without_a_bus(node: &Node) -> Result<()> {
    node.run(["mv", "/run/dbus/system_bus_socket", "/run/dbus/away"])?;
    let result = without_a_bus(node);
    node.run(["mv", "/run/dbus/away", "/run/dbus/system_bus_socket"])?;
    result
}

fn without_a_bus(node: &Node) -> Result<()> {
    for _ in 0..2 {
        let said = well(node, &["start", UNIT])?;
        ensure!(said.text.contains("Some(\"/system.slice/apache2.service\")"), "{}", said.text);
    }
    is_up(node)?;
    ensure!(well(node, &["locate", UNIT])?.text.contains("Some(\"/system.slice/apache2.service\")"));
    ensure!(well(node, &["stop", UNIT])?.text == "true 0");
    is_down(node)?;
    refused(node, &["start", "nothing.service"], "nothing.service not found")?;
    node.run(["mv", "/run/systemd/private", "/run/systemd/private.away"])?;
    let refused = refused(node, &["start", UNIT], "connect to the system bus: No such file");
    let stopped = well(node, &["stop", UNIT]);
    node.run(["mv", "/run/systemd/private.away", "/run/systemd/private"])?;
    refused?;
    ensure!(stopped?.text == "false 0");
    Ok(())
}

fn a_unit_that_is_masked_while_it_runs_is_told(node: &Node) -> Result<()> {
    well(node, &["start", UNIT])?;
    ensure!(well(node, &["masked", UNIT])?.text == "false");
    for runtime in ["--runtime", "--quiet"] {
        node.run(["systemctl", "mask", runtime, UNIT])?;
        let masked = well(node, &["masked", UNIT]);
        let seen = well(node, &["processes", UNIT]);
        node.run(["systemctl", "unmask", runtime, UNIT])?;
        ensure!(masked?.text == "true" && !seen?.text.is_empty(), "{runtime}");
    }
    ensure!(well(node, &["masked", "nothing.service"])?.text == "false");
    well(node, &["stop", UNIT])?;
    Ok(())
}

fn looking_is_cheap(node: &Node) -> Result<()> {
    well(node, &["start", UNIT])?;
    is_up(node)?;
    let said = well(node, &["cost", UNIT])?;
    eprintln!("processes(): {} us for {} processes", said.took.as_micros() / 100, judged(node)?.len());
    ensure!(said.took < Duration::from_secs(5), "{:?} for a hundred", said.took);
    Ok(())
}
