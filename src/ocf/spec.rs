//! The one table an agent is described by.
//!
//! Environment parsing, validate-all, meta-data, the help text and the names and timeouts that the pcs generator may use
//! are all derived from it, so a parameter is written once and cannot be spelt two ways.

/// What values a parameter takes. Only the shape: whether a value fits this host is the agent's `validate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text without control characters.
    Text,
    /// A whole number within `min..=max`.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// A duration in whole seconds within `min..=max`, written `5`, `5s` or `1min`.
    Seconds {
        /// Fewest seconds.
        min: u64,
        /// Most seconds.
        max: u64,
    },
    /// `yes|true|1|on` or `no|false|0|off`, in any case (what `ocf_is_true` takes).
    Boolean,
    /// One of the listed words.
    Select(&'static [&'static str]),
    /// One IPv4 or IPv6 address without prefix length.
    Address,
    /// Addresses or networks in CIDR notation, separated by commas or white space.
    Networks,
    /// The name of a network link (1 to 15 bytes, no `/`, no white space).
    Link,
    /// An absolute path.
    Path,
}

impl Kind {
    /// The `type` attribute of `<content>` in OCF meta-data.
    pub fn ocf_type(self) -> &'static str {
        match self {
            Kind::Integer { .. } => "integer",
            Kind::Boolean => "boolean",
            Kind::Select(_) => "select",
            _ => "string",
        }
    }

    /// What is allowed, as the end of the sentence "must be ...".
    pub fn allowed(self) -> String {
        match self {
            Kind::Text => "text without control characters".into(),
            Kind::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Seconds { min, max } => format!("{min} to {max} seconds, like 5s"),
            Kind::Boolean => "yes or no".into(),
            Kind::Select(words) => format!("one of {}", words.join(", ")),
            Kind::Address => "an IPv4 or IPv6 address without prefix length".into(),
            Kind::Networks => "addresses or networks (CIDR), separated by commas".into(),
            Kind::Link => "the name of a network link, like eth0".into(),
            Kind::Path => "an absolute path".into(),
        }
    }
}

/// One parameter of an agent.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// The name, as in `OCF_RESKEY_<name>`: lower case and underscores (crmsh maps `-` to `_`).
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The value when it is not given. Pacemaker never injects defaults: we do.
    pub default: Option<&'static str>,
    /// Whether start is impossible without it.
    pub required: bool,
    /// Two resources of this agent must not have equal values in the same group (OCF 1.1 `unique-group`).
    pub unique_group: Option<&'static str>,
    /// Whether `reload-agent` makes a new value effective without a restart.
    pub reloadable: bool,
    /// One line for lists.
    pub short: &'static str,
    /// The whole explanation, with unit, range and consequence.
    pub long: &'static str,
}

/// An optional parameter that a restart makes effective.
pub const fn param(name: &'static str, kind: Kind, short: &'static str, long: &'static str) -> Param {
    Param { name, kind, default: None, required: false, unique_group: None, reloadable: false, short, long }
}

/// The same with a default.
pub const fn usual(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    short: &'static str,
    long: &'static str,
) -> Param {
    Param { default: Some(default), ..param(name, kind, short, long) }
}

/// The same, effective without a restart.
pub const fn tunable(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    short: &'static str,
    long: &'static str,
) -> Param {
    Param { reloadable: true, ..usual(name, kind, default, short, long) }
}

/// The role of a monitor for nodes where the resource is not to run.
pub const STOPPED: &str = "Stopped";

/// One action. pcs copies each into the CIB as an operation, with these values.
#[derive(Debug, Clone, Copy)]
pub struct ActionSpec {
    /// The action's OCF name.
    pub name: &'static str,
    /// Advised timeout in seconds.
    pub timeout: u32,
    /// Interval in seconds; monitors only. Distinct for every monitor of an agent: Pacemaker forbids equal ones.
    pub interval: Option<u32>,
    /// Check level; monitors only (0 when there is an interval and no depth).
    pub depth: Option<u8>,
    /// Role the monitor is meant for (`Stopped`, `Promoted`, `Unpromoted`); none for the started one.
    pub role: Option<&'static str>,
}

impl ActionSpec {
    /// A plain action without interval.
    pub const fn plain(name: &'static str, timeout: u32) -> Self {
        Self { name, timeout, interval: None, depth: None, role: None }
    }

    /// A recurring monitor.
    pub const fn monitor(timeout: u32, interval: u32, depth: u8) -> Self {
        Self { name: "monitor", timeout, interval: Some(interval), depth: Some(depth), role: None }
    }

    /// A recurring monitor for nodes where the resource is not to run (`role=Stopped`).
    pub const fn passive(timeout: u32, interval: u32) -> Self {
        Self { name: "monitor", timeout, interval: Some(interval), depth: Some(0), role: Some(STOPPED) }
    }

    /// Whether the meta-data has it. pcs copies every advertised operation into the cluster, and a monitor with role=Stopped
    /// runs on every node, whatever the constraints (`resource-discovery=never` included): one that lacks the agent
    /// answers 5, Pacemaker takes that for running, and the stop that must fail has the node fenced (tried with 2.1.5).
    pub fn is_advertised(&self) -> bool {
        self.role != Some(STOPPED)
    }
}

/// The whole description of an agent.
#[derive(Debug)]
pub struct Spec {
    /// The agent's name: the file name under `resource.d/inuvika` and the type in `ocf:inuvika:<name>`.
    pub name: &'static str,
    /// One line for `pcs resource list`.
    pub short: &'static str,
    /// The explanation shown by `pcs resource describe`.
    pub long: &'static str,
    /// Its own parameters, required ones first. [`COMMON`] follow in the meta-data.
    pub params: &'static [Param],
    /// Its actions.
    pub actions: &'static [ActionSpec],
}

/// Parameters every agent has. pcs adds the two itself for the providers heartbeat and pacemaker only.
pub const COMMON: &[Param] = &[
    Param {
        name: "trace_ra",
        kind: Kind::Boolean,
        default: Some("0"),
        required: false,
        unique_group: None,
        reloadable: true,
        short: "Write a timed log of every step",
        long: "Write every step of each action, with its time in milliseconds, to a file of its own: \
               /var/lib/heartbeat/trace_ra/TYPE/INSTANCE.ACTION.TIMESTAMP. Set by 'crm resource trace'.",
    },
    Param {
        name: "trace_file",
        kind: Kind::Path,
        default: None,
        required: false,
        unique_group: None,
        reloadable: true,
        short: "Where the step log goes",
        long: "Append the step log to this file instead. Only with trace_ra.",
    },
];

impl Spec {
    /// All parameters, the agent's own first.
    pub fn all_params(&self) -> impl Iterator<Item = &'static Param> + use<> {
        self.params.iter().chain(COMMON)
    }

    /// The parameter called `name`.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.all_params().find(|p| p.name == name)
    }
}
