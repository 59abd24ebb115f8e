//! What the webapps need beside themselves: Redis, RabbitMQ, the template repository; and what the cluster learns of this node's
//! view of them.

use std::path::PathBuf;
use std::time::Duration;

use super::config::Config;
use super::settings::{Repository, Settings};
use crate::cluster::attribute::Attribute;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::probe::amqp::Rabbit;
use crate::probe::mount::{self, Silence};
use crate::probe::redis::Redis;
use crate::probe::runtime;
use crate::probe::server::Server;
use crate::probe::trouble::Trouble;
use crate::sys::mounts::mounts;

/// How long the cluster waits, after one node has changed its view, for the others to change theirs: longer than the slowest of
/// them takes to notice (15 s between two questions of the active node, the 3 s one may last, and what monitors of other depths
/// may hold it up). So what is lost by everybody never looks like something that is lost by one node.
const DAMPENING: u32 = 30;
/// How long the attribute manager may take: it is on this node.
const PUBLISH: Duration = Duration::from_secs(3);
/// Where a server of NFS listens.
const NFS: u16 = 2049;

/// The repository, as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there and answers.
    Alive,
    /// It is not mounted, or something else is.
    Missing(String),
    /// It is mounted, and no answer comes.
    Silent(String),
}

impl Seen {
    /// Looks at the list of mounts, then asks the file system itself, within `deadline`.
    pub fn of(repository: &Repository, deadline: &Deadline) -> Self {
        if !repository.is_local()
            && let Err(why) = mounted(repository, &mounts())
        {
            return Seen::Missing(why);
        }
        match mount::answers(&repository.path, deadline) {
            Ok(()) => Seen::Alive,
            Err(Silence::Hangs(why) | Silence::Fails(why)) => Seen::Silent(format!("repository {why}")),
        }
    }
}

/// Whether the repository is mounted, and from where the properties say. No file system is asked.
pub fn mounted(repository: &Repository, mounts: &[(PathBuf, String)]) -> Result<(), String> {
    let shown = repository.path.display();
    let at = |path: &PathBuf| mounts.iter().rev().find(|(point, _)| point == path).map(|(_, source)| source);
    // A link to the mount point is on this host: reading it asks nobody else.
    let through_link = || at(&std::fs::read_link(&repository.path).ok()?);
    let Some(source) = at(&repository.path).or_else(through_link) else {
        return Err(format!("repository {shown} is not mounted"));
    };
    let same = |a: &str, b: &str| a.trim_end_matches('/') == b.trim_end_matches('/');
    if repository.is_checked && !repository.location.is_empty() && !same(source, &repository.location) {
        return Err(format!("repository {shown} is mounted from {source}, the properties say {}", repository.location));
    }
    Ok(())
}

/// What came of the questions.
#[derive(Debug, Clone, Default)]
pub struct View {
    redis: Option<Result<(), Trouble>>,
    rabbit: Option<Result<(), Trouble>>,
    repository: Option<Result<(), Trouble>>,
}

impl View {
    /// Asks Redis and RabbitMQ at once.
    pub fn of(settings: &Settings, limit: Duration, deadline: &Deadline) -> Self {
        Self::asked(settings.redis.clone(), settings.rabbits.clone(), None, limit, deadline)
    }

    /// The same, and whether the repository's server is there: for a node that has not mounted it.
    pub fn from_afar(settings: &Settings, limit: Duration, deadline: &Deadline) -> Self {
        let repository = settings.repository.as_ref().filter(|repository| !repository.is_local());
        let host = repository.and_then(Repository::host).map(str::to_owned);
        let server = host.map(|host| Server { kind: "NFS", host, port: NFS, tls: None });
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
            let server = server.map(|one| {
                tokio::spawn(async move { one.limited(limit, async { one.connect().await.map(drop) }).await })
            });
            let mut view = View::default();
            if let Some(redis) = redis {
                view.redis = Some(redis.await.unwrap_or_else(|_| Err(nothing("Redis"))));
            }
            for rabbit in rabbits {
                let said = rabbit.await.unwrap_or_else(|_| Err(nothing("RabbitMQ")));
                view.rabbit = Some(better(view.rabbit.take(), said));
            }
            if let Some(server) = server {
                view.repository = Some(server.await.unwrap_or_else(|_| Err(nothing("NFS"))));
            }
            view
        };
        let deadline = deadline.within(limit + Duration::from_millis(200));
        runtime::block(questions, &deadline).ok().flatten().unwrap_or_else(|| View {
            redis: has_redis.then(|| Err(nothing("Redis"))),
            rabbit: has_rabbit.then(|| Err(nothing("RabbitMQ"))),
            repository: has_server.then(|| Err(nothing("NFS"))),
        })
    }

    /// The same with what this node sees of the repository that it has mounted.
    pub fn with_repository(mut self, seen: Option<&Seen>) -> Self {
        self.repository = seen.map(|seen| match seen {
            Seen::Alive => Ok(()),
            Seen::Silent(why) | Seen::Missing(why) => Err(Trouble::Unreachable(why.clone())),
        });
        self
    }

    fn all(&self) -> [(&'static str, &Option<Result<(), Trouble>>); 3] {
        [("redis", &self.redis), ("rabbitmq", &self.rabbit), ("repository", &self.repository)]
    }

    /// The first that is not as it should be.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.all().into_iter().find_map(|(_, said)| said.as_ref()?.as_ref().err())
    }

    /// The names of those that were asked and are well.
    pub fn well(&self) -> String {
        let well = self.all().into_iter().filter(|(_, said)| matches!(said, Some(Ok(()))));
        well.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    }

    /// What the node attribute says. A refusal is not this node's alone: the others would hear the same.
    pub fn word(&self) -> &'static str {
        let lost = self.all().into_iter().any(|(_, said)| matches!(said, Some(Err(Trouble::Unreachable(_)))));
        if lost { "lost" } else { "ok" }
    }

    /// The judgement of the active node on Redis and RabbitMQ; on the repository there is one already.
    pub fn checks(&self, config: &Config) -> Vec<Check> {
        let asked = self.all().into_iter().filter(|(name, _)| *name != "repository");
        let judge = |said: &Result<(), Trouble>| match said {
            Ok(()) => (Verdict::Ok, "answers".to_owned()),
            Err(Trouble::Refused(why)) => (Verdict::Degraded, why.clone()),
            Err(Trouble::Unreachable(why)) => (lost(config), why.clone()),
        };
        asked.filter_map(|(name, said)| said.as_ref().map(|said| Check::run(name, || judge(said)))).collect()
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
pub fn publish(word: &str, op: &Operation) -> String {
    publish_as("dependencies", DAMPENING, word, op)
}

/// The same of the properties' fingerprint.
pub fn publish_fingerprint(fingerprint: &str, op: &Operation) -> String {
    publish_as("properties", 0, fingerprint, op)
}

fn publish_as(what: &'static str, dampening: u32, value: &str, op: &Operation) -> String {
    let attribute = attribute(what, dampening, op);
    let published = attribute.publish(value, &op.deadline.within(PUBLISH));
    let trouble = published.as_ref().err().map(|error| format!("publish {}: {error}", attribute.name));
    memory::once(op, what, trouble.as_deref());
    if matches!(published, Ok(true)) {
        op.log.info(&format!("{} of this node is {value} now", attribute.name));
    }
    trouble.unwrap_or_else(|| format!("{} is {value}", attribute.name))
}

/// The fingerprints of the other nodes, by node; none where there is no cluster to ask.
pub fn fingerprints(op: &Operation) -> Vec<(String, String)> {
    attribute("properties", 0, op).of_others(&op.deadline.within(PUBLISH)).unwrap_or_default()
}

/// A node attribute of this instance.
fn attribute(what: &str, dampening: u32, op: &Operation) -> Attribute {
    Attribute { name: format!("{}-{what}", op.instance.file_name()), dampening }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn repository(location: &str) -> Repository {
        Repository { path: "/opt/vm_repository".into(), location: location.to_owned(), is_checked: true }
    }

    #[test]
    fn a_mount_has_to_come_from_where_the_properties_say() {
        let mounts = |source: &str| vec![("/".into(), "disk".into()), ("/opt/vm_repository".into(), source.to_owned())];
        let one = repository("10.60.1.72:/opt/vm_repository");
        assert_eq!(mounted(&one, &mounts("10.60.1.72:/opt/vm_repository/")), Ok(()));
        let other = mounted(&one, &mounts("10.60.1.73:/x")).unwrap_err();
        assert!(other.contains("mounted from 10.60.1.73:/x"), "{other}");
        assert!(mounted(&one, &[("/".into(), "disk".into())]).unwrap_err().ends_with("is not mounted"));
        assert_eq!(mounted(&repository(""), &mounts("any")), Ok(()));
        let unchecked = Repository { is_checked: false, ..one };
        assert_eq!(mounted(&unchecked, &mounts("10.60.1.73:/x")), Ok(()));
    }

    #[test]
    fn only_what_is_out_of_reach_is_lost() {
        let refused = || Some(Err(Trouble::Refused("no".to_owned())));
        let gone = || Some(Err(Trouble::Unreachable("gone".to_owned())));
        let view = View { redis: Some(Ok(())), rabbit: refused(), repository: None };
        assert_eq!((view.word(), view.well().as_str()), ("ok", "redis"));
        assert_eq!(view.trouble(), Some(&Trouble::Refused("no".to_owned())));
        let view = View { redis: gone(), ..view };
        assert_eq!((view.word(), view.trouble().map(ToString::to_string)), ("lost", Some("gone".to_owned())));
        assert_eq!(View::default().word(), "ok");
        assert_eq!(View::default().with_repository(Some(&Seen::Silent("x".into()))).word(), "lost");
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
