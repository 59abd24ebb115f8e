//! The packages under test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// A .deb and an .rpm of the same program.
pub struct Packages {
    pub deb: PathBuf,
    pub rpm: PathBuf,
}

/// Where they are; removed with the lab, whose /run this is.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir_in("/run").unwrap());
static FIRST: LazyLock<Packages> = LazyLock::new(|| made("first", &[], &[]).unwrap());
static NEXT: LazyLock<Packages> = LazyLock::new(|| made("next", &["--revision", "2"], &[]).unwrap());

/// Those of the program that Cargo has built.
pub fn first() -> &'static Packages {
    &FIRST
}

/// The same of the next revision.
pub fn next() -> &'static Packages {
    &NEXT
}

/// Those that are shipped.
pub fn shipped() -> Option<Packages> {
    let folder = PathBuf::from(std::env::var_os("INUVIKA_PACKAGES")?);
    Some(in_folder(&folder, "1").expect("INUVIKA_PACKAGES names a folder with one .deb and one .rpm"))
}

/// Where a trial puts what it makes.
pub fn folder(name: &str) -> PathBuf {
    FOLDER.path().join(name)
}

/// packaging/build with these options and variables.
pub fn build(options: &[&str], variables: &[(&str, &str)]) -> Result<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/build");
    let mut command = Command::new(script);
    command.args(options).envs(variables.iter().copied());
    command.output().context("run packaging/build")
}

/// Makes the packages in a folder of that name.
pub fn made(name: &str, options: &[&str], variables: &[(&str, &str)]) -> Result<Packages> {
    let folder = folder(name);
    let place = folder.to_str().context("a strange folder")?;
    let fixed = ["--not-for-shipping", env!("CARGO_BIN_EXE_inuvika-ha"), "--output", place];
    let output = build(&[&fixed, options].concat(), variables)?;
    ensure!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    in_folder(&folder, options.last().unwrap_or(&"1"))
}

fn in_folder(folder: &Path, revision: &str) -> Result<Packages> {
    let version = env!("CARGO_PKG_VERSION");
    let deb = folder.join(format!("inuvika-ha_{version}-{revision}_amd64.deb"));
    let rpm = folder.join(format!("inuvika-ha-{version}-{revision}.x86_64.rpm"));
    for package in [&deb, &rpm] {
        ensure!(package.is_file(), "{} is not there", package.display());
    }
    Ok(Packages { deb, rpm })
}

/// Runs a judge, which must succeed; what it printed.
pub fn ask(words: &[&str]) -> Result<String> {
    let (program, arguments) = words.split_first().context("no command")?;
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output();
    let output = output.with_context(|| format!("run {program}"))?;
    ensure!(output.status.success(), "{}: {output:?}", words.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}
