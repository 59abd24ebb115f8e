//! What is said of resources and nodes, and of resources among themselves.

use std::fmt;

pub use super::expression::{Comparison, Condition, Expression};

/// What a scenario says of resources on its own, beside what follows from its set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// Where a resource should be or must not be.
    Location {
        /// The resource.
        resource: String,
        /// The node.
        node: String,
        /// What about the two.
        rule: Rule,
    },
    /// Where a resource should be or must not be, by a condition.
    Where {
        /// The constraint's id.
        id: String,
        /// The resource, and the role that the score is for.
        part: Part,
        /// How strongly.
        score: Score,
        /// The condition.
        condition: Condition,
    },
    /// A resource runs where another runs, or does not.
    Colocation {
        /// The resource that follows.
        part: Part,
        /// The resource that leads.
        with: Part,
        /// How strongly.
        score: Score,
    },
    /// Sets of resources run together.
    Together {
        /// The constraint's id.
        id: String,
        /// The sets.
        sets: Vec<Set>,
        /// How strongly.
        score: Score,
    },
    /// Something happens after something else.
    Order {
        /// What happens first.
        first: Event,
        /// What happens then.
        then: Event,
        /// How it holds.
        kind: OrderKind,
        /// Whether it holds the other way round, too.
        symmetrical: bool,
    },
    /// Sets of resources start one after the other.
    Sequence {
        /// The constraint's id.
        id: String,
        /// The sets.
        sets: Vec<Set>,
        /// How it holds.
        kind: OrderKind,
        /// Whether it holds the other way round, too.
        symmetrical: bool,
    },
}

/// The id of a location of a resource on a node.
pub fn location_id(resource: &str, node: &str, rule: Rule) -> String {
    let verb = match rule {
        Rule::Score(_) => "prefer",
        Rule::Avoid => "avoid",
        Rule::Never => "never",
    };
    format!("location-{resource}-{node}-{verb}")
}

/// The id of a colocation.
pub fn colocation_id(resource: &str, with: &str) -> String {
    format!("colocation-{resource}-{with}")
}

/// The id of an order.
pub fn order_id(first: &str, then: &str) -> String {
    format!("order-{first}-{then}")
}

/// What a location says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// So much speaks for that node, or, below zero, against it.
    Score(Score),
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
    /// Never both at once, in whatever order.
    Serialize,
}

impl OrderKind {
    /// The word for it in the cluster information base.
    pub fn word(self) -> &'static str {
        match self {
            OrderKind::Mandatory => "Mandatory",
            OrderKind::Optional => "Optional",
            OrderKind::Serialize => "Serialize",
        }
    }
}

/// A score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    /// So much, from -999999 to 999999.
    Number(i32),
    /// `INFINITY`: nothing outweighs it but its opposite.
    Always,
    /// `-INFINITY`: whatever else there is.
    Never,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Score::Number(number) => write!(f, "{number}"),
            Score::Always => f.write_str("INFINITY"),
            Score::Never => f.write_str("-INFINITY"),
        }
    }
}

/// A resource, or what is of it in one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The resource.
    pub resource: String,
    /// The role; none: whichever it has.
    pub role: Option<Role>,
}

impl<T: Into<String>> From<T> for Part {
    fn from(resource: T) -> Part {
        Part { resource: resource.into(), role: None }
    }
}

/// A role of an instance of a promotable clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It has been promoted.
    Promoted,
    /// It has not.
    Unpromoted,
}

impl Role {
    /// The word for it since Pacemaker 2.1; older ones say Master and Slave.
    pub fn word(self) -> &'static str {
        match self {
            Role::Promoted => "Promoted",
            Role::Unpromoted => "Unpromoted",
        }
    }
}

/// What happens to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The resource.
    pub resource: String,
    /// What happens; none: it starts.
    pub action: Option<Action>,
}

impl<T: Into<String>> From<T> for Event {
    fn from(resource: T) -> Event {
        Event { resource: resource.into(), action: None }
    }
}

/// An action that an order may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It starts.
    Start,
    /// It stops.
    Stop,
    /// It is promoted.
    Promote,
    /// It is demoted.
    Demote,
}

impl Action {
    /// The word for it in the cluster information base.
    pub fn word(self) -> &'static str {
        match self {
            Action::Start => "start",
            Action::Stop => "stop",
            Action::Promote => "promote",
            Action::Demote => "demote",
        }
    }
}

/// Resources of which a constraint says the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The resources.
    pub resources: Vec<String>,
    /// Whether they depend on each other, in this order.
    pub sequential: bool,
    /// Whether all of them have to be there before what comes after them; for orders. false: one is enough.
    pub require_all: bool,
    /// The role that is meant, for colocations.
    pub role: Option<Role>,
    /// What happens to them, for orders; none: they start.
    pub action: Option<Action>,
}
