//! What has to be configured, in order, without a word of any command's syntax.

use crate::ocf::spec::STOPPED;

/// Everything a script does.
#[derive(Debug)]
pub struct Plan {
    /// The cluster's name.
    pub cluster: String,
    /// What it is, for people: one line.
    pub title: String,
    /// Every node with its addresses.
    pub nodes: Vec<Member>,
    /// The nodes that may run the services.
    pub runners: Vec<String>,
    /// What every node needs before the first run, in lines.
    pub needs: Vec<String>,
    /// What the reader has to know before the first step.
    pub notes: Vec<String>,
    /// The steps, in groups that belong together.
    pub sections: Vec<Section>,
}

/// A node of the cluster.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its address on each link.
    pub addresses: Vec<String>,
}

/// Steps that belong together.
#[derive(Debug)]
pub struct Section {
    /// What they do: one line.
    pub title: String,
    /// Why they do it like this, in lines.
    pub why: Vec<String>,
    /// The steps.
    pub steps: Vec<Step>,
}

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
    /// A fencing device.
    Stonith(Resource),
    /// A resource.
    Primitive(Resource),
    /// A resource runs on every node that may run it, at once.
    Clone {
        /// The resource.
        resource: String,
        /// Meta attributes of the clone; an empty value: it must not have this one.
        meta: Vec<(String, String)>,
    },
    /// Resources that are in one place, start one after the other, and stop the other way round.
    Group {
        /// The group.
        id: String,
        /// Its resources.
        members: Vec<String>,
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
    /// A resource runs where another runs.
    Colocation {
        /// The resource that follows.
        resource: String,
        /// The resource that leads.
        with: String,
        /// How strongly.
        score: String,
    },
    /// A resource starts after another and stops before it.
    Order {
        /// What starts first.
        first: String,
        /// What starts then.
        then: String,
        /// Whether a restart of the first restarts the other, too.
        kind: OrderKind,
    },
    /// What somebody has to do elsewhere: lines to show.
    ByHand(Vec<String>),
}

/// What a location says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// So much speaks for that node.
    Prefer(u32),
    /// The resource never runs there.
    Avoid,
    /// The resource never runs there, and is not probed there. A monitor with role=Stopped runs there all the same.
    Never,
}

/// What a node attribute says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// This value.
    Is(String),
    /// A whole number, this or a greater one.
    AtLeast(u32),
    /// Nothing: the node has no such attribute (yet).
    Unknown,
}

/// How strongly a resource likes a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// So much.
    For(u32),
    /// Not at all: it must not run there.
    Never,
}

/// How an order holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKind {
    /// Always: the second is restarted with the first.
    Mandatory,
    /// Whenever both start or stop.
    Optional,
}

/// A resource or a fencing device.
#[derive(Debug)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// Its agent, as `ocf:heartbeat:IPaddr2` or `fence_ipmilan`.
    pub agent: String,
    /// Its parameters.
    pub params: Vec<(String, Setting)>,
    /// Its meta attributes.
    pub meta: Vec<(String, String)>,
    /// Its operations.
    pub operations: Vec<Operation>,
}

impl Operation {
    /// An operation for the usual role, with its failures counted.
    pub fn plain(name: &str, interval: u32, timeout: u32) -> Operation {
        Operation { name: name.into(), interval, timeout, depth: 0, role: None, failure_ignored: false }
    }
}

impl Resource {
    /// Whether every node of the cluster needs its agent: a monitor with role=Stopped runs on all of them, whatever the
    /// constraints.
    pub fn is_asked_everywhere(&self) -> bool {
        self.operations.iter().any(|operation| operation.role.as_deref() == Some(STOPPED))
    }
}

/// The value of a parameter.
#[derive(Debug)]
pub enum Setting {
    /// None: the agent's default.
    Unset,
    /// This text.
    Text(String),
    /// The first line of this file, read when the script runs.
    SecretFile(String),
}

/// An operation, times in seconds.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// How often; 0 for once.
    pub interval: u32,
    /// How long it may take.
    pub timeout: u32,
    /// The check level of a monitor.
    pub depth: u8,
    /// The role a monitor is for.
    pub role: Option<String>,
    /// Whether a failure of it counts for nothing: neither towards the migration threshold nor otherwise.
    pub failure_ignored: bool,
}
