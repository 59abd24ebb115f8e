//! The packages that packaging/build has made for old systems.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::made::{self, Packages, ask};

/// glibc of RHEL 7.
const OLDEST: [u32; 2] = [2, 17];
/// Parts of glibc, which those systems have.
const LIBRARIES: &[&str] =
    &["ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1"];
/// In bytes.
const MOST: u64 = 12 * 1024 * 1024;

fn packages() -> Result<Packages> {
    made::shipped().context("INUVIKA_PACKAGES is not set")
}

/// The program as it is in both packages.
fn programs() -> Result<[PathBuf; 2]> {
    let packages = packages()?;
    let (deb, rpm) = (made::folder("shipped-deb"), made::folder("shipped-rpm"));
    for folder in [&deb, &rpm] {
        std::fs::create_dir_all(folder)?;
    }
    let unpacked = Command::new("dpkg-deb").arg("--extract").args([&packages.deb, &deb]).status()?;
    ensure!(unpacked.success(), "dpkg-deb --extract");
    let script = "rpm2cpio \"$1\" | (cd \"$2\" && cpio --extract --make-directories --unconditional --quiet)";
    let unpacked = Command::new("sh").args(["-c", script, "-"]).args([&packages.rpm, &rpm]).status()?;
    ensure!(unpacked.success(), "rpm2cpio");
    Ok([deb, rpm].map(|folder| folder.join("usr/sbin/inuvika-ha")))
}

pub fn old_systems() -> Result<()> {
    for program in programs()? {
        let program = program.to_str().context("a strange path")?;
        let symbols = ask(&["objdump", "-T", program])?;
        let versions: Vec<[u32; 2]> = symbols.split("GLIBC_").skip(1).filter_map(version).collect();
        // Hundreds: a listing without any would satisfy every limit.
        ensure!(versions.len() > 100, "{} symbols of glibc", versions.len());
        let newest = versions.iter().max().context("no symbol")?;
        ensure!(*newest <= OLDEST, "it wants glibc {newest:?}");
        let headers = ask(&["objdump", "-p", program])?;
        let needed = headers.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")).map(str::trim);
        let needed: Vec<&str> = needed.collect();
        ensure!(needed.contains(&"libc.so.6"), "{needed:?}");
        ensure!(needed.iter().all(|library| LIBRARIES.contains(library)), "{needed:?}");
        ensure!(ask(&[program, "--version"])?.trim() == format!("inuvika-ha {}", env!("CARGO_PKG_VERSION")));
    }
    Ok(())
}

/// The first two numbers of `2.17) fstat`; those of `2.2.5` are 2 and 2.
fn version(text: &str) -> Option<[u32; 2]> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let mut numbers = text[..end].split('.').map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
}

pub fn small() -> Result<()> {
    for program in programs()? {
        let size = std::fs::metadata(&program)?.len();
        ensure!(size < MOST, "the program has {size} bytes");
    }
    let packages = packages()?;
    for package in [packages.deb, packages.rpm] {
        eprintln!("packages: {}: {} bytes", package.display(), std::fs::metadata(&package)?.len());
    }
    Ok(())
}

pub fn needs() -> Result<()> {
    let packages = packages()?;
    let (deb, rpm) = (packages.deb.to_str().context("path")?, packages.rpm.to_str().context("path")?);
    let field = |name: &str| ask(&["dpkg-deb", "--field", deb, name]).map(|text| text.trim().to_owned());
    ensure!(field("Depends")? == "libc6 (>= 2.17)", "{}", field("Depends")?);
    ensure!(field("Recommends")? == "pacemaker, resource-agents", "{}", field("Recommends")?);
    // A package of RHEL 7 unpacks neither zstd nor what its rpm does not know.
    let format = "%{PAYLOADCOMPRESSOR} [%{RECOMMENDNAME} ]";
    let said = ask(&["rpm", "--query", "--package", rpm, "--queryformat", format])?;
    ensure!(said.trim() == "xz pacemaker resource-agents", "{said}");
    let required = ask(&["rpm", "--query", "--package", rpm, "--requires"])?;
    let of_glibc = required.split("GLIBC_").skip(1).filter_map(version);
    ensure!(of_glibc.clone().count() > 0 && of_glibc.max() <= Some(OLDEST), "{required}");
    Ok(())
}
