//! Folders copied from and to another host, all in one rsync: one connection, one time limit.
//!
//! `-R` keeps absolute paths, so that several folders go in one run; a backup folder gets them below itself as well. It also
//! makes each folder a folder: where one is a symbolic link at the receiver, the link would give way to a new folder, and its
//! files would stay behind. `--keep-dirlinks` is no way out, as it follows links within the folders, too, to anywhere. So a
//! folder with a link in its path on either host goes in a run of its own, from what it leads to there to what it leads to
//! here. A link within a folder is copied as a link in either case.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Remote, trouble};
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::one_line;
use crate::sys::process;

pub use super::running::{Running, end_leftovers};
pub use super::version::options;

/// rsync's program.
pub const RSYNC: &str = "rsync";
/// The variable in the environment that marks an rsync of ours; its value is the owner's.
pub const MARK: &str = "INUVIKA_HA_REPLICA";
/// What rsync may take to end its own processes here (it has two when it receives, and ssh).
const GRACE: Duration = Duration::from_millis(500);

/// What is copied, and how. The folders have the same path on both hosts.
#[derive(Debug, Clone)]
pub struct Copy<'a> {
    /// The other host.
    pub remote: &'a Remote,
    /// Absolute paths.
    pub folders: &'a [PathBuf],
    /// Those of them that have a symbolic link in their path on the other host; those of this one are seen here.
    pub linked: &'a [PathBuf],
    /// rsync's patterns; `/x` means x in each of the folders, as in lsyncd.
    pub exclude: &'a [String],
    /// Where the receiver keeps what is overwritten or deleted: an absolute path. It is made when it is needed.
    pub backup: Option<&'a Path>,
    /// Nothing is deleted, and a file that is newer at the receiver stays.
    pub merge: bool,
    /// What the other host's shell is to run instead of rsync, when it is not that.
    pub program: Option<&'a str>,
    /// Whose rsync it is: the value of [`MARK`].
    pub mark: &'a str,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Pull,
    Push,
}

/// Why it is not all there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// One line: what, where, what to do.
    pub reason: String,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Copy<'_> {
    /// Makes the folders here what they are there.
    ///
    /// # Errors
    /// One line of at most 128 bytes. What has been copied until then stays; every file is the old or the new one.
    pub fn pull(&self, deadline: &Deadline) -> Result<(), Incomplete> {
        self.run(Way::Pull, deadline)
    }

    /// Makes the folders there what they are here.
    ///
    /// # Errors
    /// See [`Copy::pull`].
    pub fn push(&self, deadline: &Deadline) -> Result<(), Incomplete> {
        self.run(Way::Push, deadline)
    }

    fn run(&self, way: Way, deadline: &Deadline) -> Result<(), Incomplete> {
        let (apart, together): (Vec<PathBuf>, Vec<PathBuf>) =
            self.folders.iter().cloned().partition(|folder| self.linked.contains(folder) || is_linked(folder));
        if !together.is_empty() {
            Copy { folders: &together, linked: &[], ..self.clone() }.run_once(way, deadline)?;
        }
        for folder in &apart {
            let one = std::slice::from_ref(folder);
            Copy { folders: one, linked: one, ..self.clone() }.run_once(way, deadline)?;
        }
        Ok(())
    }

    /// The one folder that goes in a run of its own.
    fn apart(&self) -> Option<&Path> {
        match (self.folders, self.linked) {
            ([folder], [linked]) if folder == linked => Some(folder),
            _ => None,
        }
    }

    fn run_once(&self, way: Way, deadline: &Deadline) -> Result<(), Incomplete> {
        let incomplete = |reason: String| Err(Incomplete { reason: one_line(&reason) });
        // The program is killed with its children a moment before the time is over, not after.
        let until = deadline.within(deadline.left().saturating_sub(GRACE));
        let arguments = self.arguments(way, &until);
        let output = match process::run_with_children(RSYNC, &arguments, (MARK, self.mark), &until, GRACE) {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                let waited = until.used().as_secs_f32();
                return incomplete(format!("rsync with {}: not done after {waited:.1} s", self.remote.host));
            }
            Err(error) => return incomplete(error.to_string()),
        };
        match output.status.code() {
            // 24: a file went away while it was copied, which a session file may do at any moment.
            Some(0 | 24) => Ok(()),
            code => {
                let errors = String::from_utf8_lossy(&output.stderr);
                Err(Incomplete { reason: trouble::of_rsync(self.remote, code, &errors, way == Way::Push) })
            }
        }
    }

    fn arguments(&self, way: Way, deadline: &Deadline) -> Vec<String> {
        // The parents of a folder are the other host's own business.
        let mut words = match self.apart() {
            Some(_) => vec!["-a".to_owned()],
            None => vec!["-aR".to_owned(), "--no-implied-dirs".to_owned()],
        };
        words.extend(options(deadline).iter().map(|word| (*word).to_owned()));
        // Whole seconds, rounded up: 0 would mean for ever.
        words.push(format!("--timeout={}", deadline.left().as_secs() + 1));
        words.extend(["-e".to_owned(), self.remote.rsh_line()]);
        words.extend(self.program.map(|program| format!("--rsync-path={program}")));
        words.push(if self.merge { "--update" } else { "--delete" }.to_owned());
        if let Some(folder) = self.backup {
            let below = self.apart().unwrap_or(Path::new(""));
            words.extend(["--backup".to_owned(), format!("--backup-dir={}{}", folder.display(), below.display())]);
        }
        words.extend(self.filters());
        words.push("--".to_owned());
        let slashed = |path: &PathBuf| format!("{}/", path.display().to_string().trim_end_matches('/'));
        let places = self.folders.iter().map(slashed);
        // The other end: each path is its own, or is told by the slash at the end to be a folder, whatever leads to it.
        let root = self.apart().map_or("/".to_owned(), |folder| slashed(&folder.to_owned()));
        match way {
            Way::Push => {
                words.extend(places);
                words.push(self.remote.place(&root));
            }
            Way::Pull => {
                words.extend(places.map(|place| self.remote.place(&place)));
                words.push(root);
            }
        }
        words
    }

    /// The patterns, as they have to be with `-R`, where the root of the transfer is the root of the host: what is anchored
    /// is anchored at each folder, and the way to the folders is never excluded.
    fn filters(&self) -> Vec<String> {
        let mut filters: Vec<String> = Vec::new();
        if self.apart().is_some() {
            return self.exclude.iter().map(|pattern| format!("--exclude={pattern}")).collect();
        }
        if self.exclude.is_empty() {
            return filters;
        }
        for folder in self.folders {
            for part in folder.ancestors().filter(|part| part.parent().is_some()) {
                let include = format!("--include={}/", literal(part));
                if !filters.contains(&include) {
                    filters.push(include);
                }
            }
        }
        for pattern in self.exclude {
            if pattern.starts_with('/') {
                let anchored = |folder: &PathBuf| format!("--exclude={}{pattern}", literal(folder));
                filters.extend(self.folders.iter().map(anchored));
            } else {
                filters.push(format!("--exclude={pattern}"));
            }
        }
        filters
    }
}

/// Whether there is a symbolic link on the way to a folder, or it is one.
pub fn is_linked(folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|real| real != folder)
}

/// A path as a pattern of rsync that means itself.
fn literal(path: &Path) -> String {
    let text = path.display().to_string();
    let text = text.trim_end_matches('/');
    // A backslash is one only in a pattern with wildcards (rsync(1), "PATTERN MATCHING RULES").
    if !text.contains(['*', '?', '[']) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| ['\\'; 1].into_iter().filter(move |_| r"*?[\".contains(c)).chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::remote;
    use super::*;

    fn plain(remote: &Remote) -> Copy<'_> {
        Copy {
            remote,
            folders: &[],
            linked: &[],
            exclude: &[],
            backup: None,
            merge: false,
            program: None,
            mark: "lsyncd",
        }
    }

    #[test]
    fn anchored_patterns_belong_to_each_folder() {
        let peer = remote("osm2");
        let folders = ["/srv/.data/a".into(), "/b[1]".into()];
        let exclude = [".*".to_owned(), "/cache".to_owned()];
        let copy = Copy { folders: &folders, exclude: &exclude, ..plain(&peer) };
        let wanted = [
            "--include=/srv/.data/a/",
            "--include=/srv/.data/",
            "--include=/srv/",
            r"--include=/b\[1]/",
            "--exclude=.*",
            "--exclude=/srv/.data/a/cache",
            r"--exclude=/b\[1]/cache",
        ];
        assert_eq!(copy.filters(), wanted);
    }

    #[test]
    fn several_folders_go_in_one_run() {
        let peer = remote("fd00::2");
        let folders = ["/a".into(), "/b/c/".into()];
        let backup = Path::new("/var/lib/x");
        let copy = Copy { folders: &folders, backup: Some(backup), ..plain(&peer) };
        let words = copy.arguments(Way::Pull, &Deadline::after(Duration::from_millis(2500)));
        let end = &words[words.len() - 4..];
        assert_eq!(end, ["--", "[fd00::2]:/a/", "[fd00::2]:/b/c/", "/"]);
        for word in ["--delete", "--backup", "--backup-dir=/var/lib/x", "--timeout=3"] {
            assert!(words.iter().any(|w| w == word), "{word} in {words:?}");
        }
        let linked = &folders[..1];
        let apart = Copy { folders: linked, linked, exclude: &["/x".to_owned()], ..copy.clone() };
        let words = apart.arguments(Way::Push, &Deadline::after(Duration::ZERO));
        assert_eq!(words[words.len() - 3..], ["--", "/a/", "[fd00::2]:/a/"]);
        assert!(words[0] == "-a" && words.contains(&"--backup-dir=/var/lib/x/a".to_owned()), "{words:?}");
        assert!(words.contains(&"--exclude=/x".to_owned()), "{words:?}");
        assert!(!words.iter().any(|word| word.starts_with("--rsync-path")), "{words:?}");
        let merged = Copy { merge: true, program: Some("a b --"), ..copy };
        let merged = merged.arguments(Way::Push, &Deadline::after(Duration::ZERO));
        assert!(merged.contains(&"--rsync-path=a b --".to_owned()), "{merged:?}");
        assert!(!merged.contains(&"--delete".to_owned()) && merged.contains(&"--update".to_owned()));
    }
}
