//! One change of the host: how it is shown, and how it is made. What was there is kept.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::super::files::read;
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// What files get that are not there yet.
const MODE: u32 = 0o644;

/// A change.
#[derive(Debug)]
pub enum Change {
    /// A folder that is not there.
    Folder { path: PathBuf, mode: u32 },
    /// A file with this text; none before: there is none.
    File { path: PathBuf, text: String, before: Option<String> },
    /// A link; `was` is what is there in its place.
    Link { path: PathBuf, target: PathBuf, was: Was },
    /// A script that is there, and may not be run.
    Executable { path: PathBuf },
    /// A link that is not wanted any more.
    Remove { path: PathBuf },
}

/// What is in the place of a link.
#[derive(Debug)]
pub enum Was {
    /// The link itself.
    Right,
    /// Nothing.
    Nothing,
    /// Another link.
    Link(PathBuf),
    /// A file with this text, and what the link leads to will have another one.
    File(String, String),
    /// A file with the same text.
    Same,
}

impl Change {
    pub fn folder(path: &Path, mode: u32) -> Self {
        Change::Folder { path: path.to_owned(), mode }
    }

    /// A link, by what is there now; `new` is the text that its target will have.
    ///
    /// # Errors
    /// One line.
    pub fn link(path: PathBuf, target: PathBuf, new: Option<&str>, limit: &Deadline) -> Result<Self, String> {
        if path == target {
            return Ok(Change::Executable { path });
        }
        let was = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Was::Nothing,
            Err(error) => return Err(format!("look at {}: {error}", path.display())),
            Ok(meta) if meta.is_dir() => return Err(format!("{} is a folder: it has to be a link", path.display())),
            Ok(meta) if meta.is_symlink() => match fs::read_link(&path) {
                Ok(now) if now == target => Was::Right,
                Ok(now) => Was::Link(now),
                Err(error) => return Err(format!("look at {}: {error}", path.display())),
            },
            Ok(_) => match (read(&path, limit)?.unwrap_or_default(), new) {
                (text, Some(new)) if text != new => Was::File(text, new.to_owned()),
                _ => Was::Same,
            },
        };
        Ok(Change::Link { path, target, was })
    }

    /// Whether anything has to be done.
    pub fn is_one(&self) -> bool {
        match self {
            Change::Folder { path, .. } => !path.is_dir(),
            Change::File { text, before, .. } => before.as_ref() != Some(text),
            Change::Link { was, .. } => !matches!(was, Was::Right),
            Change::Executable { path } => process::find(path).is_none(),
            Change::Remove { .. } => true,
        }
    }

    /// As text for people.
    pub fn show(&self, limit: &Deadline) -> String {
        match self {
            Change::Folder { path, mode } => format!("folder {} (mode {mode:o})\n", path.display()),
            Change::File { path, text, before } => {
                let label = path.display().to_string();
                difference(&label, before.as_deref(), &label, text, limit)
            }
            Change::Link { path, target, was } => {
                let line = format!("link {} -> {}", path.display(), target.display());
                match was {
                    Was::Link(other) => format!("{line} (in place of a link to {})\n", other.display()),
                    Was::Same => format!("{line} (in place of a file)\n"),
                    Was::File(text, new) => {
                        let labels = (path.display().to_string(), target.display().to_string());
                        let shown = difference(&labels.0, Some(text), &labels.1, new, limit);
                        format!("{line} (in place of a file that differs)\n{shown}")
                    }
                    Was::Right | Was::Nothing => format!("{line}\n"),
                }
            }
            Change::Executable { path } => format!("mode of {}: may be run\n", path.display()),
            Change::Remove { path } => format!("remove the link {}\n", path.display()),
        }
    }

    /// Makes it.
    ///
    /// # Errors
    /// The path, and what the kernel says.
    pub fn make(&self, backups: &Path) -> Result<(), (PathBuf, io::Error)> {
        let (path, done) = match self {
            Change::Folder { path, mode } => (path, fs::DirBuilder::new().recursive(true).mode(*mode).create(path)),
            Change::File { path, text, before } => {
                let kept = if before.is_some() { keep(path, backups) } else { Ok(()) };
                (path, kept.and_then(|()| write(path, text)))
            }
            Change::Link { path, target, was } => {
                let kept = if matches!(was, Was::Nothing) { Ok(()) } else { keep(path, backups) };
                (path, kept.and_then(|()| put_link(path, target)))
            }
            Change::Executable { path } => (path, fs::set_permissions(path, Permissions::from_mode(0o755))),
            Change::Remove { path } => (path, keep(path, backups).and_then(|()| fs::remove_file(path))),
        };
        done.map_err(|error| (path.clone(), error))
    }
}

/// The difference of two texts, as diff(1) shows it; without diff, the new text.
fn difference(old: &str, before: Option<&str>, new: &str, text: &str, limit: &Deadline) -> String {
    let whole =
        || format!("--- {old}\n+++ {new}\n{}", text.lines().map(|line| format!("+{line}\n")).collect::<String>());
    let Ok(folder) = TempText::new(before.unwrap_or_default()) else { return whole() };
    let first = if before.is_some() { old } else { "/dev/null" };
    let mut words: Vec<&std::ffi::OsStr> = ["-u", "--label", first, "--label", new].map(AsRef::as_ref).to_vec();
    words.extend([folder.0.as_os_str(), "-".as_ref()]);
    match process::run("diff", &words, Some(text.as_bytes()), limit) {
        Ok(output) if output.status.code() == Some(1) => output.text(),
        _ => whole(),
    }
}

/// A text in a file of its own, for as long as it is needed.
struct TempText(PathBuf);

impl TempText {
    fn new(text: &str) -> io::Result<Self> {
        let name = format!("inuvika-ha-ofs-config-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Nobody else's file, and nobody else reads it.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let kept = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(kept)
    }
}

impl Drop for TempText {
    fn drop(&mut self) {
        // A file of some kilobytes in the folder for such.
        let _ = fs::remove_file(&self.0);
    }
}

/// Copies a file or link, as it is, to the same path below `backups`.
fn keep(path: &Path, backups: &Path) -> io::Result<()> {
    let copy = backups.join(path.strip_prefix("/").unwrap_or(path));
    if let Some(folder) = copy.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match fs::read_link(path) {
        Ok(target) => symlink(target, copy),
        Err(_) => fs::copy(path, copy).map(|_| ()),
    }
}

/// The name of a file that takes another one's place when it is whole.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.inuvika-ha-{}", std::process::id()))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mode = fs::metadata(path).map_or(MODE, |meta| meta.permissions().mode() & 0o7777);
    let new = beside(path);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&new, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn put_link(path: &Path, target: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = beside(path);
    let put = symlink(target, &new).and_then(|()| fs::rename(&new, path));
    if put.is_err() {
        let _ = fs::remove_file(&new);
    }
    put
}
