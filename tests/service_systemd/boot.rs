//! What the cluster takes over from systemd, and gives back.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Body;
use crate::inside::*;
use crate::support::lab::{Machine, Node, wait_for};

pub const TRIALS: &[(&str, Body)] = &[
    ("claim_takes_effect_and_release_undoes_it", claim_takes_effect_and_release_undoes_it),
    ("a_release_with_a_busy_systemd_takes_effect", a_release_with_a_busy_systemd_takes_effect),
    ("a_claimed_unit_is_not_restarted", a_claimed_unit_is_not_restarted),
    ("a_claim_that_was_killed_halfway_is_completed", a_claim_that_was_killed_halfway_is_completed),
    ("a_unit_that_starts_at_boot_is_told", a_unit_that_starts_at_boot_is_told),
];

const FOLDER: &str = "/run/systemd/system/apache2.service.d";

fn claim_takes_effect_and_release_undoes_it(node: &Node) -> Result<()> {
    drop_in(node, "[Service]\nRestart=always\n")?;
    // A unit that runs: systemd forgets others, and reads their files again when they are asked for.
    well(node, &["start", UNIT])?;
    claim_and_release(node)?;
    node.run(["mv", "/run/dbus/system_bus_socket", "/run/dbus/away"])?;
    let result = claim_and_release(node);
    node.run(["mv", "/run/dbus/away", "/run/dbus/system_bus_socket"])?;
    result
}

fn claim_and_release(node: &Node) -> Result<()> {
    ensure!(well(node, &["claim", UNIT])?.text == "true");
    ensure!(shown(node, "Restart")? == "no");
    let before = shown(node, "Before")?;
    ensure!(before.contains("pacemaker.service") && before.contains("pacemaker_remote.service"), "{before}");
    ensure!(node.run(["stat", "-c", "%a", &format!("{FOLDER}/zz-inuvika-ha.conf")])?.trim() == "644");
    ensure!(well(node, &["claim", UNIT])?.text == "false");
    well(node, &["release", UNIT])?;
    ensure!(!node.output(["test", "-e", FOLDER])?.ok(), "the folder is left");
    wait_for(Duration::from_secs(20), "systemd reads its files", || Ok(shown(node, "Restart")? == "always"))?;
    ensure!(shown(node, "NeedDaemonReload")? == "no");
    well(node, &["release", UNIT])?;

    // Somebody else's drop-in stays.
    node.write_file(&format!("{FOLDER}/other.conf"), "[Service]\nRestart=on-failure\n", 0o644)?;
    well(node, &["claim", UNIT])?;
    well(node, &["release", UNIT])?;
    ensure!(node.run(["ls", "-A", FOLDER])?.trim() == "other.conf");
    node.run(["rm", "-r", FOLDER])?;
    node.run(["systemctl", "daemon-reload"])?;
    well(node, &["release", "../x.service"])?;
    refused(node, &["claim", "../x.service"], "not the name of a service unit")?;
    Ok(())
}

fn a_release_with_a_busy_systemd_takes_effect(node: &Node) -> Result<()> {
    well(node, &["start", UNIT])?;
    well(node, &["claim", UNIT])?;
    let first = Pid::from_raw(node.leader_pid()?.cast_signed());
    kill(first, Signal::SIGSTOP)?;
    let thaw = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        kill(first, Signal::SIGCONT)
    });
    let release = call(node, &["release", UNIT]);
    thaw.join().unwrap()?;
    ensure!(release?.ok);
    wait_for(Duration::from_secs(20), "systemd reads its files", || Ok(shown(node, "Restart")? == "on-abort"))?;

    // One that hangs is not waited for.
    well(node, &["claim", UNIT])?;
    kill(first, Signal::SIGSTOP)?;
    let release = call(node, &["release", UNIT]);
    kill(first, Signal::SIGCONT)?;
    let release = release?;
    ensure!(!release.ok && release.took < Duration::from_secs(8), "{release:?}");
    Ok(())
}

fn a_claimed_unit_is_not_restarted(node: &Node) -> Result<()> {
    drop_in(node, "[Service]\nRestart=always\nRestartSec=0\n")?;
    well(node, &["claim", UNIT])?;
    well(node, &["start", UNIT])?;
    is_up(node)?;
    node.sh("pkill -KILL -x apache2; sleep 1")?;
    is_down(node)
}

fn a_claim_that_was_killed_halfway_is_completed(node: &Node) -> Result<()> {
    drop_in(node, "[Service]\nRestart=always\n")?;
    well(node, &["start", UNIT])?;
    well(node, &["claim", UNIT])?;
    let file = format!("{FOLDER}/zz-inuvika-ha.conf");
    node.sh(&format!("cp {file} /root/saved; rm {file}; systemctl daemon-reload; cp /root/saved {file}"))?;
    ensure!(shown(node, "Restart")? == "always");
    ensure!(well(node, &["claim", UNIT])?.text == "false");
    ensure!(shown(node, "Restart")? == "no");
    Ok(())
}

fn a_unit_that_starts_at_boot_is_told(node: &Node) -> Result<()> {
    node.run(["systemctl", "disable", UNIT])?;
    ensure!(well(node, &["at-boot", UNIT])?.text.is_empty());
    node.run(["systemctl", "enable", UNIT])?;
    let said = well(node, &["at-boot", UNIT])?.text;
    node.run(["systemctl", "disable", UNIT])?;
    ensure!(said == "apache2.service starts at boot: systemctl disable apache2.service", "{said}");
    ensure!(well(node, &["at-boot", UNIT])?.text.is_empty());
    Ok(())
}
