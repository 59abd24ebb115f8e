//! The shared configuration of the guide "File Server High Availability", in the words of the installed CTDB: what it lacks on this
//! node, and how it gets there. The agent itself never writes any of this.

mod change;
mod checks;
mod compose;
mod edit;
mod release;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use self::change::Change;
use self::compose::{Present, compose};
pub use self::release::Release;
use super::config::Config;
use super::files::{read, variables};
use super::site::{FORMER, Generation, Site};
use super::start;
use crate::ocf::check::Check;
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;
use crate::ocf::params::Params;
use crate::sys::process;

/// How long one question may take.
const ASK: Duration = Duration::from_secs(5);

/// What a scenario wants of the file servers.
#[derive(Debug, Clone)]
pub struct Wanted {
    config: Config,
    /// The private addresses of the file servers.
    nodes: Vec<IpAddr>,
    /// The address of the clients.
    address: IpNet,
    /// The link it is on, where CTDB has it.
    link: Option<String>,
    /// Whether this host is of the family of Debian, where Samba's services have other names.
    is_debian: bool,
}

/// Where things of a host stand.
#[derive(Debug, Clone)]
pub struct Places {
    /// This program.
    pub program: PathBuf,
    /// The event scripts that come with CTDB 4.9 and later.
    pub scripts: PathBuf,
    /// The files of CTDB 4.8 and older outside of its own folder.
    pub former: Vec<PathBuf>,
    /// The configuration of ovd-slaveserver.
    pub slaveserver: PathBuf,
    /// Where what is replaced is kept.
    pub backups: PathBuf,
}

/// What this node lacks.
#[derive(Debug)]
pub struct Arrangement {
    /// What was looked at.
    pub checks: Vec<Check>,
    /// What an administrator should know.
    pub notes: Vec<String>,
    changes: Vec<Change>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            program: "/usr/sbin/inuvika-ha".into(),
            scripts: "/usr/share/ctdb/events/legacy".into(),
            former: FORMER.iter().map(PathBuf::from).collect(),
            slaveserver: "/etc/ovd/slaveserver/slaveserver.conf".into(),
            backups: "/var/lib/inuvika-ha".into(),
        }
    }
}

impl Wanted {
    /// From the parameters of the agent, the nodes, and the address with the link that CTDB is to have it on; none: it has none.
    ///
    /// # Errors
    /// What the agent says of its parameters.
    pub fn new(params: &Params, nodes: Vec<IpAddr>, address: IpNet, link: Option<String>) -> Result<Self, Failure> {
        let config = Config::new(params)?;
        Ok(Self { config, nodes, address, link, is_debian: Path::new("/etc/debian_version").exists() })
    }

    fn shared(&self) -> &Path {
        &self.config.shared
    }

    fn smb_conf(&self) -> &Path {
        &self.config.smb_conf
    }

    fn lock(&self) -> String {
        self.shared().join("lockfile").display().to_string()
    }

    /// Looks at this node. With `try_root`, it is also tried whether root may write to the volumes as root.
    ///
    /// # Errors
    /// One line, when it cannot be said what is lacking.
    pub fn look(
        &self,
        release: Release,
        places: &Places,
        try_root: bool,
        limit: &Deadline,
    ) -> Result<Arrangement, String> {
        let mut checks = checks::all(self, places, limit);
        if checks::may_write(&checks) && try_root {
            checks.extend(checks::root(self, limit));
        }
        if !checks::may_write(&checks) {
            return Ok(Arrangement { checks, notes: Vec::new(), changes: Vec::new() });
        }
        let generation = release.generation();
        let main = self.main_file(generation, places);
        let present = self.present(&main, places, limit)?;
        let composed = compose(self, release, &present)?;
        let mut changes =
            vec![Change::folder(self.shared(), 0o755), Change::folder(&self.shared().join("private"), 0o700)];
        for (name, text) in &composed.files {
            let path = self.shared().join(name);
            let before = read(&path, &limit.within(ASK))?;
            changes.push(Change::File { path, text: text.clone(), before });
        }
        let linked = |name: &str| (self.config.folder.join(name), self.shared().join(name));
        let mut links = vec![linked("nodes"), linked("public_addresses")];
        links.push((main, self.shared().join("ctdb.conf")));
        if generation == Generation::Conf {
            let names = composed.files.iter().map(|(name, _)| *name);
            links.extend(names.filter(|name| ["ctdb.tunables", "script.options"].contains(name)).map(linked));
        }
        links.push((self.smb_conf().to_owned(), self.shared().join("smb.conf")));
        let mut notes = composed.notes;
        for (name, target) in self.scripts(generation, places) {
            match target {
                Some(target) => links.push((name, target)),
                None => notes.push(format!("{}: no such event script is installed", name.display())),
            }
        }
        for (path, target) in links {
            let new = composed.files.iter().find(|(name, _)| self.shared().join(name) == target);
            changes.push(Change::link(path, target, new.map(|(_, text)| text.as_str()), &limit.within(ASK))?);
        }
        for path in self.former(places) {
            // The guide's link leads to a file that is of the other kind now.
            let is_ours = std::fs::read_link(&path).is_ok_and(|target| target.starts_with(self.shared()));
            match generation {
                Generation::Conf if is_ours => changes.push(Change::Remove { path }),
                Generation::Conf if path.exists() => {
                    let text = read(&path, &limit.within(ASK))?.unwrap_or_default();
                    if variables(&text).keys().any(|name| name.starts_with("CTDB_")) {
                        notes.push(format!(
                            "{} is of CTDB 4.8 and older, and {release} does not read it",
                            path.display()
                        ));
                    }
                }
                _ => {}
            }
        }
        changes.retain(Change::is_one);
        Ok(Arrangement { checks, notes, changes })
    }

    /// The files of CTDB 4.8 and older, in its order.
    fn former(&self, places: &Places) -> impl Iterator<Item = PathBuf> {
        places.former.clone().into_iter().chain([self.config.folder.join("ctdbd.conf")])
    }

    /// The file that the installed CTDB reads first, on this node.
    fn main_file(&self, generation: Generation, places: &Places) -> PathBuf {
        let older = places.former.last().filter(|_| self.is_debian);
        match generation {
            Generation::Conf => self.config.folder.join("ctdb.conf"),
            Generation::Variables => older.cloned().unwrap_or_else(|| self.config.folder.join("ctdbd.conf")),
        }
    }

    fn present(&self, main: &Path, places: &Places, limit: &Deadline) -> Result<Present, String> {
        let text = |path: &Path| read(path, &limit.within(ASK));
        let shared = |name: &str| text(&self.shared().join(name));
        let either = |name: &str, own: &Path| {
            shared(name).and_then(|found| found.map_or_else(|| text(own), |one| Ok(Some(one))))
        };
        let folder = &self.config.folder;
        let mut present = Present {
            conf: shared("ctdb.conf")?,
            own: text(main)?,
            tunables: either("ctdb.tunables", &folder.join("ctdb.tunables"))?,
            // What the package brings stays where it is, unless there is more to say.
            options: shared("script.options")?,
            own_options: text(&folder.join("script.options"))?,
            nodes: either("nodes", &folder.join("nodes"))?,
            public: either("public_addresses", &folder.join("public_addresses"))?,
            smb: either("smb.conf", self.smb_conf())?,
            ..Present::default()
        };
        for path in self.former(places) {
            present.former.extend(variables(&text(&path)?.unwrap_or_default()));
        }
        Ok(present)
    }

    /// The scripts that CTDB runs: those of Samba, and this program, which tells of events.
    fn scripts(&self, generation: Generation, places: &Places) -> Vec<(PathBuf, Option<PathBuf>)> {
        let folder = &self.config.folder;
        let program = || Some(places.program.clone());
        match generation {
            Generation::Variables => vec![
                (folder.join("events.d/99.inuvika-ha"), program()),
                (folder.join("notify.d/50.inuvika-ha"), program()),
            ],
            Generation::Conf => {
                let legacy = folder.join("events/legacy");
                let samba = |name: &str| {
                    let (here, source) = (legacy.join(name), places.scripts.join(name));
                    // One that is there counts, whatever it is; a file may be switched off by its mode.
                    let source = [here.clone(), source].into_iter().find(|path| path.exists());
                    (here, source)
                };
                let mut all = vec![samba("50.samba.script")];
                // Before 4.13 the one of Samba starts nmbd as well.
                all.extend(Some(samba("48.netbios.script")).filter(|(_, source)| source.is_some()));
                all.push((legacy.join("99.inuvika-ha.script"), program()));
                all.push((folder.join("events/notification/50.inuvika-ha.script"), program()));
                all
            }
        }
    }

    /// What the agent would say of the configuration now.
    ///
    /// # Errors
    /// One line.
    pub fn verify(&self, release: Release, limit: &Deadline) -> Result<(), String> {
        let site = Site::read(&self.config, release.generation(), &limit.within(ASK))?;
        start::fits(&site).map_err(|failure| failure.reason)
    }
}

impl Arrangement {
    /// Whether it can be written: no check has failed.
    pub fn may_write(&self) -> bool {
        checks::may_write(&self.checks)
    }

    /// How many changes there are.
    pub fn count(&self) -> usize {
        self.changes.len()
    }

    /// The changes as text: differences of files, and a line for everything else.
    pub fn show(&self, limit: &Deadline) -> String {
        self.changes.iter().map(|change| change.show(&limit.within(ASK))).collect()
    }

    /// Makes the changes; what was there before is in the folder that is returned, if there was anything.
    ///
    /// # Errors
    /// One line: what could not be done. What was done before it stays.
    pub fn write(&self, places: &Places, stamp: &str) -> Result<Option<PathBuf>, String> {
        let backups = places.backups.join(format!("ofs-config-{stamp}"));
        for change in &self.changes {
            change.make(&backups).map_err(|(path, error)| format!("write {}: {error}", path.display()))?;
        }
        Ok(Some(backups).filter(|folder| folder.exists()))
    }
}

/// Whether a program of this host says so.
fn holds(program: &str, words: &[&Path], limit: &Deadline) -> bool {
    process::run(program, words, None, limit).is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests;
