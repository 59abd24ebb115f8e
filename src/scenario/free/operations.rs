//! `op` of `[[resource]]`: what is done with it, how often, and how long that may take.

use super::primitive::ours;
use crate::ocf::params::seconds;
use crate::scenario::fault::Fault;
use crate::scenario::names;
use crate::scenario::operation::{OnFail, Operation};
use crate::scenario::reader::{Item, Table, Word};

/// What Pacemaker runs; of these, only monitor again and again.
const ACTIONS: &[&str] = &[
    "start",
    "stop",
    "monitor",
    "promote",
    "demote",
    "notify",
    "reload",
    "reload-agent",
    "migrate_to",
    "migrate_from",
];
/// Seconds for an operation of which nobody says how long it may take.
const USUAL: u32 = 60;
/// Seconds between two monitors when nobody says.
const INTERVAL: u32 = 30;

/// Whether Pacemaker runs an operation of that name.
pub fn is_action(name: &str) -> bool {
    ACTIONS.contains(&name)
}

pub(super) fn operations(tables: Vec<Table<'_>>, agent: &Word<'_>, promotable: bool) -> Result<Vec<Operation>, Fault> {
    let mut all: Vec<Operation> = Vec::new();
    for table in tables {
        let (operation, word) = operation(table)?;
        if all.iter().any(|other| other.name == operation.name && other.interval == operation.interval) {
            return Err(word.fault(format!(
                "{} is there already with this interval, and Pacemaker tells operations apart by that: make it another",
                operation.name
            )));
        }
        if !promotable && matches!(operation.role.as_deref(), Some("Promoted" | "Unpromoted")) {
            return Err(word.fault("has a role that only instances of a promotable resource have"));
        }
        all.push(operation);
    }
    let usual = usual(agent, promotable);
    let given: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
    all.extend(usual.into_iter().filter(|one| !given.contains(&one.name)));
    Ok(all)
}

/// What is done of which the scenario says nothing: an agent of ours knows, else there is as much time as most need.
fn usual(agent: &Word<'_>, promotable: bool) -> Vec<Operation> {
    if let Some(agent) = ours(agent) {
        return crate::scenario::setup::operations(agent.table());
    }
    let monitor = |role: &str, interval| Operation {
        role: Some(role.to_owned()),
        ..Operation::plain("monitor", interval, USUAL)
    };
    let mut all = match promotable {
        false => vec![Operation::plain("monitor", INTERVAL, USUAL)],
        true => vec![monitor("Promoted", INTERVAL - 1), monitor("Unpromoted", INTERVAL)],
    };
    let once = if promotable { &["start", "stop", "promote", "demote"][..] } else { &["start", "stop"] };
    all.extend(once.iter().map(|name| Operation::plain(name, 0, USUAL)));
    all
}

/// Reads an operation; the word is what to point at when it does not go together with another.
fn operation<'a>(table: Table<'a>) -> Result<(Operation, Word<'a>), Fault> {
    let mut table = table.only(&["name", "interval", "timeout", "depth", "role", "on_fail"])?;
    let name = table.need("name", "like monitor, start or stop")?.text()?;
    if !ACTIONS.contains(&name.text.as_str()) {
        return Err(name.must_be(format!("what Pacemaker runs: {}", ACTIONS.join(", "))));
    }
    let recurring = name.text == "monitor";
    let interval = time(&mut table, "interval", if recurring { INTERVAL } else { 0 })?;
    if recurring && interval == 0 {
        return Err(name.fault("needs an interval: at the start of the cluster Pacemaker asks by itself"));
    }
    if !recurring && interval > 0 {
        return Err(name.fault("is run once: leave interval out"));
    }
    let timeout = time(&mut table, "timeout", USUAL)?;
    if timeout == 0 {
        return Err(name.fault("needs a timeout above 0"));
    }
    let mut operation = Operation::plain(&name.text, interval, timeout);
    if let Some(item) = table.take("depth") {
        let depth = u8::try_from(item.integer()?).ok().filter(|depth| *depth <= 100 && recurring);
        operation.depth = depth.ok_or_else(|| item.fault("must be a check level from 0 to 100, of a monitor"))?;
    }
    if let Some(word) = table.take("role").map(Item::text).transpose()? {
        let known = ["Promoted", "Unpromoted", "Started", "Stopped"].contains(&word.text.as_str());
        if !known || !recurring {
            return Err(word.must_be("Promoted, Unpromoted, Started or Stopped, of a monitor"));
        }
        operation.role = Some(word.text);
    }
    if let Some(word) = table.take("on_fail").map(Item::text).transpose()? {
        let known = OnFail::ALL.into_iter().find(|one| one.word() == word.text);
        let Some(then) = known else {
            let words: Vec<_> = OnFail::ALL.iter().map(|one| one.word()).collect();
            return Err(word.must_be(words.join(", ")));
        };
        if then == OnFail::Demote && !["monitor", "promote"].contains(&name.text.as_str()) {
            return Err(word.fault("demote is for promote, and for the monitor of the role Promoted"));
        }
        operation.on_fail = Some(then);
    }
    Ok((operation, name))
}

/// Takes a time in whole seconds.
fn time(table: &mut Table<'_>, key: &str, usual: u32) -> Result<u32, Fault> {
    let Some(item) = table.take(key) else { return Ok(usual) };
    let word = item.scalar()?;
    let time = seconds(&word.text).and_then(|time| u32::try_from(time).ok()).filter(|time| *time <= 86_400);
    time.ok_or_else(|| word.must_be(format!("{}, at most 24h", names::TIME)))
}
