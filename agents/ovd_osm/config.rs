//! The checked parameters of `ovd-osm`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;

use crate::agents::cron::Cron;
use crate::ocf::exit::Failure;
use crate::ocf::params::Params;
use crate::probe::http::Page;

/// Who starts the web server, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Whoever can on this host.
    Auto,
    /// A systemd unit.
    Systemd,
    /// A script in /etc/init.d.
    Lsb,
    /// The program itself.
    Direct,
}

/// How the web server is found on a host.
#[derive(Debug, Clone)]
pub struct Server {
    /// Who starts it.
    pub manager: Manager,
    /// The unit or script, when it is named.
    pub name: Option<String>,
    /// The program, when it is named.
    pub program: Option<PathBuf>,
    /// Its configuration file, for a direct start.
    pub config: Option<PathBuf>,
}

/// What the monitor of depth 10 reads and compares.
#[derive(Debug, Clone)]
pub struct Content {
    /// The page.
    pub page: Page,
    /// What it must contain.
    pub pattern: Pattern,
    /// Whether both are our own defaults: then a page that never had it may be another version's.
    pub is_default: bool,
}

/// A regular expression that is known to be one, and is built when a page is there to compare: a monitor of depth 0, which
/// compares none, would spend a tenth of its time on that.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
}

/// The parameters of one instance.
#[derive(Debug, Clone)]
pub struct Config {
    /// The Session Manager's settings.
    pub settings: PathBuf,
    /// Its web server.
    pub server: Server,
    /// Where that answers.
    pub vhost: SocketAddr,
    /// How long it may take to.
    pub request_timeout: Duration,
    /// What it has to say.
    pub content: Content,
    /// The cron job; none when it is not ours.
    pub cron: Option<Cron>,
    /// How long the database may take to answer.
    pub database_timeout: Duration,
    /// Whether losing the database is a failure of this node.
    pub dependency_fails: bool,
}

/// The session that all our requests share, so that they leave one session file and not one each.
const COOKIE: &str = "PHPSESSID=inuvikahamonitor";

impl Config {
    /// Reads the parameters.
    pub fn new(params: &Params) -> Result<Self, Failure> {
        let path = |name: &str| params.text(name).map(PathBuf::from);
        let needed =
            |name: &str| path(name).ok_or_else(|| Failure::configured(format!("parameter {name} is required")));
        let seconds = |name: &str| Ok::<_, Failure>(params.seconds(name)?.unwrap_or(Duration::from_secs(3)));
        let vhost = params.text("vhost").unwrap_or_default();
        let vhost: SocketAddr = vhost.trim().parse().map_err(|_| {
            Failure::configured(format!(
                "parameter vhost: {} is no address with a port, like 127.0.0.1:1111",
                short(vhost)
            ))
        })?;
        if vhost.port() == 0 || vhost.ip().is_unspecified() {
            return Err(Failure::configured(format!("parameter vhost: nobody can be asked at {vhost}")));
        }
        Ok(Self {
            settings: needed("session_manager_config")?,
            server: Server::new(params)?,
            vhost,
            request_timeout: seconds("request_timeout")?,
            content: Content::new(params, vhost)?,
            cron: Cron::new(params)?,
            database_timeout: seconds("database_timeout")?,
            dependency_fails: params.text("dependency_failure") == Some("fail"),
        })
    }
}

impl Server {
    /// Reads the parameters that say what the web server is: stop needs no others.
    pub fn new(params: &Params) -> Result<Self, Failure> {
        let config = params.text("httpd_config").map(PathBuf::from);
        let manager = match params.text("service_manager") {
            Some("systemd") => Manager::Systemd,
            Some("lsb") => Manager::Lsb,
            Some("direct") => Manager::Direct,
            _ if config.is_some() => Manager::Direct,
            _ => Manager::Auto,
        };
        if manager == Manager::Direct && config.is_none() {
            return Err(Failure::configured("parameter httpd_config is required with service_manager=direct"));
        }
        if manager != Manager::Direct && config.is_some() {
            return Err(Failure::configured("parameter httpd_config goes with service_manager=direct only"));
        }
        let name = params.text("service").map(|name| name.strip_suffix(".service").unwrap_or(name).to_owned());
        // The name becomes part of paths under /run and /etc.
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.@:-".contains(c);
        if let Some(name) = name.as_ref().filter(|n| n.is_empty() || n.starts_with('.') || !n.chars().all(plain)) {
            return Err(Failure::configured(format!(
                "parameter service: {} is no name of a unit or script",
                short(name)
            )));
        }
        Ok(Self { manager, name, program: params.text("httpd").map(PathBuf::from), config })
    }
}

impl Content {
    fn new(params: &Params, vhost: SocketAddr) -> Result<Self, Failure> {
        let given = |name: &str| params.given().any(|(other, _)| other == name);
        let asked = params.text("service_url");
        let url = asked.map_or_else(|| format!("http://{vhost}/server/status"), str::to_owned);
        // Made of an IPv4 address it is right, and every monitor of depth 0 would pay for the parser. An IPv6 address may
        // have a zone, which no URL can have.
        if asked.is_some() || !vhost.is_ipv4() {
            Page::check(&url)
                .map_err(|why| Failure::configured(format!("parameter service_url: {} is {why}", short(&url))))?;
        }
        let pattern = params.text("service_match").unwrap_or_default();
        let pattern = Pattern::new(pattern).ok_or_else(|| {
            Failure::configured(format!("parameter service_match: {} is no regular expression", short(pattern)))
        })?;
        let page = Page { url, cookie: COOKIE.to_owned(), ca: params.text("service_ca").map(PathBuf::from) };
        Ok(Self { page, pattern, is_default: !given("service_url") && !given("service_match") })
    }
}

impl Pattern {
    /// None when `text` is no regular expression.
    fn new(text: &str) -> Option<Self> {
        // Without a special character it is one, as the default is; only others have to be tried.
        let plain = regex::escape(text) == text;
        (plain || Regex::new(text).is_ok()).then(|| Self { text: text.to_owned() })
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches anywhere in `page`.
    pub fn is_match(&self, page: &str) -> bool {
        Regex::new(&self.text).is_ok_and(|pattern| pattern.is_match(page))
    }
}

/// A value as messages show it.
fn short(value: &str) -> String {
    let begin: String = value.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect();
    if begin.len() < value.len() { format!("'{begin}...'") } else { format!("'{begin}'") }
}
