//! What is lost by the active node alone makes the group move; what is lost by both is said, and moves nothing.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::SERVERS;
use crate::servers::REDIS;
use crate::site::{self, LIMIT, NOTICED};
use crate::support::abiquo_node::main_process;
use crate::support::lab::{Lab, Machine, wait_idle};
use crate::support::ovd;

/// The dampening of the attribute, and the cluster's answer to it.
const DAMPENED: Duration = Duration::from_secs(35);

/// In the short form what comes back is only looked at once: crm_simulate shows that nothing moves then.
fn wait_dampened() {
    if site::is_full() {
        std::thread::sleep(DAMPENED);
    }
}

pub fn lost_by_one(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    site::wait_published(lab, "ok")?;
    let (node, other) = (site::active(lab)?, site::passive(lab)?);
    SERVERS.hide_redis_from(node)?;
    let moved = (|| {
        let told = site::wait_reason(lab, 190, &format!("Redis {REDIS}"), NOTICED)?;
        let took = site::wait_active(lab, other, NOTICED)?;
        let failures = ovd::view(lab)?.failures;
        ensure!(failures.iter().all(|f| f.code == 190), "{failures:?}");
        Ok((told, took))
    })();
    SERVERS.show_redis_to(node)?;
    let (told, took) = moved?;
    eprintln!(
        "abiquo_cluster: Redis lost by the active node alone: told after {:.0} s, moved {:.0} s later",
        told.as_secs_f32(),
        took.as_secs_f32()
    );
    // Nothing moves back when the first node sees it again.
    site::wait_published(lab, "ok")?;
    wait_dampened();
    wait_idle(other, LIMIT)?;
    ensure!(site::active(lab)?.name() == other.name(), "it moved back");
    ovd::forget(lab)?;
    site::settled(lab)
}

pub fn lost_by_all(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    site::wait_published(lab, "ok")?;
    let node = site::active(lab)?;
    let before = main_process(node)?;
    SERVERS.stop_redis()?;
    let stays = (|| {
        site::wait_reason(lab, 190, &format!("Redis {REDIS}: connection refused"), NOTICED)?;
        site::wait_published(lab, "lost")?;
        std::thread::sleep(DAMPENED);
        wait_idle(node, LIMIT)?;
        let failures = ovd::view(lab)?.failures;
        ensure!(failures.iter().all(|f| f.code == 190), "{failures:?}");
        ensure!(site::active(lab)?.name() == node.name() && main_process(node)? == before, "something moved");
        // xas needs no Redis: its clients are served all the same.
        ensure!(site::answers(lab)?, "nobody is served");
        Ok(())
    })();
    SERVERS.start_redis()?;
    stays?;
    site::wait_published(lab, "ok")?;
    wait_dampened();
    ensure!(site::active(lab)?.name() == node.name() && main_process(node)? == before, "it moved when it came back");
    ovd::forget(lab)?;
    site::settled(lab)
}

pub fn router(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (node, other) = (site::active(lab)?, site::passive(lab)?);
    let route = |what| node.run(["ip", "route", what, "unreachable", "10.20.1.99/32"]);
    route("add")?;
    let moved = site::wait_active(lab, other, NOTICED);
    route("del")?;
    eprintln!("abiquo_cluster: router lost by the active node alone: moved after {:.0} s", moved?.as_secs_f32());
    // Its next questions, the clone's dampening, and the cluster's answer.
    std::thread::sleep(DAMPENED);
    wait_idle(other, LIMIT)?;
    ensure!(site::active(lab)?.name() == other.name(), "it moved back");
    let failures = ovd::view(lab)?.failures;
    ensure!(failures.is_empty(), "{failures:?}");
    site::settled(lab)
}
