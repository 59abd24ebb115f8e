//! The database, and what the cluster learns of this node's view of it.

use std::time::Duration;

use super::config::Config;
use super::settings::Settings;
use crate::cluster::attribute::Attribute;
use crate::ocf::check::Verdict;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::probe::mysql::Trouble;

/// How long the cluster waits, after one node has changed its view, for the others to change theirs: longer than the
/// slowest of them takes to notice (15 s between two questions of the active node, the 3 s one may last, and the 6 s that
/// monitors of other depths may hold it up). Each change starts the time anew (attrd_updater(8)). So a database that is lost by everybody never looks like one that is lost by
/// one node.
const DAMPENING: u64 = 30;

/// How long the attribute manager may take: it is on this node.
const PUBLISH: Duration = Duration::from_secs(3);

/// The Session Manager writes its settings in place: a reader may come in between.
const ONCE_MORE: Duration = Duration::from_millis(300);

/// Reads the settings; twice, when the first look finds them unusable.
pub fn settings(config: &Config) -> Result<Settings, String> {
    Settings::read(&config.settings).or_else(|_| {
        std::thread::sleep(ONCE_MORE);
        Settings::read(&config.settings)
    })
}

/// How this node sees the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// It answers.
    Answers,
    /// It answers, and refuses us. The other nodes would be refused as well, so it counts as reached.
    Refuses(String),
    /// Nobody answers.
    Lost(String),
    /// The settings that name it cannot be used.
    Unknown(String),
}

impl View {
    /// Asks, with the credentials of the Session Manager.
    pub fn of(config: &Config, op: &Operation) -> Self {
        let settings = match settings(config) {
            Ok(settings) => settings,
            Err(why) => return View::Unknown(why),
        };
        match settings.database.select_1(&op.deadline.within(config.database_timeout)) {
            Ok(()) => View::Answers,
            Err(Trouble::Refused(why)) => View::Refuses(why),
            Err(Trouble::Unreachable(why)) => View::Lost(why),
        }
    }

    /// What the node attribute says.
    pub fn word(&self) -> &'static str {
        match self {
            View::Answers | View::Refuses(_) => "ok",
            View::Lost(_) | View::Unknown(_) => "lost",
        }
    }

    /// The judgement of the active node. Settings that cannot be read are its own failure; the database is not.
    pub fn judge(self, config: &Config) -> (Verdict, String) {
        let lost = if config.dependency_fails { Verdict::Failed } else { Verdict::Degraded };
        match self {
            View::Answers => (Verdict::Ok, "answers SELECT 1".to_owned()),
            View::Refuses(why) => (Verdict::Degraded, why),
            View::Lost(why) => (lost, why),
            View::Unknown(why) => (Verdict::Failed, why),
        }
    }
}

/// Lets the cluster know this node's view: the generated location rule weighs it. What came of it, in words: the service
/// works without it, only its failover does not see the database then.
pub fn publish(view: &View, op: &Operation) -> String {
    let attribute = Attribute { name: attribute_name(op), dampening: DAMPENING };
    let published = attribute.publish(view.word(), &op.deadline.within(PUBLISH));
    let trouble = published.as_ref().err().map(|error| format!("publish {}: {error}", attribute.name));
    memory::once(op, "attribute", trouble.as_deref());
    if matches!(published, Ok(true)) {
        op.log.info(&format!("{} of this node is {} now", attribute.name, view.word()));
    }
    trouble.unwrap_or_else(|| format!("{} is {}", attribute.name, view.word()))
}

/// The node attribute of this instance.
pub fn attribute_name(op: &Operation) -> String {
    format!("{}-database", op.instance.file_name())
}
