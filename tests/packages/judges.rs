//! What the distributions' own checks say.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::made;
use crate::manifest::root;

pub fn lintian() -> Result<()> {
    let output = Command::new("lintian").arg("--allow-root").arg(&made::first().deb).output().context("run lintian")?;
    let text = String::from_utf8(output.stdout)?;
    let lines: Vec<&str> = text.lines().filter(|line| !excused(line)).collect();
    ensure!(lines.is_empty(), "{}", lines.join("\n"));
    // It has looked: an override that nothing needs would be silence, too.
    let output = Command::new("lintian").args(["--allow-root", "--no-override"]).arg(&made::first().deb).output()?;
    ensure!(String::from_utf8(output.stdout)?.contains("hardening-no-pie"), "lintian has not looked at the program");
    Ok(())
}

pub fn rpmlint() -> Result<()> {
    let config = root().join("packaging/rpm/rpmlint.toml");
    let output = Command::new("rpmlint").arg("--config").arg(config).arg(&made::first().rpm).output();
    let text = String::from_utf8(output.context("run rpmlint")?.stdout)?;
    ensure!(text.contains("1 packages and 0 specfiles checked"), "{text}");
    let found = |line: &&str| line.contains(": W: ") || line.contains(": E: ");
    let lines: Vec<&str> = text.lines().filter(found).collect();
    ensure!(lines.is_empty(), "{}", lines.join("\n"));
    Ok(())
}

/// Pages are not there in every state of the tree: then that of the program is missing.
fn excused(line: &str) -> bool {
    !root().join("packaging/man/inuvika-ha.8").is_file() && line.contains("no-manual-page")
}
