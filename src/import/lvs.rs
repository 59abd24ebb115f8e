//! Heartbeat, mon and ipvsadm as directors of LVS.

use super::ha_cf::{self, HaCf};
use super::haresources::{self, Address, Entry, Together};
use super::ipvsadm::{self, Table};
use super::lvs_service::Service;
use super::mon_cf::{self, Mon};
use super::notes::Notes;
use super::write::Writer;
use super::{Answers, Draft, File, lvs_cib, lvs_farm};
use std::net::IpAddr;

/// Everything that the files say.
#[derive(Debug, Default)]
struct Found {
    ha_cf: Option<(String, HaCf)>,
    haresources: Vec<Together>,
    mon: Option<(String, Mon)>,
    table: Table,
    /// Nodes that a cib.xml names.
    nodes: Vec<String>,
    /// The stickiness that it says.
    stickiness: Option<u32>,
}

/// What Heartbeat's authkeys becomes.
pub(super) const AUTHKEYS: &str = "is not read: corosync makes a key of its own";

pub(super) fn import(files: &[File], answers: &Answers, notes: &mut Notes) -> Result<Draft, String> {
    let mut found = Found::default();
    for file in files {
        let base = file.base();
        if base.contains("authkeys") {
            notes.leave(base, "", AUTHKEYS);
        } else if file.text.trim_start().starts_with('<') {
            let read = lvs_cib::read(file, notes)?;
            found.nodes.extend(read.nodes);
            found.haresources.extend(read.lines);
            found.stickiness = read.stickiness.or(found.stickiness);
        } else if base.contains("haresources") {
            found.haresources.extend(haresources::read(file, notes));
        } else if base.contains("ha.cf") {
            found.ha_cf = Some((base.to_owned(), ha_cf::read(file, notes)));
        } else if base.contains("mon.cf") || file.text.contains("hostgroup ") {
            found.mon = Some((base.to_owned(), mon_cf::read(file, notes)));
        } else if file.text.contains("ipvsadm") {
            ipvsadm::read(file, &mut found.table, notes);
        } else {
            return Err(format!(
                "{}: is neither ha.cf, haresources, cib.xml, mon.cf nor a script with ipvsadm",
                file.name
            ));
        }
    }
    let address = address(&found, notes)?;
    let scheme = Scheme::of(&found, address, answers, notes)?;
    Ok(Draft { printed: scheme.write(false), answered: scheme.write(true) })
}

/// The address that moves, with what haresources says of it.
fn address(found: &Found, notes: &mut Notes) -> Result<Address, String> {
    let served: Vec<IpAddr> = found.table.services.iter().map(|service| service.address).collect();
    let Some(first) = served.first() else {
        return Err("no file says which virtual services there are: give the script with \"ipvsadm -A\" as well".into());
    };
    let mut wanted = None;
    for line in &found.haresources {
        for entry in &line.resources {
            match entry {
                Entry::Address(one) if one.address == *first && wanted.is_none() => {
                    if let Some(broadcast) = &one.broadcast {
                        let why = "follows from the address and the length of its prefix";
                        notes.leave(&line.place, &format!("broadcast {broadcast}"), why);
                    }
                    wanted = Some(one);
                }
                Entry::Address(one) => {
                    let why = "directors of LVS have one address that moves";
                    notes.leave(&line.place, &one.address.to_string(), why);
                }
                Entry::Script(name, arguments) => {
                    let text = [std::slice::from_ref(name), arguments.as_slice()].concat().join("::");
                    let why = "directors of LVS run nothing else; see import heartbeat for other resources";
                    notes.leave(&line.place, &text, why);
                }
            }
        }
    }
    let bare = || Address { address: *first, prefix: None, nic: None, broadcast: None };
    Ok(wanted.map_or_else(bare, |one| Address { nic: one.nic.clone(), broadcast: None, ..*one }))
}

/// A node, with an address for each link; none: nobody knows.
type Director = (String, Option<Vec<IpAddr>>);

struct Scheme {
    cluster: String,
    accept_split_brain: bool,
    directors: Vec<Director>,
    address: Address,
    /// What stands in `[router]`: an address, or the name of one that is not known.
    router: Vec<Result<IpAddr, String>>,
    service: Service,
    stickiness: Option<u32>,
}

impl Scheme {
    fn of(found: &Found, address: Address, answers: &Answers, notes: &mut Notes) -> Result<Scheme, String> {
        let cluster = answers.cluster.clone().unwrap_or_else(|| {
            notes.change("[cluster]", "name", "Heartbeat has no name for a cluster: \"lvs\" is made up");
            "lvs".into()
        });
        let directors = directors(found, answers, notes);
        if directors.is_empty() {
            return Err("no file names the nodes: give ha.cf as well".into());
        }
        if address.prefix.is_none() {
            notes.ask("virtual_ip.address: the length of its network's prefix, such as /24");
        }
        if !answers.accept_split_brain {
            notes.ask(FENCING);
        }
        let router = router(found, answers, notes);
        let by_cib = found.stickiness;
        let stickiness =
            found.ha_cf.as_ref().filter(|_| by_cib.is_none()).and_then(|(base, ha_cf)| match &ha_cf.failback {
                Some((_, true)) => Some(0),
                Some((_, false)) => None,
                None => {
                    let why =
                        "Heartbeat moves resources back unless told otherwise; here the address stays where it is";
                    notes.change(base, "no auto_failback", why);
                    None
                }
            });
        let stickiness = by_cib.or(stickiness);
        if let Some((_, HaCf { deadtime: Some((place, seconds)), .. })) = &found.ha_cf {
            let why = "a silent node counts as lost after corosync's own token timeout (3 s and more); see detection";
            notes.leave(place, &format!("deadtime {seconds}"), why);
        }
        let service = Service::of(&found.table, found.mon.as_ref(), notes);
        Ok(Scheme {
            cluster,
            accept_split_brain: answers.accept_split_brain,
            directors,
            address,
            router,
            service,
            stickiness,
        })
    }

    /// The scenario; `answered`: with an answer for every question.
    fn write(&self, answered: bool) -> String {
        let mut text = Writer::default();
        text.text("setup", "lvs-director");
        if self.accept_split_brain || answered {
            text.gap();
            text.comment("Nobody switches off a node that is not heard of any more: two may have the address at once.");
            text.text("fencing", "none");
            text.plain("accept_split_brain", true);
        }
        text.section("cluster", false);
        text.text("name", &self.cluster);
        for (index, (name, addresses)) in self.directors.iter().enumerate() {
            text.section("node", true);
            text.text("name", name);
            text.text("role", "director");
            text.texts("address", &node_address(addresses.as_deref(), index, answered, self.links()));
        }
        text.section("virtual_ip", false);
        let default = if self.address.address.is_ipv4() { "24" } else { "64" };
        let open = if answered { default } else { "?" };
        let prefix = self.address.prefix.map_or_else(|| open.to_owned(), |prefix| prefix.to_string());
        text.text("address", &format!("{}/{prefix}", self.address.address));
        if let Some(nic) = &self.address.nic {
            text.text("nic", nic);
        }
        if !self.router.is_empty() {
            let stand_in = self.router.iter().find_map(|one| one.as_ref().ok().copied());
            let is_ipv6 = stand_in.is_some_and(|address| address.is_ipv6());
            let word = |(index, one): (usize, &Result<IpAddr, String>)| match one {
                Ok(address) => address.to_string(),
                Err(_) if answered && is_ipv6 => format!("2001:db8:ffff::{:x}", index + 1),
                Err(_) if answered => format!("198.51.100.{}", index % 250 + 1),
                Err(_) => "?".into(),
            };
            text.section("router", false);
            text.texts("address", &self.router.iter().enumerate().map(word).collect::<Vec<_>>());
        }
        text.section("lvs_director", false);
        for (name, values) in &self.service.params {
            match values.as_slice() {
                [number] if ["fall", "persistent"].contains(name) => text.plain(name, number),
                values => text.texts(name, values),
            }
        }
        if let Some(stickiness) = self.stickiness {
            text.section("failover", false);
            text.plain("stickiness", stickiness);
        }
        if let Some(farm) = &self.service.farm {
            text.gap();
            text.comment(&format!("{}, the same on every director:\n\n{farm}", lvs_farm::PATH));
        }
        text.finish()
    }

    /// How many links the nodes have, and of which family the first is.
    fn links(&self) -> &[IpAddr] {
        self.directors.iter().find_map(|(_, addresses)| addresses.as_deref()).unwrap_or_default()
    }
}

/// The question about fencing.
pub(super) const FENCING: &str = "fencing: how is a node that is not heard of any more switched off? [[fencing]] with a device for every node, \
     or, with --accept-split-brain, not at all";

/// What stands as the address of a node; `like`: those of another.
pub(super) fn node_address(known: Option<&[IpAddr]>, index: usize, answered: bool, like: &[IpAddr]) -> Vec<String> {
    match known {
        Some(addresses) => addresses.iter().map(ToString::to_string).collect(),
        None if answered => {
            // Networks that are nobody's: one for each link, one address for each node.
            let stand_in = |(link, v4): (usize, bool)| match v4 {
                true => format!("198.18.{}.{}", (link * 16 + index / 250) % 256, index % 250 + 1),
                false => format!("2001:db8:{:x}::{:x}", link + 1, index + 1),
            };
            let links = if like.is_empty() { vec![true] } else { like.iter().map(IpAddr::is_ipv4).collect() };
            links.into_iter().enumerate().map(stand_in).collect()
        }
        None => vec!["?".into()],
    }
}

/// The nodes, the preferred one first.
fn directors(found: &Found, answers: &Answers, notes: &mut Notes) -> Vec<Director> {
    let mut told: Vec<(String, Vec<IpAddr>)> = match &found.ha_cf {
        Some((base, ha_cf)) if !ha_cf.nodes.iter().all(|node| answers.addresses.contains_key(node)) => {
            ha_cf.addresses(notes, base)
        }
        Some((_, ha_cf)) => ha_cf.nodes.iter().map(|node| (node.clone(), Vec::new())).collect(),
        None => Vec::new(),
    };
    let lines = found.haresources.iter().map(|line| &line.node).filter(|node| !node.is_empty());
    for node in found.nodes.iter().chain(lines.clone()) {
        if told.iter().all(|(known, _)| known != node) {
            told.push((node.clone(), Vec::new()));
        }
    }
    if let Some(first) = lines.clone().next() {
        // Where the address starts: only the order of the scenario says so.
        told.sort_by_key(|(node, _)| node != first);
    }
    let mut open = Vec::new();
    let directors = told.into_iter().map(|(node, addresses)| {
        let known = answers.of(&node).or(Some(addresses).filter(|addresses| !addresses.is_empty()));
        if known.is_none() {
            open.push(node.clone());
        }
        (node, known)
    });
    let directors: Vec<Director> = directors.collect();
    if !open.is_empty() {
        notes.ask(format!(
            "node.address: the addresses of {} in the cluster's network (--address NAME=ADDRESS)",
            open.join(", ")
        ));
    }
    directors
}

fn router(found: &Found, answers: &Answers, notes: &mut Notes) -> Vec<Result<IpAddr, String>> {
    let Some((_, ha_cf)) = &found.ha_cf else { return Vec::new() };
    let mut all = Vec::new();
    for (_, host) in &ha_cf.ping {
        match answers.of(host).and_then(|addresses| addresses.first().copied()) {
            Some(address) => all.push(Ok(address)),
            None => {
                notes.ask(format!("router.address: the address of {host} (--address {host}=ADDRESS)"));
                all.push(Err(host.clone()));
            }
        }
    }
    all
}
