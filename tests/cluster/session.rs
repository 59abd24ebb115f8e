//! The Session Manager: adopted, killed, hung, broken, upgraded.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::settled;
use crate::support::lab::{Lab, Machine, Node, VIP, wait_for, wait_idle};
use crate::support::{ovd, session_manager};

/// Several monitors of every depth, and a restart.
const HEALED: Duration = Duration::from_secs(45);

/// Apache's main process, as systemd knows it; 0 when there is none.
pub fn main_process(node: &Node) -> Result<String> {
    Ok(node.run(["systemctl", "show", "--property=MainPID", "--value", "apache2.service"])?.trim().to_owned())
}

/// The reasons that Pacemaker has recorded for a resource, with the exit codes.
fn reasons(lab: &Lab) -> Result<Vec<(i32, String)>> {
    let failures = ovd::view(lab)?.failures;
    let own = failures.into_iter().filter(|f| f.operation.starts_with(ovd::SESSION_MANAGER));
    Ok(own.map(|f| (f.code, f.reason)).collect())
}

/// How often Pacemaker has started a resource on a node since it booted. Its history forgets with every cleanup, its log does
/// not.
fn starts(node: &Node, id: &str) -> Result<String> {
    node.sh(&format!("grep -c 'Result of start operation for {id} on' /var/log/pacemaker/pacemaker.log || true"))
}

/// Breaks something on the active node; it has to heal there, with nothing else restarted, and be told as `reason`.
fn heals(lab: &Lab, reason: &str, limit: Duration, break_it: impl FnOnce(&Node) -> Result<()>) -> Result<()> {
    ovd::forget(lab)?;
    let node = ovd::active(lab)?;
    let before = main_process(node)?;
    let address = starts(node, ovd::VIRTUAL_IP)?;
    let meter = ovd::measure(lab)?;
    break_it(node)?;
    let begun = Instant::now();
    let restarted = || {
        let now = main_process(node)?;
        Ok(now != before && now != "0" && ovd::active(lab).is_ok())
    };
    wait_for(HEALED, "Apache to be started again", restarted)?;
    let took = begun.elapsed();
    wait_idle(node, HEALED)?;
    std::thread::sleep(Duration::from_millis(500));
    let outage = meter.stop()?;
    eprintln!("cluster: healed after {:.1} s; {outage}", took.as_secs_f32());
    let told = reasons(lab)?;
    ensure!(
        reason.is_empty() || told.iter().any(|(_, text)| text.contains(reason)),
        "nobody said {reason:?}: {told:?}"
    );
    ensure!(took < limit, "it took {took:?}");
    ensure!(ovd::active(lab)?.name() == node.name(), "the services moved");
    ensure!(starts(node, ovd::VIRTUAL_IP)? == address, "the virtual IP was restarted");
    ovd::forget(lab)?;
    settled(lab)
}

/// The cluster was introduced while Apache ran on both: the one with the data is not touched.
pub fn adopted(lab: &Lab) -> Result<()> {
    // Of two that run it keeps the one whose node it knows first, which is the coordinator's: most often, not always, osm1.
    let (node, other) = (ovd::active(lab)?, ovd::passive(lab)?);
    let noted = lab.shared().join(format!("apache-before-{}", node.name()));
    let before = std::fs::read_to_string(noted).context("nobody noted it")?;
    ensure!(main_process(node)? == before, "Apache was restarted when the cluster came");
    let link = node.run(["readlink", session_manager::CRON_LINK])?;
    ensure!(!link.trim().is_empty(), "the cron job does not run there");
    ensure!(main_process(other)? == "0", "Apache still runs on {}", other.name());
    settled(lab)
}

pub fn killed(lab: &Lab) -> Result<()> {
    heals(lab, "", Duration::from_secs(15), |node| node.run(["pkill", "-9", "--exact", "apache2"]).map(drop))
}

pub fn stopped(lab: &Lab) -> Result<()> {
    heals(lab, "are stopped (SIGSTOP)", Duration::from_secs(20), |node| {
        node.run(["pkill", "-STOP", "--exact", "apache2"]).map(drop)
    })
}

pub fn link_lost(lab: &Lab) -> Result<()> {
    heals(lab, "the cron job does not run", Duration::from_secs(15), |node| {
        node.run(["rm", session_manager::CRON_LINK]).map(drop)
    })
}

/// Errors that come with status 200: seen by depth 10, restarted in place, and given to the other node when that does not
/// help.
pub fn broken(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (node, other) = (ovd::active(lab)?, ovd::passive(lab)?);
    // Where the page has matched once: the monitors of depth 10 have run here for a while.
    session_manager::set_broken(node, true)?;
    let result = ovd::wait_active(lab, other, Duration::from_secs(150));
    session_manager::set_broken(node, false)?;
    let took = result?;
    let told = reasons(lab)?;
    ensure!(told.iter().any(|(code, text)| *code == 1 && text.contains("Internal error")), "{told:?}");
    eprintln!("cluster: a broken Session Manager was given up after {:.0} s", took.as_secs_f32());
    ovd::forget(lab)?;
    settled(lab)
}

/// A package upgrade on the passive node brings the cron link back there, and starts Apache.
pub fn upgraded(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (active, passive) = (ovd::active(lab)?, ovd::passive(lab)?);
    let before = main_process(active)?;
    // Early in a minute, so that the monitor has time before cron looks again.
    let second = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map(|t| t.as_secs() % 60);
    while !(5..30).contains(&second()?) {
        std::thread::sleep(Duration::from_millis(200));
    }
    let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    passive.run(["ln", "-sfT", session_manager::CRON_TABLE, session_manager::CRON_LINK])?;
    passive.run(["systemctl", "restart", "apache2.service"])?;
    std::thread::sleep(Duration::from_secs(70));
    let runs: Vec<_> = session_manager::cron_runs(lab)?.into_iter().filter(|(_, time)| *time >= begun).collect();
    ensure!((1..=2).contains(&runs.len()), "the job ran {runs:?}");
    ensure!(runs.iter().all(|(node, _)| node == active.name()), "the job ran elsewhere: {runs:?}");
    let minutes: std::collections::BTreeSet<u64> = runs.iter().map(|(_, time)| time / 60).collect();
    ensure!(minutes.len() == runs.len(), "the job ran twice in a minute: {runs:?}");
    ensure!(main_process(active)? == before && ovd::active(lab)?.name() == active.name(), "something moved");
    ensure!(ovd::failures(lab)?.is_empty(), "{:?}", ovd::failures(lab)?);
    let journal = passive.sh("journalctl -q -o short --no-pager | grep -F 'ovd-osm(session_manager)['")?;
    ensure!(journal.contains("belongs to the active node") && journal.contains("has not started it"), "{journal}");
    passive.run(["systemctl", "stop", "apache2.service"])?;
    settled(lab)
}

/// A move with a download running and with a client that never reads.
pub fn slow_clients(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (node, target) = (ovd::active(lab)?, ovd::passive(lab)?);
    let url = format!("http://{}:{}/ovd/slow?seconds=60", VIP, session_manager::PORT);
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = std::process::Command::new("nsenter");
        client.arg("--net=/run/netns/client").args(["curl", "-s", "-o", "/dev/null", "-m", "70", &url]);
        clients.push(client.spawn()?);
    }
    std::thread::sleep(Duration::from_millis(500));
    let meter = ovd::measure(lab)?;
    crate::moves::move_to(lab, target.name())?;
    let outage = meter.stop()?;
    for mut client in clients {
        let _ = client.kill();
        client.wait()?;
    }
    eprintln!("cluster: a move with slow clients: {outage}");
    ensure!(outage.longest < Duration::from_secs(15), "slow clients held the failover: {outage}");
    ensure!(main_process(node)? == "0", "Apache still runs on {}", node.name());
    ensure!(ovd::failures(lab)?.is_empty(), "{:?}", ovd::failures(lab)?);
    settled(lab)
}
