//! What Pacemaker does with a resource, how often, and how long that may take.

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
    /// What follows when it fails; none: what Pacemaker has for the operation.
    pub on_fail: Option<OnFail>,
}

/// What follows when an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFail {
    /// Nothing: it counts for nothing, neither towards the migration threshold nor otherwise.
    Ignore,
    /// The resource is left alone until somebody cleans up.
    Block,
    /// The resource is stopped and not started anywhere.
    Stop,
    /// The resource is restarted, perhaps elsewhere.
    Restart,
    /// A promoted resource is demoted and promoted again.
    Demote,
    /// Everything leaves the node.
    Standby,
    /// The node is switched off.
    Fence,
}

impl OnFail {
    /// All of them.
    pub const ALL: [OnFail; 7] =
        [OnFail::Ignore, OnFail::Block, OnFail::Stop, OnFail::Restart, OnFail::Demote, OnFail::Standby, OnFail::Fence];

    /// The word for it in the cluster information base.
    pub fn word(self) -> &'static str {
        match self {
            OnFail::Ignore => "ignore",
            OnFail::Block => "block",
            OnFail::Stop => "stop",
            OnFail::Restart => "restart",
            OnFail::Demote => "demote",
            OnFail::Standby => "standby",
            OnFail::Fence => "fence",
        }
    }
}

impl Operation {
    /// An operation for the usual role, with its failures counted.
    pub fn plain(name: &str, interval: u32, timeout: u32) -> Operation {
        Operation { name: name.into(), interval, timeout, depth: 0, role: None, on_fail: None }
    }
}
