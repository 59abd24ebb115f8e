//! The steps themselves.

use super::constraint::{colocation_id, location_id, order_id};
use super::{Alert, Condition, Event, OrderKind, Part, QuorumDevice, Resource, Rule, Sbd, Set, View, Weight};

/// The agent of the connection to a remote node.
pub const REMOTE: &str = "ocf:pacemaker:remote";

/// One step.
#[derive(Debug)]
pub enum Step {
    /// Makes the nodes trust each other.
    Auth,
    /// Creates and starts the cluster.
    ClusterSetup {
        /// The token timeout in milliseconds, when it is not the distribution's.
        token: Option<u32>,
        /// Whether nodes join by themselves when they boot.
        start_at_boot: bool,
    },
    /// Makes sure that the nodes have the agents they need, before anything is changed.
    Agents,
    /// Cluster properties.
    Property(Vec<(String, String)>),
    /// Defaults of all resources.
    Defaults(Vec<(String, String)>),
    /// Defaults of all operations.
    OperationDefaults(Vec<(String, String)>),
    /// A host outside the cluster has a vote. It belongs to corosync's configuration, not to the cluster information base.
    QuorumDevice(QuorumDevice),
    /// Nodes switch themselves off by a watchdog. It belongs to every node's own configuration.
    Sbd(Sbd),
    /// Permanent attributes of a node.
    NodeAttributes {
        /// The node, which may be a remote one.
        node: String,
        /// The attributes, each with its value.
        attributes: Vec<(String, String)>,
    },
    /// A fencing device.
    Stonith(Resource),
    /// What is tried to switch a node off, when all of a lower level has failed. The devices of a level all have to work.
    Level {
        /// The node.
        node: String,
        /// The level, 1 to 9.
        level: u8,
        /// The devices, in the order they are asked.
        devices: Vec<String>,
    },
    /// A resource.
    Primitive(Resource),
    /// A node that runs resources, but neither corosync nor votes: the connection to its pacemaker_remote. It is a resource
    /// with the node's name as its id and the agent [`REMOTE`], so it has to come before whatever names the node.
    Remote(Resource),
    /// A resource runs on every node that may run it, at once.
    Clone {
        /// The resource.
        resource: String,
        /// Meta attributes of the clone; an empty value: it must not have this one.
        meta: Vec<(String, String)>,
    },
    /// A resource runs on every node that may run it, and is promoted on some of them. Its id is that of a clone.
    Promotable {
        /// The resource.
        resource: String,
        /// Meta attributes of the clone; an empty value: it must not have this one. `promotable=true` goes without saying.
        meta: Vec<(String, String)>,
    },
    /// Resources that are in one place, start one after the other, and stop the other way round.
    Group {
        /// The group.
        id: String,
        /// Its resources.
        members: Vec<String>,
        /// Its meta attributes.
        meta: Vec<(String, String)>,
    },
    /// Where a resource should be or must not be.
    Location {
        /// The resource.
        resource: String,
        /// The node.
        node: String,
        /// What about the two.
        rule: Rule,
    },
    /// A resource likes nodes, or must not run on nodes, of which a node attribute says something.
    Attraction {
        /// The resource.
        resource: String,
        /// The attribute.
        attribute: String,
        /// What it has to say.
        view: View,
        /// How strongly.
        weight: Weight,
    },
    /// A resource likes or avoids nodes that a condition is true for. Location by rule.
    Where {
        /// The constraint's id.
        id: String,
        /// The resource, and the role that the score is for.
        part: Part,
        /// How strongly: a whole number, `INFINITY` or `-INFINITY`.
        score: String,
        /// The condition.
        condition: Condition,
    },
    /// A resource runs where another runs, or, with a negative score, where the other does not. Its id: [`Step::id`].
    Colocation {
        /// The resource that follows.
        part: Part,
        /// The resource that leads.
        with: Part,
        /// How strongly.
        score: String,
    },
    /// Sets of resources run together: each set follows the one written AFTER it, and in a sequential set each resource
    /// follows the one written before it. Colocation of sets.
    Together {
        /// The constraint's id.
        id: String,
        /// The sets. Their actions and `require_all` mean nothing here.
        sets: Vec<Set>,
        /// How strongly.
        score: String,
    },
    /// Something happens to a resource after something has happened to another, and at the stop the other way round. Its
    /// id: [`Step::id`].
    Order {
        /// What happens first.
        first: Event,
        /// What happens then.
        then: Event,
        /// Whether a restart of the first restarts the other, too.
        kind: OrderKind,
        /// Whether it holds the other way round, too, when both stop.
        symmetrical: bool,
    },
    /// Sets of resources start one after the other. Order of sets.
    Sequence {
        /// The constraint's id.
        id: String,
        /// The sets. Their roles mean nothing here.
        sets: Vec<Set>,
        /// How it holds.
        kind: OrderKind,
        /// Whether it holds the other way round, too, when all stop.
        symmetrical: bool,
    },
    /// A program that Pacemaker runs when something happens.
    Alert(Alert),
    /// A name for several resources or constraints. For people; it changes nothing.
    Tag {
        /// The tag.
        id: String,
        /// What it is a name for.
        members: Vec<String>,
    },
    /// What somebody has to do elsewhere: lines to show.
    ByHand(Vec<String>),
}

impl Step {
    /// The id of the constraint it is, with which the script finds it again: two steps with one id would be one
    /// constraint, made anew in every run.
    pub fn id(&self) -> Option<String> {
        Some(match self {
            Step::Location { resource, node, rule } => location_id(resource, node, *rule),
            Step::Attraction { resource, attribute, view, .. } => match view {
                View::Is(value) => format!("location-{resource}-{attribute}-{value}"),
                View::AtLeast(number) => format!("location-{resource}-{attribute}-{number}"),
                View::Unknown => format!("location-{resource}-{attribute}-undefined"),
            },
            Step::Colocation { part, with, .. } => colocation_id(&part.resource, &with.resource),
            Step::Order { first, then, .. } => order_id(&first.resource, &then.resource),
            Step::Where { id, .. } | Step::Together { id, .. } | Step::Sequence { id, .. } => id.clone(),
            _ => return None,
        })
    }

    /// What has parameters: a resource, a remote node's connection or a fencing device.
    pub fn resource(&self) -> Option<&Resource> {
        match self {
            Step::Primitive(resource) | Step::Remote(resource) | Step::Stonith(resource) => Some(resource),
            _ => None,
        }
    }

    /// Whether it makes the cluster, so that it comes before whatever is in its configuration.
    pub fn is_before_configuration(&self) -> bool {
        matches!(self, Step::Auth | Step::Agents | Step::ClusterSetup { .. } | Step::QuorumDevice(_) | Step::Sbd(_))
    }
}
