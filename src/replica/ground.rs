//! What the folders stood on when they were last known to be right. A file system that is not mounted leaves an empty
//! folder, which nobody has emptied: it must neither be pushed nor count as a copy.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::stamp::{Attic, read};
use crate::sys::mounts::mounts;

/// The file in the attic.
const FILE: &str = "ground";
/// Files that are counted of a folder at most: whether there are any is what matters.
const ENOUGH: usize = 100;

/// One folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// As the parameters have it.
    folder: PathBuf,
    /// The mount point that it is on or below.
    mount: PathBuf,
    /// What is mounted there: a device, or the name of a share.
    source: String,
    /// Files in it, up to a hundred.
    files: usize,
}

/// Remembers what the folders stand on now. To be called when they are known to be right.
pub(super) fn note(attic: &Attic, folders: &[PathBuf]) -> std::io::Result<()> {
    // Without the list nothing is known of any place.
    let mounts = mounts().unwrap_or_default();
    let counted = |now: Place| Place { files: count(&now.folder), ..now };
    let before: Vec<Place> = read(&attic.path(FILE)).unwrap_or_default();
    // One that is missing is known as it was.
    let place = |folder: &PathBuf| match folder.is_dir() {
        true => Place::now(folder, &mounts).map(counted),
        false => before.iter().find(|place| place.folder == *folder).cloned(),
    };
    let now: Vec<Place> = folders.iter().filter_map(place).collect();
    if now.is_empty() || before == now {
        return Ok(());
    }
    attic.write(FILE, &now)
}

/// Forgets it: a person has said that the folders are right as they are.
///
/// # Errors
/// When it is still there.
pub(super) fn forget(attic: &Attic) -> std::io::Result<()> {
    match fs::remove_file(attic.path(FILE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Which of the folders stands on something else now, and is likely to lack its files for that: one line. None when all are
/// as they were, or nothing is known of them.
pub(super) fn lost(attic: &Attic, folders: &[PathBuf]) -> Option<String> {
    lost_of(attic, |folder| folders.iter().any(|one| one == folder))
}

/// The same of the folder that a path is in, or of all with a path that is in none or without one: where the parameters are
/// not known.
pub(super) fn lost_at(attic: &Attic, path: Option<&Path>) -> Option<String> {
    let before: Vec<Place> = read(&attic.path(FILE)).ok()?;
    let path = path.filter(|path| before.iter().any(|place| path.starts_with(&place.folder)));
    lost_of(attic, |folder| path.is_none_or(|path| path.starts_with(folder)))
}

fn lost_of(attic: &Attic, is_asked: impl Fn(&Path) -> bool) -> Option<String> {
    // A damaged memory is none: it must not keep a node from serving as it should.
    let before: Vec<Place> = read(&attic.path(FILE)).ok()?;
    let asked: Vec<Place> = before.into_iter().filter(|place| is_asked(&place.folder)).collect();
    // An automounter mounts what somebody looks at: that comes before the list of mounts.
    asked.iter().for_each(|place| drop(fs::read_dir(&place.folder)));
    let mounts = mounts().unwrap_or_default();
    asked.iter().find_map(|before| before.differs(&Place::now(&before.folder, &mounts)?, count))
}

impl Place {
    /// Without a count of files. A folder that is missing would be on what its parent is on: it may have gone with a mount
    /// above it.
    fn now(folder: &Path, mounts: &[(PathBuf, String)]) -> Option<Self> {
        let real = folder.ancestors().find_map(|part| part.canonicalize().ok())?;
        // Of mounts over each other the last one counts.
        let on = mounts.iter().filter(|(point, _)| real.starts_with(point));
        let (mount, source) = on.max_by_key(|(point, _)| point.components().count())?.clone();
        Some(Self { folder: folder.to_owned(), mount, source, files: 0 })
    }

    /// `count` is asked only where that matters: this is part of every monitor.
    fn differs(&self, now: &Self, count: impl Fn(&Path) -> usize) -> Option<String> {
        let folder = self.folder.display();
        // Mounted elsewhere or moved to another disk is a person's work, and has its files.
        if now.mount != self.mount && self.mount.starts_with(&now.mount) {
            return Some(format!("{} is not mounted any more", self.mount.display()));
        }
        let moved = now.mount != self.mount || now.source != self.source;
        (moved && self.files > 0 && count(&self.folder) == 0)
            .then(|| format!("{folder} is empty, on another disk than before"))
    }
}

/// Files below a folder, up to [`ENOUGH`] of them and of folders.
fn count(folder: &Path) -> usize {
    let (mut files, mut folders) = (0, 0);
    let mut waiting = vec![folder.to_owned()];
    while let Some(place) = waiting.pop() {
        folders += 1;
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            if files >= ENOUGH || folders >= ENOUGH {
                return files;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) { waiting.push(entry.path()) } else { files += 1 }
        }
    }
    files
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_gone_or_empty_elsewhere_is_lost() {
        let place = |mount: &str, source: &str, files| Place {
            folder: "/srv/ovd".into(),
            mount: mount.into(),
            source: source.into(),
            files,
        };
        for (before, now, lost) in [
            (("/srv/ovd", "/dev/sdb", 9), ("/", "/dev/sda", 0), Some("/srv/ovd is not mounted any more")),
            (("/srv", "/dev/sdb", 9), ("/", "/dev/sda", 9), Some("/srv is not mounted any more")),
            (("/srv", "/dev/sdb", 0), ("/", "/dev/sda", 0), Some("/srv is not mounted any more")),
            (("/", "/dev/sda", 9), ("/srv", "/dev/sdb", 0), Some("/srv/ovd is empty, on another disk than before")),
            (("/srv", "/dev/sdb", 9), ("/srv", "/dev/sdc", 0), Some("/srv/ovd is empty, on another disk than before")),
            // The kernel has named the disk otherwise; moved to a disk of its own; all sessions have ended.
            (("/srv", "/dev/sdb", 9), ("/srv", "/dev/sdc", 8), None),
            (("/", "/dev/sda", 9), ("/srv", "/dev/sdb", 9), None),
            (("/", "/dev/sda", 9), ("/", "/dev/sda", 0), None),
        ] {
            let (before, now) = (place(before.0, before.1, before.2), place(now.0, now.1, now.2));
            assert_eq!(before.differs(&now, |_| now.files).as_deref(), lost, "{before:?} {now:?}");
        }
    }

    #[test]
    fn what_is_remembered_is_compared_until_it_is_forgotten() {
        let root = tempfile::tempdir().unwrap();
        let (attic, folder) = (Attic::at(&root.path().join("attic")), root.path().join("srv"));
        fs::create_dir(&folder).unwrap();
        let folders = [folder.clone()];
        assert_eq!(lost(&attic, &folders), None);
        note(&attic, &folders).unwrap();
        assert_eq!(lost(&attic, &folders), None);
        let mut places: Vec<Place> = read(&attic.path(FILE)).unwrap();
        places[0].mount = folder.clone();
        attic.write(FILE, &places).unwrap();
        assert!(lost(&attic, &folders).is_some() && lost_at(&attic, None).is_some());
        assert!(lost_at(&attic, Some(&folder.join("a"))).is_some());
        // Another folder's business.
        assert!(lost(&attic, &[]).is_none());
        // Of several folders at once, or of nobody knows which.
        assert!(lost_at(&attic, Some(root.path())).is_some());
        // Below a mount that has gone the folder may not even be there; that is nothing to get used to.
        fs::remove_dir(&folder).unwrap();
        assert!(lost(&attic, &folders).is_some() && lost_at(&attic, Some(&folder.join("a"))).is_some());
        note(&attic, &folders).unwrap();
        assert!(lost(&attic, &folders).is_some());
        forget(&attic).unwrap();
        forget(&attic).unwrap();
        assert_eq!(lost(&attic, &folders), None);
    }
}
