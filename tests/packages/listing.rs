//! What a package has, as its own package manager lists it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::made::ask;

/// One path of a package that is no folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As ls prints it: `-rwxr-xr-x`.
    pub mode: String,
    /// Owner and group, as `root/root`.
    pub owner: String,
    /// Where a link leads.
    pub link: Option<String>,
    /// Whether the administrator's changes are kept.
    pub config: bool,
}

/// By absolute path.
pub type Listing = BTreeMap<String, Entry>;

/// Of a .deb. Its folders have to be everybody's to read.
pub fn deb(package: &Path) -> Result<Listing> {
    let package = package.to_str().context("a strange path")?;
    let control = ask(&["dpkg-deb", "--ctrl-tarfile", package]).is_ok();
    ensure!(control, "no control file");
    let config =
        ask(&["sh", "-c", "dpkg-deb --ctrl-tarfile \"$1\" | tar -xO ./conffiles 2>/dev/null || :", "-", package])?;
    let mut listing = Listing::new();
    for line in ask(&["dpkg-deb", "--contents", package])?.lines() {
        // mode owner size date time path [-> link]
        let words: Vec<&str> = line.split_whitespace().collect();
        let path = words.get(5).context("a short line")?.trim_start_matches('.').to_owned();
        if words[0].starts_with('d') {
            ensure!(words[0] == "drwxr-xr-x" && words[1] == "root/root", "{line}");
            continue;
        }
        let entry = Entry {
            mode: words[0].to_owned(),
            owner: words[1].to_owned(),
            link: words.get(7).map(|link| (*link).to_owned()),
            config: config.lines().any(|line| line == path),
        };
        listing.insert(path, entry);
    }
    Ok(listing)
}

/// Of an .rpm.
pub fn rpm(package: &Path) -> Result<Listing> {
    let format =
        "[%{FILENAMES}|%{FILEMODES:perms}|%{FILEUSERNAME}/%{FILEGROUPNAME}|%{FILELINKTOS}|%{FILEFLAGS:fflags}\\n]";
    let package = package.to_str().context("a strange path")?;
    let mut listing = Listing::new();
    for line in ask(&["rpm", "--query", "--package", package, "--queryformat", format])?.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let [path, mode, owner, link, flags] = fields[..] else { anyhow::bail!("{line}") };
        if mode.starts_with('d') {
            ensure!(mode == "drwxr-xr-x" && owner == "root/root", "{line}");
            // A folder that other packages have as well would go with this one.
            ensure!(path.contains("inuvika"), "{path} is not the package's own");
            continue;
        }
        let entry = Entry {
            mode: mode.to_owned(),
            owner: owner.to_owned(),
            link: (!link.is_empty()).then(|| link.to_owned()),
            // Kept, and the new one is put beside it.
            config: flags.contains('c') && flags.contains('n'),
        };
        listing.insert(path.to_owned(), entry);
    }
    Ok(listing)
}
