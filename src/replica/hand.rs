//! What is done to a node's data from outside: by the active node over ssh, or by a person.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::backup;
use super::ground;
use super::guard::{self, Push};
use super::record::{self, Known, Record};
use super::report::{LOOK, Report, own_name};
use super::scope::Scope;
use super::stamp::{Attic, Kind, Stamp};
use crate::ocf::deadline::Deadline;
use crate::ocf::state::ATTIC;

/// How long the look for old backups and their removal may take: the active node waits for the answer.
const PRUNE: Duration = Duration::from_secs(1);

/// Notes that everything of `epoch` of node `from` has arrived here (of `scope`, where that node says it), and keeps the backups within `limit` bytes.
///
/// # Errors
/// When this node knows of a higher epoch: then those data are the older ones. When the stamp cannot be written.
pub fn complete(
    instance: &str,
    (epoch, from, clean): (u64, &str, bool),
    scope: Option<Scope>,
    limit: u64,
    folders: &[PathBuf],
    deadline: &Deadline,
) -> Result<Report, String> {
    let attic = Attic::of(instance);
    // Below a file system that is not mounted nothing would be found again.
    if let Some(why) = ground::lost(&attic, folders) {
        return Err(format!("refused: {why}"));
    }
    let stamp = Stamp { scope, ..Stamp::copy(epoch, from, clean) };
    if !stamp.is_sane() {
        return Err(format!("refused: epoch {epoch} of '{from}' cannot be"));
    }
    // From the look at the stamp that stands here until the new one does: a start here may be about to write its own.
    let lock = attic.lock(deadline).map_err(|error| error.to_string())?;
    if let Some(why) = guard::refusal(&Push { instance, epoch, from }) {
        return Err(why);
    }
    attic.set_stamp(&stamp).map_err(|error| error.to_string())?;
    drop(lock);
    // Without the memory a missing mount is not noticed: no reason to refuse good data.
    let _ = ground::note(&attic, folders);
    let removed = backup::prune(&attic, limit, &deadline.within(PRUNE));
    Ok(Report { removed, ..Report::of(instance, folders, LOOK, deadline) })
}

/// What [`accept`] has made right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// The data of this node, from the next start on.
    Data {
        /// Their epoch.
        epoch: u64,
    },
    /// The folders as they stand now: on other file systems than before, or on none of their own.
    Folders,
}

/// Makes the data of this node, which serves a fork, the ones that count. The next start pushes them, and the peer's go into
/// its backup folder. On another node: says that its folders are right where they stand now.
///
/// # Errors
/// When this node serves no fork and misses no file system, or the cluster cannot be told.
pub fn accept(instance: &str, deadline: &Deadline) -> Result<Accepted, String> {
    let attic = Attic::of(instance);
    let _lock = attic.lock(deadline).map_err(|error| error.to_string())?;
    let own = attic.stamp().map_err(|error| error.to_string())?;
    let Some(own) = own.filter(|own| own.kind == Kind::Source && own.fork.is_some()) else {
        // No data are at stake: only that the folders stand where they stand now, which a person has seen to.
        if ground::lost_at(&attic, None).is_some() {
            ground::forget(&attic).map_err(|error| error.to_string())?;
            return Ok(Accepted::Folders);
        }
        return Err(format!(
            "this node serves no data of {instance} that are older than the peer's: nothing to accept"
        ));
    };
    let recorded = match record::read(instance, deadline) {
        Known::Recorded(record) if record.epoch > own.epoch => {
            let Record { epoch, node, .. } = record;
            return Err(format!("{node} has gone on meanwhile (epoch {epoch}): nothing to accept here"));
        }
        Known::Unreadable(why) => return Err(why),
        known => known,
    };
    let epoch = own.epoch.saturating_add(1);
    // Of the stamp, unless the cluster knows this node by another name now.
    let node = if matches!(recorded, Known::Recorded(_)) { own.node } else { own_name(deadline) };
    let record = Record { epoch, node: node.clone(), fork: None };
    record::write(instance, &record, deadline).map_err(|error| error.to_string())?;
    // The folders, too, are right as they are.
    ground::forget(&attic).map_err(|error| error.to_string())?;
    attic.set_stamp(&Stamp::source(epoch, &node, None)).map_err(|error| error.to_string())?;
    Ok(Accepted::Data { epoch })
}

/// Instances that have a folder of replication in the attic.
pub fn instances() -> Vec<String> {
    let entries = fs::read_dir(ATTIC).into_iter().flatten().flatten();
    let known = entries.filter(|entry| entry.path().join("stamp").exists() || entry.path().join("backup").exists());
    let mut names: Vec<_> = known.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Whether a text can be the file name of an instance: it becomes part of a path, and may come from another host.
pub fn is_instance(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let one = Path::new(text).components().count() == 1 && !matches!(text, "." | "..");
    one && text.len() <= 64 && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_an_instance() {
        for text in ["", ".", "..", "a/b", "/", "a b", "a\n", &"a".repeat(65)] {
            assert!(!is_instance(text), "{text}");
        }
        for text in ["lsyncd", "lsyncd_2.a", ".x2E..x2Fx"] {
            assert!(is_instance(text), "{text}");
        }
    }
}
