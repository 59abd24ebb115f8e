//! What the webapps need beside themselves: Redis, RabbitMQ, the template repository; and what the cluster learns of this node's
//! view of them.

use std::time::Duration;

use super::config::Config;
use super::repository::Seen;
use super::settings::{Repository, Settings};
use crate::cluster::attribute::Attribute;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::probe::amqp::Rabbit;
use crate::probe::nfs;
use crate::probe::redis::Redis;
use crate::probe::runtime;
use crate::probe::server::Server;
use crate::probe::trouble::Trouble;

/// How long the cluster waits, after one node has changed its view, for the others to change theirs: longer than the slowest of
/// them takes to notice (15 s between two questions of the active node, the 3 s one may last, and what monitors of other depths
/// may hold it up). So what is lost by everybody never looks like something that is lost by one node.
const DAMPENING: u64 = 30;
/// What the attribute on a second Tomcat is called.
const STRAY: &str = "stray";
/// How long the attribute manager may take for all that is asked of it in one monitor: it is on this node.
pub const PUBLISH: Duration = Duration::from_secs(3);
/// What came of the questions.
#[derive(Debug, Clone, Default)]
pub struct View {
    redis: Option<Result<(), Trouble>>,
    rabbit: Option<Result<(), Trouble>>,
    /// The repository's server: what every node can ask.
    server: Option<Result<(), Trouble>>,
    /// The repository as it is mounted here.
    mounted: Option<Seen>,
}

impl View {
    /// Asks Redis, RabbitMQ and the repository's server at once.
    pub fn of(settings: &Settings, config: &Config, deadline: &Deadline) -> Self {
        let repository = settings.repository.as_ref().filter(|repository| !repository.is_local());
        let host = repository.and_then(Repository::host).map(str::to_owned);
        let server = host.zip(config.repository_port);
        let server = server.map(|(host, port)| Server { kind: "NFS", host, port, tls: None });
        let limit = config.dependency_timeout;
        Self::asked(settings.redis.clone(), settings.rabbits.clone(), server, limit, deadline)
    }

    fn asked(
        redis: Option<Redis>,
        rabbits: Vec<Rabbit>,
        server: Option<Server>,
        limit: Duration,
        deadline: &Deadline,
    ) -> Self {
        // A little less than the whole, so that those that have answered are heard.
        let limit = limit.min(deadline.left() * 19 / 20);
        let (has_redis, has_rabbit, has_server) = (redis.is_some(), !rabbits.is_empty(), server.is_some());
        let questions = async move {
            let redis = redis.map(|one| tokio::spawn(async move { one.server.limited(limit, one.ping()).await }));
            let rabbits: Vec<_> = rabbits
                .into_iter()
                .map(|one| tokio::spawn(async move { one.server.limited(limit, one.login()).await }))
                .collect();
            let server = server.map(|one| tokio::spawn(async move { one.limited(limit, nfs::null(&one)).await }));
            let mut view = View::default();
            if let Some(redis) = redis {
                view.redis = Some(redis.await.unwrap_or_else(|_| Err(nothing("Redis"))));
            }
            for rabbit in rabbits {
                let said = rabbit.await.unwrap_or_else(|_| Err(nothing("RabbitMQ")));
                view.rabbit = Some(better(view.rabbit.take(), said));
            }
            if let Some(server) = server {
                view.server = Some(server.await.unwrap_or_else(|_| Err(nothing("NFS"))));
            }
            view
        };
        let deadline = deadline.within(limit + Duration::from_millis(200));
        runtime::block(questions, &deadline).ok().flatten().unwrap_or_else(|| View {
            redis: has_redis.then(|| Err(nothing("Redis"))),
            rabbit: has_rabbit.then(|| Err(nothing("RabbitMQ"))),
            server: has_server.then(|| Err(nothing("NFS"))),
            mounted: None,
        })
    }

    /// The same with what this node sees of the repository that it has mounted.
    pub fn with_mounted(mut self, seen: Option<&Seen>) -> Self {
        self.mounted = seen.cloned();
        self
    }

    /// Those whose answers say whether the webapps can work: of the repository the mount, where there is one.
    fn all(&self) -> [(&'static str, Option<Result<(), Trouble>>); 3] {
        let mounted = self.mounted.as_ref().map(|seen| match seen.trouble() {
            None => Ok(()),
            Some(why) => Err(Trouble::Unreachable(why.clone())),
        });
        let repository = mounted.or_else(|| self.server.clone());
        [("redis", self.redis.clone()), ("rabbitmq", self.rabbit.clone()), ("repository", repository)]
    }

    /// All that is not as it should be.
    pub fn troubles(&self) -> impl Iterator<Item = Trouble> {
        self.all().into_iter().filter_map(|(_, said)| said?.err())
    }

    /// The first of them.
    pub fn trouble(&self) -> Option<Trouble> {
        self.troubles().next()
    }

    /// What the repository's server lacks although the mount answers: only the node attribute says it then.
    pub fn server_trouble(&self) -> Option<String> {
        let is_well = self.mounted == Some(Seen::Alive);
        self.server.as_ref()?.as_ref().err().filter(|_| is_well).map(ToString::to_string)
    }

    /// The names of those that were asked and are well.
    pub fn well(&self) -> String {
        let well = self.all().into_iter().filter(|(_, said)| matches!(said, Some(Ok(()))));
        well.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    }

    /// What the node attribute says. A refusal is not this node's alone: the others would hear the same. Of the repository it is
    /// what the passive nodes can ask, too: a server that hangs for everybody must not look like one that only the active
    /// node has lost. A stale mount is such a loss: another node would mount it anew.
    pub fn word(&self) -> &'static str {
        let asked = [&self.redis, &self.rabbit, &self.server];
        let lost = asked.into_iter().any(|said| matches!(said, Some(Err(Trouble::Unreachable(_)))));
        if lost || matches!(self.mounted, Some(Seen::Stale(_))) { "lost" } else { "ok" }
    }

    /// The judgement of the active node on Redis and RabbitMQ; on the repository there is one already.
    pub fn checks(&self, config: &Config) -> Vec<Check> {
        let asked = self.all().into_iter().filter(|(name, _)| *name != "repository");
        let judge = |said: &Result<(), Trouble>| match said {
            Ok(()) => (Verdict::Ok, "answers".to_owned()),
            Err(Trouble::Refused(why)) => (Verdict::Degraded, why.clone()),
            Err(Trouble::Unreachable(why)) => (lost(config), why.clone()),
        };
        asked.filter_map(|(name, said)| said.map(|said| Check::run(name, || judge(&said)))).collect()
    }
}

/// What losing a dependency amounts to.
pub fn lost(config: &Config) -> Verdict {
    if config.dependency_fails { Verdict::Failed } else { Verdict::Degraded }
}

fn nothing(kind: &str) -> Trouble {
    Trouble::Unreachable(format!("{kind}: no answer"))
}

/// Of several servers one that is well is enough; else one that speaks says more than one that does not.
fn better(before: Option<Result<(), Trouble>>, now: Result<(), Trouble>) -> Result<(), Trouble> {
    let rank = |said: &Result<(), Trouble>| match said {
        Ok(()) => 0,
        Err(Trouble::Refused(_)) => 1,
        Err(Trouble::Unreachable(_)) => 2,
    };
    match before {
        Some(before) if rank(&before) <= rank(&now) => before,
        _ => now,
    }
}

/// Lets the cluster know this node's view: the generated location rule weighs it. What came of it, in words: the service works
/// without it, only its failover does not see the dependencies then.
pub fn publish(word: &str, op: &Operation, deadline: &Deadline) -> String {
    let (changed, text) = publish_as("dependencies", DAMPENING, word, op, deadline);
    if changed {
        op.log.info(&format!("{text} now"));
    }
    text
}

/// The same of the properties' fingerprint, which nobody needs to read.
pub fn publish_fingerprint(fingerprint: &str, op: &Operation, deadline: &Deadline) {
    if publish_as("properties", 0, fingerprint, op, deadline).0 {
        op.log.info("the fingerprint of the properties has changed");
    }
}

/// Lets the active node know whether a Tomcat runs here that the cluster has not started.
pub fn publish_stray(runs: bool, op: &Operation, deadline: &Deadline) {
    publish_as(STRAY, 0, if runs { "runs" } else { "none" }, op, deadline);
}

/// The other nodes where one runs.
pub fn strays(op: &Operation, deadline: &Deadline) -> Vec<String> {
    let all = attribute(STRAY, 0, op).of_others(deadline).unwrap_or_default();
    all.into_iter().filter(|(_, value)| value == "runs").map(|(node, _)| node).collect()
}

/// Whether it was another value before, and what this node says now, or why it cannot.
fn publish_as(what: &str, dampening: u64, value: &str, op: &Operation, deadline: &Deadline) -> (bool, String) {
    let attribute = attribute(what, dampening, op);
    let published = attribute.publish(value, deadline);
    let trouble = published.as_ref().err().map(|error| format!("publish {}: {error}", attribute.name));
    memory::once(op, what, trouble.as_deref());
    let text = trouble.unwrap_or_else(|| format!("{} of this node is {value}", attribute.name));
    (matches!(published, Ok(true)), text)
}

/// The fingerprints of the other nodes, by node; none where there is no cluster to ask.
pub fn fingerprints(op: &Operation, deadline: &Deadline) -> Vec<(String, String)> {
    attribute("properties", 0, op).of_others(deadline).unwrap_or_default()
}

/// A node attribute of this instance.
fn attribute(what: &str, dampening: u64, op: &Operation) -> Attribute {
    Attribute { name: format!("{}-{what}", op.instance.file_name()), dampening }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_out_of_reach_is_lost() {
        let refused = || Some(Err(Trouble::Refused("no".to_owned())));
        let gone = || Some(Err(Trouble::Unreachable("gone".to_owned())));
        let view = View { redis: Some(Ok(())), rabbit: refused(), ..View::default() };
        assert_eq!((view.word(), view.well().as_str()), ("ok", "redis"));
        assert_eq!(view.trouble(), Some(Trouble::Refused("no".to_owned())));
        let view = View { redis: gone(), ..view };
        assert_eq!((view.word(), view.trouble().map(|why| why.to_string())), ("lost", Some("gone".to_owned())));
        assert_eq!(View::default().word(), "ok");
    }

    #[test]
    fn every_node_asks_the_same_of_the_repository() {
        let gone = || Some(Err(Trouble::Unreachable("gone".to_owned())));
        let silent = Seen::Silent("silent".to_owned());
        // The mount hangs and the server answers, or the other way round: what counts is what the passive nodes see, too.
        let view = View { server: Some(Ok(())), ..View::default() }.with_mounted(Some(&silent));
        assert_eq!((view.word(), view.trouble().map(|why| why.to_string())), ("ok", Some("silent".to_owned())));
        let view = View { server: gone(), ..View::default() }.with_mounted(Some(&Seen::Alive));
        assert_eq!((view.word(), view.trouble(), view.server_trouble().as_deref()), ("lost", None, Some("gone")));
        let view = View { server: gone(), ..View::default() };
        assert_eq!((view.word(), view.trouble().is_some(), view.server_trouble()), ("lost", true, None));
        for (seen, word) in [(silent, "ok"), (Seen::Missing("m".into()), "ok"), (Seen::Stale("s".into()), "lost")] {
            assert_eq!(View::default().with_mounted(Some(&seen)).word(), word, "{seen:?}");
        }
    }

    #[test]
    fn one_good_server_of_several_is_enough() {
        let refused = Err(Trouble::Refused("no".to_owned()));
        let gone = Err(Trouble::Unreachable("gone".to_owned()));
        assert_eq!(better(Some(gone.clone()), Ok(())), Ok(()));
        assert_eq!(better(Some(Ok(())), gone.clone()), Ok(()));
        assert_eq!(better(Some(gone.clone()), refused.clone()), refused);
        assert_eq!(better(None, gone.clone()), gone);
    }
}
