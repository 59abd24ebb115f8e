//! A link under /etc/cron.d that makes a cron job run on this node, and on no other.
//!
//! It does not lead to the job's table at once but by way of a second link under /run: after a crash that link is gone,
//! cron finds nothing at the end of the first, and the job stays off until the cluster has started the resource here.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A cron job that belongs to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronLink {
    /// What cron reads: `/etc/cron.d/NAME`.
    pub link: PathBuf,
    /// The table with the job, as the package ships it.
    pub target: PathBuf,
    /// The link under /run in between.
    pub via: PathBuf,
    /// Where something foreign goes that stands in the link's place.
    pub attic: PathBuf,
}

/// What stands in the link's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Absent,
    /// Our link, and it leads to the table.
    Ours,
    /// The package's link, straight to the table: the job runs all the same.
    Package,
    /// Our link, but it leads nowhere: the job does not run.
    Dead,
    /// Something else: what it is.
    Foreign(String),
}

/// What has been taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Nothing was there.
    Nothing,
    /// A link to the table, removed.
    Link,
    /// Something foreign, which is here now.
    Moved(PathBuf),
}

impl CronLink {
    /// Looks what is there.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn look(&self) -> io::Result<Found> {
        let kind = match fs::symlink_metadata(&self.link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Absent),
            other => other?.file_type(),
        };
        if !kind.is_symlink() {
            return Ok(Found::Foreign(if kind.is_dir() { "a folder" } else { "a file" }.to_owned()));
        }
        let leads_to = match destination(&self.link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Absent),
            other => other?,
        };
        if leads_to == self.via {
            let whole = destination(&self.via).is_ok_and(|end| end == self.target) && self.target.is_file();
            return Ok(if whole { Found::Ours } else { Found::Dead });
        }
        // Another instance's link under /run is as dead as ours when its end is gone.
        let same = || Some(fs::canonicalize(&self.link).ok()? == fs::canonicalize(&self.target).ok()?);
        if leads_to == self.target || same() == Some(true) {
            return Ok(Found::Package);
        }
        Ok(Found::Foreign(format!("a link to {}", leads_to.display())))
    }

    /// Whether what is foreign holds the very jobs of the table: cron runs them all the same.
    pub fn is_copy(&self) -> bool {
        let read = |path: &Path| Some(path).filter(|path| path.is_file()).and_then(|path| fs::read(path).ok());
        read(&self.link).is_some_and(|text| read(&self.target) == Some(text))
    }

    /// Makes the job run here; where something foreign has been moved to, if anything was.
    ///
    /// # Errors
    /// When a link cannot be made or the foreign thing cannot be moved; then nothing has been lost.
    pub fn put(&self) -> io::Result<Option<PathBuf>> {
        let moved = match self.look()? {
            Found::Ours => return Ok(None),
            Found::Foreign(_) => Some(self.move_away()?),
            _ => None,
        };
        replace(&self.via, &self.target)?;
        // Also when it is there already and was only dead: cronie looks again when something changes in the folder, and what
        // is under /run is not.
        replace(&self.link, &self.via)?;
        Ok(moved)
    }

    /// Makes the job not run here. A folder in the link's place is left alone: cron does not look into it.
    ///
    /// # Errors
    /// When it cannot be taken away.
    pub fn take(&self) -> io::Result<Taken> {
        let _ = fs::remove_file(beside(&self.link));
        let taken = match self.look()? {
            Found::Absent => Taken::Nothing,
            Found::Foreign(_) if self.link.is_dir() => Taken::Nothing,
            Found::Foreign(_) => Taken::Moved(self.move_away()?),
            _ => match fs::remove_file(&self.link) {
                // A package's script was quicker.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Taken::Nothing,
                other => other.map(|()| Taken::Link)?,
            },
        };
        let _ = fs::remove_file(&self.via);
        Ok(taken)
    }

    /// Why cron would not run the table, as the end of "cron ignores ...": it wants a file of root's with one name, which
    /// nobody else may write to and nobody may execute (cron(8) of Debian, crond(8) of cronie).
    pub fn refused(&self) -> Option<String> {
        let table = self.target.display();
        match fs::metadata(&self.target) {
            Err(error) => Some(format!("{table}: {error}")),
            Ok(data) if !data.is_file() => Some(format!("{table}: it is no file")),
            Ok(data) if data.uid() != 0 => Some(format!("{table}: its owner is not root")),
            Ok(data) if data.permissions().mode() & 0o022 != 0 => Some(format!("{table}: others may write to it")),
            Ok(data) if data.permissions().mode() & 0o7533 != 0o400 => Some(format!("{table}: chmod 644 it")),
            Ok(data) if data.nlink() != 1 => Some(format!("{table}: it has a second name (hard link)")),
            Ok(_) => None,
        }
    }

    /// Moves what is foreign to the attic, under its name and the time. Where that cannot be (a full or read-only /var), it
    /// gets a name beside the link that cron does not read: a stop must not fail for it.
    fn move_away(&self) -> io::Result<PathBuf> {
        self.to_attic().or_else(|error| {
            let name = self.link.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let place = self.link.with_file_name(format!(".{name}.moved-by-inuvika-ha"));
            fs::rename(&self.link, &place).map_err(|_| error)?;
            Ok(place)
        })
    }

    fn to_attic(&self) -> io::Result<PathBuf> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.attic)?;
        let name = self.link.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stamp = chrono::Local::now().format("%Y%m%d-%H%M%S");
        let free = |n: &u32| {
            let end = if *n == 0 { String::new() } else { format!("-{n}") };
            let path = self.attic.join(format!("{name}.{stamp}{end}"));
            fs::symlink_metadata(&path).is_err().then_some(path)
        };
        let place = (0..1000).find_map(|n| free(&n)).ok_or(io::ErrorKind::AlreadyExists)?;
        match fs::rename(&self.link, &place) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                // Half of a copy is worth nothing, and there would be one more with each try.
                copy(&self.link, &place).inspect_err(|_| drop(fs::remove_file(&place)))?;
                fs::remove_file(&self.link)?;
            }
            other => other?,
        }
        Ok(place)
    }
}

/// Copies a file or a link as it is, and makes sure it has arrived.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(from)?.is_symlink() {
        return symlink(fs::read_link(from)?, to);
    }
    fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()
}

/// Where a link leads, without a look at what is there.
fn destination(link: &Path) -> io::Result<PathBuf> {
    let to = fs::read_link(link)?;
    let joined = link.parent().unwrap_or(Path::new("/")).join(to);
    let mut plain = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    Ok(plain)
}

/// The name of an unfinished link: cron reads no file whose name begins with a dot.
fn beside(link: &Path) -> PathBuf {
    let name = link.file_name().unwrap_or_default().to_string_lossy().into_owned();
    link.with_file_name(format!(".{name}.inuvika-ha"))
}

/// Makes `link` lead to `target` in one step, whatever was there.
fn replace(link: &Path, target: &Path) -> io::Result<()> {
    let new = beside(link);
    let _ = fs::remove_file(&new);
    symlink(target, &new)?;
    fs::rename(&new, link)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use super::*;

    fn scene() -> (tempfile::TempDir, CronLink) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["cron.d", "run", "etc"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("etc/table"), "* * * * * root true\n").unwrap();
        let link =
            CronLink { link: at("cron.d/job"), target: at("etc/table"), via: at("run/cron"), attic: at("attic/job") };
        (folder, link)
    }

    #[test]
    fn the_link_dies_with_run_and_comes_back_with_the_next_start() {
        let (_folder, cron) = scene();
        assert_eq!(cron.look().unwrap(), Found::Absent);
        assert_eq!(cron.put().unwrap(), None);
        assert_eq!(cron.look().unwrap(), Found::Ours);
        assert_eq!(fs::read_to_string(&cron.link).unwrap(), "* * * * * root true\n");
        fs::remove_file(&cron.via).unwrap();
        assert_eq!(cron.look().unwrap(), Found::Dead);
        cron.put().unwrap();
        assert_eq!(cron.look().unwrap(), Found::Ours);
        assert_eq!(cron.take().unwrap(), Taken::Link);
        assert_eq!(cron.take().unwrap(), Taken::Nothing);
        assert!(!cron.via.exists() && fs::read_dir(cron.link.parent().unwrap()).unwrap().next().is_none());
    }

    #[test]
    fn a_package_link_counts_whether_absolute_or_relative() {
        let (_folder, cron) = scene();
        for target in [cron.target.clone(), PathBuf::from("../etc/table")] {
            symlink(target, &cron.link).unwrap();
            assert_eq!(cron.look().unwrap(), Found::Package);
            assert_eq!(cron.take().unwrap(), Taken::Link);
        }
        symlink(&cron.target, &cron.link).unwrap();
        assert_eq!(cron.put().unwrap(), None);
        assert_eq!(cron.look().unwrap(), Found::Ours);
    }

    #[test]
    fn what_is_foreign_is_kept_elsewhere_and_never_lost() {
        let (_folder, cron) = scene();
        fs::write(&cron.link, "mine\n").unwrap();
        assert_eq!(cron.look().unwrap(), Found::Foreign("a file".to_owned()));
        assert!(!cron.is_copy());
        let first = cron.put().unwrap().unwrap();
        assert_eq!(fs::read_to_string(&first).unwrap(), "mine\n");
        fs::remove_file(&cron.link).unwrap();
        symlink("/nowhere", &cron.link).unwrap();
        let Taken::Moved(second) = cron.take().unwrap() else { panic!("not moved") };
        assert_eq!(fs::read_link(&second).unwrap(), PathBuf::from("/nowhere"));
        assert_ne!(first, second);
        assert!(fs::symlink_metadata(&cron.link).is_err());
    }

    #[test]
    fn an_unfinished_link_of_a_killed_start_is_swept() {
        let (_folder, cron) = scene();
        symlink(&cron.via, beside(&cron.link)).unwrap();
        cron.put().unwrap();
        symlink(&cron.via, beside(&cron.link)).unwrap();
        cron.take().unwrap();
        assert!(fs::read_dir(cron.link.parent().unwrap()).unwrap().next().is_none());
    }

    #[test]
    fn tables_that_cron_would_ignore_are_named() {
        let (_folder, cron) = scene();
        fs::set_permissions(&cron.target, fs::Permissions::from_mode(0o666)).unwrap();
        let owner_first = fs::metadata(&cron.target).unwrap().uid() != 0;
        let wanted = if owner_first { "owner" } else { "others may write" };
        assert!(cron.refused().unwrap().contains(wanted));
        fs::remove_file(&cron.target).unwrap();
        assert!(cron.refused().unwrap().contains("No such file"));
    }
}
