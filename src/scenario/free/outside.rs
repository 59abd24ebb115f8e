//! What is about the whole cluster, or stands outside it.

use super::ids::Ids;
use super::{Level, Tag, pairs};
use crate::ocf::params::seconds;
use crate::scenario::beside::{External, QuorumDevice, Sbd};
use crate::scenario::fault::Fault;
use crate::scenario::fencing::Device;
use crate::scenario::names;
use crate::scenario::node::Node;
use crate::scenario::reader::{Item, Table, Word};
use std::net::IpAddr;

/// `[[fencing_level]]`. The word is what to point at when it does not go together with another.
pub(super) fn level<'a>(table: Table<'a>, devices: &[Device]) -> Result<(Level, Word<'a>), Fault> {
    let mut table = table.only(&["node", "level", "devices"])?;
    let node = table.need("node", "the node that is switched off")?.text()?;
    let item = table.need("level", "1 to 9: the lowest is tried first")?;
    let level = u8::try_from(item.integer()?).ok().filter(|level| (1..=9).contains(level));
    let level = level.ok_or_else(|| item.fault("must be a whole number from 1 to 9"))?;
    let mut names: Vec<String> = Vec::new();
    for word in table.need("devices", "names of [[fencing]] devices, all of which have to work")?.texts()? {
        let able: Vec<&str> = devices
            .iter()
            .filter(|device| device.nodes.contains(&node.text))
            .map(|device| device.id.as_str())
            .collect();
        if able.is_empty() {
            return Err(node.fault(format!("no [[fencing]] device switches off {}", node.text)));
        }
        if !able.contains(&word.text.as_str()) {
            return Err(word.must_be(format!("a device that switches off {}: {}", node.text, able.join(", "))));
        }
        if names.contains(&word.text) {
            return Err(word.fault(format!("{} is there already", word.text)));
        }
        names.push(word.text);
    }
    if names.is_empty() {
        return Err(table.fault("devices must name at least one"));
    }
    Ok((Level { node: node.text.clone(), level, devices: names }, node))
}

/// `[[tag]]`.
pub(super) fn tag(table: Table<'_>, ids: &mut Ids) -> Result<Tag, Fault> {
    let mut table = table.only(&["id", "members"])?;
    let id = table.need("id", names::ID)?.text()?;
    ids.claim(&id, "a tag")?;
    let words = table.need("members", "resources or groups")?.texts()?;
    let mut members: Vec<String> = Vec::new();
    for word in &words {
        let member = ids.find(word)?.id;
        if members.contains(&member) {
            return Err(word.fault(format!("{} is there already", word.text)));
        }
        members.push(member);
    }
    if members.is_empty() {
        return Err(table.fault("members must name at least one"));
    }
    Ok(Tag { id: id.text, members })
}

/// `[[external]]`.
pub(super) fn external(table: Table<'_>, ids: &Ids) -> Result<External, Fault> {
    let mut table = table.only(&["name", "needed_by"])?;
    let name = table.need("name", "what it is, for people")?.text()?;
    pairs::check_value(&name)?;
    let words = table.need("needed_by", "the resources that are of no use without it")?.texts()?;
    let needed_by = words.iter().map(|word| Ok(ids.find(word)?.id)).collect::<Result<Vec<_>, Fault>>()?;
    if needed_by.is_empty() {
        return Err(table.fault("needed_by must name at least one"));
    }
    Ok(External { name: name.text, needed_by })
}

/// `[quorum_device]`.
pub(super) fn quorum_device(table: Table<'_>, nodes: &[Node]) -> Result<QuorumDevice, Fault> {
    let mut table = table.only(&["host", "address", "algorithm"])?;
    let host = table.need("host", "the host on which corosync-qnetd runs")?.text()?;
    if !names::is_host_name(&host.text) {
        return Err(host.must_be(names::HOST_NAME));
    }
    if nodes.iter().any(|node| node.name.eq_ignore_ascii_case(&host.text)) {
        return Err(host.fault("is a node of this cluster: its vote would be lost with it"));
    }
    let address = table.take("address").map(Item::text).transpose()?;
    if let Some(word) = address.as_ref().filter(|word| word.text.parse::<IpAddr>().is_err()) {
        return Err(word.must_be("an IPv4 or IPv6 address"));
    }
    let algorithm = table.take("algorithm").map(Item::text).transpose()?;
    if let Some(word) = algorithm.as_ref().filter(|word| !["ffsplit", "lms"].contains(&word.text.as_str())) {
        return Err(word.must_be("ffsplit (one half of a split cluster goes on) or lms (the last node goes on)"));
    }
    Ok(QuorumDevice {
        host: host.text,
        address: address.map(|word| word.text),
        algorithm: algorithm.map_or_else(|| "ffsplit".into(), |word| word.text),
    })
}

/// `[sbd]`.
pub(super) fn sbd(table: Table<'_>) -> Result<Sbd, Fault> {
    let mut table = table.only(&["watchdog", "devices", "timeout"])?;
    let path = |word: &Word<'_>| match word.text.starts_with("/dev/") && !word.text.contains([',', ';', ' ']) {
        true => Ok(word.text.clone()),
        false => Err(word.must_be("a path below /dev")),
    };
    let watchdog = table.take("watchdog").map(Item::text).transpose()?;
    let watchdog = watchdog.as_ref().map_or_else(|| Ok("/dev/watchdog".to_owned()), path)?;
    let words = table.take("devices").map_or(Ok(Vec::new()), Item::texts)?;
    let devices = words.iter().map(path).collect::<Result<Vec<_>, _>>()?;
    if let Some(word) = words.get(3) {
        return Err(word.fault("sbd takes three disks at most"));
    }
    let timeout = match table.take("timeout").map(Item::scalar).transpose()? {
        None => 5,
        Some(word) => seconds(&word.text)
            .and_then(|time| u32::try_from(time).ok())
            .filter(|time| (1..=600).contains(time))
            .ok_or_else(|| word.must_be("a time from 1s to 10min"))?,
    };
    Ok(Sbd { watchdog, devices, timeout })
}
