//! What is in the packages.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use inuvika_ha::agents::specs;

use crate::listing::{self, Listing};
use crate::made::{self, ask};
use crate::manifest::{self, Line, Wanted};

/// What makes the packages and is not in them as it is.
const MAKERS: &[&str] = &[
    "packaging/build",
    "packaging/changelog",
    "packaging/compile",
    "packaging/contents",
    "packaging/deb/*",
    "packaging/licences",
    "packaging/linking.rs",
    "packaging/rpm/*",
    "packaging/tools.txt",
    "packaging/tree",
];
/// Where Pacemaker looks for the agents.
const AGENTS: &str = "/usr/lib/ocf/resource.d/inuvika/";
/// What every package has beside what packaging/contents names.
const DEB_ALSO: &[&str] = &[
    "/usr/share/doc/inuvika-ha/changelog.Debian.gz",
    "/usr/share/doc/inuvika-ha/copyright",
    "/usr/share/doc/inuvika-ha/third-party-licences.gz",
    "/usr/share/lintian/overrides/inuvika-ha",
];
const RPM_ALSO: &[&str] = &[
    "/usr/share/doc/inuvika-ha/changelog.gz",
    "/usr/share/doc/inuvika-ha/third-party-licences.gz",
    "/usr/share/licenses/inuvika-ha/LICENSE",
];

pub fn all_is_named() -> Result<()> {
    let lines = manifest::lines()?;
    let files = manifest::files_below("packaging")?;
    let named = |file: &&String| {
        let mut patterns = MAKERS.iter().copied().chain(lines.iter().map(|line| line.source.as_str()));
        !patterns.any(|pattern| manifest::fits(pattern, file))
    };
    let forgotten: Vec<_> = files.iter().filter(named).collect();
    ensure!(forgotten.is_empty(), "packaging/contents does not say where these go: {forgotten:?}");
    Ok(())
}

pub fn deb() -> Result<()> {
    let config = ["config", "script"];
    compare(&listing::deb(&made::first().deb)?, &manifest::wanted(|line: &Line| &line.deb)?, DEB_ALSO, &config)
}

pub fn rpm() -> Result<()> {
    compare(&listing::rpm(&made::first().rpm)?, &manifest::wanted(|line: &Line| &line.rpm)?, RPM_ALSO, &["config"])
}

fn compare(listing: &Listing, wanted: &[Wanted], also: &[&str], config: &[&str]) -> Result<()> {
    let paths: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.path.as_str()).chain(also.iter().copied()).collect();
    let found: BTreeSet<&str> = listing.keys().map(String::as_str).collect();
    let (missing, foreign): (Vec<_>, Vec<_>) = (paths.difference(&found).collect(), found.difference(&paths).collect());
    ensure!(missing.is_empty() && foreign.is_empty(), "missing: {missing:?}; foreign: {foreign:?}");
    for (path, entry) in listing {
        let kind = wanted.iter().find(|wanted| wanted.path == *path).map_or("file", |wanted| wanted.kind.as_str());
        let mode = match kind {
            "link" => "lrwxrwxrwx",
            "program" | "script" => "-rwxr-xr-x",
            _ => "-rw-r--r--",
        };
        ensure!(entry.mode == mode && entry.owner == "root/root", "{path}: {entry:?}");
        ensure!(entry.link.is_some() == (kind == "link"), "{path}: {entry:?}");
        ensure!(entry.config == config.contains(&kind), "{path}: {entry:?}");
    }
    Ok(())
}

/// Where a link leads, as a path without dots.
fn resolved(path: &str, link: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

pub fn links() -> Result<()> {
    let folder = made::folder("links");
    std::fs::create_dir_all(&folder)?;
    for listing in [listing::deb(&made::first().deb)?, listing::rpm(&made::first().rpm)?] {
        let links: Vec<_> = listing.iter().filter_map(|(path, entry)| Some((path, entry.link.as_ref()?))).collect();
        let agents: BTreeSet<&str> = listing.keys().filter_map(|path| path.strip_prefix(AGENTS)).collect();
        let registered: BTreeSet<&str> = specs().map(|spec| spec.name).collect();
        ensure!(agents == registered, "in Pacemaker's folder: {agents:?}, registered: {registered:?}");
        for (path, link) in links {
            let to = resolved(path, link);
            if path.contains("timers.target.wants") {
                ensure!(listing.contains_key(&to), "{path} leads to {to}, which is not there");
                continue;
            }
            ensure!(to == "/usr/sbin/inuvika-ha", "{path} leads to {to}");
            let name = path.rsplit('/').next().context("no name")?;
            let place = folder.join(name);
            let _ = std::fs::remove_file(&place);
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_inuvika-ha"), &place)?;
            let output = std::process::Command::new(&place).arg("meta-data").env_clear().output()?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            ensure!(!said.contains("called by an unknown name"), "{name}: {said}");
        }
    }
    Ok(())
}

pub fn versions() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let full = format!("{version}-1");
    let packages = made::first();
    let (deb, rpm) = (path(&packages.deb)?, path(&packages.rpm)?);
    ensure!(ask(&["dpkg-deb", "--field", deb, "Version"])?.trim() == full);
    ensure!(ask(&["rpm", "--query", "--package", rpm, "--queryformat", "%{VERSION}-%{RELEASE}"])? == full);
    let changes = ask(&["rpm", "--query", "--package", rpm, "--changelog"])?;
    ensure!(changes.lines().next().is_some_and(|line| line.ends_with(&format!("- {full}"))), "{changes}");
    ensure!(changes.lines().filter(|line| line.starts_with("- ")).count() > 0, "{changes}");
    let log = std::fs::read_to_string(manifest::root().join("packaging/changelog"))?;
    ensure!(log.starts_with(&format!("inuvika-ha ({full}) ")), "{log}");
    ensure!(ask(&[env!("CARGO_BIN_EXE_inuvika-ha"), "--version"])?.trim() == format!("inuvika-ha {version}"));
    for spec in specs() {
        let text = std::fs::read_to_string(manifest::root().join(format!("metadata/{}.xml", spec.name)))?;
        ensure!(
            text.contains(&format!("<resource-agent name=\"{}\" version=\"{version}\">", spec.name)),
            "{}",
            spec.name
        );
    }
    for page in manifest::files_below("packaging")?.iter().filter(|path| path.starts_with("packaging/man/")) {
        let text = std::fs::read_to_string(manifest::root().join(page))?;
        let stated =
            text.lines().find(|line| line.starts_with(".TH")).with_context(|| format!("{page} has no title"))?;
        // Where a page names a version, it is this one.
        let words = stated.split(['"', ' ']).filter(|word| word.split('.').count() == 3);
        let others: Vec<_> = words.filter(|word| word.bytes().all(|b| b.is_ascii_digit() || b == b'.')).collect();
        ensure!(others.iter().all(|word| *word == version), "{page}: {stated}");
    }
    Ok(())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a strange path")
}
