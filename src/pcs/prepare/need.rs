//! What the nodes of a scenario need, from all that runs on them.

use super::system::{Family, System};
use crate::scenario::Scenario;
use crate::scenario::fencing::{Fencing, Value};
use crate::scenario::free::Primitive;
use crate::scenario::node::Role;
use crate::scenario::repository::Repository;
use crate::scenario::setup::host::{Login, Names, Port, ReadFile};

/// The role of a node that only votes.
pub const QUORUM: &str = "quorum";
/// The role of a remote node.
pub const REMOTE: &str = "remote";

/// A host.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The scenario's word for its role, [`QUORUM`] or [`REMOTE`].
    pub role: &'static str,
    /// Its addresses.
    pub addresses: Vec<String>,
}

/// What nodes need.
#[derive(Debug, Default)]
pub struct Need {
    /// Every node, remote ones last.
    pub nodes: Vec<Node>,
    /// The node that goes on serving until the cluster is there.
    pub first: String,
    /// Agents of ours on nodes that may run the services.
    pub agents: Vec<String>,
    /// Those that every member of the cluster is asked for.
    pub agents_everywhere: Vec<String>,
    /// Packages on every member of the cluster.
    pub member: Vec<String>,
    /// Packages on nodes that may run the services, beside those.
    pub runner: Vec<String>,
    /// Units that must not start at boot there.
    pub off: Vec<String>,
    /// Units that must not run there at all.
    pub replaced: Vec<String>,
    /// What must be let in there.
    pub ports: Vec<Port>,
    /// What else must be let in there, which is not known: a few words each.
    pub untold_ports: Vec<String>,
    /// Where the cluster mounts file systems.
    pub mounts: Vec<String>,
    /// How each of the two nodes logs in on the other one.
    pub login: Option<Login>,
}

/// Stock agents that start a service of the distribution, which is a package with a unit.
const STOCK: &[(&str, Names)] = &[
    ("ocf:heartbeat:apache", Names { deb: &["apache2"], rpm: &["httpd"] }),
    ("ocf:heartbeat:nginx", Names { deb: &["nginx"], rpm: &["nginx"] }),
    ("ocf:heartbeat:redis", Names { deb: &["redis-server"], rpm: &["redis"] }),
];
/// What mounts NFS.
const NFS: Names = Names { deb: &["nfs-common"], rpm: &["nfs-utils"] };
/// What the agent of file systems ends processes with.
const MOUNT: Names = Names { deb: &["psmisc"], rpm: &["psmisc"] };
/// What some fence agents run, where the package of all agents does not ask for it.
const IPMI: Names = Names { deb: &["ipmitool"], rpm: &[] };

impl Need {
    /// All of it; `read` reads files that the scenario names.
    pub fn of(scenario: &Scenario, system: System, read: ReadFile<'_>) -> Need {
        let mut need = Need { nodes: nodes(scenario), member: system.cluster_packages(), ..Need::default() };
        let active = scenario.nodes.iter().find(|node| node.role == Role::Active);
        need.first = active.map(|node| node.name.clone()).unwrap_or_default();
        let plan = crate::pcs::plan(scenario);
        for one in plan.steps().filter_map(crate::pcs::plan::Step::resource) {
            if let Some(agent) = one.agent.strip_prefix("ocf:inuvika:") {
                let list = if one.is_asked_everywhere() { &mut need.agents_everywhere } else { &mut need.agents };
                push(list, vec![agent.to_owned()]);
            }
        }
        for service in &scenario.services {
            let host = &service.kind.host;
            push(&mut need.runner, system.pick(host.packages));
            if system.is_old() {
                push(&mut need.runner, system.pick(host.old_kernel));
            }
            push(&mut need.off, system.pick(host.off));
            push(&mut need.replaced, system.pick(host.replaced));
            push(&mut need.off, service.read.text("service").map(Into::into).into_iter().collect());
            let ports = (host.ports)(service, read);
            need.ports.extend(ports.open);
            need.untold_ports.extend(ports.untold);
            need.login = need.login.or_else(|| host.login.map(|login| login(service)));
        }
        let mounts = scenario.repository.iter().chain(scenario.volumes.iter().map(|volume| &volume.mount));
        mounts.for_each(|one| need.mount(one, system));
        scenario.free.resources.iter().for_each(|one| need.free(one, system));
        need.fence(scenario, system);
        let member = need.member.clone();
        need.runner.retain(|name| !member.contains(name));
        need
    }

    fn mount(&mut self, one: &Repository, system: System) {
        self.mounts.push(one.directory.clone());
        push(&mut self.runner, system.pick(MOUNT));
        if one.fstype.starts_with("nfs") {
            push(&mut self.runner, system.pick(NFS));
        }
    }

    fn free(&mut self, one: &Primitive, system: System) {
        let unit = one.agent.strip_prefix("systemd:").or_else(|| one.agent.strip_prefix("lsb:"));
        push(&mut self.off, unit.map(Into::into).into_iter().collect());
        if let Some((_, names)) = STOCK.iter().find(|(agent, _)| *agent == one.agent) {
            push(&mut self.runner, system.pick(*names));
            push(&mut self.off, system.pick(*names));
        }
        if one.agent == "ocf:heartbeat:Filesystem" {
            let value = |name| one.params.iter().find(|(key, _)| key == name).map(|(_, value)| value);
            push(&mut self.runner, system.pick(MOUNT));
            if matches!(value("fstype"), Some(Value::Plain(text)) if text.starts_with("nfs")) {
                push(&mut self.runner, system.pick(NFS));
            }
            if let Some(Value::Plain(directory)) = value("directory") {
                self.mounts.push(directory.clone());
            }
        }
    }

    fn fence(&mut self, scenario: &Scenario, system: System) {
        if let Fencing::Devices(devices) = &scenario.fencing {
            push(&mut self.member, system.fence_packages());
            let ipmi = ["fence_ipmilan", "fence_idrac", "fence_ilo3", "fence_ilo4", "fence_ilo5", "fence_imm"];
            if devices.iter().any(|device| ipmi.contains(&device.agent.as_str())) {
                push(&mut self.member, system.pick(IPMI));
            }
        }
        if scenario.free.sbd.is_some() {
            self.member.push("sbd".into());
        }
        if scenario.free.quorum_device.is_some() {
            self.member.push("corosync-qdevice".into());
        }
    }

    /// Every package, for whoever asks where it is from.
    pub fn packages(&self, system: System) -> Vec<String> {
        let remote = if self.has_remotes() { self.remote(system) } else { Vec::new() };
        [self.member.clone(), self.runner.clone(), remote].concat()
    }

    /// Whether there are remote nodes.
    pub fn has_remotes(&self) -> bool {
        self.nodes.iter().any(|node| node.role == REMOTE)
    }

    /// The package of pacemaker_remote and those that its resources need.
    pub fn remote(&self, system: System) -> Vec<String> {
        let base = match system.family {
            Family::Deb => vec!["pacemaker-remote".to_owned(), "pacemaker-cli-utils".into()],
            Family::Rpm => vec!["pacemaker-remote".to_owned()],
        };
        [base, system.agent_packages(), self.runner.clone()].concat()
    }
}

fn nodes(scenario: &Scenario) -> Vec<Node> {
    let members = scenario.nodes.iter().map(|node| Node {
        name: node.name.clone(),
        role: if node.role == Role::Active { scenario.setup.role } else { QUORUM },
        addresses: node.addresses.iter().map(ToString::to_string).collect(),
    });
    let remotes = scenario.free.remotes.iter().map(|node| Node {
        name: node.name.clone(),
        role: REMOTE,
        addresses: vec![node.address.to_string()],
    });
    members.chain(remotes).collect()
}

/// Those that are not there yet.
fn push(list: &mut Vec<String>, names: Vec<String>) {
    for name in names {
        if !list.contains(&name) {
            list.push(name);
        }
    }
}
