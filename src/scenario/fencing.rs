//! `[[fencing]]`: how a node that is not heard of any more is switched off, so that nothing ever runs twice.

use super::fault::Fault;
use super::free::ids::Ids;
use super::host_map;
use super::names;
use super::reader::{Item, Table, Word};

/// How nodes are switched off.
#[derive(Debug)]
pub enum Fencing {
    /// Not at all. The scenario had to accept what that means.
    None,
    /// Each node by its own watchdog, without any device.
    Watchdog,
    /// By these devices.
    Devices(Vec<Device>),
}

/// A fencing device.
#[derive(Debug)]
pub struct Device {
    /// Its id in the cluster.
    pub id: String,
    /// The fence agent.
    pub agent: String,
    /// The nodes it can switch off.
    pub nodes: Vec<String>,
    /// The agent's options, in the file's order.
    pub options: Vec<(String, Value)>,
}

/// The value of an option.
#[derive(Debug)]
pub enum Value {
    /// Written here.
    Plain(String),
    /// The first line of a file, read when the script runs.
    File(String),
}

/// What names of options with secrets contain.
const SECRETS: &[&str] =
    &["passw", "secret", "token", "community", "hexadecimal_kg", "apikey", "api_key", "tlskey", "private_key"];
/// The option that says what the device calls a node.
const HOST_MAP: &str = "pcmk_host_map";
const NEEDED: &str = "[[fencing]] for every node, or fencing = \"none\" with accept_split_brain = true";

impl Fencing {
    /// Reads the section; `nodes` are the names of all nodes, of remote ones, too, `votes` how many of them vote, `watchdog`
    /// whether nodes can switch themselves off without a device.
    pub(super) fn read(
        top: &mut Table<'_>,
        nodes: &[&str],
        votes: usize,
        watchdog: bool,
        ids: &mut Ids,
        warnings: &mut Vec<String>,
    ) -> Result<Fencing, Fault> {
        let accepted = match top.take("accept_split_brain") {
            Some(item) => item.boolean()?,
            None => false,
        };
        let item = top.need("fencing", NEEDED)?;
        if item.is_text() {
            let word = item.text()?;
            return match (word.text.as_str(), accepted) {
                ("none", true) => {
                    let doubt = "two nodes may run everything at once: without fencing nobody can rule that out";
                    warnings.push(word.fault(doubt).warning());
                    Ok(Fencing::None)
                }
                ("none", false) => Err(word.fault(
                    "without fencing two nodes may run everything at once: write accept_split_brain = true as well, \
                     or describe a [[fencing]] device for every node",
                )),
                ("watchdog", _) if watchdog => Ok(Fencing::Watchdog),
                ("watchdog", _) => Err(word.fault("needs [sbd] without devices: with disks, [[fencing]] of fence_sbd")),
                _ => Err(word.must_be("none, or [[fencing]] for every node")),
            };
        }
        let whole = item.fault("must be [[fencing]] for every node, or \"none\" with accept_split_brain = true");
        let tables = item.tables()?;
        let mut devices: Vec<Device> = Vec::new();
        let mut last = None;
        for table in tables {
            let (device, name) = Device::read(table, nodes, ids)?;
            devices.push(device);
            last = Some(name);
        }
        let Some(last) = last else { return Err(whole) };
        let fenced = |node: &&&str| devices.iter().any(|device| device.nodes.iter().any(|name| name == **node));
        if let Some(node) = nodes.iter().find(|node| !fenced(node)) {
            return Err(last.fault(format!("no device can switch off {node}: every node needs one")));
        }
        let delayed = |device: &Device| device.options.iter().any(|(name, _)| name.starts_with("pcmk_delay"));
        if votes == 2 && !devices.iter().any(delayed) {
            let doubt = "two nodes may switch off each other: give one device options.pcmk_delay_base = \"5s\"";
            warnings.push(last.fault(doubt).warning());
        }
        Ok(Fencing::Devices(devices))
    }
}

impl Device {
    /// Reads a device; the word is what to point at when the device as a whole is wrong.
    fn read<'a>(table: Table<'a>, nodes: &[&str], ids: &mut Ids) -> Result<(Device, Word<'a>), Fault> {
        let mut table = table.only(&["node", "agent", "name", "options"])?;
        let targets = table.need("node", "the node it switches off, or a list of nodes")?.texts()?;
        for target in &targets {
            if !nodes.contains(&target.text.as_str()) {
                return Err(target.must_be(format!("a node of this file: {}", nodes.join(", "))));
            }
        }
        let Some(first) = targets.first().cloned() else { return Err(table.fault("node must name at least one")) };
        let agent = table.need("agent", "a fence agent, like fence_ipmilan")?.text()?;
        let rest = agent.text.strip_prefix("fence_");
        if !rest.is_some_and(|rest| !rest.is_empty() && names::is_id(&agent.text)) {
            return Err(agent.must_be("a fence agent, like fence_ipmilan"));
        }
        let name = table.take("name").map(|item| item.text()).transpose()?;
        let id = match (&name, targets.len()) {
            (Some(name), _) => name.text.clone(),
            (None, 1) => format!("fence-{}", first.text),
            (None, _) => return Err(table.fault("a device for several nodes needs a name")),
        };
        let word = match name {
            Some(name) => {
                ids.claim(&name, "a device")?;
                name
            }
            None if names::is_id(&id) => {
                ids.claim_derived(&first, id.clone(), "a device")?;
                first
            }
            None => return Err(first.must_be(names::ID)),
        };
        let options = match table.take("options") {
            Some(item) => options(item, &targets)?,
            None => Vec::new(),
        };
        let nodes = targets.into_iter().map(|target| target.text).collect();
        Ok((Device { id, agent: agent.text, nodes, options }, word))
    }
}

fn options(item: Item<'_>, targets: &[Word<'_>]) -> Result<Vec<(String, Value)>, Fault> {
    let mut options = Vec::new();
    for (name, item) in item.table()?.entries() {
        if !names::is_id(&name.text) {
            return Err(name.must_be("letters, digits, - and _"));
        }
        if name.text == "pcmk_host_list" {
            return Err(name.fault("comes from node: leave it out here"));
        }
        if ["pcmk_host_check", "pcmk_host_argument"].contains(&name.text.as_str()) {
            return Err(name.fault("Pacemaker takes from node what the device can switch off: leave it out here"));
        }
        let value = if name.text == HOST_MAP {
            let map = item.text()?;
            let fault = host_map::check(&map.text, targets.iter().map(|target| target.text.as_str()));
            if let Some(reason) = fault {
                return Err(map.fault(reason));
            }
            Value::Plain(map.text)
        } else if item.is_table() {
            Value::File(secret_file(item)?)
        } else {
            let yes = item.boolean().ok();
            let mut value = item.scalar()?;
            if let Some(yes) = yes {
                value.text = if yes { "1" } else { "0" }.into();
            }
            if is_secret(&name.text) {
                let path = format!("{{ file = \"/etc/inuvika-ha/{}\" }}", name.text);
                return Err(value.fault(format!("is a secret and must not stand here: write {path}")));
            }
            if value.text.is_empty() || value.text.chars().any(char::is_control) {
                return Err(value.must_be("text without control characters, not empty"));
            }
            Value::Plain(value.text)
        };
        options.push((name.text, value));
    }
    Ok(options)
}

/// Reads `{ file = "PATH" }`, the file whose first line is a secret.
pub(super) fn secret_file(item: Item<'_>) -> Result<String, Fault> {
    let mut table = item.table()?.only(&["file"])?;
    let file = table.need("file", "an absolute path")?.text()?;
    if !file.text.starts_with('/') || file.text.chars().any(char::is_control) {
        return Err(file.must_be("an absolute path"));
    }
    Ok(file.text)
}

/// Whether the name of an option or parameter, of whatever agent, says that its value is a secret. `password_script` names a
/// program, `identity_file` a file.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let place = ["_script", "_file", "_path"].iter().any(|end| name.ends_with(end));
    !place && SECRETS.iter().any(|part| name.contains(part))
}
