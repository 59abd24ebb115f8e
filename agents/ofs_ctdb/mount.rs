//! The shared file system, as this node sees it.

use std::path::{Path, PathBuf};

use super::config::Config;
use crate::ocf::deadline::Deadline;
use crate::ocf::operation::Operation;
use crate::probe::mount::{self, Silence};
use crate::sys::mounts::mounts;
use crate::sys::process;

/// What came of looking at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there and answers.
    Alive,
    /// It is not mounted.
    Missing(String),
    /// It may be mounted, and no good answer comes.
    Silent(String),
}

impl Seen {
    /// Looks at the list of mounts, then asks the file system itself, within `deadline`.
    pub fn of(path: &Path, deadline: &Deadline) -> Self {
        let points = match mounts() {
            Ok(all) => all.into_iter().map(|(point, _)| point).collect::<Vec<_>>(),
            Err(error) => return Seen::Silent(format!("list of mounts: {error}")),
        };
        // The path itself first: a child that follows its links would wait for a file system that hangs.
        if !is_mounted(path, &points) && !target(path, deadline).is_some_and(|path| is_mounted(&path, &points)) {
            return Seen::Missing(format!("{} is not on a mounted file system of its own: mount it", path.display()));
        }
        match mount::answers(path, deadline) {
            Ok(()) => Seen::Alive,
            Err(Silence::Hangs(why) | Silence::Fails(why) | Silence::Stale(why)) => Seen::Silent(why),
        }
    }

    /// Why it is of no use now.
    pub fn trouble(self) -> Option<String> {
        match self {
            Seen::Alive => None,
            Seen::Missing(why) | Seen::Silent(why) => Some(why),
        }
    }
}

/// Why the first of the shared folders is of no use now; none: all are there and answer.
pub fn trouble(config: &Config, op: &Operation) -> Option<String> {
    let folders = [Some(&config.shared), config.data.as_ref()];
    folders.into_iter().flatten().find_map(|path| Seen::of(path, &op.deadline.within(config.request_timeout)).trouble())
}

/// Whether a path is, or lies below, a mount point other than the root.
pub fn is_mounted(path: &Path, points: &[PathBuf]) -> bool {
    points.iter().any(|point| point != Path::new("/") && path.starts_with(point))
}

/// Where links lead. A child looks: they may lead through a file system that hangs.
fn target(path: &Path, deadline: &Deadline) -> Option<PathBuf> {
    let found = process::run("readlink", &["-f".as_ref(), "--".as_ref(), path.as_os_str()], None, deadline).ok()?;
    Some(PathBuf::from(found.text().trim_end_matches('\n')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_below_a_mount_point_will_do_and_the_root_will_not() {
        let points = ["/", "/mnt/nfs", "/boot"].map(PathBuf::from);
        for (path, mounted) in
            [("/mnt/nfs", true), ("/mnt/nfs/ctdb", true), ("/mnt/nfs2", false), ("/mnt", false), ("/srv/ctdb", false)]
        {
            assert_eq!(is_mounted(Path::new(path), &points), mounted, "{path}");
        }
    }
}
