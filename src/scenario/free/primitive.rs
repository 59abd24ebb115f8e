//! `[[resource]]`: a resource of any agent.

use super::agent::{self, AGENT};
use super::copies::Copies;
use super::ids::Ids;
use super::operations::operations;
use super::pairs::{self, Pairs};
use crate::agents;
use crate::ocf::agent::Registered;
use crate::ocf::params::{Params, fits};
use crate::scenario::fault::Fault;
use crate::scenario::fencing::{Value, is_secret, secret_file};
use crate::scenario::names;
use crate::scenario::operation::Operation;
use crate::scenario::reader::{Item, Table, Word};
use crate::scenario::setup::clone_id;
use std::net::IpAddr;

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

impl Primitive {
    pub(super) fn read(table: Table<'_>, ids: &mut Ids) -> Result<Primitive, Fault> {
        let mut table = table.only(&["id", "agent", "params", "meta", "op", "target", "clone", "promotable"])?;
        let id = table.need("id", names::ID)?.text()?;
        ids.claim(&id, "a resource")?;
        let agent = table.need("agent", AGENT)?.text()?;
        agent::check(&agent)?;
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
            let is_address = ["ocf:heartbeat:IPaddr2", "ocf:heartbeat:IPaddr"].contains(&agent.text.as_str());
            if is_address && name.text == "ip" && value.text.parse::<IpAddr>().is_err() {
                return Err(value.must_be("an IPv4 or IPv6 address: the agent takes no name"));
            }
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

/// The agent, when it is one of ours.
pub(super) fn ours(agent: &Word<'_>) -> Option<&'static dyn Registered> {
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
