//! packaging/build itself.

use anyhow::{Result, ensure};

use crate::made;

/// Another time, time zone, language and mask; only the program is the same.
pub fn same_bytes() -> Result<()> {
    let first = made::first();
    // A minute makes a difference where a time slips in, a second may not.
    let variables =
        [("TZ", "Asia/Tokyo"), ("LC_ALL", "C.UTF-8"), ("XZ_DEFAULTS", "--threads=4"), ("GZIP", ""), ("USER", "x")];
    let again = made::made("again", &[], &variables)?;
    for (one, other) in [(&first.deb, &again.deb), (&first.rpm, &again.rpm)] {
        ensure!(std::fs::read(one)? == std::fs::read(other)?, "{} differs from {}", one.display(), other.display());
    }
    // The comparison is able to see a difference: the date of everything.
    let later = made::made("later", &[], &[("SOURCE_DATE_EPOCH", "1800000000")])?;
    ensure!(std::fs::read(&first.deb)? != std::fs::read(&later.deb)?, "the date does not count in the .deb");
    ensure!(std::fs::read(&first.rpm)? != std::fs::read(&later.rpm)?, "the date does not count in the .rpm");
    Ok(())
}

pub fn refusals() -> Result<()> {
    for (options, said) in [
        (&["--only", "msi"][..], "--only msi: deb or rpm"),
        (&["--arch", "sparc"], "--arch sparc: x86_64 or aarch64"),
        (&["--revision", "1a"], "--revision 1a: a number"),
        (&["--output"], "--output wants a value: see packaging/build --help"),
        (&["--nonsense"], "unknown option --nonsense: see packaging/build --help"),
        (&["--not-for-shipping", "/nowhere/x"], "--not-for-shipping /nowhere/x: no such file"),
    ] {
        let output = made::build(options, &[])?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.code() == Some(1) && text == format!("packaging/build: {said}\n"),
            "{options:?}: {output:?}"
        );
    }
    let help = made::build(&["--help"], &[])?;
    let text = String::from_utf8(help.stdout)?;
    ensure!(
        help.status.success() && text.starts_with("Makes the .deb") && text.contains("--not-for-shipping"),
        "{text}"
    );
    Ok(())
}
