//! What the shared files have to say, in the words of the installed CTDB. Pure: texts in, texts out.

use std::collections::BTreeMap;

use super::super::files::{Ini, variables};
use super::super::site::Generation;
use super::edit::{entry, nodes, public, variable};
use super::{Release, Wanted};

/// A node that is lost without a word is missed after interval * (limit + 1) seconds at most (ctdb-tunables(7)): 30 as CTDB comes,
/// 8 with these. A host that pauses for longer is taken for lost.
const KEEPALIVE: [(&str, u32); 2] = [("KeepaliveInterval", 2), ("KeepaliveLimit", 3)];
/// What both are as CTDB comes.
const USUAL: u32 = 5;
/// What an administrator has set so that it is missed within this time is left alone.
const SOON: u32 = 15;

/// Seconds between two rounds of CTDB's own checks, by which it sees an interface that is down and a Samba that is gone: 15 as CTDB
/// comes, which clients wait for.
const MONITOR: (&str, u32) = ("MonitorInterval", 5);

/// What CTDB 4.9 has made of a variable.
struct Moved {
    from: &'static str,
    section: &'static str,
    key: &'static str,
    /// The word that it was switched on by, where that is another one now; then it is `true`.
    on: Option<&'static str>,
}

const fn moved(from: &'static str, section: &'static str, key: &'static str, on: Option<&'static str>) -> Moved {
    Moved { from, section, key, on }
}

const MOVED: [Moved; 9] = [
    moved("CTDB_LOGGING", "logging", "location", None),
    moved("CTDB_DEBUGLEVEL", "logging", "log level", None),
    moved("CTDB_TRANSPORT", "cluster", "transport", None),
    moved("CTDB_DBDIR", "database", "volatile database directory", None),
    moved("CTDB_DBDIR_PERSISTENT", "database", "persistent database directory", None),
    moved("CTDB_DBDIR_STATE", "database", "state database directory", None),
    moved("CTDB_START_AS_DISABLED", "legacy", "start as disabled", Some("yes")),
    moved("CTDB_START_AS_STOPPED", "legacy", "start as stopped", Some("yes")),
    moved("CTDB_SCRIPT_LOG_LEVEL", "legacy", "script log level", None),
];
/// How variables begin that event scripts go on reading, from script.options.
const OPTIONS: [&str; 8] = [
    "CTDB_SERVICE_",
    "CTDB_SAMBA_",
    "CTDB_NFS_",
    "CTDB_RPCINFO_",
    "CTDB_MONITOR_FILESYSTEM_USAGE",
    "CTDB_MONITOR_MEMORY_USAGE",
    "CTDB_MAX_CORRUPT_DB_BACKUPS",
    "CTDB_PARTIALLY_ONLINE_INTERFACES",
];
/// How tunables begin among the variables.
const SET: &str = "CTDB_SET_";
/// Variables that the scenario, files of fixed names and links have taken the place of.
const SETTLED: [&str; 4] = ["CTDB_RECOVERY_LOCK", "CTDB_NODES", "CTDB_PUBLIC_ADDRESSES", "CTDB_MANAGES_SAMBA"];

/// The files as they are: none where there is none.
#[derive(Debug, Default)]
pub struct Present {
    /// ctdb.conf of the shared folder.
    pub conf: Option<String>,
    /// The node's own file of that kind.
    pub own: Option<String>,
    /// What the files of CTDB 4.8 and older say on this node.
    pub former: BTreeMap<String, String>,
    /// ctdb.tunables.
    pub tunables: Option<String>,
    /// script.options of the shared folder.
    pub options: Option<String>,
    /// The node's own one.
    pub own_options: Option<String>,
    /// nodes.
    pub nodes: Option<String>,
    /// public_addresses.
    pub public: Option<String>,
    /// smb.conf.
    pub smb: Option<String>,
}

/// What they have to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Composed {
    /// Files of the shared folder, each with its text.
    pub files: Vec<(&'static str, String)>,
    /// What an administrator should know.
    pub notes: Vec<String>,
}

/// The texts for a release of CTDB.
///
/// # Errors
/// One line.
pub fn compose(wanted: &Wanted, release: Release, present: &Present) -> Result<Composed, String> {
    let mut all = match release.generation() {
        Generation::Conf => of_conf(wanted, release, present),
        Generation::Variables => of_variables(wanted, release, present)?,
    };
    all.files.push(("nodes", nodes(present.nodes.as_deref().unwrap_or_default(), &wanted.nodes)));
    let addresses = present.public.as_deref().unwrap_or_default();
    all.files.push(("public_addresses", public(addresses, &wanted.address, wanted.link.as_deref())));
    let smb = present.smb.as_deref().ok_or_else(|| format!("there is no {}", wanted.smb_conf().display()))?;
    all.files.push(("smb.conf", samba(wanted, smb, &mut all.notes)));
    Ok(all)
}

/// Whether a text is of the kind that 4.9 and later read: it has a section. A test in a shell has spaces.
fn is_ini(text: &str) -> bool {
    let has = |line: &str| -> Option<bool> {
        let name = line.trim().strip_prefix('[')?.strip_suffix(']')?;
        Some(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()))
    };
    text.lines().any(|line| has(line) == Some(true))
}

fn of_conf(wanted: &Wanted, release: Release, present: &Present) -> Composed {
    let mut all = Composed::default();
    let ours = present.conf.as_deref().filter(|text| is_ini(text));
    // What was written once is the administrator's: only a first run takes variables over.
    let mut former = BTreeMap::new();
    if ours.is_none() {
        if present.conf.is_some() {
            all.notes.push("ctdb.conf was of CTDB 4.8 and older: from now on no node may have that".to_owned());
        }
        former.clone_from(&present.former);
        former.extend(variables(present.conf.as_deref().unwrap_or_default()));
    }
    let own = present.own.as_deref().filter(|text| is_ini(text));
    let mut conf = ours.or(own).unwrap_or_default().to_owned();
    let (key, other) = release.lock();
    let ini = Ini::parse(&conf);
    if ini.get("cluster", key).or_else(|| ini.get("cluster", other)).is_none() {
        let lock = former.get("CTDB_RECOVERY_LOCK").filter(|lock| !lock.is_empty()).cloned();
        conf = entry(&conf, "cluster", key, &lock.unwrap_or_else(|| wanted.lock()), &[other]);
    }
    let mut tunables = present.tunables.clone().unwrap_or_default();
    let mut options = present.options.clone();
    for (name, value) in former.iter().filter(|(name, value)| name.starts_with("CTDB_") && !value.is_empty()) {
        // A folder on a tmpfs was a word for CTDB 4.8; now it has to be mounted.
        let moved = MOVED.iter().find(|moved| moved.from == name && value != "tmpfs");
        if let Some(Moved { section, key, on, .. }) = moved {
            match on {
                None => conf = entry(&conf, section, key, value, &[]),
                Some(on) if on == value => conf = entry(&conf, section, key, "true", &[]),
                Some(_) => {}
            }
        } else if let Some(name) = name.strip_prefix(SET) {
            tunables = variable(&tunables, name, value);
        } else if OPTIONS.iter().any(|start| name.starts_with(start)) {
            let quoted = if value.contains(char::is_whitespace) { format!("\"{value}\"") } else { value.clone() };
            let so_far = options.as_ref().or(present.own_options.as_ref());
            options = Some(variable(so_far.map_or("", String::as_str), name, &quoted));
        } else if name == "CTDB_MANAGES_WINBIND" {
            all.notes.push(format!("{name}: on every node, ctdb event script enable legacy 49.winbind"));
        } else if !SETTLED.contains(&name.as_str()) {
            all.notes.push(format!("{name} is not taken over: see ctdb.conf(5) of CTDB {release}"));
        }
    }
    all.files.push(("ctdb.conf", conf));
    all.files.push(("ctdb.tunables", quick(&tunables, "")));
    if let Some(options) = options {
        all.files.push(("script.options", options));
    }
    all
}

fn of_variables(wanted: &Wanted, release: Release, present: &Present) -> Result<Composed, String> {
    if present.conf.as_deref().is_some_and(is_ini) {
        let file = wanted.shared().join("ctdb.conf");
        let file = file.display();
        return Err(format!(
            "{file} is of CTDB 4.9 and newer, and {release} is installed here: all nodes need the same one"
        ));
    }
    let mut text = present.conf.as_ref().or(present.own.as_ref()).cloned().unwrap_or_default();
    let now = variables(&text);
    let missing = |name: &str| now.get(name).is_none_or(|value| value.is_empty());
    if missing("CTDB_RECOVERY_LOCK") {
        text = variable(&text, "CTDB_RECOVERY_LOCK", &wanted.lock());
    }
    let shared = |name: &str| wanted.shared().join(name).display().to_string();
    for (name, value) in [
        ("CTDB_MANAGES_SAMBA", "yes".to_owned()),
        ("CTDB_NODES", shared("nodes")),
        ("CTDB_PUBLIC_ADDRESSES", shared("public_addresses")),
    ] {
        if now.get(name) != Some(&value) {
            text = variable(&text, name, &value);
        }
    }
    // The guide: on Ubuntu these two have other names than CTDB thinks.
    if wanted.is_debian {
        for (name, value) in [("CTDB_SERVICE_SMB", "smbd"), ("CTDB_SERVICE_NMB", "nmbd")] {
            if missing(name) {
                text = variable(&text, name, value);
            }
        }
    }
    Ok(Composed { files: vec![("ctdb.conf", quick(&text, SET))], ..Composed::default() })
}

/// `text` with tunables, whose names begin with `prefix`, by which trouble is seen soon.
fn quick(text: &str, prefix: &str) -> String {
    let now = variables(text);
    let add =
        |text: String, (name, value): (&str, u32)| variable(&text, &format!("{prefix}{name}"), &value.to_string());
    let value = |name: &str| now.get(&format!("{prefix}{name}")).map_or(Some(USUAL), |value| value.parse().ok());
    let is_soon = matches!(KEEPALIVE.map(|(name, _)| value(name)),
        [Some(interval), Some(limit)] if interval.saturating_mul(limit.saturating_add(1)) < SOON);
    let mut text = text.to_owned();
    if !is_soon {
        text = KEEPALIVE.into_iter().fold(text, add);
    }
    if now.contains_key(&format!("{prefix}{}", MONITOR.0)) { text } else { add(text, MONITOR) }
}

fn samba(wanted: &Wanted, text: &str, notes: &mut Vec<String>) -> String {
    let ini = Ini::parse(text);
    let has = |value: Option<&str>, word: &str| value.is_some_and(|value| value.eq_ignore_ascii_case(word));
    let mut new = text.to_owned();
    if !["yes", "true", "1", "on"].iter().any(|word| has(ini.get("global", "clustering"), word)) {
        new = entry(&new, "global", "clustering", "yes", &[]);
    }
    if !has(ini.get("global", "idmap config * : backend"), "tdb2") {
        new = entry(&new, "global", "idmap config * : backend", "tdb2", &["idmap backend"]);
    }
    let private = wanted.shared().join("private").display().to_string();
    if ini.get("global", "private dir") != Some(private.as_str()) {
        new = entry(&new, "global", "private dir", &private, &["private directory"]);
    }
    for section in ini.sections_with("clustering").filter(|section| *section != "global") {
        notes.push(format!("smb.conf has clustering in [{section}], where Samba does not look: it is in [global] now"));
    }
    new
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
