//! `[[resource]]`: a resource of any agent.

use super::ids::Ids;
use super::pairs::{self, Pairs};
use crate::agents;
use crate::ocf::agent::Registered;
use crate::ocf::params::{Params, fits, seconds};
use crate::scenario::fault::Fault;
use crate::scenario::fencing::{Value, is_secret, secret_file};
use crate::scenario::names;
use crate::scenario::operation::{OnFail, Operation};
use crate::scenario::reader::{Item, Table, Word};
use crate::scenario::setup::clone_id;

/// A resource of any agent.
#[derive(Debug)]
pub struct Primitive {
    /// Its id.
    pub id: String,
    /// Its agent.
    pub agent: String,
    /// Its parameters, in the file's order.
    pub params: Vec<(String, Value)>,
    /// Its meta attributes.
    pub meta: Pairs,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// How many of it there are.
    pub copies: Copies,
}

/// How many instances of something there are.
#[derive(Debug, PartialEq, Eq)]
pub enum Copies {
    /// One.
    One,
    /// One on every node; the meta attributes of the clone.
    Clone(Pairs),
    /// One on every node, of which some are promoted; the meta attributes of the clone.
    Promotable(Pairs),
}

impl Copies {
    /// Reads `clone` and `promotable`.
    pub(super) fn read(table: &mut Table<'_>) -> Result<Copies, Fault> {
        let clone = table.take("clone").map(meta).transpose()?.flatten();
        let promotable = table.take("promotable").map(meta).transpose()?.flatten();
        match (clone, promotable) {
            (None, None) => Ok(Copies::One),
            (Some(meta), None) => Ok(Copies::Clone(meta)),
            (None, Some(meta)) => Ok(Copies::Promotable(meta)),
            (Some(_), Some(_)) => {
                Err(table.fault("clone and promotable exclude each other: what is promotable is a clone"))
            }
        }
    }

    /// The id that constraints use for `id`.
    pub fn id(&self, id: &str) -> String {
        if *self == Copies::One { id.to_owned() } else { clone_id(id) }
    }

    /// Whether instances are promoted.
    pub(super) fn is_promotable(&self) -> bool {
        matches!(self, Copies::Promotable(_))
    }
}

/// `true`, or a table of meta attributes.
fn meta(item: Item<'_>) -> Result<Option<Pairs>, Fault> {
    if let Ok(yes) = item.boolean() {
        return Ok(yes.then(Vec::new));
    }
    if !item.is_table() {
        return Err(item.fault("must be true, or a table of meta attributes like { interleave = true }"));
    }
    pairs::but(item, &[("promotable", "the key promotable")]).map(Some)
}

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

impl Primitive {
    pub(super) fn read(table: Table<'_>, ids: &mut Ids) -> Result<Primitive, Fault> {
        let mut table = table.only(&["id", "agent", "params", "meta", "op", "target", "clone", "promotable"])?;
        let id = table.need("id", names::ID)?.text()?;
        ids.claim(&id, "a resource")?;
        let agent = table.need("agent", AGENT)?.text()?;
        check_agent(&agent)?;
        let copies = Copies::read(&mut table)?;
        if copies != Copies::One {
            ids.claim_derived(&id, clone_id(&id.text), "a clone")?;
        }
        ids.resource(&id.text, copies.id(&id.text), copies.is_promotable());
        let mut meta = table.take("meta").map_or(Ok(Vec::new()), |item| {
            pairs::but(item, &[("target-role", "the key target"), ("clone-max", "the key clone")])
        })?;
        if let Some(word) = table.take("target").map(Item::text).transpose()? {
            let role = match word.text.as_str() {
                "started" => "Started",
                "stopped" => "Stopped",
                _ => return Err(word.must_be("started or stopped")),
            };
            meta.push(("target-role".into(), role.into()));
        }
        let params = match table.take("params") {
            Some(item) => params(&agent, &id, item)?,
            None => params_of_ours(&agent, &id, Vec::new())?,
        };
        let given = table.take("op").map_or(Ok(Vec::new()), Item::tables)?;
        let operations = operations(given, &agent, copies.is_promotable())?;
        Ok(Primitive { id: id.text, agent: agent.text, params, meta, operations, copies })
    }
}

const AGENT: &str = "an agent like ocf:heartbeat:apache, systemd:nginx or lsb:NAME";

fn check_agent(agent: &Word<'_>) -> Result<(), Fault> {
    let plain = |part: &&str| {
        !part.is_empty()
            && part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.@-".contains(&b))
    };
    let parts: Vec<&str> = agent.text.split(':').collect();
    if parts.first() == Some(&"stonith") || agent.text.starts_with("fence_") {
        return Err(agent.fault("switches nodes off: that is for [[fencing]]"));
    }
    if agent.text == "ocf:pacemaker:remote" {
        return Err(agent.fault("makes a remote node: that is for [[remote]]"));
    }
    let known = match parts.as_slice() {
        ["ocf", provider, name] => plain(provider) && plain(name),
        ["systemd" | "lsb" | "service", name] => plain(name),
        _ => false,
    };
    if !known {
        return Err(agent.must_be(AGENT));
    }
    if let Some(name) = agent.text.strip_prefix("ocf:inuvika:").filter(|name| agents::find(name).is_none()) {
        let names: Vec<_> = agents::specs().map(|spec| spec.name).collect();
        return Err(agent.fault(format!("there is no agent {name} of inuvika: there are {}", names.join(", "))));
    }
    Ok(())
}

fn params(agent: &Word<'_>, id: &Word<'_>, item: Item<'_>) -> Result<Vec<(String, Value)>, Fault> {
    let mut params = Vec::new();
    for (name, item) in item.table()?.entries() {
        pairs::check_name(&name)?;
        let value = if item.is_table() {
            Value::File(secret_file(item)?)
        } else {
            if is_secret(&name.text) {
                let path = format!("{{ file = \"/etc/inuvika-ha/{}\" }}", name.text);
                return Err(name.fault(format!("is a secret and must not stand here: write {path}")));
            }
            let value = pairs::value(item)?;
            if let Some(spec) = ours(agent).map(Registered::table) {
                let Some(param) = spec.param(&name.text) else {
                    let known: Vec<_> = spec.params.iter().map(|param| param.name).collect();
                    let known = known.join(", ");
                    return Err(name.fault(format!("{} has no such parameter: it takes {known}", spec.name)));
                };
                if !fits(param.kind, &value.text) {
                    return Err(value.must_be(param.kind.allowed()));
                }
            }
            Value::Plain(value.text)
        };
        params.push((name.text, value));
    }
    params_of_ours(agent, id, params)
}

fn ours(agent: &Word<'_>) -> Option<&'static dyn Registered> {
    agents::find(agent.text.strip_prefix("ocf:inuvika:")?)
}

/// Asks an agent of ours whether its parameters go together, and none is missing.
fn params_of_ours(
    agent: &Word<'_>,
    id: &Word<'_>,
    params: Vec<(String, Value)>,
) -> Result<Vec<(String, Value)>, Fault> {
    let Some(agent) = ours(agent) else { return Ok(params) };
    let spec = agent.table();
    let mut given = Params::none(spec);
    let plain = params.iter().filter_map(|(name, value)| match value {
        Value::Plain(text) => Some((name, text)),
        Value::File(_) => None,
    });
    let mut plain = plain.into_iter();
    plain
        .try_for_each(|(name, value)| given.set(name, value))
        .and_then(|()| agent.check(&given))
        .map_err(|failure| id.fault(format!("{} refuses this: {}", spec.name, failure.reason)))?;
    Ok(params)
}

fn operations(tables: Vec<Table<'_>>, agent: &Word<'_>, promotable: bool) -> Result<Vec<Operation>, Fault> {
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
