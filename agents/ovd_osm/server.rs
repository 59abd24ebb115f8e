//! Which web server this host has.

use std::path::{Path, PathBuf};

use super::config::{Manager, Server};
use crate::ocf::exit::{Code, Failure};
use crate::sys::service::{self, Service};

/// The names that distributions give Apache: Debian's and Red Hat's.
const NAMES: [&str; 2] = ["apache2", "httpd"];

impl Server {
    /// The service on this host. Looks at files only.
    ///
    /// # Errors
    /// "Not installed", with what was looked for.
    pub fn find(&self) -> Result<Service, Failure> {
        let missing = |what: String| Failure::new(Code::NotInstalled, what);
        match self.manager {
            Manager::Direct => Ok(Service::Direct {
                program: self.program()?,
                config: self.config.clone().ok_or_else(|| missing("no httpd_config is given".to_owned()))?,
            }),
            Manager::Systemd => self.unit(),
            Manager::Lsb => self.script(),
            Manager::Auto if service::systemd_runs() => self.unit().or_else(|cause| self.script().map_err(|_| cause)),
            Manager::Auto => self.script(),
        }
    }

    /// The unit that would be taken if it were not masked; none where another one can be started.
    pub fn masked(&self) -> Option<String> {
        let by_systemd = match self.manager {
            Manager::Systemd => true,
            Manager::Auto => service::systemd_runs(),
            Manager::Lsb | Manager::Direct => false,
        };
        let mut units = self.names().map(|name| format!("{name}.service")).filter(|_| by_systemd);
        if units.clone().any(|unit| service::unit_exists(&unit)) {
            return None;
        }
        units.find(|unit| service::unit_masked(unit))
    }

    fn unit(&self) -> Result<Service, Failure> {
        let units = self.names().map(|name| format!("{name}.service"));
        let unit = units.clone().find(|unit| service::unit_exists(unit));
        let unit = unit.ok_or_else(|| {
            let all: Vec<_> = units.collect();
            Failure::new(Code::NotInstalled, format!("no unit {} on this node", all.join(" or ")))
        })?;
        Ok(Service::Systemd { unit, cgroup: None })
    }

    fn script(&self) -> Result<Service, Failure> {
        let scripts = self.names().map(|name| Path::new("/etc/init.d").join(name));
        let script = scripts.clone().find(|script| script.is_file()).ok_or_else(|| {
            let all: Vec<_> = scripts.map(|path| path.display().to_string()).collect();
            Failure::new(Code::NotInstalled, format!("no script {} on this node", all.join(" or ")))
        })?;
        Ok(Service::Lsb { script, program: self.program()? })
    }

    fn program(&self) -> Result<PathBuf, Failure> {
        let named = self.program.iter().cloned();
        let usual = NAMES.iter().map(|name| Path::new("/usr/sbin").join(name)).filter(|_| self.program.is_none());
        let mut all = named.chain(usual);
        all.find(|path| path.is_file()).ok_or_else(|| {
            let wanted = self.program.clone().unwrap_or_else(|| "/usr/sbin/apache2 or httpd".into());
            Failure::new(Code::NotInstalled, format!("no web server {} on this node", wanted.display()))
        })
    }

    /// The names to look for: the one that is given, or the usual ones.
    fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let usual = if self.name.is_none() { NAMES.as_slice() } else { &[] };
        self.name.as_deref().into_iter().chain(usual.iter().copied())
    }
}
