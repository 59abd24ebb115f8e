//! The checked parameters of `abiquo-rs`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::settings::Settings;
use super::tomcat::{Manager, Tomcat};
use crate::ocf::exit::Failure;
use crate::ocf::params::Params;

/// The parameters of one instance.
#[derive(Debug, Clone)]
pub struct Config {
    /// Abiquo's properties.
    pub properties: PathBuf,
    /// Its Tomcat.
    pub tomcat: Tomcat,
    /// Where that answers.
    pub address: SocketAddr,
    /// The webapps that have to answer; none: those that are there.
    pub webapps: Option<Vec<String>>,
    /// Where the repository is, when the properties are not to say.
    pub repository: Option<PathBuf>,
    /// Where its server answers NFS; none where it is something else.
    pub repository_port: Option<u16>,
    /// How long a webapp may take to answer.
    pub request_timeout: Duration,
    /// How long Redis, RabbitMQ and the repository may take to.
    pub dependency_timeout: Duration,
    /// Whether losing one of them is a failure of this node.
    pub dependency_fails: bool,
    /// Certificates that those of Redis and RabbitMQ must be signed by.
    pub ca: Option<PathBuf>,
    /// Keys of the properties that may differ from node to node.
    pub node_keys: Vec<String>,
}

impl Config {
    /// Reads the parameters.
    pub fn new(params: &Params) -> Result<Self, Failure> {
        let path = |name: &str| params.text(name).map(PathBuf::from);
        let seconds = |name: &str| Ok::<_, Failure>(params.seconds(name)?.unwrap_or(Duration::from_secs(3)));
        let ip = params.address("address")?.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        if ip.is_unspecified() {
            return Err(Failure::configured(format!("parameter address: nobody can be asked at {ip}")));
        }
        let number = |name: &str| params.text(name).and_then(|port| port.trim().parse().ok()).unwrap_or_default();
        let properties = path("properties");
        Ok(Self {
            properties: properties.ok_or_else(|| Failure::configured("parameter properties is required"))?,
            tomcat: Tomcat::new(params)?,
            address: SocketAddr::new(ip, number("port")),
            webapps: params.text("webapps").map(webapps).transpose()?,
            repository: path("repository"),
            repository_port: Some(number("repository_port")).filter(|port| *port > 0),
            request_timeout: seconds("request_timeout")?,
            dependency_timeout: seconds("dependency_timeout")?,
            dependency_fails: params.text("dependency_failure") == Some("fail"),
            ca: path("tls_ca"),
            node_keys: words(params.text("node_keys").unwrap_or_default()).map(str::to_owned).collect(),
        })
    }

    /// How long all questions of one monitor may take together.
    pub fn round(&self) -> Duration {
        self.request_timeout.max(self.dependency_timeout)
    }

    /// What Abiquo's properties say now.
    pub fn settings(&self) -> Result<Settings, String> {
        Settings::read(&self.properties, self.ca.as_deref(), self.repository.as_deref())
    }
}

impl Tomcat {
    /// Reads the parameters that say what Tomcat it is: stop needs no others.
    pub fn new(params: &Params) -> Result<Self, Failure> {
        let manager = match params.text("service_manager") {
            Some("systemd") => Manager::Systemd,
            Some("lsb") => Manager::Lsb,
            _ => Manager::Auto,
        };
        let name = params.text("service").unwrap_or_default();
        let name = name.strip_suffix(".service").unwrap_or(name).to_owned();
        // The name becomes part of paths under /run and /etc.
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.@:-".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(Failure::configured(format!(
                "parameter service: {} is no name of a unit or script",
                short(&name)
            )));
        }
        let base = params.text("catalina_base").map(PathBuf::from);
        let base = base.ok_or_else(|| Failure::configured("parameter catalina_base is required"))?;
        Ok(Self { manager, name, base })
    }
}

/// Bytes that the name of a folder can have on Linux, and so that of a webapp.
const NAME: usize = 255;

fn webapps(list: &str) -> Result<Vec<String>, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let good = |name: &&str| !name.starts_with('.') && name.len() <= NAME && name.chars().all(plain);
    if let Some(wrong) = words(list).find(|name| !good(name)) {
        return Err(Failure::configured(format!("parameter webapps: {} is no name of a webapp", short(wrong))));
    }
    let mut all: Vec<String> = Vec::new();
    for name in words(list) {
        if all.iter().all(|one| one != name) {
            all.push(name.to_owned());
        }
    }
    if all.is_empty() {
        return Err(Failure::configured("parameter webapps: no webapp is named"));
    }
    Ok(all)
}

/// The words of a list.
fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

/// A value as messages show it.
fn short(value: &str) -> String {
    let begin: String = value.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect();
    if begin.len() < value.len() { format!("'{begin}...'") } else { format!("'{begin}'") }
}
