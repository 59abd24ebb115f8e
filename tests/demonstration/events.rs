//! What goes wrong in real life, and what is to come of it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::support::lab::{Lab, Machine, Outage, VIP, wait_for, wait_idle};
use crate::support::ovd;

/// Long enough for two monitor intervals.
const HEALED: Duration = Duration::from_secs(45);
const TAKEN_OVER: Duration = Duration::from_secs(60);
const RETURNED: Duration = Duration::from_secs(90);

/// Something that happens to the active node.
pub struct Event {
    /// What happens.
    pub what: &'static str,
    /// Does it, and waits until it is over.
    act: fn(&Lab) -> Result<()>,
    /// Whether the services are to be on the other node afterwards.
    moves: bool,
}

/// What came of an event.
pub struct Row {
    pub what: &'static str,
    pub took: Duration,
    pub outage: Outage,
    pub active: (String, String),
    pub source: String,
    pub recorded: Vec<String>,
}

/// The events, in order: each leaves the cluster whole for the next.
pub const EVENTS: &[Event] = &[
    Event { what: "planned move", act: planned_move, moves: true },
    Event { what: "nft flush ruleset", act: flush, moves: false },
    Event { what: "virtual IP deleted", act: lose_address, moves: false },
    Event { what: "active node loses power", act: lose_node, moves: true },
    Event { what: "it returns", act: node_returns, moves: false },
];

impl Event {
    /// Lets it happen and measures what a client and a server see.
    pub fn run(&self, lab: &Lab) -> Result<Row> {
        let before = ovd::active(lab)?.name().to_owned();
        let meter = lab.measure(VIP)?;
        let begun = Instant::now();
        (self.act)(lab)?;
        let took = begun.elapsed();
        // The client's view lags behind by the announcement of the address.
        std::thread::sleep(Duration::from_millis(500));
        let outage = meter.stop()?;
        let active = ovd::active(lab)?;
        let moved = active.name() != before;
        ensure!(moved == self.moves, "the services were on {before} and are on {} now", active.name());
        let rules = ovd::rules(active)?;
        ensure!(rules == 1, "{} has {rules} rules", active.name());
        let source = ovd::source_of(lab, active)?;
        ensure!(source == VIP.to_string(), "a server sees {source}");
        let recorded = ovd::recorded(&ovd::view(lab)?);
        let row = Row { what: self.what, took, outage, active: (before, active.name().to_owned()), source, recorded };
        if self.what != "active node loses power" {
            ovd::forget(lab)?;
        }
        Ok(row)
    }
}

fn planned_move(lab: &Lab) -> Result<()> {
    let target = ovd::passive(lab)?;
    lab.node("pcs3").run(["pcs", "resource", "move", ovd::VIRTUAL_IP, &target.cluster_name()])?;
    ovd::wait_active(lab, target, TAKEN_OVER)?;
    wait_idle(target, TAKEN_OVER)
}

fn flush(lab: &Lab) -> Result<()> {
    let node = ovd::active(lab)?;
    node.run(["nft", "flush", "ruleset"])?;
    wait_for(HEALED, "the rules to be back", || Ok(ovd::rules(node)? == 1))?;
    wait_idle(node, HEALED)
}

fn lose_address(lab: &Lab) -> Result<()> {
    let node = ovd::active(lab)?;
    node.run(["ip", "address", "del", "10.20.1.10/24", "dev", "eth0"])?;
    let back = || Ok(node.run(["ip", "-j", "address", "show", "to", "10.20.1.10"])?.contains("eth0"));
    wait_for(HEALED, "the address to be back", back)?;
    wait_idle(node, HEALED)
}

fn lose_node(lab: &Lab) -> Result<()> {
    let (victim, heir) = (ovd::active(lab)?, ovd::passive(lab)?);
    victim.kill()?;
    ovd::wait_active(lab, heir, TAKEN_OVER)?;
    let fenced = || Ok(ovd::view(lab)?.times_fenced(victim) > 0);
    wait_for(TAKEN_OVER, "the fencing to be recorded", fenced).map(|_| ())
}

fn node_returns(lab: &Lab) -> Result<()> {
    ovd::wait_all_online(lab, RETURNED)?;
    wait_idle(ovd::active(lab)?, RETURNED)
}
