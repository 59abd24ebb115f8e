//! What replication has kept from being overwritten or deleted: `backup/E<epoch>-<UTC>/<absolute path>`.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::stamp::Attic;

/// Names that are listed of a folder.
pub const NAMES: usize = 20;
/// Files that are counted in a folder at most: a listing is not worth more time.
const COUNT: u64 = 200_000;

/// One backup folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its absolute path.
    pub folder: String,
    /// Files in it; at most 200,000 are counted.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// The first names, without the folder.
    pub first: Vec<String>,
}

impl Backup {
    /// "3 files in /var/lib/...: a b c", for the log.
    pub fn words(&self) -> String {
        let files = if self.files == 1 { "file" } else { "files" };
        let more = if self.files > self.first.len() as u64 { " ..." } else { "" };
        format!("{} {files} in {}: {}{more}", self.files, self.folder, self.first.join(" "))
    }
}

/// The folder for a push or pull that begins now.
pub fn fresh(attic: &Attic, epoch: u64) -> PathBuf {
    attic.backups().join(format!("E{epoch}-{}", Utc::now().format("%Y%m%dT%H%M%SZ")))
}

/// All of a node, the newest first.
pub fn list(attic: &Attic) -> Vec<Backup> {
    folders(attic).iter().map(|folder| measure(folder, &attic.canary())).collect()
}

/// Removes the oldest until all together are not larger than `limit` bytes; the newest with something in it stays in any
/// case. What was removed, in words.
pub fn prune(attic: &Attic, limit: u64) -> Vec<String> {
    let all = list(attic);
    // The very newest may be in use just now, and still be empty.
    let (empty, filled): (Vec<_>, Vec<_>) = all.iter().partition(|backup| backup.files == 0);
    let newest = all.first().map(|backup| &backup.folder);
    for backup in empty.into_iter().filter(|backup| Some(&backup.folder) != newest) {
        // Nothing but folders and a canary: not worth a word.
        let _ = fs::remove_dir_all(&backup.folder);
    }
    let mut total: u64 = filled.iter().map(|backup| backup.bytes).sum();
    let mut removed = Vec::new();
    for backup in filled.into_iter().skip(1).rev() {
        if total <= limit {
            break;
        }
        total = total.saturating_sub(backup.bytes);
        removed.push(match fs::remove_dir_all(&backup.folder) {
            Ok(()) => format!("removed for backup_limit: {} ({} files)", backup.folder, backup.files),
            Err(error) => format!("remove {} for backup_limit: {error}", backup.folder),
        });
    }
    removed
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

/// A canary is nothing that anybody would miss.
fn measure(folder: &Path, canary: &Path) -> Backup {
    let canary = folder.join(canary.strip_prefix("/").unwrap_or(canary));
    let mut backup = Backup { folder: folder.display().to_string(), files: 0, bytes: 0, first: Vec::new() };
    let mut waiting = vec![folder.to_owned()];
    while let Some(place) = waiting.pop() {
        let mut entries: Vec<_> = fs::read_dir(&place).into_iter().flatten().flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            // Not followed: a link in a backup may lead anywhere.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                if entry.path() != canary {
                    waiting.push(entry.path());
                }
                continue;
            }
            backup.files += 1;
            backup.bytes += metadata.len();
            if backup.first.len() < NAMES {
                let path = entry.path();
                backup.first.push(plain(&path.strip_prefix(folder).unwrap_or(&path).display().to_string()));
            }
            if backup.files >= COUNT {
                return backup;
            }
        }
    }
    backup
}

/// A name for the log: it may hold anything, and come from another host.
pub fn plain(name: &str) -> String {
    name.chars().take(200).map(|c| if c.is_control() || c.is_whitespace() { '?' } else { c }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn write(attic: &Attic, path: &str, bytes: usize) {
        let path = attic.backups().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![b'x'; bytes]).unwrap();
    }

    #[test]
    fn the_oldest_go_first_and_the_newest_never() {
        let folder = tempfile::tempdir().unwrap();
        let attic = Attic::at(folder.path());
        assert!(list(&attic).is_empty());
        // The clock was a year ahead in epoch 9.
        for name in ["E9-20270101T000000Z", "E10-20260101T000000Z", "E10-20260102T000000Z"] {
            write(&attic, &format!("{name}/var/spool/a b"), 100);
        }
        write(&attic, "mine/x", 1000);
        let names = |attic: &Attic| {
            list(attic).into_iter().map(|b| b.folder.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&attic), ["E10-20260102T000000Z", "E10-20260101T000000Z", "E9-20270101T000000Z"]);
        assert!(prune(&attic, 300).is_empty());
        let removed = prune(&attic, 250);
        assert!(removed.len() == 1 && removed[0].contains("E9-"), "{removed:?}");
        assert_eq!(prune(&attic, 0).len(), 1);
        assert_eq!(names(&attic), ["E10-20260102T000000Z"]);
        assert!(attic.backups().join("mine/x").exists());
        let canary = attic.canary().join("beat");
        for name in ["E11-20260101T000000Z", "E12-20260101T000000Z"] {
            write(&attic, &format!("{name}{}", canary.display()), 100);
        }
        assert!(prune(&attic, 0).is_empty());
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
        let all = list(&attic);
        assert_eq!((all[0].files, all[0].first.len()), (26, NAMES));
        assert!(all[0].words().starts_with("26 files in "), "{}", all[0].words());
        assert!(all[0].words().ends_with("srv/f18 ..."), "{}", all[0].words());
        assert_eq!(plain("a\n\u{1b}[31m b"), "a??[31m?b");
    }
}
