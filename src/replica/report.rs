//! What a node says of itself when its peer asks, and how it is asked: one ssh, one line of JSON.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};

use super::Replica;
use super::backup::{self, Backup, NAMES, plain};
use super::canary::{self, Beat};
use super::foreign;
use super::ground;
use super::scope::Scope;
use super::stamp::{Attic, EPOCH_MAX, Stamp, read, unix_now};
use crate::cluster::member;
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::one_line;
use crate::sys::process::Output;
use crate::sys::remote::rsync::is_linked;

/// The program's name.
pub(super) const NAME: &str = "inuvika-ha";
/// The program, at the same place on every node.
const PROGRAM: &str = "/usr/sbin/inuvika-ha";
/// Longest answer that is looked at, in bytes.
const CAP: usize = 1 << 20;
/// How long a report that the peer waits for may look for files that were kept: a late answer would be none.
pub const LOOK: Duration = Duration::from_millis(300);
/// How this program ends when it does not understand its arguments.
const USAGE: i32 = 2;
/// Where a node remembers its name, in the attic.
const NODE: &str = "node";
/// How long the cluster may take to tell a node its name.
const NAMING: Duration = Duration::from_secs(1);

/// What a node says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its node name; its host name where no cluster has told it another one yet.
    pub node: String,
    /// Whether a cluster has told it that name.
    #[serde(default = "yes")]
    pub named: bool,
    /// Whether it refuses older data than its own: it knows `replica receive`.
    #[serde(default)]
    pub guards: bool,
    /// Its version of this program.
    pub version: String,
    /// Which data it has.
    pub stamp: Option<Stamp>,
    /// The canary that has arrived there last.
    pub beat: Option<Beat>,
    /// An lsyncd outside of the cluster: what, and how to turn it off.
    pub foreign: Option<String>,
    /// Bytes free, the least of its folders; none when it was asked for no folder.
    pub free: Option<u64>,
    /// What replication has kept there, the newest first.
    pub backups: Vec<Backup>,
    /// What was removed just now to keep the limit.
    #[serde(default)]
    pub removed: Vec<String>,
    /// What it had to do and could not: one line.
    #[serde(default)]
    pub trouble: Option<String>,
    /// A folder there is not mounted: its data are not what the stamp says. One line.
    #[serde(default)]
    pub lost: Option<String>,
    /// Those of its folders, the canary's with them, that have a symbolic link in their path.
    #[serde(default)]
    pub linked: Vec<PathBuf>,
    /// Its clock, in Unix seconds.
    pub now: u64,
}

/// What versions without a say mean.
fn yes() -> bool {
    true
}

impl Report {
    /// Of this node; `look` is for counting the files that were kept.
    pub fn of(instance: &str, folders: &[PathBuf], look: Duration, deadline: &Deadline) -> Self {
        let attic = Attic::of(instance);
        // rsync makes only the last part of a path.
        let made = canary::prepare(&attic).err().map(|e| format!("create {}: {e}", attic.canary().display()));
        let (stamp, damaged) = match attic.stamp() {
            Ok(stamp) => (stamp, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let lost = match folders {
            [] => ground::lost_at(&attic, None),
            _ => ground::lost(&attic, folders),
        };
        let (node, named) = remembered(&attic, named(deadline));
        Self {
            node,
            named,
            guards: true,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stamp,
            beat: canary::arrived(&attic),
            foreign: foreign::find(),
            free: folders.iter().filter_map(|folder| free(folder)).min(),
            backups: backup::list(&attic, &deadline.within(look)),
            removed: Vec::new(),
            trouble: damaged.or(made).or(lost.clone()),
            lost,
            linked: folders.iter().chain([&attic.canary()]).filter(|folder| is_linked(folder)).cloned().collect(),
            now: unix_now(),
        }
    }

    /// One from another host, made fit for use: nothing in it is trusted.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > CAP {
            return Err(format!("an answer of {} bytes", bytes.len()));
        }
        let mut report: Self = serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
        if !member::is_name(&report.node) {
            return Err("no node name in it".to_owned());
        }
        report.stamp = report.stamp.filter(Stamp::is_sane);
        report.beat = report.beat.filter(|beat| beat.epoch <= EPOCH_MAX);
        report.version = plain(&report.version);
        report.foreign = report.foreign.as_deref().map(one_line);
        report.trouble = report.trouble.as_deref().map(one_line);
        report.lost = report.lost.as_deref().map(one_line);
        report.backups.truncate(100);
        for backup in &mut report.backups {
            backup.folder = plain(&backup.folder);
            backup.first.truncate(NAMES);
            backup.first.iter_mut().for_each(|name| *name = plain(name));
        }
        report.removed.truncate(100);
        report.removed.iter_mut().for_each(|line| *line = one_line(line));
        Ok(report)
    }
}

/// What the peer is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb<'a> {
    /// Say how it is.
    Report,
    /// Note that it has everything of an epoch.
    Complete {
        /// The epoch.
        epoch: u64,
        /// Of which node.
        from: &'a str,
        /// This node has stopped, and everything is there.
        clean: bool,
    },
}

/// Asks the peer.
///
/// # Errors
/// One line: what, where, what to do.
pub fn ask(replica: &Replica, verb: Verb<'_>, deadline: &Deadline) -> Result<Report, String> {
    let wanted = Scope::of(replica);
    let mut output = send(replica, verb, Some(&wanted), deadline)?;
    // A peer that has not been updated yet does not know what a scope is, and its stamps do not say it.
    if output.status.code() == Some(USAGE) && matches!(verb, Verb::Complete { .. }) {
        output = send(replica, verb, None, deadline)?;
    }
    let host = &replica.remote.host;
    let mut report = match output.status.code() {
        Some(0) => Report::parse(&output.stdout).map_err(|why| one_line(&format!("{host} gives no report: {why}")))?,
        Some(126 | 127) => {
            return Err(one_line(&format!("{} is missing on {host}: install inuvika-ha there, too", program())));
        }
        _ => return Err(one_line(&format!("{host}: {}", output.reason()))),
    };
    let lost = report.lost.is_some();
    report.stamp = report.stamp.map(|stamp| Stamp { partial: lost, ..stamp }.seen_for(&wanted));
    Ok(report)
}

fn send(replica: &Replica, verb: Verb<'_>, scope: Option<&Scope>, deadline: &Deadline) -> Result<Output, String> {
    let program = program();
    let (epoch, limit) = match verb {
        Verb::Complete { epoch, .. } => (epoch.to_string(), replica.backup_limit.to_string()),
        Verb::Report => (String::new(), String::new()),
    };
    let scope = scope.and_then(|scope| serde_json::to_string(scope).ok());
    let mut words = vec![program.as_str(), "replica"];
    match verb {
        Verb::Report => words.push("report"),
        Verb::Complete { from, clean, .. } => {
            words.extend(["complete", "--epoch", &epoch, "--from", from, "--limit", &limit]);
            words.extend(clean.then_some("--clean"));
            words.extend(scope.iter().flat_map(|scope| ["--scope", scope]));
        }
    }
    words.extend(["--instance", &replica.instance]);
    let folders: Vec<String> = replica.folders.iter().map(|folder| folder.display().to_string()).collect();
    words.extend(folders.iter().flat_map(|folder| ["--folder", folder]));
    replica.remote.run(&words, deadline).map_err(|error| one_line(&error.to_string()))
}

/// This program's path; a test is no inuvika-ha.
pub(super) fn program() -> String {
    let own = std::env::current_exe().ok().filter(|path| path.file_name().is_some_and(|name| name == NAME));
    own.map_or(PROGRAM.to_owned(), |path| path.display().to_string())
}

/// This node's name.
pub fn own_name(deadline: &Deadline) -> String {
    named(deadline).0
}

/// This node's name, and whether it is the cluster that says so.
fn named(deadline: &Deadline) -> (String, bool) {
    member::own(&deadline.within(NAMING)).map_or_else(
        |_| {
            let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
            (host.filter(|name| member::is_name(name)).unwrap_or_else(|| "localhost".to_owned()), false)
        },
        |name| (name, true),
    )
}

/// What the cluster called this node when it last answered, where it does not answer now: others need that name to say
/// anything of this node there.
fn remembered(attic: &Attic, (node, named): (String, bool)) -> (String, bool) {
    let known = read::<String>(&attic.path(NODE)).ok().filter(|known| member::is_name(known));
    match known {
        Some(known) if !named => (known, true),
        known => {
            if named && known.as_ref() != Some(&node) {
                // Not worth a word: it is asked again next time.
                let _ = attic.write(NODE, &node);
            }
            (node, named)
        }
    }
}

fn free(folder: &Path) -> Option<u64> {
    let system = statvfs(folder).ok()?;
    Some(system.blocks_available().saturating_mul(system.fragment_size()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_the_name_that_the_cluster_gave_it() {
        let folder = tempfile::tempdir().unwrap();
        let attic = Attic::at(folder.path());
        let host = ("box".to_owned(), false);
        let name = ("osm1.priv".to_owned(), true);
        assert_eq!(remembered(&attic, host.clone()), host);
        assert_eq!(remembered(&attic, name.clone()), name);
        assert_eq!(remembered(&attic, host.clone()), name);
        std::fs::write(attic.path(NODE), "\"-x\"").unwrap();
        assert_eq!(remembered(&attic, host.clone()), host);
    }

    #[test]
    fn nothing_from_the_peer_is_trusted() {
        let report = r#"{"node":"osm2","version":"1","stamp":{"epoch":7,"kind":"copy","complete":true,"clean":false,"node":"osm1","at":1},
            "beat":null,"foreign":"a\nb","free":null,"backups":[{"folder":"/x\ny","files":1,"bytes":2,"first":["a b"]}],"now":3}"#;
        let parsed = Report::parse(report.as_bytes()).unwrap();
        assert_eq!(parsed.stamp.as_ref().map(|stamp| stamp.epoch), Some(7));
        // Of a version that had not these two.
        assert!(parsed.named && !parsed.guards);
        assert_eq!(parsed.foreign.as_deref(), Some("a b"));
        assert_eq!((parsed.backups[0].folder.as_str(), parsed.backups[0].first[0].as_str()), ("/x?y", "a?b"));
        let mad = report.replace("\"epoch\":7", "\"epoch\":18446744073709551615");
        assert_eq!(Report::parse(mad.as_bytes()).unwrap().stamp, None);
        for text in ["", "null", "[]", "{}", &report.replace("osm2", "-o x"), &report[..90]] {
            assert!(Report::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Report::parse(&vec![b' '; CAP + 1]).unwrap_err().contains("bytes"));
    }
}
