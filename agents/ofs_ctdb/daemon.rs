//! Which ctdbd this host has, and which parts of Samba it starts.

use std::path::{Path, PathBuf};

use crate::ocf::exit::{Code, Failure};
use crate::sys::process;
use crate::sys::service::{self, Service};

/// Its program.
const CTDBD: &str = "/usr/sbin/ctdbd";

/// Who starts it, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Whoever can on this host.
    Auto,
    /// A systemd unit.
    Systemd,
    /// A script in /etc/init.d.
    Lsb,
}

/// How CTDB is found on a host.
#[derive(Debug, Clone)]
pub struct Daemon {
    /// Who starts it.
    pub manager: Manager,
    /// The unit or script.
    pub name: String,
}

impl Daemon {
    /// The service on this host. Looks at files only.
    ///
    /// # Errors
    /// "Not installed", with what was looked for.
    pub fn find(&self) -> Result<Service, Failure> {
        let unit = format!("{}.service", self.name);
        let systemd = self.by_systemd();
        if systemd && service::unit_exists(&unit) {
            return Ok(Service::Systemd { unit, cgroup: None });
        }
        let script = script(&self.name);
        if self.manager != Manager::Systemd && service::script_exists(&script) {
            return Ok(Service::Lsb { script, program: CTDBD.into() });
        }
        let missing = match (systemd, self.manager) {
            (true, _) if service::unit_masked(&unit) => format!("{unit} is masked: systemctl unmask {unit}"),
            (true, Manager::Systemd) => format!("no unit {unit} on this node: install the package ctdb"),
            (true, _) => format!("no unit {unit} and no script {} on this node: install ctdb", script.display()),
            (false, _) => format!("no script {} on this node: install the package ctdb", script.display()),
        };
        Err(Failure::new(Code::NotInstalled, missing))
    }

    /// The same for stop: where there is neither unit nor script any more, what they have started may still run.
    pub fn find_or_guess(&self) -> Service {
        self.find().unwrap_or_else(|_| Service::Lsb { script: script(&self.name), program: CTDBD.into() })
    }

    /// Whether it is a matter of systemd.
    pub fn by_systemd(&self) -> bool {
        match self.manager {
            Manager::Systemd => true,
            Manager::Auto => service::systemd_runs(),
            Manager::Lsb => false,
        }
    }
}

fn script(name: &str) -> PathBuf {
    Path::new("/etc/init.d").join(name)
}

/// A part of Samba: the event script that starts it, the option that names its service, its names in the families of
/// distributions, and its program.
#[derive(Debug)]
pub struct Part {
    /// The event script, by its name without `.script`.
    pub script: &'static str,
    /// The option of script.options, or of the older configuration.
    pub option: &'static str,
    /// What the older configuration says when CTDB is to start it.
    pub manages: &'static str,
    /// Names of its unit or script.
    pub names: [&'static str; 2],
    /// Its program.
    pub program: &'static str,
}

/// What CTDB may start. Before 4.13 50.samba has started nmbd as well, and the option of its name was the same.
pub const PARTS: [Part; 3] = [
    Part {
        script: "50.samba",
        option: "CTDB_SERVICE_SMB",
        manages: "CTDB_MANAGES_SAMBA",
        names: ["smbd", "smb"],
        program: "/usr/sbin/smbd",
    },
    Part {
        script: "48.netbios",
        option: "CTDB_SERVICE_NMB",
        manages: "CTDB_MANAGES_SAMBA",
        names: ["nmbd", "nmb"],
        program: "/usr/sbin/nmbd",
    },
    Part {
        script: "49.winbind",
        option: "CTDB_SERVICE_WINBIND",
        manages: "CTDB_MANAGES_WINBIND",
        names: ["winbind", "winbindd"],
        program: "/usr/sbin/winbindd",
    },
];

/// Units that start Samba at boot under other names.
pub const ALIASES: [&str; 2] = ["samba-ad-dc", "samba"];

impl Part {
    /// Its service on this host, if there is one: with the given name, else by the usual names.
    pub fn find(&self, name: Option<&str>, systemd: bool) -> Option<Service> {
        let plain = |name: &&str| !name.is_empty() && !name.starts_with('.') && !name.contains('/');
        let names = name.filter(plain).into_iter().chain(self.names);
        for name in names {
            let unit = format!("{name}.service");
            if systemd && service::unit_exists(&unit) {
                return Some(Service::Systemd { unit, cgroup: None });
            }
            let script = script(name);
            if !systemd && service::script_exists(&script) && process::find(self.program).is_some() {
                return Some(Service::Lsb { script, program: self.program.into() });
            }
        }
        None
    }
}

/// What starts Samba or CTDB itself when the host boots, with the command that turns it off; none when nothing does.
pub fn at_boot(ctdb: &Service, systemd: bool) -> Option<String> {
    let names = PARTS.iter().flat_map(|part| part.names).chain(ALIASES);
    let others = names.map(|name| match systemd {
        true => Service::Systemd { unit: format!("{name}.service"), cgroup: None },
        false => Service::Lsb { script: script(name), program: PathBuf::new() },
    });
    std::iter::once(ctdb.clone()).chain(others).find_map(|service| service.at_boot())
}
