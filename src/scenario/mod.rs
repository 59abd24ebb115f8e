//! The scenario file: a cluster in a few lines. Reading it checks everything that can be known without a cluster.

pub mod alerts;
pub mod beside;
pub mod cluster;
pub mod constraint;
mod expression;
pub mod failover;
pub mod fencing;
pub mod free;
mod host_map;
pub mod names;
pub mod node;
pub mod operation;
pub mod reach;
pub mod repository;
pub mod router;
pub mod setup;
pub mod virtual_ip;
pub mod volume;

pub use crate::document::fault;
use crate::document::reader;
use beside::Alert;
use cluster::Cluster;
use failover::{Failover, Weighed};
use fault::{Fault, Source};
use fencing::Fencing;
use free::Free;
use free::ids::Ids;
use node::{Node, Role};
use reader::Table;
use repository::{Outage, Repository};
use router::Router;
use setup::{Service, SetUp};
use std::net::IpAddr;
use virtual_ip::VirtualIp;
use volume::Volume;

/// Everything a scenario file says, checked.
#[derive(Debug)]
pub struct Scenario {
    /// What is made highly available.
    pub setup: &'static SetUp,
    /// The cluster itself.
    pub cluster: Cluster,
    /// Its nodes, in the file's order.
    pub nodes: Vec<Node>,
    /// The address the services are reached at; every set-up but `free` has one.
    pub virtual_ip: Option<VirtualIp>,
    /// What nodes ask whether clients still reach them.
    pub router: Option<Router>,
    /// What is mounted where the services run.
    pub repository: Option<Repository>,
    /// What is mounted on every node that may run the services.
    pub volumes: Vec<Volume>,
    /// The services around the address, in the order they start in.
    pub services: Vec<Service>,
    /// When and where services move.
    pub failover: Failover,
    /// How a node that is not heard of any more is switched off.
    pub fencing: Fencing,
    /// What it has beside the services of the set-up.
    pub free: Free,
    /// Who is told what happens.
    pub alert: Option<Alert>,
}

impl Scenario {
    /// The resource that stands for all that is in one place: what location rules are about.
    pub fn anchor(&self) -> &'static str {
        self.setup.group.unwrap_or(virtual_ip::ID)
    }
}

/// A scenario, and what is allowed but doubtful about it.
#[derive(Debug)]
pub struct Read {
    /// The scenario.
    pub scenario: Scenario,
    /// Warnings, each one line.
    pub warnings: Vec<String>,
}

/// Reads the scenario in `text`; `file` is its name in messages.
pub fn read(file: &str, text: &str) -> Result<Read, Fault> {
    let mut top = Table::document(Source { file, text })?;
    let word = top.need("setup", &setup::allowed())?.text()?;
    let setup = setup::find(&word)?;
    let mut allowed =
        vec!["cluster", "node", "virtual_ip", "failover", "fencing", "accept_split_brain", alerts::SECTION];
    allowed.extend(setup.router.then_some(router::ID));
    allowed.extend(setup.repository.then_some("repository"));
    allowed.extend(setup.volumes.iter().map(|volume| volume.section));
    allowed.extend(setup.services.iter().map(|service| service.section));
    allowed.extend(free::SECTIONS);
    let mut top = top.only(&allowed)?;

    let mut warnings = Vec::new();
    let cluster = Cluster::read(top.need("cluster", "[cluster] with a name")?.table()?)?;
    let nodes = node::read(top.need("node", "[[node]] for every node")?.tables()?, setup, &mut warnings)?;
    let item = match setup.address_optional {
        true => top.take("virtual_ip"),
        false => Some(top.need("virtual_ip", "[virtual_ip] with an address")?),
    };
    let virtual_ip = item.map(|item| VirtualIp::read(item.table()?, &nodes, setup.own_address)).transpose()?;
    let clients = |first: &IpAddr| virtual_ip.as_ref().is_some_and(|vip| vip.net.contains(first));
    let is_public = |node: &Node| node.addresses.first().is_some_and(clients);
    if let Some(service) =
        setup.own_address.filter(|_| nodes.iter().any(|node| is_public(node) && node.role == Role::Active))
    {
        let doubt = format!(
            "anybody in the clients' network may speak to {service} as a node: give nodes an address in another one first"
        );
        warnings.push(word.fault(doubt).warning());
    }
    let asked = top.take(router::ID).map(reader::Item::table).transpose()?;
    let router = match (asked, &virtual_ip) {
        (Some(table), Some(vip)) => Some(Router::read(table, vip, &nodes)?),
        _ => None,
    };
    if setup.router && router.is_none() {
        let doubt = "without [router] the address stays on a node that clients do not reach any more";
        warnings.push(word.fault(doubt).warning());
    }
    let repository = match setup.repository {
        true => {
            let table = top.need("repository", "[repository] with a device and a directory")?.table()?;
            Some(Repository::read(table, Outage::Fails, &mut warnings)?)
        }
        false => None,
    };
    let volumes = volume::read(setup, &mut top, &mut warnings)?;
    let mut services = Vec::new();
    for kind in setup.services {
        let table = top.take(kind.section).map(reader::Item::table).transpose()?;
        if let Some(vip) = virtual_ip.as_ref().filter(|_| table.is_some() || !kind.optional) {
            services.push(kind.read(&word, table, vip, &nodes)?);
        }
    }
    // What the mount says of its server, the agent need not be told twice.
    if let Some(port) = repository.as_ref().and_then(Repository::port) {
        let params = services.iter_mut().flat_map(|service| &mut service.params);
        params.filter(|(name, value)| *name == "repository_port" && value.is_none()).for_each(|(_, value)| {
            *value = Some(port.clone());
        });
    }
    volume::settle(&volumes, &mut services, &word)?;
    let actions = services.iter().flat_map(|s| s.spec.actions).map(|action| action.timeout);
    let longest = actions.chain(setup.unit.map(|unit| unit.timeout)).max().unwrap_or(0);
    let failover =
        Failover::read(top.take("failover"), u64::from(longest), &Weighed::of(setup, &services), &mut warnings)?;
    let mut ids = own_ids(setup, &services, &volumes, router.is_some(), virtual_ip.as_ref());
    let mut free = Free::read(&mut top, &nodes, &mut ids)?;
    let names = nodes.iter().map(|node| node.name.as_str());
    let names: Vec<&str> = names.chain(free.remotes.iter().map(|remote| remote.name.as_str())).collect();
    let watchdog = free.sbd.as_ref().is_some_and(|sbd| sbd.devices.is_empty());
    let fencing = Fencing::read(&mut top, &names, nodes.len(), watchdog, &mut ids, &mut warnings)?;
    let devices = if let Fencing::Devices(devices) = &fencing { devices.as_slice() } else { &[] };
    free.read_relations(&mut top, &nodes, devices, &mut ids)?;
    if setup.services.is_empty() && free.resources.is_empty() {
        return Err(word.fault("has no services: describe them as [[resource]]"));
    }
    let alert = top.take(alerts::SECTION).map(reader::Item::table).transpose()?.map(alerts::read).transpose()?;
    Ok(Read {
        scenario: Scenario {
            setup,
            cluster,
            nodes,
            virtual_ip,
            router,
            repository,
            volumes,
            services,
            failover,
            fencing,
            free,
            alert,
        },
        warnings,
    })
}

/// The ids that the set-up has, or might have, and those of its resources that constraints may name.
fn own_ids(
    setup: &SetUp,
    services: &[Service],
    volumes: &[Volume],
    router: bool,
    virtual_ip: Option<&VirtualIp>,
) -> Ids {
    let mut ids = Ids::default();
    let all = setup.services.iter().map(|service| service.section).chain(setup.router.then_some(router::ID));
    let all = all.chain(setup.volumes.iter().map(|volume| volume.section)).chain(setup.unit.map(|unit| unit.id));
    all.flat_map(|id| [id.to_owned(), setup::clone_id(id)]).for_each(|id| ids.reserve(id));
    ids.reserve(virtual_ip::ID.into());
    ids.reserve(repository::ID.into());
    ids.reserve(crate::alert::NAME.into());
    if let Some(group) = setup.group {
        ids.reserve(group.to_owned());
        ids.own(group, group);
    } else if virtual_ip.is_some_and(|vip| !vip.own) {
        ids.own(virtual_ip::ID, virtual_ip::ID);
    }
    let everywhere = services.iter().filter(|service| service.is_everywhere()).map(|service| service.kind.section);
    let everywhere = everywhere.chain(volumes.iter().map(|volume| volume.kind.section));
    let everywhere = everywhere.chain(setup.unit.map(|unit| unit.id)).chain(router.then_some(router::ID));
    everywhere.for_each(|id| ids.own(id, &setup::clone_id(id)));
    let single = services.iter().filter(|service| !service.is_everywhere() && setup.group.is_none());
    single.for_each(|service| ids.own(service.kind.section, service.kind.section));
    ids
}

#[cfg(test)]
mod tests {
    use super::read;
    use proptest::prelude::*;

    const EXAMPLE: &str = include_str!("../../pcs-examples/ovd-session-manager/scenario.toml");

    proptest! {
        /// Whatever somebody types into the example: it is read, or refused in one line that says where.
        #[test]
        fn damage_is_one_line(at in 0..EXAMPLE.len(), cut in 0usize..30, typed in "[ -~\n\"\\[\\]=]{0,8}") {
            prop_assert!(EXAMPLE.is_ascii());
            let end = (at + cut).min(EXAMPLE.len());
            let text = format!("{}{typed}{}", &EXAMPLE[..at], &EXAMPLE[end..]);
            let lines = match read("s.toml", &text) {
                Ok(read) => read.warnings,
                Err(fault) => vec![fault.to_string()],
            };
            for line in lines {
                prop_assert!(!line.contains('\n') && line.starts_with("s.toml:"), "{}", line);
                let place: Vec<_> = line.split(':').skip(1).take(2).map(str::parse::<usize>).collect();
                prop_assert!(place.iter().all(Result::is_ok), "{}", line);
            }
        }
    }
}
