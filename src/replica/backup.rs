//! What replication has kept from being overwritten or deleted: `backup/E<epoch>-<UTC>/<absolute path>`.
//!
//! There may be very many files. What a folder holds is counted within a time that the caller gives, and remembered in
//! `kept/` once nothing is added to the folder any more.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::stamp::{Attic, read};
use crate::ocf::deadline::Deadline;

/// Names that are listed of a folder.
pub const NAMES: usize = 20;
/// Where it is remembered, in the attic, what a folder holds: a file of the folder's name.
const KEPT: &str = "kept";
/// How the names of folders begin that are on their way out: a removal that had no time to come to its end.
const OUT: &str = "removed-";
/// After so many files the clock is looked at.
const STEP: u64 = 64;

/// One backup folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its absolute path.
    pub folder: String,
    /// Files in it.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// The first names, without the folder.
    pub first: Vec<String>,
    /// There may be more of all this: the time was over before everything was counted.
    #[serde(default)]
    pub more: bool,
}

impl Backup {
    /// "3 files in /var/lib/...: a b c", for the log.
    pub fn words(&self) -> String {
        let more = if self.more || self.files > self.first.len() as u64 { " ..." } else { "" };
        format!("{} in {}: {}{more}", self.count(), self.folder, self.first.join(" "))
    }

    /// "3 files", or "at least 3 files".
    pub fn count(&self) -> String {
        let least = if self.more { "at least " } else { "" };
        format!("{least}{} {}", self.files, if self.files == 1 { "file" } else { "files" })
    }

    /// Whether there is nothing in it that anybody would miss.
    pub fn is_empty(&self) -> bool {
        self.files == 0 && !self.more
    }
}

/// The folder for a push or pull that begins now.
pub fn fresh(attic: &Attic, epoch: u64) -> PathBuf {
    attic.backups().join(format!("E{epoch}-{}", Utc::now().format("%Y%m%dT%H%M%SZ")))
}

/// All of a node, the newest first, as far as there is time to look.
pub fn list(attic: &Attic, deadline: &Deadline) -> Vec<Backup> {
    look(attic, false, deadline)
}

/// The same when no push and no pull is under way: then the newest is complete, too, and remembered.
pub fn settle(attic: &Attic, deadline: &Deadline) -> Vec<Backup> {
    look(attic, true, deadline)
}

fn look(attic: &Attic, settled: bool, deadline: &Deadline) -> Vec<Backup> {
    let each = folders(attic).into_iter().enumerate().map(|(index, folder)| {
        let name = format!("{KEPT}/{}", folder.file_name().unwrap_or_default().to_string_lossy());
        let before = read::<Backup>(&attic.path(&name)).ok();
        let (known, before) = before.map_or((None, None), |b| if b.more { (None, Some(b)) } else { (Some(b), None) });
        if let Some(known) = known {
            return known;
        }
        let now = measure(&folder, &attic.canary(), deadline);
        // Somebody has had more time before.
        if let Some(before) = before.filter(|before| now.more && before.files >= now.files) {
            return before;
        }
        if settled || index > 0 {
            // What is not remembered is counted again.
            let _ = attic.write(&name, &now);
        }
        now
    });
    each.collect()
}

/// Removes the oldest until all together are not larger than `limit` bytes, as far as they are counted; the newest with
/// something in it stays in any case. What was removed, in words. To be called when no push and no pull is under way.
pub fn prune(attic: &Attic, limit: u64, deadline: &Deadline) -> Vec<String> {
    let all = settle(attic, deadline);
    // The very newest may be in use just now, and still be empty.
    let (empty, filled): (Vec<_>, Vec<_>) = all.iter().partition(|backup| backup.is_empty());
    let newest = all.first().map(|backup| &backup.folder);
    for backup in empty.into_iter().filter(|backup| Some(&backup.folder) != newest) {
        // Nothing but folders and a canary: not worth a word.
        let _ = put_out(attic, backup);
    }
    let mut total: u64 = filled.iter().map(|backup| backup.bytes).fold(0, u64::saturating_add);
    let mut removed = Vec::new();
    for backup in filled.into_iter().skip(1).rev() {
        if total <= limit {
            break;
        }
        total = total.saturating_sub(backup.bytes);
        removed.push(match put_out(attic, backup) {
            Ok(()) => format!("removed for backup_limit: {} ({})", backup.folder, backup.count()),
            Err(error) => format!("remove {} for backup_limit: {error}", backup.folder),
        });
    }
    for folder in fs::read_dir(attic.backups()).into_iter().flatten().flatten() {
        if folder.file_name().as_encoded_bytes().starts_with(OUT.as_bytes()) {
            // Without time the rest goes with the next call.
            let _ = remove(&folder.path(), deadline);
        }
    }
    removed
}

/// Takes a folder out of the list: it may be too large to be removed at once.
fn put_out(attic: &Attic, backup: &Backup) -> io::Result<()> {
    let folder = Path::new(&backup.folder);
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    fs::rename(folder, attic.backups().join(format!("{OUT}{name}")))?;
    let _ = fs::remove_file(attic.path(KEPT).join(name.as_ref()));
    Ok(())
}

/// Removes a folder with everything in it, as far as there is time. Links are not followed.
fn remove(folder: &Path, deadline: &Deadline) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        if deadline.passed() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if entry.file_type()?.is_dir() { remove(&entry.path(), deadline)? } else { fs::remove_file(entry.path())? }
    }
    fs::remove_dir(folder)
}

/// By epoch first: a clock may have been wrong.
fn folders(attic: &Attic) -> Vec<PathBuf> {
    let entries = fs::read_dir(attic.backups()).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path());
    let mut known: Vec<_> = folders.filter_map(|path| Some((age(path.file_name()?)?, path))).collect();
    known.sort_by_key(|(age, _)| Reverse(age.clone()));
    known.into_iter().map(|(_, path)| path).collect()
}

/// What a name is sorted by; none for what is not ours.
fn age(name: &OsStr) -> Option<(u64, String)> {
    let (epoch, time) = name.to_str()?.strip_prefix('E')?.split_once('-')?;
    Some((epoch.parse().ok()?, time.to_owned()))
}

/// A canary is nothing that anybody would miss. Of the files that there was time for, the first names by the alphabet.
fn measure(folder: &Path, canary: &Path, deadline: &Deadline) -> Backup {
    let canary = folder.join(canary.strip_prefix("/").unwrap_or(canary));
    let (mut files, mut bytes, mut more) = (0, 0, false);
    let mut first = BTreeSet::new();
    let mut waiting = vec![folder.to_owned()];
    'all: while let Some(place) = waiting.pop() {
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            if files % STEP == 0 && deadline.passed() {
                more = true;
                break 'all;
            }
            // Not followed: a link in a backup may lead anywhere.
            let Ok(metadata) = entry.metadata() else { continue };
            let path = entry.path();
            if metadata.is_dir() {
                if path != canary {
                    waiting.push(path);
                }
                continue;
            }
            files += 1;
            bytes += metadata.len();
            let path = path.strip_prefix(folder).unwrap_or(&path).to_owned();
            if first.len() < NAMES || first.last().is_some_and(|last| path < *last) {
                first.insert(path);
            }
            if first.len() > NAMES {
                first.pop_last();
            }
        }
    }
    let first = first.iter().map(|path| plain(&path.display().to_string())).collect();
    Backup { folder: folder.display().to_string(), files, bytes, first, more }
}

/// A name for the log: it may hold anything, and come from another host.
pub fn plain(name: &str) -> String {
    name.chars().take(200).map(|c| if c.is_control() || c.is_whitespace() { '?' } else { c }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn time() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    fn write(attic: &Attic, path: &str, bytes: usize) {
        let path = attic.backups().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![b'x'; bytes]).unwrap();
    }

    #[test]
    fn the_oldest_go_first_and_the_newest_never() {
        let folder = tempfile::tempdir().unwrap();
        let attic = Attic::at(folder.path());
        assert!(list(&attic, &time()).is_empty());
        // The clock was a year ahead in epoch 9.
        for name in ["E9-20270101T000000Z", "E10-20260101T000000Z", "E10-20260102T000000Z"] {
            write(&attic, &format!("{name}/var/spool/a b"), 100);
        }
        write(&attic, "mine/x", 1000);
        let names = |attic: &Attic| {
            list(attic, &time())
                .into_iter()
                .map(|b| b.folder.rsplit('/').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&attic), ["E10-20260102T000000Z", "E10-20260101T000000Z", "E9-20270101T000000Z"]);
        assert!(prune(&attic, 300, &time()).is_empty());
        let removed = prune(&attic, 250, &time());
        assert!(removed.len() == 1 && removed[0].contains("E9-"), "{removed:?}");
        assert_eq!(prune(&attic, 0, &time()).len(), 1);
        assert_eq!(names(&attic), ["E10-20260102T000000Z"]);
        assert!(attic.backups().join("mine/x").exists());
        let canary = attic.canary().join("beat");
        for name in ["E11-20260101T000000Z", "E12-20260101T000000Z"] {
            write(&attic, &format!("{name}{}", canary.display()), 100);
        }
        assert!(prune(&attic, 0, &time()).is_empty());
        assert_eq!(names(&attic), ["E12-20260101T000000Z", "E10-20260102T000000Z"]);
    }

    #[test]
    fn what_is_kept_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let attic = Attic::at(folder.path());
        for number in 0..25 {
            write(&attic, &format!("E1-x/srv/f{number:02}"), 10);
        }
        std::os::unix::fs::symlink("/", attic.backups().join("E1-x/loop")).unwrap();
        let all = list(&attic, &time());
        assert_eq!((all[0].files, all[0].first.len()), (26, NAMES));
        assert!(all[0].words().starts_with("26 files in "), "{}", all[0].words());
        assert!(all[0].words().ends_with("srv/f18 ..."), "{}", all[0].words());
        assert_eq!(plain("a\n\u{1b}[31m b"), "a??[31m?b");
    }
    #[test]
    fn without_time_there_is_still_an_answer_and_nothing_is_taken_for_empty() {
        let folder = tempfile::tempdir().unwrap();
        let attic = Attic::at(folder.path());
        for name in ["E1-20260101T000000Z", "E2-20260101T000000Z", "E3-20260101T000000Z"] {
            for number in 0..200 {
                write(&attic, &format!("{name}/srv/f{number}"), 10);
            }
        }
        let over = Deadline::after(Duration::ZERO);
        let all = list(&attic, &over);
        assert!(all.len() == 3 && all.iter().all(|backup| backup.more && !backup.is_empty()), "{all:?}");
        assert!(all[0].words().starts_with("at least 0 files in "), "{}", all[0].words());
        assert!(prune(&attic, 0, &over).is_empty(), "nobody knows that they are too large");
        settle(&attic, &time());
        assert_eq!(prune(&attic, 0, &over).len(), 2);
        // What there was no time to remove is no backup any more, and goes with the next call.
        let count = |attic: &Attic| fs::read_dir(attic.backups()).unwrap().count();
        assert_eq!((list(&attic, &over).len(), count(&attic)), (1, 3));
        assert!(prune(&attic, 0, &time()).is_empty());
        assert_eq!((list(&attic, &over)[0].files, count(&attic)), (200, 1), "remembered");
    }

    #[test]
    fn a_folder_is_counted_once_when_nothing_is_added_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let attic = Attic::at(folder.path());
        write(&attic, "E1-20260101T000000Z/srv/a", 10);
        write(&attic, "E2-20260101T000000Z/srv/a", 10);
        let files = |all: Vec<Backup>| all.iter().map(|backup| (backup.files, backup.more)).collect::<Vec<_>>();
        let over = Deadline::after(Duration::ZERO);
        assert_eq!(files(list(&attic, &time())), [(1, false), (1, false)]);
        // The newest may still grow; of the other it is known.
        assert_eq!(files(list(&attic, &over)), [(0, true), (1, false)]);
        write(&attic, "E2-20260101T000000Z/srv/b", 10);
        assert_eq!(files(settle(&attic, &time())), [(2, false), (1, false)]);
        assert_eq!(files(list(&attic, &over)), [(2, false), (1, false)]);
    }
}
