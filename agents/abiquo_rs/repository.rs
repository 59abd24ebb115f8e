//! The template repository, as this node sees it.

use std::path::{Path, PathBuf};

use super::settings::Repository;
use crate::ocf::deadline::Deadline;
use crate::probe::mount::{self, Silence};
use crate::sys::mounts::mounts;
use crate::sys::process;

/// What came of looking at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there and answers.
    Alive,
    /// It is not mounted, or something else is.
    Missing(String),
    /// It may be mounted, and no good answer comes.
    Silent(String),
    /// Its server does not know this mount any more; a new one would be as good as any.
    Stale(String),
}

impl Seen {
    /// Looks at the list of mounts, then asks the file system itself, within `deadline`.
    pub fn of(repository: &Repository, deadline: &Deadline) -> Self {
        // A site that does not let Abiquo look at its mounts need not have one.
        if repository.is_checked && !repository.is_local() {
            match mounts() {
                Err(error) => return Seen::Silent(format!("repository: list of mounts: {error}")),
                Ok(mounts) => {
                    if let Err(why) = mounted(repository, &mounts, || target(&repository.path, deadline)) {
                        return Seen::Missing(why);
                    }
                }
            }
        }
        match mount::answers(&repository.path, deadline) {
            Ok(()) => Seen::Alive,
            Err(Silence::Stale(why)) => Seen::Stale(format!("repository {why}")),
            Err(Silence::Hangs(why) | Silence::Fails(why)) => Seen::Silent(format!("repository {why}")),
        }
    }

    /// The same, or silent when so little is left that one who needs it could not answer any more: am would be taken for late.
    pub fn in_time_for_more(self, deadline: &Deadline) -> Self {
        let took = deadline.used();
        if self == Seen::Alive && deadline.left() < took / 2 {
            return Seen::Silent(format!("repository answers only after {:.1} s", took.as_secs_f32()));
        }
        self
    }

    /// Why it is of no use now.
    pub fn trouble(&self) -> Option<&String> {
        match self {
            Seen::Alive => None,
            Seen::Missing(why) | Seen::Silent(why) | Seen::Stale(why) => Some(why),
        }
    }
}

/// Whether the repository is mounted, and from where the properties say. No file system is asked, but by `target`, where its
/// path is no mount point: it may be a link to one.
fn mounted(
    repository: &Repository,
    mounts: &[(PathBuf, String)],
    target: impl FnOnce() -> Option<PathBuf>,
) -> Result<(), String> {
    let shown = repository.path.display();
    let at = |path: &Path| mounts.iter().rev().find(|(point, _)| point == path).map(|(_, source)| source);
    let Some(source) = at(&repository.path).or_else(|| at(&target()?)) else {
        return Err(format!("repository {shown} is not mounted"));
    };
    let same = |a: &str, b: &str| a.trim_end_matches('/') == b.trim_end_matches('/');
    if !repository.location.is_empty() && !same(source, &repository.location) {
        return Err(format!("repository {shown} is mounted from {source}, the properties say {}", repository.location));
    }
    Ok(())
}

/// Where links lead. A child looks: they may lead through a file system that hangs.
fn target(path: &Path, deadline: &Deadline) -> Option<PathBuf> {
    let found = process::run("readlink", &["-f".as_ref(), "--".as_ref(), path.as_os_str()], None, deadline).ok()?;
    Some(PathBuf::from(found.text().trim_end_matches('\n')))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn repository(location: &str) -> Repository {
        Repository { path: "/opt/vm_repository".into(), location: location.to_owned(), is_checked: true }
    }

    #[test]
    fn a_mount_has_to_come_from_where_the_properties_say() {
        let mounts = |source: &str| vec![("/".into(), "disk".into()), ("/opt/vm_repository".into(), source.to_owned())];
        let said = |one: &Repository, mounts: &[(PathBuf, String)]| mounted(one, mounts, || None);
        let one = repository("10.60.1.72:/opt/vm_repository");
        assert_eq!(said(&one, &mounts("10.60.1.72:/opt/vm_repository/")), Ok(()));
        let other = said(&one, &mounts("10.60.1.73:/x")).unwrap_err();
        assert!(other.contains("mounted from 10.60.1.73:/x"), "{other}");
        assert!(said(&one, &[("/".into(), "disk".into())]).unwrap_err().ends_with("is not mounted"));
        assert_eq!(said(&repository(""), &mounts("any")), Ok(()));
    }

    #[test]
    fn a_link_to_the_mount_point_will_do() {
        let mounts = [("/mnt/nfs".into(), "10.60.1.72:/opt/vm_repository".to_owned())];
        let one = repository("10.60.1.72:/opt/vm_repository");
        assert_eq!(mounted(&one, &mounts, || Some("/mnt/nfs".into())), Ok(()));
        // A folder in a larger mount is none.
        assert!(mounted(&one, &mounts, || Some("/mnt/nfs/repository".into())).is_err());
    }

    #[test]
    fn links_are_followed_to_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().canonicalize().unwrap();
        std::fs::create_dir(place.join("real")).unwrap();
        std::os::unix::fs::symlink("real", place.join("relative")).unwrap();
        let limit = Deadline::after(Duration::from_secs(5));
        assert_eq!(target(&place.join("relative"), &limit), Some(place.join("real")));
    }

    #[test]
    fn without_abiquos_own_check_no_mount_is_wanted() {
        let limit = Deadline::after(Duration::from_secs(5));
        let folder = tempfile::tempdir().unwrap();
        let location = "10.60.1.72:/opt/vm_repository".to_owned();
        let mut one = Repository { path: folder.path().into(), location, is_checked: false };
        assert_eq!(Seen::of(&one, &limit), Seen::Alive);
        one.is_checked = true;
        assert!(matches!(Seen::of(&one, &limit), Seen::Missing(_)));
    }
}
