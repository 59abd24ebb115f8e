//! The services change nodes.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::support::lab::{Lab, Machine, VIP, wait_for, wait_idle};
use crate::support::ovd;
use crate::{is_full, settled};

const LIMIT: Duration = Duration::from_secs(90);

pub fn there_and_back(lab: &Lab) -> Result<()> {
    let mut longest = Duration::ZERO;
    // There and back is two moves.
    let moves = if is_full() { 20 } else { 4 };
    for _ in 0..moves {
        let target = ovd::passive(lab)?;
        let meter = ovd::measure(lab)?;
        move_to(lab, target.name())?;
        longest = longest.max(meter.stop()?.longest);
        ensure!(ovd::active(lab)?.name() == target.name(), "the services did not move");
        settled(lab)?;
    }
    eprintln!("cluster: longest outage of {moves} moves: {:.2} s", longest.as_secs_f32());
    let failures = ovd::failures(lab)?;
    ensure!(failures.is_empty(), "{failures:?}");
    Ok(())
}

/// Moves both resources to a node and takes the preference away again.
pub fn move_to(lab: &Lab, name: &str) -> Result<()> {
    let target = lab.node(name);
    let to = target.cluster_name();
    target.run(["crm_resource", "--move", "--resource", ovd::VIRTUAL_IP, "--node", &to])?;
    ovd::wait_active(lab, target, LIMIT)?;
    wait_idle(target, LIMIT)?;
    target.run(["crm_resource", "--clear", "--resource", ovd::VIRTUAL_IP])?;
    wait_idle(target, LIMIT)
}

pub fn killed(lab: &Lab) -> Result<()> {
    let times = if is_full() { 10 } else { 2 };
    for _ in 0..times {
        ovd::forget(lab)?;
        let (victim, heir) = (ovd::active(lab)?, ovd::passive(lab)?);
        let meter = ovd::measure(lab)?;
        victim.kill()?;
        ovd::wait_active(lab, heir, LIMIT)?;
        std::thread::sleep(Duration::from_millis(500));
        eprintln!("cluster: {} killed: {}", victim.name(), meter.stop()?);
        ensure!(ovd::rules(heir)? == 1 && ovd::source_of(lab, heir)? == VIP.to_string());
        wait_for(LIMIT, "the fencing to be recorded", || Ok(ovd::view(lab)?.times_fenced(victim) > 0))?;
        ovd::wait_all_online(lab, LIMIT)?;
        wait_idle(heir, LIMIT)?;
        ensure!(ovd::active(lab)?.name() == heir.name(), "the services moved back");
        settled(lab)?;
    }
    Ok(())
}
