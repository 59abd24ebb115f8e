//! The configuration of CTDB and Samba on this node, as the installed CTDB reads it.
//!
//! 4.9 has replaced variables of a shell by ctdb.conf, and reads nothing of the former: a node with the guide's files would run
//! without a recovery lock, and without Samba.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::config::Config;
use super::daemon::{PARTS, Part};
use super::files::{Ini, read, variables};
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// Where 4.8 and older keep their variables, beside `ctdbd.conf` in CTDB's own folder, which comes last.
pub const FORMER: [&str; 2] = ["/etc/sysconfig/ctdb", "/etc/default/ctdb"];

/// Which kind of configuration a version reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Variables of a shell: up to 4.8.
    Variables,
    /// ctdb.conf and script.options: from 4.9 on.
    Conf,
}

/// A public address, and the interfaces it may be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// The address with its network.
    pub net: IpNet,
    /// The interfaces.
    pub links: Vec<String>,
}

/// What the files say.
#[derive(Debug, Default)]
pub struct Site {
    /// The recovery lock: a file, or `!` and a command.
    pub lock: Option<String>,
    /// The private addresses of all nodes, by number; those taken out are missing.
    pub nodes: Vec<IpAddr>,
    /// The file they are from.
    pub nodes_file: PathBuf,
    /// The public addresses.
    pub public: Vec<Public>,
    /// Parts of Samba that CTDB starts, each with the name of its service where it is given.
    pub parts: Vec<(&'static Part, Option<String>)>,
    /// What an administrator should know.
    pub hints: Vec<String>,
}

impl Generation {
    /// That of a version.
    pub fn of(version: (u32, u32)) -> Self {
        if version >= (4, 9) { Generation::Conf } else { Generation::Variables }
    }

    /// Asks the installed CTDB, which need not run.
    ///
    /// # Errors
    /// One line.
    pub fn installed(deadline: &Deadline) -> Result<Self, String> {
        installed_version(deadline).map(Self::of)
    }
}

/// The version of the installed CTDB, which need not run.
///
/// # Errors
/// One line.
pub fn installed_version(deadline: &Deadline) -> Result<(u32, u32), String> {
    let output =
        process::run("ctdb", &["version"], None, deadline).map_err(|error| format!("ctdb version: {error}"))?;
    let text = output.text();
    version(&text).ok_or_else(|| format!("ctdb version: '{}' is not understood", text.trim()))
}

/// The first two numbers of a version such as `4.17.12-Debian`.
pub fn version(text: &str) -> Option<(u32, u32)> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.filter(|word| word.contains('.')).find_map(|word| {
        let mut numbers = word.split('.').map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    })
}

impl Site {
    /// Reads the files of `generation`.
    ///
    /// # Errors
    /// One line: what keeps CTDB or Samba from doing what this set-up is for.
    pub fn read(config: &Config, generation: Generation, deadline: &Deadline) -> Result<Self, String> {
        let in_folder = |name: &str| config.folder.join(name);
        let mut former = BTreeMap::new();
        for path in FORMER.iter().map(PathBuf::from).chain([in_folder("ctdbd.conf")]) {
            former.extend(variables(&read(&path, deadline)?.unwrap_or_default()));
        }
        let mut site = match generation {
            Generation::Conf => {
                let conf = read(&in_folder("ctdb.conf"), deadline)?;
                let options = variables(&read(&in_folder("script.options"), deadline)?.unwrap_or_default());
                let is_enabled = |part: &Part| enabled(&in_folder("events/legacy"), part);
                Self::of_conf(&Ini::parse(&conf.unwrap_or_default()), &options, is_enabled)
            }
            Generation::Variables => Self::of_variables(&former),
        };
        site.nodes_file = former_or(&former, generation, "CTDB_NODES", in_folder("nodes"));
        let public = former_or(&former, generation, "CTDB_PUBLIC_ADDRESSES", in_folder("public_addresses"));
        site.settle(&former, generation, &config.folder)?;
        let text = read(&site.nodes_file, deadline)?.unwrap_or_default();
        site.nodes = nodes(&text).map_err(|why| format!("{}: {why}", site.nodes_file.display()))?;
        let text = read(&public, deadline)?.unwrap_or_default();
        site.public = public_addresses(&text).map_err(|why| format!("{}: {why}", public.display()))?;
        // Where another has the address, the file says so.
        let is_meant = text.lines().any(|line| line.trim_start().starts_with('#'));
        if site.public.is_empty() && !is_meant {
            site.hints.push(format!("{} has no address: clients cannot fail over", public.display()));
        }
        let samba = read(&config.smb_conf, deadline)?;
        let samba = samba.ok_or_else(|| format!("there is no {}", config.smb_conf.display()))?;
        clustered(&Ini::parse(&samba)).map_err(|why| format!("{}: {why}", config.smb_conf.display()))?;
        Ok(site)
    }

    fn of_conf(ini: &Ini, options: &BTreeMap<String, String>, is_enabled: impl Fn(&Part) -> bool) -> Self {
        let lock = ini.get("cluster", "cluster lock").or_else(|| ini.get("cluster", "recovery lock"));
        let parts = PARTS.iter().filter(|part| is_enabled(part));
        Self {
            lock: lock.map(str::to_owned),
            parts: parts.map(|part| (part, options.get(part.option).cloned())).collect(),
            ..Self::default()
        }
    }

    fn of_variables(all: &BTreeMap<String, String>) -> Self {
        let is_managed = |part: &&Part| all.get(part.manages).is_some_and(|value| value == "yes");
        Self {
            lock: all.get("CTDB_RECOVERY_LOCK").filter(|lock| !lock.is_empty()).cloned(),
            parts: PARTS.iter().filter(is_managed).map(|part| (part, all.get(part.option).cloned())).collect(),
            ..Self::default()
        }
    }

    /// Refuses what lacks the lock or Samba, and says so if that is in the files of the other generation.
    fn settle(
        &mut self,
        former: &BTreeMap<String, String>,
        generation: Generation,
        folder: &Path,
    ) -> Result<(), String> {
        let conf = folder.join("ctdb.conf");
        let stale = former.keys().any(|name| name.starts_with("CTDB_RECOVERY_LOCK") || name == "CTDB_MANAGES_SAMBA");
        let (where_to, other) = match generation {
            Generation::Conf if stale => {
                (format!("{}", conf.display()), " (this CTDB ignores CTDB_RECOVERY_LOCK and the like)")
            }
            Generation::Conf => (format!("{}", conf.display()), ""),
            Generation::Variables => ("/etc/default/ctdb or ctdbd.conf".to_owned(), " (this CTDB ignores ctdb.conf)"),
        };
        if self.lock.is_none() {
            return Err(format!("no recovery lock in {where_to}{other}: a split would corrupt files"));
        }
        if !self.parts.iter().any(|(part, _)| part.script == "50.samba") {
            let how = match generation {
                Generation::Conf => "ctdb event script enable legacy 50.samba",
                Generation::Variables => "set CTDB_MANAGES_SAMBA=yes",
            };
            return Err(format!("CTDB does not start Samba here: {how}"));
        }
        if generation == Generation::Conf && stale {
            self.hints.push("CTDB_RECOVERY_LOCK and the like are set in a file that this CTDB ignores".to_owned());
        }
        Ok(())
    }

    /// The recovery lock's file, where it is one.
    pub fn lock_file(&self) -> Option<&Path> {
        self.lock.as_deref().filter(|lock| !lock.starts_with('!')).map(Path::new)
    }
}

fn former_or(former: &BTreeMap<String, String>, generation: Generation, name: &str, usual: PathBuf) -> PathBuf {
    let given = former.get(name).filter(|path| generation == Generation::Variables && path.starts_with('/'));
    given.map_or(usual, PathBuf::from)
}

/// Whether an event script is there and may be run, as CTDB itself looks at it.
fn enabled(folder: &Path, part: &Part) -> bool {
    process::find(folder.join(format!("{}.script", part.script))).is_some()
}

/// The addresses of a nodes file; a line with `#` is a node that was taken out, and keeps its number.
pub fn nodes(text: &str) -> Result<Vec<IpAddr>, String> {
    let mut all: Vec<IpAddr> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let address = line.parse().map_err(|_| format!("'{}' is no address", short(line)))?;
        if all.contains(&address) {
            return Err(format!("{address} is there twice"));
        }
        all.push(address);
    }
    if all.is_empty() { Err("there is no node in it".to_owned()) } else { Ok(all) }
}

/// Lines such as `172.16.4.26/24 eth0,eth1`.
pub fn public_addresses(text: &str) -> Result<Vec<Public>, String> {
    let mut all = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let net = words.next().and_then(|word| word.parse::<IpNet>().ok());
        let net = net.ok_or_else(|| format!("'{}' does not begin with ADDRESS/BITS", short(line)))?;
        let links = words.flat_map(|word| word.split(',')).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        all.push(Public { net, links });
    }
    Ok(all)
}

fn short(line: &str) -> String {
    line.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Samba on several nodes without `clustering` would have each node lock for itself. What includes another file is not judged:
/// it may say so.
fn clustered(ini: &Ini) -> Result<(), String> {
    let yes = |value: &str| matches!(value.to_lowercase().as_str(), "yes" | "true" | "1" | "on");
    match ini.get("global", "clustering") {
        Some(value) if yes(value) => Ok(()),
        None if ini.get("global", "include").is_some() || ini.get("global", "config backend").is_some() => Ok(()),
        _ => Err("[global] has no 'clustering = yes': each node would lock files for itself".to_owned()),
    }
}

#[cfg(test)]
#[path = "site_tests.rs"]
mod tests;
