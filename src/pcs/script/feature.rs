//! What differs between versions of pcs: one table, from its own release notes and from trying the commands.

use super::version::Version;

/// Something that not every pcs of the field can do, or that has to be said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `cluster setup --start --wait=SECONDS`.
    SetupWait,
    /// `cluster cib-push --wait=SECONDS`.
    PushWait,
    /// `cluster cib-push NEW diff-against=OLD`.
    PushDifference,
    /// `cluster setup --encryption 1`; from 0.10 on traffic is encrypted anyway.
    EncryptionFlag,
    /// `resource defaults NAME=VALUE`, into a file as well. Before, it ignores the file; after, it is deprecated.
    DefaultsPlain,
    /// `resource defaults update NAME=VALUE`.
    DefaultsUpdate,
    /// Nodes have addresses apart from their names: `host auth NODE addr=A`, `cluster setup NAME NODE addr=A`, `cluster link`.
    Addresses,
    /// Runs on Python 3 everywhere.
    Python3,
    /// pcsd answers 400 where there is no corosync.conf; before, 500.
    NoConfigurationIs400,
    /// `cluster config update totem token=MS`.
    ConfigUpdate,
    /// pcsd can be asked for the meta-data of an agent.
    AskForAgents,
    /// Fence agents come with the names ip, username, password; before, they were ipaddr, login, passwd.
    FenceNames,
    /// Roles are called Promoted and Unpromoted; before, Master and Slave.
    PromotedRoles,
    /// `constraint location add ... score=SCORE`; before, the score is a word of its own.
    ScoreByName,
    /// A rule is one word; before, it is as many as it has.
    RuleAsText,
    /// `quorum device add` and `stonith sbd enable`.
    QuorumDevice,
    /// `stonith sbd enable watchdog=W`; before, `--watchdog=W`.
    SbdWords,
    /// `alert create`.
    Alerts,
    /// `node attribute NODE NAME=VALUE`; before, `property set --node NODE NAME=VALUE`.
    NodeAttribute,
    /// `resource promotable R meta NAME=VALUE`; before, `resource master ID R NAME=VALUE`, and another element of the CIB.
    Promotable,
    /// `tag create`.
    Tags,
    /// `stonith level remove LEVEL target NODE`; before, the node is a word of its own, which is deprecated now.
    LevelTarget,
}

/// From this version on, until before that one.
type Span = (Version, Version);

const ALWAYS: Version = Version(u16::MAX, 0, 0);

const fn from(version: Version) -> Span {
    (version, ALWAYS)
}

/// The table of what every script uses.
pub const TABLE: &[(Feature, &[Span])] = &[
    (Feature::SetupWait, &[from(Version(0, 9, 150))]),
    (Feature::PushWait, &[from(Version(0, 9, 153))]),
    (Feature::PushDifference, &[from(Version(0, 9, 156))]),
    (Feature::EncryptionFlag, &[(Version(0, 9, 159), Version(0, 10, 0))]),
    (Feature::DefaultsPlain, &[(Version(0, 9, 160), Version(0, 10, 7))]),
    (Feature::DefaultsUpdate, &[from(Version(0, 10, 7))]),
    (Feature::Addresses, &[from(Version(0, 10, 0))]),
    (Feature::Python3, &[from(Version(0, 10, 0))]),
    (Feature::NoConfigurationIs400, &[from(Version(0, 10, 6))]),
    (Feature::ConfigUpdate, &[from(Version(0, 10, 8))]),
    (Feature::AskForAgents, &[(Version(0, 10, 13), Version(0, 11, 0)), from(Version(0, 11, 2))]),
    (Feature::FenceNames, &[from(Version(0, 10, 0))]),
    (Feature::PromotedRoles, &[from(Version(0, 11, 0))]),
    (Feature::ScoreByName, &[from(Version(0, 12, 0))]),
    (Feature::RuleAsText, &[from(Version(0, 12, 0))]),
];

/// The table of what only scripts with such a step use: others need not know where it changes.
pub const RARE: &[(Feature, &[Span])] = &[
    (Feature::QuorumDevice, &[from(Version(0, 9, 152))]),
    (Feature::SbdWords, &[from(Version(0, 10, 0))]),
    (Feature::Alerts, &[from(Version(0, 9, 153))]),
    (Feature::NodeAttribute, &[from(Version(0, 9, 154))]),
    (Feature::Promotable, &[from(Version(0, 10, 0))]),
    (Feature::Tags, &[from(Version(0, 10, 6))]),
    (Feature::LevelTarget, &[from(Version(0, 10, 9))]),
];

impl Feature {
    /// When it is there.
    pub fn spans(self) -> &'static [Span] {
        TABLE.iter().chain(RARE).find(|(feature, _)| *feature == self).map_or(&[], |(_, spans)| spans)
    }
}
