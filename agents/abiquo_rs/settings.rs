//! What of Abiquo's properties matters to the cluster: who this site is, and what its webapps need.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::properties::Properties;
use crate::probe::amqp::Rabbit;
use crate::probe::redis::Redis;
use crate::probe::server::Server;
use crate::probe::tls::Trust;
use crate::secret::Secret;

/// Where Redis and RabbitMQ listen when the properties name no port.
const REDIS: u16 = 6379;
const RABBIT: u16 = 5672;
const RABBIT_TLS: u16 = 5671;
/// Where a repository is mounted when the properties do not say.
const REPOSITORY: &str = "/opt/vm_repository";

/// What the properties say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The id that every webapp of this site answers with.
    pub datacenter: String,
    /// Redis, where it is named.
    pub redis: Option<Redis>,
    /// RabbitMQ; of several servers one is enough.
    pub rabbits: Vec<Rabbit>,
    /// The template repository, where one is named.
    pub repository: Option<Repository>,
    /// All of them.
    pub properties: Properties,
}

/// The template repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Where it is to be mounted.
    pub path: PathBuf,
    /// What is to be mounted there, as `host:/path`; empty when nobody says.
    pub location: String,
    /// Whether Abiquo looks at the list of mounts, too.
    pub is_checked: bool,
}

impl Repository {
    /// Whether it is on this host: then it need not be mounted.
    pub fn is_local(&self) -> bool {
        let is_loopback = |host: &str| host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        self.host().is_some_and(|host| host == "localhost" || is_loopback(host))
    }

    /// The host that it comes from.
    pub fn host(&self) -> Option<&str> {
        let (host, path) = self.location.split_once(":/").map(|(host, path)| (host.trim(), path))?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // Of `nfs://host/path` that is the scheme.
        (!host.is_empty() && !path.starts_with('/')).then_some(host)
    }
}

impl Settings {
    /// Reads the file at `path`. `ca`: certificates that those of Redis and RabbitMQ must be signed by; `repository`: where it is,
    /// whatever the properties say.
    ///
    /// # Errors
    /// One line without any value of the file but a host.
    pub fn read(path: &Path, ca: Option<&Path>, repository: Option<&Path>) -> Result<Self, String> {
        let properties = Properties::read(path)?;
        Self::of(properties, ca, repository).map_err(|reason| format!("properties {}: {reason}", path.display()))
    }

    /// The same from properties that have been read.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn of(properties: Properties, ca: Option<&Path>, repository: Option<&Path>) -> Result<Self, String> {
        let datacenter = properties.get("abiquo.datacenter.id").ok_or("no abiquo.datacenter.id")?.to_owned();
        let redis = redis(&properties, ca)?;
        let rabbits = rabbits(&properties, ca)?;
        let repository = place(&properties, repository)?;
        Ok(Self { datacenter, redis, rabbits, repository, properties })
    }
}

fn redis(all: &Properties, ca: Option<&Path>) -> Result<Option<Redis>, String> {
    let Some(host) = all.get("abiquo.redis.host") else { return Ok(None) };
    let tls = is_true(all, "abiquo.redis.tls")? || is_true(all, "abiquo.redis.ssl")?;
    let server = Server {
        kind: "Redis",
        host: host.to_owned(),
        port: port(all, "abiquo.redis.port")?.unwrap_or(REDIS),
        tls: tls.then(|| Trust::of(ca.is_some(), ca)),
    };
    let user = all.get("abiquo.redis.username").unwrap_or_default().to_owned();
    let password = Secret::new(all.get_whole("abiquo.redis.password").unwrap_or_default());
    Ok(Some(Redis { server, user, password }))
}

fn rabbits(all: &Properties, ca: Option<&Path>) -> Result<Vec<Rabbit>, String> {
    let tls = is_true(all, "abiquo.rabbitmq.tls")?;
    let usual = if tls { RABBIT_TLS } else { RABBIT };
    let usual = port(all, "abiquo.rabbitmq.port")?.unwrap_or(usual);
    let places: Vec<(String, u16)> = match (all.get("abiquo.rabbitmq.addresses"), all.get("abiquo.rabbitmq.host")) {
        (Some(addresses), _) => {
            let words = addresses.split(',').map(str::trim).filter(|word| !word.is_empty());
            let place = |word| address(word, usual).ok_or("abiquo.rabbitmq.addresses is no list of host:port");
            words.map(place).collect::<Result<_, _>>()?
        }
        (None, Some(host)) => vec![(host.to_owned(), usual)],
        (None, None) => Vec::new(),
    };
    let text = |key: &str, usual: &str| all.get(key).unwrap_or(usual).to_owned();
    let rabbit = |(host, port)| Rabbit {
        server: Server { kind: "RabbitMQ", host, port, tls: tls.then(|| Trust::of(ca.is_some(), ca)) },
        user: text("abiquo.rabbitmq.username", "guest"),
        password: Secret::new(all.get_whole("abiquo.rabbitmq.password").unwrap_or("guest")),
        virtual_host: text("abiquo.rabbitmq.virtualHost", "/"),
    };
    Ok(places.into_iter().map(rabbit).collect())
}

/// `host`, `host:port` or `[address]:port`.
fn address(word: &str, usual: u16) -> Option<(String, u16)> {
    if let Some((host, rest)) = word.strip_prefix('[').and_then(|word| word.split_once(']')) {
        let port = if rest.is_empty() { usual } else { rest.strip_prefix(':')?.parse().ok()? };
        return Some((host.to_owned(), port));
    }
    match word.split_once(':') {
        None => Some((word.to_owned(), usual)),
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)).filter(|(host, _)| !host.is_empty()),
    }
}

fn place(all: &Properties, given: Option<&Path>) -> Result<Option<Repository>, String> {
    let own = all.get("abiquo.appliancemanager.localRepositoryPath");
    let location = all.get("abiquo.appliancemanager.repositoryLocation");
    if given.is_none() && own.is_none() && location.is_none() {
        return Ok(None);
    }
    let path = given.unwrap_or_else(|| Path::new(own.unwrap_or(REPOSITORY)));
    if !path.is_absolute() {
        return Err("abiquo.appliancemanager.localRepositoryPath is no absolute path".to_owned());
    }
    let unchecked = all.get("abiquo.appliancemanager.checkMountedRepository");
    let unchecked = unchecked.is_some_and(|value| value.eq_ignore_ascii_case("false"));
    // Without a slash at the end, as the list of mounts has it.
    let path = path.components().collect();
    Ok(Some(Repository { path, location: location.unwrap_or_default().to_owned(), is_checked: !unchecked }))
}

fn port(all: &Properties, key: &str) -> Result<Option<u16>, String> {
    let Some(text) = all.get(key) else { return Ok(None) };
    text.parse().ok().filter(|port| *port > 0).map(Some).ok_or_else(|| format!("{key} is no port"))
}

fn is_true(all: &Properties, key: &str) -> Result<bool, String> {
    match all.get(key).map(str::to_ascii_lowercase).as_deref() {
        Some("true") => Ok(true),
        None | Some("false") => Ok(false),
        Some(_) => Err(format!("{key} is neither true nor false")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// The guide's own.
    const GUIDE: &str = "[remote-services]
abiquo.appliancemanager.localRepositoryPath = /opt/vm_repository
abiquo.appliancemanager.repositoryLocation = 10.60.1.72:/opt/vm_repository
abiquo.datacenter.id = rsha
abiquo.rabbitmq.host = 10.60.13.28
abiquo.rabbitmq.password = guest
abiquo.rabbitmq.port = 5672
abiquo.rabbitmq.username = guest
abiquo.redis.host = 10.60.13.59
abiquo.redis.port = 6379
";

    fn settings(text: &str) -> Result<Settings, String> {
        Settings::of(Properties::parse(text.as_bytes()).unwrap(), None, None)
    }

    #[test]
    fn the_guides_file_says_it_all() {
        let all = settings(GUIDE).unwrap();
        assert_eq!(all.datacenter, "rsha");
        assert_eq!(all.redis.unwrap().server.to_string(), "Redis 10.60.13.59:6379");
        assert_eq!(all.rabbits[0].server.to_string(), "RabbitMQ 10.60.13.28:5672");
        let repository = all.repository.unwrap();
        assert_eq!(repository.path, Path::new("/opt/vm_repository"));
        assert!(repository.host() == Some("10.60.1.72") && !repository.is_local() && repository.is_checked);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        for (key, value) in [
            ("abiquo.redis.port", "0"),
            ("abiquo.redis.port", "many"),
            ("abiquo.rabbitmq.port", "70000"),
            ("abiquo.rabbitmq.addresses", "a:b"),
            ("abiquo.rabbitmq.tls", "perhaps"),
            ("abiquo.appliancemanager.localRepositoryPath", "vm_repository"),
        ] {
            let said = settings(&format!("{GUIDE}{key} = {value}\n")).unwrap_err();
            assert!(said.contains(key), "{said}");
        }
        assert!(settings("abiquo.redis.host = x").unwrap_err().contains("abiquo.datacenter.id"));
    }

    #[test]
    fn several_rabbits_and_tls() {
        let text =
            "abiquo.datacenter.id=x\nabiquo.rabbitmq.tls=true\nabiquo.rabbitmq.addresses=a, b:1234,[fd00::1]:99\n";
        let all = settings(text).unwrap();
        let places: Vec<_> = all.rabbits.iter().map(|rabbit| rabbit.server.to_string()).collect();
        assert_eq!(places, ["RabbitMQ a:5671", "RabbitMQ b:1234", "RabbitMQ [fd00::1]:99"]);
        assert!(!all.rabbits[0].server.may_have_password(), "nobody looks at its certificate");
        assert!(all.redis.is_none() && all.repository.is_none());
        assert!(!format!("{all:?}").contains("hunter2"), "the password");
    }

    #[test]
    fn a_repository_of_this_host_is_no_mount() {
        for (location, host, local) in [
            ("10.60.1.72:/opt/vm_repository", Some("10.60.1.72"), false),
            ("localhost:/opt/vm_repository", Some("localhost"), true),
            ("127.0.0.1:/x", Some("127.0.0.1"), true),
            ("[fd00::1]:/x", Some("fd00::1"), false),
            ("[::1]:/x", Some("::1"), true),
            ("127.example.com:/x", Some("127.example.com"), false),
            ("/dev/sdb1", None, false),
            ("nfs://host/x", None, false),
        ] {
            let one = Repository { path: "/x".into(), location: location.to_owned(), is_checked: true };
            assert_eq!((one.host(), one.is_local()), (host, local), "{location}");
        }
    }
}
