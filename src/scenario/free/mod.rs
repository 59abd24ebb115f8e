//! What a scenario may have beside the services of its set-up: resources of any agent, and what is said of them.
//!
//! Everything here ends up as steps of a plan, one for one. What only a running cluster can know (whether an agent is
//! installed, what its parameters are) is left to pcs, which refuses it before anything is changed.

pub mod agent;
mod alert;
mod colocation;
mod copies;
mod group;
pub mod ids;
mod location;
mod operations;
mod order;
mod outside;
pub mod pairs;
mod primitive;
mod remote;
mod score;
mod set;

pub use copies::Copies;
pub use group::Group;
pub use operations::is_action;
pub use primitive::Primitive;
pub use remote::Remote;

use super::beside::{Alert, External, QuorumDevice, Sbd};
use super::constraint::Constraint;
use super::fault::Fault;
use super::fencing::Device;
use super::node::{Node, Role};
use super::reader::{Item, Table};
use ids::Ids;
use pairs::Pairs;

/// What is tried to switch a node off.
#[derive(Debug)]
pub struct Level {
    /// The node.
    pub node: String,
    /// When: 1 to 9, the lowest first.
    pub level: u8,
    /// The devices, all of which have to work.
    pub devices: Vec<String>,
}

/// A name for several resources.
#[derive(Debug)]
pub struct Tag {
    /// The name.
    pub id: String,
    /// The resources.
    pub members: Vec<String>,
}

/// Everything that does not come from the set-up.
#[derive(Debug, Default)]
pub struct Free {
    /// Nodes that run resources, but do not vote.
    pub remotes: Vec<Remote>,
    /// Attributes of nodes that are not remote.
    pub attributes: Vec<(String, Pairs)>,
    /// Resources, those in groups, too.
    pub resources: Vec<Primitive>,
    /// Groups of them.
    pub groups: Vec<Group>,
    /// What is said of resources, also of those of the set-up.
    pub constraints: Vec<Constraint>,
    /// What is tried to switch a node off, in which order.
    pub levels: Vec<Level>,
    /// Programs that are run when something happens.
    pub alerts: Vec<Alert>,
    /// Names for several resources.
    pub tags: Vec<Tag>,
    /// What they depend on outside the cluster.
    pub externals: Vec<External>,
    /// Cluster properties.
    pub properties: Pairs,
    /// Defaults of all resources, beside those of `[failover]`.
    pub defaults: Pairs,
    /// Defaults of all operations.
    pub operation_defaults: Pairs,
    /// A host outside the cluster with a vote.
    pub quorum_device: Option<QuorumDevice>,
    /// Whether nodes switch themselves off.
    pub sbd: Option<Sbd>,
}

/// The sections that are read here.
pub const SECTIONS: &[&str] = &[
    "remote",
    "resource",
    "group",
    "colocation",
    "order",
    "location",
    "fencing_level",
    "alert",
    "tag",
    "external",
    "properties",
    "defaults",
    "operation_defaults",
    "quorum_device",
    "sbd",
];

/// Cluster properties that other sections say.
const PROPERTIES: &[(&str, &str)] = &[
    ("stonith-enabled", "fencing"),
    ("stonith-watchdog-timeout", "[sbd]"),
    ("no-quorum-policy", "this program: a part without the majority stops"),
    ("cluster-name", "[cluster]"),
];
/// Defaults that another section says.
const DEFAULTS: &[(&str, &str)] =
    &[("resource-stickiness", "[failover]"), ("migration-threshold", "[failover]"), ("failure-timeout", "[failover]")];

/// The tables of a list, when there is one.
fn tables<'a>(top: &mut Table<'a>, key: &str) -> Result<Vec<Table<'a>>, Fault> {
    top.take(key).map_or(Ok(Vec::new()), Item::tables)
}

impl Free {
    /// Reads what comes before fencing: names are needed there. `ids` knows those of the set-up.
    pub(super) fn read(top: &mut Table<'_>, nodes: &[Node], ids: &mut Ids) -> Result<Free, Fault> {
        let attributes = nodes.iter().filter(|node| !node.attributes.is_empty());
        let attributes = attributes.map(|node| (node.name.clone(), node.attributes.clone())).collect();
        let mut free = Free { attributes, ..Free::default() };
        for table in tables(top, "remote")? {
            free.remotes.push(Remote::read(table, nodes, ids)?);
        }
        for table in tables(top, "resource")? {
            free.resources.push(Primitive::read(table, ids)?);
        }
        for table in tables(top, "group")? {
            free.groups.push(Group::read(table, ids, &free.resources)?);
        }
        let part = |key: &str, given: &[(&str, &str)], top: &mut Table<'_>| match top.take(key) {
            Some(item) => pairs::but(item, given),
            None => Ok(Vec::new()),
        };
        free.properties = part("properties", PROPERTIES, top)?;
        free.defaults = part("defaults", DEFAULTS, top)?;
        free.operation_defaults = part("operation_defaults", &[], top)?;
        free.quorum_device =
            top.take("quorum_device").map(|item| outside::quorum_device(item.table()?, nodes)).transpose()?;
        free.sbd = top.take("sbd").map(|item| outside::sbd(item.table()?)).transpose()?;
        Ok(free)
    }

    /// Reads what names everything else.
    pub(super) fn read_relations(
        &mut self,
        top: &mut Table<'_>,
        nodes: &[Node],
        devices: &[Device],
        ids: &mut Ids,
    ) -> Result<(), Fault> {
        let voters = nodes.iter().filter(|node| node.role == Role::Quorum).map(|node| node.name.as_str());
        let voters: Vec<&str> = voters.collect();
        let runners = nodes.iter().filter(|node| node.role == Role::Active).map(|node| node.name.clone());
        let runners: Vec<String> = runners.chain(self.remotes.iter().map(|remote| remote.name.clone())).collect();
        for table in tables(top, "colocation")? {
            self.constraints.push(colocation::read(table, ids)?);
        }
        for table in tables(top, "order")? {
            self.constraints.push(order::read(table, ids)?);
        }
        for table in tables(top, "location")? {
            self.constraints.push(location::read(table, &runners, &voters, ids)?);
        }
        for table in tables(top, "fencing_level")? {
            let (level, place) = outside::level(table, devices)?;
            if self.levels.iter().any(|other| other.node == level.node && other.level == level.level) {
                return Err(place.fault(format!("{} has a level {} already", level.node, level.level)));
            }
            self.levels.push(level);
        }
        for table in tables(top, "alert")? {
            self.alerts.push(alert::read(table, ids)?);
        }
        for table in tables(top, "tag")? {
            self.tags.push(outside::tag(table, ids)?);
        }
        for table in tables(top, "external")? {
            self.externals.push(outside::external(table, ids)?);
        }
        Ok(())
    }

    /// The resources and groups that are in no group, by the ids that constraints name.
    pub fn outermost(&self) -> impl Iterator<Item = String> {
        let grouped = |id: &String| self.groups.iter().any(|group| group.members.contains(id));
        let single = self.resources.iter().filter(move |one| !grouped(&one.id));
        let single = single.map(|one| one.copies.id(&one.id));
        single.chain(self.groups.iter().map(|group| group.copies.id(&group.id)))
    }
}

#[cfg(test)]
mod tests;
