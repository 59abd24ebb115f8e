//! What a plan has beside resources and constraints.

/// A program that Pacemaker runs on every node when something happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// The program.
    pub path: String,
    /// Its options, which it gets as environment variables. No secrets: everybody on the node may read them.
    pub options: Vec<(String, String)>,
    /// Its meta attributes: timeout, timestamp-format.
    pub meta: Vec<(String, String)>,
    /// Who is told. None: the program is run once and knows by itself.
    pub recipients: Vec<Recipient>,
}

/// Somebody an alert tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Its id.
    pub id: String,
    /// Who it is, in the words of the program: an address, a file.
    pub value: String,
}

/// A host outside the cluster that has a vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumDevice {
    /// The host on which corosync-qnetd runs.
    pub host: String,
    /// Its address, when the host's name is none that every node knows.
    pub address: Option<String>,
    /// Which part of a split cluster gets the vote: `ffsplit` or `lms`.
    pub algorithm: String,
}

/// Nodes that switch themselves off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sbd {
    /// The watchdog's device on every node.
    pub watchdog: String,
    /// Disks that all nodes share; none: the watchdog alone.
    pub devices: Vec<String>,
    /// Seconds without news from the cluster after which the watchdog switches the node off.
    pub timeout: u32,
}

/// What the services depend on outside the cluster: when it fails, no node can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// What it is, for people, as `database` or `NFS server 10.0.0.5`.
    pub name: String,
    /// The resources that are of no use without it.
    pub needed_by: Vec<String>,
}
