//! The checked parameters of `ofs-ctdb`.

use std::path::PathBuf;
use std::time::Duration;

use super::daemon::{Daemon, Manager};
use crate::ocf::exit::Failure;
use crate::ocf::params::Params;

/// The parameters of one instance.
#[derive(Debug, Clone)]
pub struct Config {
    /// The shared folder.
    pub shared: PathBuf,
    /// That of the users' data, where it is looked at.
    pub data: Option<PathBuf>,
    /// CTDB's service.
    pub daemon: Daemon,
    /// The folder of CTDB's configuration.
    pub folder: PathBuf,
    /// Samba's configuration.
    pub smb_conf: PathBuf,
    /// Where ctdbd listens.
    pub socket: PathBuf,
    /// How long a fault that CTDB itself may heal is only reported.
    pub patience: Duration,
    /// Samba's port.
    pub smb_port: u16,
    /// That of WebDAV, where it is asked.
    pub webdav_port: Option<u16>,
    /// How long one answer may take.
    pub request_timeout: Duration,
    /// Whether the clock is looked at.
    pub time_sync: bool,
}

impl Config {
    /// Reads the parameters.
    pub fn new(params: &Params) -> Result<Self, Failure> {
        let needed = |name: &str| {
            let path = params.text(name).map(PathBuf::from);
            path.ok_or_else(|| Failure::configured(format!("parameter {name} is required")))
        };
        let seconds = |name: &str, usual| Ok::<_, Failure>(params.seconds(name)?.unwrap_or(Duration::from_secs(usual)));
        let port = |name: &str| params.text(name).and_then(|port| port.trim().parse().ok()).unwrap_or_default();
        Ok(Self {
            shared: needed("shared")?,
            data: params.text("data").map(PathBuf::from),
            daemon: Daemon::new(params)?,
            folder: needed("config_dir")?,
            smb_conf: needed("smb_conf")?,
            socket: needed("socket")?,
            patience: seconds("unhealthy_timeout", 60)?,
            smb_port: port("smb_port"),
            webdav_port: Some(port("webdav_port")).filter(|port| *port > 0),
            request_timeout: seconds("request_timeout", 3)?,
            time_sync: params.boolean("time_sync")?,
        })
    }
}

impl Daemon {
    /// Reads the parameters that say what service it is: stop needs no others.
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
            let shown: String = name.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect();
            return Err(Failure::configured(format!("parameter service: '{shown}' is no name of a unit or script")));
        }
        Ok(Self { manager, name })
    }
}
