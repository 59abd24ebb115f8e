//! Whether somebody has written into the folders of a node that is not active.
//!
//! That happens when the Session Manager runs although replication could not be started. Those files are newer than the
//! peer's, and a pull must not take them away.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use super::stamp::Attic;
use crate::ocf::deadline::Deadline;

/// A file written here has the same time for content and inode, up to this (nanoseconds). rsync sets the former to what it
/// was at the sender, seconds ago.
const SAME: i128 = 10_000_000;

/// The first file found that was written here since the last sign of the active node: its stamp, its canary, or the boot of
/// this host. None as well when there was no time to look at everything.
pub(super) fn here(attic: &Attic, folders: &[PathBuf], deadline: &Deadline) -> Option<PathBuf> {
    let changed = |path: &Path| fs::metadata(path).ok().map(|metadata| changed(&metadata));
    let signs = [changed(&attic.path("stamp")), changed(&attic.canary().join("beat")), Some(booted())];
    let since = signs.into_iter().flatten().max().unwrap_or_default();
    folders.iter().find_map(|folder| search(folder, since, deadline))
}

fn search(folder: &Path, since: i128, deadline: &Deadline) -> Option<PathBuf> {
    let mut waiting = vec![folder.to_owned()];
    while let Some(place) = waiting.pop() {
        if deadline.passed() {
            return None;
        }
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            // Temporary files of rsync, and what the guide excludes.
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                waiting.push(entry.path());
            } else if metadata.is_file() && is_local(&metadata, since) {
                return Some(entry.path());
            }
        }
    }
    None
}

fn is_local(metadata: &fs::Metadata, since: i128) -> bool {
    let modified = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    let changed = changed(metadata);
    changed > since && (changed - modified).abs() < SAME
}

/// Nanoseconds since 1970.
fn changed(metadata: &fs::Metadata) -> i128 {
    i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec())
}

fn booted() -> i128 {
    let up = clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(now.saturating_sub(up).as_nanos()).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::stamp::Stamp;
    use super::*;
    use std::fs::{File, FileTimes};

    #[test]
    fn a_file_of_rsync_is_not_written_here() {
        let root = tempfile::tempdir().unwrap();
        let (attic, folder) = (Attic::at(&root.path().join("attic")), root.path().join("sessions"));
        let deadline = Deadline::after(Duration::from_secs(5));
        let look = || here(&attic, std::slice::from_ref(&folder), &deadline);
        fs::create_dir_all(folder.join("a")).unwrap();
        fs::write(folder.join("a/before"), "x").unwrap();
        // The kernel's clock for files has ticks of up to 10 ms.
        std::thread::sleep(Duration::from_millis(30));
        attic.set_stamp(&Stamp::copy(7, "osm2", false)).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        fs::write(folder.join(".temporary"), "x").unwrap();
        fs::write(folder.join("a/arrived"), "x").unwrap();
        let earlier = SystemTime::now() - Duration::from_secs(3);
        let file = File::options().write(true).open(folder.join("a/arrived")).unwrap();
        file.set_times(FileTimes::new().set_modified(earlier)).unwrap();
        assert_eq!(look(), None);
        fs::write(folder.join("a/written"), "x").unwrap();
        assert_eq!(look(), Some(folder.join("a/written")));
    }
}
