//! The set-ups a scenario can be of, and the services in them: one file each.

mod abiquo_remote_services;
mod free;
pub mod host;
mod lsyncd;
mod lvs_director;
mod ovd_file_server;
mod ovd_session_manager;
mod session_manager;
mod vip_src;

use super::fault::Fault;
use super::node::Node;
use super::operation::{OnFail, Operation};
use super::reader::{Table, Word};
use super::virtual_ip::VirtualIp;
use crate::agents;
use crate::ocf;
use crate::ocf::params::fits;
use crate::ocf::spec::{STOPPED, Spec};
use host::Host;

/// Parameters of an agent, each with its value when it has one.
pub type Params = Vec<(&'static str, Option<String>)>;

/// A set-up.
#[derive(Debug)]
pub struct SetUp {
    /// Its name in the scenario file.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// The word for nodes that may run the services.
    pub role: &'static str,
    /// Its services, in the order they start in.
    pub services: &'static [ServiceKind],
    /// What every node needs before the script runs, in lines for its head.
    pub needs: &'static [&'static str],
    /// What the first node counts for where the address is placed.
    pub preference: u32,
    /// How the address is placed, for the reader of the script.
    pub address: &'static [&'static str],
    /// Why nodes that only vote never run the address.
    pub voters: &'static str,
    /// Whether nodes may be told of a router ([`super::router`]) that the address follows.
    pub router: bool,
    /// The id of a group that the address and the services are members of, where they are not a star around the address.
    pub group: Option<&'static str>,
    /// Whether a file system ([`super::repository`]) is mounted where they run, before them.
    pub repository: bool,
    /// File systems ([`super::volume`]) that are mounted on every node that may run services, before them.
    pub volumes: &'static [VolumeKind],
    /// What else runs on every node that may run services.
    pub unit: Option<&'static Unit>,
    /// The word for a service that has the address itself, where the scenario does not want the cluster to have it.
    pub own_address: Option<&'static str>,
    /// Whether it makes sense without a virtual IP address.
    pub address_optional: bool,
    /// What the script cannot do, as lines to print: on other hosts than the cluster's nodes.
    pub by_hand: fn(&[Service], &VirtualIp) -> Vec<String>,
}

/// A kind of file system that a scenario may have on every node that may run services.
#[derive(Debug)]
pub struct VolumeKind {
    /// The name of its section in the scenario file and of the resource in the cluster.
    pub section: &'static str,
    /// Whether it is only there when the scenario has its section.
    pub optional: bool,
    /// What it is for, for the reader of the script.
    pub why: &'static [&'static str],
}

/// A unit of systemd that has no agent of ours, and runs on every node that may run services, as a clone.
#[derive(Debug)]
pub struct Unit {
    /// The resource's id in the cluster.
    pub id: &'static str,
    /// The unit.
    pub name: &'static str,
    /// Seconds that its start and its stop may take.
    pub timeout: u32,
    /// Its meta attributes.
    pub meta: &'static [(&'static str, &'static str)],
    /// What it is for and why it is placed like this, for the reader of the script.
    pub why: &'static [&'static str],
}

/// Where a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Where the address is.
    WithAddress,
    /// On every node that may run services, as an anonymous clone. The address goes only where it runs.
    Everywhere,
}

/// The servers that a node sees.
#[derive(Debug)]
pub struct Count {
    /// The node attribute with the number of those that are well.
    pub attribute: String,
    /// How many there are; none: the scenario does not say.
    pub most: Option<u32>,
}

/// The id of a clone of the resource `id`: the one pcs gives it.
pub fn clone_id(id: &str) -> String {
    format!("{id}-clone")
}

/// A kind of service that a scenario may have.
#[derive(Debug)]
pub struct ServiceKind {
    /// The name of its section in the scenario file and of the resource in the cluster.
    pub section: &'static str,
    /// The agent's name.
    pub agent: &'static str,
    /// Where it runs.
    pub place: Place,
    /// Whether it is only there when the scenario has its section.
    pub optional: bool,
    /// Whether everything moves to another node when this service cannot run here.
    pub critical: bool,
    /// Meta attributes beside those that follow from `critical`.
    pub meta: &'static [(&'static str, &'static str)],
    /// Services that start after it and stop before it. They stand before it in the set-up.
    pub before: &'static [&'static str],
    /// What every node publishes its view of: the node attribute is SECTION-VANTAGE, and says [`OK`] where it is well.
    pub vantage: Option<&'static str>,
    /// The node attribute SECTION-REPLICA of this name says how good a node's copy of the data is: [`OK`], [`NEVER`] where
    /// there has never been a whole one, or anything else.
    pub replica: Option<&'static str>,
    /// The servers that every node counts.
    pub count: Option<fn(&Service) -> Count>,
    /// What it cannot do without, outside the cluster.
    pub externals: &'static [&'static str],
    /// Parameters that are set by command while it runs: as they are, unless the section has them.
    pub left: &'static [&'static str],
    /// What a node that may run it needs beside the agent.
    pub host: Host,
    /// What it is for and why it is placed like this, for the reader of the script.
    pub why: &'static [&'static str],
    /// Parameters that follow from the virtual IP address, for a section with these keys; it must not have them itself.
    pub derived: fn(&VirtualIp, &[&str]) -> Params,
    /// Parameters that follow from the nodes when the section does not have them; or why these nodes will not do.
    pub defaults: fn(&[Node]) -> Result<Params, String>,
}

/// For services that are the same on whatever nodes.
fn no_defaults(_nodes: &[Node]) -> Result<Params, String> {
    Ok(Vec::new())
}

/// What a node attribute says when the node sees that all is well.
pub const OK: &str = "ok";

/// What a node attribute says of a node that has never had a whole copy of the data.
pub const NEVER: &str = "never";

/// A service of a scenario.
#[derive(Debug)]
pub struct Service {
    /// What kind it is.
    pub kind: &'static ServiceKind,
    /// Its agent's table.
    pub spec: &'static Spec,
    /// Every parameter of the agent's own that is not left as it is, with its value when it has one.
    pub params: Params,
    /// The same as the agent reads them, with its defaults.
    pub read: ocf::params::Params,
    /// The servers that every node counts.
    pub count: Option<Count>,
}

impl Service {
    /// Whether it runs on every node that may run services.
    pub fn is_everywhere(&self) -> bool {
        self.kind.place == Place::Everywhere
    }
}

const SETUPS: &[SetUp] = &[
    ovd_session_manager::SETUP,
    lvs_director::SETUP,
    abiquo_remote_services::SETUP,
    ovd_file_server::SETUP,
    free::SETUP,
];

/// The names of all set-ups, as the end of "must be ...".
pub(super) fn allowed() -> String {
    let names: Vec<_> = SETUPS.iter().map(|setup| setup.name).collect();
    names.join(" or ")
}

pub(super) fn find(name: &Word<'_>) -> Result<&'static SetUp, Fault> {
    SETUPS.iter().find(|setup| setup.name == name.text).ok_or_else(|| name.must_be(allowed()))
}

impl ServiceKind {
    /// Reads the service's section; `setup` is what to point at when the section is not to blame.
    pub(super) fn read(
        &'static self,
        setup: &Word<'_>,
        table: Option<Table<'_>>,
        vip: &VirtualIp,
        nodes: &[Node],
    ) -> Result<Service, Fault> {
        let Some(agent) = agents::find(self.agent) else {
            return Err(setup.fault(format!("needs the agent {}, which this program does not have", self.agent)));
        };
        let spec = agent.table();
        let place = table.as_ref().map_or_else(|| setup.clone(), Table::place);
        let entries = table.map_or_else(Vec::new, Table::entries);
        let keys: Vec<_> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
        let mut params = (self.derived)(vip, &keys);
        let derived: Vec<_> = params.iter().map(|(name, _)| *name).collect();
        for (key, item) in entries {
            let Some(param) = spec.param(&key.text) else {
                let free = spec.params.iter().map(|param| param.name).filter(|name| !derived.contains(name));
                let free: Vec<_> = free.collect();
                return Err(key.fault(format!("{} has no such parameter: it takes {}", spec.name, free.join(", "))));
            };
            if derived.contains(&param.name) {
                return Err(key.fault("comes from [virtual_ip]: leave it out here"));
            }
            let value = item.scalar()?;
            if value.text.is_empty() || !fits(param.kind, &value.text) {
                return Err(value.must_be(param.kind.allowed()));
            }
            params.push((param.name, Some(value.text)));
        }
        let missing = (self.defaults)(nodes).map_err(|reason| place.fault(reason))?;
        let missing = missing.into_iter().filter(|(name, _)| params.iter().all(|(given, _)| given != name));
        let missing: Vec<_> = missing.collect();
        params.extend(missing);
        // What only the agent knows: parameters that do not go together.
        let mut given = ocf::params::Params::none(spec);
        let mut set = params.iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value)));
        set.try_for_each(|(name, value)| given.set(name, value))
            .and_then(|()| agent.check(&given))
            .map_err(|failure| place.fault(format!("{} refuses this: {}", spec.name, failure.reason)))?;
        let value = |name| params.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.clone());
        let own = spec.params.iter().map(|param| (param.name, value(param.name)));
        let own = own.filter(|(name, value)| value.is_some() || !self.left.contains(name));
        let common = params.iter().filter(|(name, _)| spec.params.iter().all(|param| param.name != *name)).cloned();
        let mut service = Service { kind: self, spec, params: own.chain(common).collect(), read: given, count: None };
        service.count = self.count.map(|count| count(&service));
        Ok(service)
    }
}

/// The operations that Pacemaker runs, also one that the meta-data leaves out; not those that only tools run.
pub fn operations(spec: &Spec) -> Vec<Operation> {
    let run = spec.actions.iter().filter(|a| !["meta-data", "validate-all", "status"].contains(&a.name));
    run.map(|action| Operation {
        depth: action.depth.unwrap_or(0),
        role: action.role.map(Into::into),
        on_fail: (action.role == Some(STOPPED)).then_some(OnFail::Ignore),
        ..Operation::plain(action.name, action.interval.unwrap_or(0), action.timeout)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_an_agent_and_knows_its_parameters() {
        let vip = VirtualIp { net: ipnet::IpNet::V4(ipnet::Ipv4Net::default()), nic: None, own: false };
        for kind in SETUPS.iter().flat_map(|setup| setup.services) {
            let spec = agents::specs().find(|spec| spec.name == kind.agent);
            assert!(spec.is_some(), "{}", kind.agent);
            for (name, _) in (kind.derived)(&vip, &[]) {
                assert!(spec.is_some_and(|spec| spec.param(name).is_some()), "{name}");
            }
        }
    }
}
