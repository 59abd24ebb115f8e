//! What lsyncd says of itself: its status file, and the notes that our configuration makes it write.
//!
//! lsyncd writes its status file in place, so a reader may find half of it; the line about inotify is its last part.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::lua::{PASSED, PUSHED};

/// Bytes read of the status file: 50,000 changes with long names, far more than may wait.
const CAP: u64 = 8 << 20;
/// Bytes read of a note.
const NOTE: u64 = 4 << 10;
/// Bytes read of the end of lsyncd's log.
const TAIL: u64 = 4 << 10;
/// What half of a file may take to become a whole one.
const ONCE_MORE: Duration = Duration::from_millis(50);

/// How the last words begin when the kernel gives no more inotify watches (inotify.c of lsyncd).
const OUT_OF_WATCHES: &str = "Terminating since out of inotify watches";

/// A status file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The syncs, in lsyncd's order.
    pub syncs: Vec<Sync>,
    /// How many directories are watched; none when that part was not read.
    pub watches: Option<u64>,
}

/// One folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sync {
    /// Its name.
    pub name: String,
    /// Changes that wait or are on their way.
    pub queued: usize,
    /// Whether the first push is not through.
    pub first: bool,
    /// The oldest change: its kind and path.
    pub oldest: Option<String>,
}

impl Status {
    /// Reads a status file; once more when it is damaged. With the time of its last change.
    ///
    /// # Errors
    /// One line: that there is none, or what is wrong with it.
    pub fn read(path: &Path) -> Result<(Self, SystemTime), String> {
        read_once(path).or_else(|_| {
            std::thread::sleep(ONCE_MORE);
            read_once(path)
        })
    }

    /// Understands the text of a status file; `cut` when there is more of it.
    ///
    /// # Errors
    /// What is missing.
    pub fn parse(text: &str, cut: bool) -> Result<Self, String> {
        let mut status = Self { syncs: Vec::new(), watches: None };
        let mut lines = text.lines();
        if !lines.next().is_some_and(|line| line.starts_with("Lsyncd status report")) {
            return Err("it does not begin as one".to_owned());
        }
        let mut name = None;
        while let Some(line) = lines.next() {
            if let Some((before, _)) = line.split_once(" source=") {
                name = Some(before.to_owned());
            } else if let Some(count) = number(line, "There are ", " delays")
                && let Some(name) = name.take()
            {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                status.syncs.push(queue(name, count, &mut lines));
            } else if let Some(count) = number(line, "Inotify watching ", " directories") {
                status.watches = Some(count);
            }
        }
        if status.watches.is_none() && !cut {
            return Err("its end is missing".to_owned());
        }
        Ok(status)
    }

    /// How many changes wait in all.
    pub fn queued(&self) -> usize {
        self.syncs.iter().map(|sync| sync.queued).fold(0, usize::saturating_add)
    }
}

fn read_once(path: &Path) -> Result<(Status, SystemTime), String> {
    let named = |error: io::Error| format!("status file {}: {error}", path.display());
    let file = File::open(path).map_err(named)?;
    let data = file.metadata().map_err(named)?;
    let modified = data.modified().map_err(named)?;
    let mut bytes = Vec::with_capacity(usize::try_from(data.len().min(CAP)).unwrap_or_default() + 64);
    file.take(CAP + 1).read_to_end(&mut bytes).map_err(named)?;
    let cut = bytes.len() as u64 > CAP;
    let status = Status::parse(&String::from_utf8_lossy(&bytes), cut)
        .map_err(|why| format!("status file {} is damaged: {why}", path.display()))?;
    Ok((status, modified))
}

/// The number between two texts, when the line is just that.
fn number(line: &str, before: &str, after: &str) -> Option<u64> {
    line.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
}

/// The part about the changes of one folder. File names may have line ends in them, so the number at its begin counts.
fn queue<'a>(name: String, count: usize, lines: &mut impl Iterator<Item = &'a str>) -> Sync {
    let mut sync = Sync { name, queued: count, ..Sync::default() };
    for line in lines {
        // 2.2 and later have "Filtering:", older ones "Excluding:".
        if line == "Filtering:" || line == "Excluding:" {
            break;
        }
        let Some(change) = ["active ", "wait ", "block "].iter().find_map(|word| line.strip_prefix(word)) else {
            continue;
        };
        let change = change.trim();
        if change == "Init" && !sync.first {
            sync.first = true;
            sync.queued = sync.queued.saturating_sub(1);
        } else if sync.oldest.is_none() {
            sync.oldest = Some(change.to_owned());
        }
    }
    sync
}

/// What came of the last push of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// How many went through since the daemon started.
    pub count: u64,
    /// rsync's exit code; none for one that was killed.
    pub code: Option<i32>,
    /// What rsync said, without date and process id.
    pub complaint: String,
}

impl Pushed {
    /// Whether it is on the peer.
    pub fn is_fine(&self) -> bool {
        matches!(self.code, Some(0 | 24))
    }

    /// The note of sync `number`; none before the first push has ended.
    pub fn read(state: &Path, number: usize) -> Option<Self> {
        let text = note(&state.join(format!("{PUSHED}{number}")))?;
        let mut lines = text.lines();
        let count = lines.next()?.parse().ok()?;
        let code = lines.next()?.parse().ok();
        let line = lines.next().unwrap_or_default();
        // "2026/11/21 09:35:18 [4711] rsync: ..."
        let complaint = line.split_once("] ").map_or(line, |(_, rest)| rest).to_owned();
        Some(Self { count, code, complaint })
    }
}

/// Whether the first push of sync `number` is through. A partial one is not.
pub fn passed(state: &Path, number: usize) -> bool {
    note(&state.join(format!("{PASSED}{number}"))).is_some_and(|text| matches!(text.trim(), "0" | "24"))
}

fn note(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(NOTE).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last thing that lsyncd has logged, in words of ours where we know it.
pub fn last_words(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    io::Seek::seek(&mut file, io::SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    last_of(&String::from_utf8_lossy(&bytes))
}

fn last_of(text: &str) -> Option<String> {
    if text.lines().rev().take(3).any(|line| line.contains(OUT_OF_WATCHES)) {
        return Some("out of inotify watches: raise fs.inotify.max_user_watches (sysctl) on this node".to_owned());
    }
    // "Sat Nov 21 09:35:18 2026 Error: ..."
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.split_once("Error: ").map_or(line, |(_, rest)| rest).trim().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const BUSY: &str = "Lsyncd status report at Sat Nov 21 09:35:18 2026\n\n\
        Sync1 source=/var/spool/ovd/session-manager/\nThere are 3 delays\nactive Modify config\nwait   Create a/b c\n\
        block  Move x -> y\nFiltering:\nFrom excludes:\n- .*\n\n\nSync2 source=/tmp/\nThere are 2 delays\nactive Init \n\
        block  Create There are 9 delays\nFiltering:\n  nothing.\n\n\nInotify watching 17 directories\n  1: /tmp/\n";

    #[test]
    fn a_busy_report_is_understood() {
        let status = Status::parse(BUSY, false).unwrap();
        let [one, two] = status.syncs.as_slice() else { unreachable!("{status:?}") };
        assert_eq!((one.name.as_str(), one.queued, one.first), ("Sync1", 3, false));
        assert_eq!(one.oldest.as_deref(), Some("Modify config"));
        assert_eq!((two.name.as_str(), two.queued, two.first), ("Sync2", 1, true));
        assert_eq!((status.watches, status.queued()), (Some(17), 4));
        let old = BUSY.replace("Filtering:\n", "Excluding:\n");
        assert_eq!(Status::parse(&old, false).unwrap(), status);
    }

    #[test]
    fn a_damaged_report_is_said_to_be_one() {
        for end in 0..BUSY.find("Inotify watching 17 dir").unwrap() {
            assert!(Status::parse(&BUSY[..end], false).is_err(), "{end}");
        }
        for text in ["", "\0\0\0", "There are 3 delays", "Lsyncd status report\nThere are x delays\n"] {
            assert!(Status::parse(text, false).is_err(), "{text:?}");
        }
        // A number that no queue can have; a name with a line end in it.
        let text =
            "Lsyncd status report\na source=/\nThere are 99999999999999999999 delays\nInotify watching 1 directories";
        assert!(Status::parse(text, false).unwrap().syncs.is_empty());
        let text = "Lsyncd status report\na source=/\nThere are 2 delays\nwait Create x\nb source=/y\nThere are 0 delays\n\
                    wait Create z\nFiltering:\nInotify watching 1 directories";
        let status = Status::parse(text, false).unwrap();
        assert_eq!((status.syncs.len(), status.queued()), (1, 2));
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in ".{0,400}", at in 0usize..400) {
            let _ = Status::parse(&text, true);
            let mut mixed = BUSY.to_owned();
            mixed.insert_str(at.min(BUSY.len()), &text);
            let _ = Status::parse(&mixed, false);
        }
    }

    #[test]
    fn notes_and_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(Pushed::read(folder.path(), 1), None);
        std::fs::write(at("pushed.1"), "7\n11\n2026/11/21 09:35:18 [47] rsync: [receiver] write failed: No space\n")
            .unwrap();
        let pushed = Pushed::read(folder.path(), 1).unwrap();
        assert_eq!((pushed.count, pushed.code, pushed.is_fine()), (7, Some(11), false));
        assert_eq!(pushed.complaint, "rsync: [receiver] write failed: No space");
        std::fs::write(at("pushed.1"), "7\nkilled\n\n").unwrap();
        assert_eq!(Pushed::read(folder.path(), 1).unwrap().code, None);
        for (text, through) in [("0\n", true), ("24\n", true), ("partial\n", false), ("", false)] {
            std::fs::write(at("passed.2"), text).unwrap();
            assert_eq!(passed(folder.path(), 2), through, "{text:?}");
        }
        let log =
            "Sat Nov 21 09:35:18 2026 Error: Terminating since out of inotify watches.\nConsider increasing /proc\n";
        std::fs::write(at("log"), log).unwrap();
        assert!(last_words(&at("log")).unwrap().contains("max_user_watches"));
        std::fs::write(at("log"), "Sat Nov 21 09:35:18 2026 Error: Cannot access source directory: /x\n").unwrap();
        assert_eq!(last_words(&at("log")).unwrap(), "Cannot access source directory: /x");
        assert_eq!(last_words(&at("nowhere")), None);
    }
}
