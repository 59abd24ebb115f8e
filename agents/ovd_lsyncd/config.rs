//! The checked parameters of `ovd-lsyncd`.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::agents::cron::Cron;
use crate::ocf::exit::Failure;
use crate::ocf::params::Params;
use crate::ocf::state::ATTIC;

/// A file that is replicated must never be one that says how far replication is, or one of a live system.
pub(super) const FORBIDDEN: [&str; 6] = [ATTIC, "/dev", "/proc", "/run", "/sys", "/var/run"];
/// Most folders: each is a process and a connection of its own.
const FOLDERS: usize = 32;

/// The parameters of one instance.
#[derive(Debug, Clone)]
pub struct Config {
    /// One host, or two of which one is this node.
    pub peers: Vec<String>,
    /// What is copied; none: the guide's folders, as far as they are there.
    pub folders: Option<Vec<PathBuf>>,
    /// The private key, when it is named.
    pub identity: Option<PathBuf>,
    /// Where the peer's host key is known from, when it is named.
    pub known_hosts: Option<PathBuf>,
    /// Who logs in there.
    pub user: String,
    /// Where sshd listens.
    pub port: u16,
    /// What is not copied.
    pub exclude: Vec<String>,
    /// How long lsyncd collects changes.
    pub delay: Duration,
    /// How long a change may wait.
    pub max_lag: Duration,
    /// How many may wait.
    pub max_queue: usize,
    /// The administrator's configuration.
    pub own_file: Option<PathBuf>,
    /// lsyncd, when it is named.
    pub program: Option<PathBuf>,
    /// How long a pull may take.
    pub pull_timeout: Duration,
    /// How long the last push may take.
    pub flush_timeout: Duration,
    /// Bytes that backups may have.
    pub backup_limit: u64,
    /// The cron job; none when it is not ours.
    pub cron: Option<Cron>,
}

impl Config {
    /// Reads the parameters.
    pub fn new(params: &Params) -> Result<Self, Failure> {
        let path = |name: &str| params.text(name).map(PathBuf::from);
        let seconds = |name: &str| Ok::<_, Failure>(params.seconds(name)?.unwrap_or_default());
        let number =
            |name: &str| params.text(name).and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or_default();
        let user = params.text("user").unwrap_or_default().to_owned();
        if !is_plain(&user, "_.-") {
            return Err(wrong("user", &user, "no name of a user"));
        }
        let own_file = path("config");
        if let Some(file) = own_file.as_ref().filter(|file| file.ends_with("..") || file.parent().is_none()) {
            return Err(wrong("config", &file.display().to_string(), "no file"));
        }
        Ok(Self {
            peers: peers(params.text("peer").unwrap_or_default())?,
            folders: params.text("folders").map(folders).transpose()?,
            identity: path("identity_file"),
            known_hosts: path("known_hosts"),
            user,
            port: u16::try_from(number("ssh_port")).unwrap_or(22),
            exclude: excludes(params.text("exclude").unwrap_or_default())?,
            delay: seconds("delay")?,
            max_lag: seconds("max_lag")?,
            max_queue: usize::try_from(number("max_queue")).unwrap_or(usize::MAX),
            own_file,
            program: path("lsyncd"),
            pull_timeout: seconds("pull_timeout")?,
            flush_timeout: seconds("flush_timeout")?,
            backup_limit: number("backup_limit") << 20,
            cron: Cron::new(params)?,
        })
    }
}

/// `parameter NAME: 'VALUE' is WHAT`.
fn wrong(name: &str, value: &str, what: &str) -> Failure {
    let begin: String = value.chars().take(32).map(|c| if c.is_control() { '?' } else { c }).collect();
    let dots = if begin.len() < value.len() { "..." } else { "" };
    Failure::configured(format!("parameter {name}: '{begin}{dots}' is {what}"))
}

/// The words of a list.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

/// Whether it is made of letters, digits and `others`, and cannot be taken for an option.
fn is_plain(text: &str, others: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.len() <= 255
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn peers(text: &str) -> Result<Vec<String>, Failure> {
    let all: Vec<String> = words(text).map(str::to_owned).collect();
    if let Some(bad) = all.iter().find(|peer| !is_plain(peer, "_.-:")) {
        return Err(wrong("peer", bad, "no host name or address"));
    }
    match all.as_slice() {
        [_] => Ok(all),
        [one, other] if one.eq_ignore_ascii_case(other) => Err(wrong("peer", text, "the same host twice")),
        [_, _] => Ok(all),
        _ => Err(wrong("peer", text, "not one host, and not two of which one is this node")),
    }
}

fn folders(text: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut all: Vec<PathBuf> = Vec::new();
    for word in words(text) {
        let folder = PathBuf::from(word);
        // Components drop a slash at the end and "//": two spellings are one folder.
        let folder: PathBuf = folder.components().collect();
        let plain = folder.components().skip(1).all(|part| matches!(part, Component::Normal(_)));
        if !folder.is_absolute() || folder.parent().is_none() || !plain {
            return Err(wrong("folders", word, "no absolute path of a folder"));
        }
        if let Some(other) = FORBIDDEN.iter().find(|other| is_around(&folder, Path::new(other))) {
            return Err(wrong("folders", word, &format!("not to be copied, because of {other}")));
        }
        if let Some(other) = all.iter().find(|other| is_around(other, &folder)) {
            return Err(wrong("folders", word, &format!("within {}, or the other way round", other.display())));
        }
        all.push(folder);
    }
    match all.len() {
        1..=FOLDERS => Ok(all),
        _ => Err(wrong("folders", text, &format!("not 1 to {FOLDERS} paths separated by commas"))),
    }
}

/// Whether one is the other or lies within it.
pub(super) fn is_around(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn excludes(text: &str) -> Result<Vec<String>, Failure> {
    let all: Vec<String> = words(text).map(str::to_owned).collect();
    // rsync reads them from a list in which these begin a comment, a rule or an order.
    if let Some(bad) = all.iter().find(|pattern| pattern.starts_with(['+', '-', '!', '#', ';'])) {
        return Err(wrong("exclude", bad, "no pattern: it begins with one of + - ! # ;"));
    }
    Ok(all)
}
