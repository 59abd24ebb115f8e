//! What goes wrong in real life, and what is to come of it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::support::lab::{Database, Lab, Machine, Outage, VIP, wait_for, wait_idle};
use crate::support::writer::Writer;
use crate::support::{lsyncd, ovd};

/// Long enough for two monitor intervals.
const HEALED: Duration = Duration::from_secs(45);
const TAKEN_OVER: Duration = Duration::from_secs(60);
const RETURNED: Duration = Duration::from_secs(90);

/// Both nodes have noticed, the attribute's dampening is over, and the cluster has acted.
const WEIGHED: Duration = Duration::from_secs(90);

/// The cluster and what it depends on.
pub struct Farm<'a> {
    pub lab: &'a Lab,
    pub database: &'a Database,
    /// Keeps sessions all the time.
    pub writer: &'a Writer,
}

/// Sessions that the client keeps around each event.
const SESSIONS: usize = 50;

/// Something that happens to the active node.
pub struct Event {
    /// What happens.
    pub what: &'static str,
    /// Does it, and waits until it is over.
    act: fn(&Farm) -> Result<()>,
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
    /// Sessions acknowledged so far, and how many of them the active node has.
    pub sessions: (usize, usize),
    pub recorded: Vec<String>,
}

/// The events, in order: each leaves the cluster whole for the next.
pub const EVENTS: &[Event] = &[
    Event { what: "planned move", act: planned_move, moves: true },
    Event { what: "nft flush ruleset", act: flush, moves: false },
    Event { what: "virtual IP deleted", act: lose_address, moves: false },
    Event { what: "kill -9 of Apache", act: kill_apache, moves: false },
    Event { what: "Apache hangs (SIGSTOP)", act: stop_apache, moves: false },
    Event { what: "lsyncd hangs (SIGSTOP)", act: stop_lsyncd, moves: false },
    Event { what: "database stopped", act: stop_database, moves: false },
    Event { what: "database lost by active node", act: hide_database, moves: true },
    Event { what: "active node loses power", act: lose_node, moves: true },
    Event { what: "it returns", act: node_returns, moves: false },
];

impl Event {
    /// Lets it happen and measures what a client and a server see.
    pub fn run(&self, farm: &Farm) -> Result<Row> {
        let lab = farm.lab;
        let before = ovd::active(lab)?.name().to_owned();
        farm.writer.more(SESSIONS);
        farm.writer.wait(SESSIONS / 2, HEALED)?;
        let meter = ovd::measure(lab)?;
        let begun = Instant::now();
        (self.act)(farm)?;
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
        farm.writer.wait(0, HEALED)?;
        let kept = farm.writer.kept();
        let missing = lsyncd::missing(&kept, &lsyncd::hashes(active)?, active)?;
        let sessions = (kept.len(), kept.len() - missing.len());
        let recorded = ovd::recorded(&ovd::view(lab)?);
        let row = Row {
            what: self.what,
            took,
            outage,
            active: (before, active.name().to_owned()),
            source,
            sessions,
            recorded,
        };
        if self.what != "active node loses power" {
            ovd::forget(lab)?;
        }
        Ok(row)
    }
}

fn planned_move(farm: &Farm) -> Result<()> {
    let lab = farm.lab;
    let target = ovd::passive(lab)?;
    lab.node("pcs3").run(["pcs", "resource", "move", ovd::VIRTUAL_IP, &target.cluster_name()])?;
    ovd::wait_active(lab, target, TAKEN_OVER)?;
    wait_idle(target, TAKEN_OVER)
}

fn flush(farm: &Farm) -> Result<()> {
    let lab = farm.lab;
    let node = ovd::active(lab)?;
    node.run(["nft", "flush", "ruleset"])?;
    wait_for(HEALED, "the rules to be back", || Ok(ovd::rules(node)? == 1))?;
    wait_idle(node, HEALED)
}

fn lose_address(farm: &Farm) -> Result<()> {
    let lab = farm.lab;
    let node = ovd::active(lab)?;
    node.run(["ip", "address", "del", "10.20.1.10/24", "dev", "eth0"])?;
    let back = || Ok(node.run(["ip", "-j", "address", "show", "to", "10.20.1.10"])?.contains("eth0"));
    wait_for(HEALED, "the address to be back", back)?;
    wait_idle(node, HEALED)
}

fn lose_node(farm: &Farm) -> Result<()> {
    let lab = farm.lab;
    let (victim, heir) = (ovd::active(lab)?, ovd::passive(lab)?);
    victim.kill()?;
    ovd::wait_active(lab, heir, TAKEN_OVER)?;
    let fenced = || Ok(ovd::view(lab)?.times_fenced(victim) > 0);
    wait_for(TAKEN_OVER, "the fencing to be recorded", fenced).map(|_| ())
}

fn node_returns(farm: &Farm) -> Result<()> {
    let lab = farm.lab;
    ovd::wait_all_online(lab, RETURNED)?;
    wait_idle(ovd::active(lab)?, RETURNED)?;
    let returned = ovd::passive(lab)?;
    wait_for(RETURNED, "a whole copy on the returned node", || Ok(lsyncd::replica(lab, returned)? == "ok")).map(drop)
}

fn stop_lsyncd(farm: &Farm) -> Result<()> {
    let node = ovd::active(farm.lab)?;
    let running = || Ok(node.run(["pgrep", "--oldest", "--exact", "lsyncd"])?.trim().to_owned());
    let before: Result<String> = running();
    let before = before?;
    node.run(["pkill", "-STOP", "--exact", "lsyncd"])?;
    let again = || Ok(running().is_ok_and(|now| now != before) && ovd::active(farm.lab).is_ok());
    wait_for(HEALED, "lsyncd to be started again", again)?;
    wait_idle(node, HEALED)
}

/// Waits until Apache has a main process other than before, and everything runs.
fn restarted(lab: &Lab, before: &str) -> Result<()> {
    let node = ovd::active_of(lab, &[ovd::VIRTUAL_IP])?;
    let again = || {
        let now = main_process(node)?;
        Ok(now != before && now != "0" && ovd::active(lab).is_ok())
    };
    wait_for(HEALED, "Apache to be started again", again)?;
    wait_idle(node, HEALED)
}

fn main_process(node: &crate::support::lab::Node) -> Result<String> {
    Ok(node.run(["systemctl", "show", "--property=MainPID", "--value", "apache2.service"])?.trim().to_owned())
}

fn signal_apache(farm: &Farm, signal: &str) -> Result<()> {
    let node = ovd::active(farm.lab)?;
    let before = main_process(node)?;
    node.run(["pkill", signal, "--exact", "apache2"])?;
    restarted(farm.lab, &before)
}

fn kill_apache(farm: &Farm) -> Result<()> {
    signal_apache(farm, "-KILL")
}

fn stop_apache(farm: &Farm) -> Result<()> {
    signal_apache(farm, "-STOP")
}

/// What a node publishes about the database.
fn view_of(lab: &Lab, node: &str) -> Result<String> {
    let ask = ["attrd_updater", "--query", "--name=session_manager-database", "--node", node];
    let said = lab.node("pcs3").output(ask)?.stdout;
    Ok(said.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned())
}

fn both_say(lab: &Lab, word: &str) -> Result<()> {
    let both = || Ok(view_of(lab, "osm1.priv")? == word && view_of(lab, "osm2.priv")? == word);
    wait_for(WEIGHED, &format!("both nodes to say the database is {word}"), both).map(|_| ())
}

fn stop_database(farm: &Farm) -> Result<()> {
    both_say(farm.lab, "ok")?;
    farm.database.stop()?;
    let said = both_say(farm.lab, "lost");
    // The dampening, and the cluster's answer to it.
    std::thread::sleep(Duration::from_secs(33));
    farm.database.start_again()?;
    said?;
    both_say(farm.lab, "ok")
}

fn hide_database(farm: &Farm) -> Result<()> {
    let (node, other) = (ovd::active(farm.lab)?, ovd::passive(farm.lab)?);
    farm.database.hide_from(node)?;
    let moved = ovd::wait_active(farm.lab, other, WEIGHED).and_then(|_| wait_idle(other, WEIGHED));
    farm.database.show_to(node)?;
    moved?;
    both_say(farm.lab, "ok")
}
