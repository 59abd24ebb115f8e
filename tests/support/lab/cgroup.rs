//! The control groups of a lab: one per hierarchy that systemd uses, named after the outer process.
//!
//! A control group does not go away with a namespace. So the outer process removes them, and the next lab sweeps those
//! whose outer process is gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

const PREFIX: &str = "inuvika-lab-";

/// The same group in every hierarchy (version 2, and systemd's own one of version 1).
#[derive(Debug, Clone)]
pub struct Cgroup {
    dirs: Vec<PathBuf>,
}

impl Cgroup {
    /// Makes the groups of this process's lab, below the groups it runs in.
    pub fn create() -> Result<Self> {
        let name = format!("{PREFIX}{}-{}", std::process::id(), start_time(std::process::id()).unwrap_or_default());
        let dirs: Vec<_> = bases()?.into_iter().map(|base| base.join(&name)).collect();
        for dir in &dirs {
            fs::create_dir(dir).with_context(|| format!("create control group {}", dir.display()))?;
        }
        Ok(Self { dirs })
    }

    /// Removes the groups of labs whose outer process is gone.
    pub fn sweep() {
        for dir in bases().unwrap_or_default().iter().flat_map(fs::read_dir).flatten().flatten() {
            let name = dir.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
            let Some((pid, started)) = id.split_once('-') else { continue };
            if pid.parse().ok().and_then(start_time).is_none_or(|now| now != started) {
                remove_tree(&dir.path(), Duration::from_secs(1));
            }
        }
    }

    /// For the environment of the processes inside.
    pub fn to_env(&self) -> String {
        self.dirs.iter().map(|dir| dir.to_string_lossy()).collect::<Vec<_>>().join(":")
    }

    /// The other way round.
    pub fn from_env(value: &str) -> Self {
        Self { dirs: value.split(':').filter(|dir| !dir.is_empty()).map(PathBuf::from).collect() }
    }

    /// A group inside this one.
    pub fn child(&self, name: &str) -> Self {
        Self { dirs: self.dirs.iter().map(|dir| dir.join(name)).collect() }
    }

    /// Creates it where it is missing and moves this process in.
    pub fn enter(&self) -> Result<()> {
        for file in self.procs()? {
            fs::write(&file, "0").with_context(|| format!("enter control group {}", file.display()))?;
        }
        Ok(())
    }

    /// Creates it where it is missing; the files to which a process writes `0` to move in.
    pub fn procs(&self) -> Result<Vec<PathBuf>> {
        for dir in &self.dirs {
            fs::create_dir_all(dir).with_context(|| format!("create control group {}", dir.display()))?;
        }
        Ok(self.dirs.iter().map(|dir| dir.join("cgroup.procs")).collect())
    }

    /// Removes it with all below; its processes must be dead.
    pub fn remove(&self) {
        for dir in &self.dirs {
            remove_tree(dir, Duration::from_secs(2));
        }
    }

    /// The groups of labs that were started from this process's own group.
    pub fn own_labs() -> Result<Vec<PathBuf>> {
        let entries = bases()?.into_iter().flat_map(fs::read_dir).flatten().flatten().map(|entry| entry.path());
        let named = |dir: &PathBuf| dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        Ok(entries.filter(named).collect())
    }
}

/// This process's own group in each hierarchy.
fn bases() -> Result<Vec<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("read mounts")?;
    let groups = fs::read_to_string("/proc/self/cgroup").context("read control groups")?;
    let mut bases: Vec<(&str, PathBuf)> = Vec::new();
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let Some(point) = left.split(' ').nth(4) else { continue };
        let kind = match right.split(' ').next() {
            Some("cgroup2") => "",
            Some("cgroup") if right.contains("name=systemd") => "name=systemd",
            _ => continue,
        };
        let own = groups.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            (fields.next() == Some(kind)).then(|| fields.next()).flatten()
        });
        let base = Path::new(point).join(own.unwrap_or("/").trim_start_matches('/'));
        // A hierarchy may be mounted more than once, for a chroot: the groups are the same.
        if base.is_dir() && bases.iter().all(|(other, _)| *other != kind) {
            bases.push((kind, base));
        }
    }
    Ok(bases.into_iter().map(|(_, base)| base).collect())
}

/// When a process began, as the kernel counts; none when it is gone.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; field 22 is the twentieth after it.
    stat.rsplit_once(") ")?.1.split(' ').nth(19).map(str::to_owned)
}

/// The kernel needs a moment to take the last process out of a group.
fn remove_tree(dir: &Path, limit: Duration) {
    let started = Instant::now();
    while dir.exists() && !try_remove(dir) && started.elapsed() < limit {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn try_remove(dir: &Path) -> bool {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            try_remove(&entry.path());
        }
    }
    fs::remove_dir(dir).is_ok()
}
