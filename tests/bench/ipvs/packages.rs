//! The rivals that stay: taken out of the distribution's packages, with all that these need, and not installed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::guest::kernel::{download, run};

const RIVALS: [&str; 2] = ["keepalived", "ldirectord"];
/// What nobody reads there.
const LEFT_OUT: &[&str] =
    &["./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/snmp", "./usr/lib/*/gconv"];

/// Puts them into the guest's file system. What is there already stays.
pub fn fill(cache: &Path, root: &Path) -> Result<()> {
    let debs = cache.join("rivals");
    if !debs.exists() {
        fetch(cache, &debs)?;
    }
    for deb in fs::read_dir(&debs)? {
        let deb = deb?.path();
        let mut content = Command::new("dpkg-deb");
        let mut content = content.arg("--fsys-tarfile").arg(&deb).stdout(Stdio::piped()).spawn().context("dpkg-deb")?;
        let mut unpack = Command::new("tar");
        unpack.args(["--extract", "--skip-old-files", "--keep-directory-symlink", "--no-same-owner"]);
        unpack.args(LEFT_OUT.iter().map(|path| format!("--exclude={path}"))).arg("-C").arg(root);
        run(unpack.stdin(content.stdout.take().context("no pipe")?))?;
        ensure!(content.wait()?.success(), "dpkg-deb cannot read {}", deb.display());
    }
    Ok(())
}

/// Fetches them, as if nothing were installed here.
fn fetch(cache: &Path, debs: &Path) -> Result<()> {
    let nothing = cache.join("nothing-installed");
    fs::write(&nothing, "")?;
    let mut ask = Command::new("apt-get");
    ask.args(["-q", "--simulate", "--no-install-recommends", "-o"]);
    ask.arg(format!("Dir::State::status={}", nothing.display())).arg("install").args(RIVALS);
    let plan = run(&mut ask).context("an old package list? `apt-get update`")?;
    let names: Vec<String> =
        plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next().map(str::to_owned)).collect();
    ensure!(RIVALS.iter().all(|rival| names.iter().any(|name| name == rival)), "apt-get plans {names:?}");
    let part = cache.join("rivals.part");
    download(&names, &part)?;
    fs::rename(&part, debs).context("put the packages in their place")
}
