//! What the kernel of a director has to be set to, and what it was set to before.
//!
//! The old values are written down in the state folder before the first new one is set, so that a killed start leaves
//! nothing that a stop could not put back. Each instance writes down what it needs, changed or not, and takes over the old
//! values of those that were there before it: the last one that goes knows what there was before the first.

mod setting;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use setting::Setting;
use setting::{missing, name, read, write};

use crate::ocf::state::State;

/// The kernel's values.
const ROOT: &str = "/proc/sys";
/// The file with the old values in the state folder.
const FILE: &str = "duties";

/// What a director does that its kernel has to be set up for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// It has IPv4 services with masquerading (LVS-NAT): packets are forwarded, and nobody is told of a shorter way.
    pub nat_v4: bool,
    /// The same for IPv6. An interface that has `accept_ra = 1` takes no router advertisements any more then: the kernel's
    /// rule for routers.
    pub nat_v6: bool,
    /// The links that clients and real servers are on.
    pub links: Vec<String>,
    /// The packet filter sees the connections of IPVS, as source translation of clients needs it.
    pub conntrack: bool,
    /// A connection ends with its real server: UDP clients that never pause find another one.
    pub expire_nodest_conn: bool,
    /// Persistence ends with weight 0.
    pub expire_quiescent_template: bool,
}

/// The settings that these needs come to, in the order to set them.
pub fn wanted(needs: &Needs) -> Vec<Setting> {
    let mut wanted = Vec::new();
    if needs.nat_v4 {
        wanted.push(Setting::new("net/ipv4/ip_forward", "1"));
        // The kernel sends redirects on a link when either "all" or the link itself says so; "default" is for links to come.
        let links = ["all", "default"].into_iter().chain(needs.links.iter().map(String::as_str));
        wanted.extend(links.map(|link| Setting::new(format!("net/ipv4/conf/{link}/send_redirects"), "0")));
    }
    if needs.nat_v6 {
        wanted.push(Setting::new("net/ipv6/conf/all/forwarding", "1"));
    }
    let of_ipvs = [
        ("conntrack", needs.conntrack),
        ("expire_nodest_conn", needs.expire_nodest_conn),
        ("expire_quiescent_template", needs.expire_quiescent_template),
    ];
    let asked = of_ipvs.into_iter().filter(|(_, asked)| *asked);
    wanted.extend(asked.map(|(setting, _)| Setting::new(format!("net/ipv4/vs/{setting}"), "1")));
    wanted
}

/// What is remembered of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// What stood there before the first director.
    was: String,
    /// What this instance needs.
    set: String,
}

/// By path.
type Memory = BTreeMap<String, Record>;

/// What became of settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// What was set, one line each.
    pub changes: Vec<String>,
    /// What is missing or could not be set, one line each.
    pub troubles: Vec<String>,
}

/// The settings of this host, and what one instance remembers of them.
#[derive(Debug, Clone)]
pub struct Duties<'a> {
    root: PathBuf,
    state: &'a State,
}

impl<'a> Duties<'a> {
    /// Those of the instance with this state.
    pub fn of(state: &'a State) -> Self {
        Self::below(Path::new(ROOT), state)
    }

    /// The same with the kernel's values elsewhere, for tests.
    pub fn below(root: &Path, state: &'a State) -> Self {
        Self { root: root.to_owned(), state }
    }

    /// Sets what is not as wanted. One that is missing or cannot be set keeps none of the others from being set.
    ///
    /// # Errors
    /// The old values cannot be read or remembered: then nothing changes.
    pub fn apply(&self, wanted: &[Setting]) -> Result<Applied, String> {
        let mut memory = self.memory();
        let before = memory.clone();
        let others: Vec<Memory> = self.others().into_iter().map(|(_, memory)| memory).collect();
        let mut changes = Vec::new();
        let mut applied = Applied::default();
        for Setting { path, value } in wanted {
            // A link that has just gone, a kernel without IPv6: no reason to leave out the others.
            let Some(now) = read(&self.root, path)? else {
                applied.troubles.push(missing(path));
                continue;
            };
            let first = memory.get(path).or_else(|| others.iter().find_map(|memory| memory.get(path)));
            let was = first.map_or_else(|| now.clone(), |record| record.was.clone());
            memory.insert(path.clone(), Record { was, set: value.clone() });
            if now != *value {
                changes.push((path, now, value));
            }
        }
        if memory != before {
            let written = self.state.write(FILE, &memory);
            written.map_err(|error| format!("remember settings in {}: {error}", self.state.folder().display()))?;
        }
        for (path, now, value) in changes {
            match write(&self.root, path, value) {
                Ok(()) => applied.changes.push(format!("{} set to {value}, was {now}", name(path))),
                Err(reason) => applied.troubles.push(reason),
            }
        }
        Ok(applied)
    }

    /// One line for each setting that is not as wanted: somebody has changed it. Changes nothing.
    pub fn drifted(&self, wanted: &[Setting]) -> Vec<String> {
        let differs = |Setting { path, value }: &Setting| match read(&self.root, path) {
            Ok(Some(now)) if now == *value => None,
            Ok(Some(now)) => Some(format!("{} is {now}, not {value}", name(path))),
            Ok(None) => Some(missing(path)),
            Err(reason) => Some(reason),
        };
        wanted.iter().filter_map(differs).collect()
    }

    /// Puts back what was there before: only what this instance needed, what still is as it was set, and what no other
    /// instance needs. One line for each setting that was put back, or why it was not; what never was another is passed
    /// over. Forgets all of it then.
    pub fn put_back(&self) -> Vec<String> {
        let others = self.others();
        let mut told = Vec::new();
        for (path, Record { was, set }) in self.memory() {
            let needed_by = others.iter().find(|(_, memory)| memory.contains_key(&path)).map(|(folder, _)| folder);
            let name = name(&path);
            let line = match (needed_by, read(&self.root, &path)) {
                _ if was == set => continue,
                (Some(folder), _) => format!("{name} stays {set}: {folder} needs it"),
                // IPVS was unloaded, or the link is gone: its values with it.
                (None, Ok(None)) => continue,
                (None, Ok(Some(now))) if now == was => continue,
                (None, Ok(Some(now))) if now != set => format!("{name} stays {now}: somebody has changed it"),
                (None, Ok(Some(_))) => match write(&self.root, &path, &was) {
                    Ok(()) => format!("{name} put back to {was}"),
                    Err(reason) => reason,
                },
                (None, Err(reason)) => reason,
            };
            told.push(line);
        }
        self.forget();
        told
    }

    /// Forgets the old values without putting them back.
    pub fn forget(&self) {
        self.state.forget(FILE);
    }

    fn memory(&self) -> Memory {
        self.state.read(FILE).unwrap_or_default()
    }

    /// What the other instances remember, by the name of their folder.
    fn others(&self) -> Vec<(String, Memory)> {
        let own = self.state.folder();
        let Some(Ok(folders)) = own.parent().map(fs::read_dir) else { return Vec::new() };
        let mut others: Vec<PathBuf> = folders.flatten().map(|entry| entry.path()).filter(|path| path != own).collect();
        others.sort();
        let memory = |path: PathBuf| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            Some((name, State::at(&path).read(FILE)?))
        };
        others.into_iter().filter_map(memory).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
