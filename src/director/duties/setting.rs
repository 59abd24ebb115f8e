//! One value of the kernel, as below /proc/sys.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Where IPVS has its values, once it is loaded.
const IPVS: &str = "net/ipv4/vs/";

/// A value that a director needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    /// Its file below /proc/sys.
    pub path: String,
    /// What has to stand in there.
    pub value: String,
}

impl Setting {
    /// A setting by its path below /proc/sys.
    pub fn new(path: impl Into<String>, value: &str) -> Self {
        Self { path: path.into(), value: value.to_owned() }
    }
}

/// The name of a setting as sysctl(8) has it: `net.ipv4.conf.eth0/5.send_redirects` for the link eth0.5.
pub(super) fn name(path: &str) -> String {
    let swap = |c| match c {
        '/' => '.',
        '.' => '/',
        other => other,
    };
    path.chars().map(swap).collect()
}

/// What stands in it; none when this kernel has no such setting now.
///
/// # Errors
/// One line.
pub(super) fn read(root: &Path, path: &str) -> Result<Option<String>, String> {
    match fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("read {}: {error}", name(path))),
    }
}

/// Writes it.
///
/// # Errors
/// One line, with the remedy where it is known.
pub(super) fn write(root: &Path, path: &str, value: &str) -> Result<(), String> {
    // Never made where it is missing: below /proc that cannot be, elsewhere it would be no setting.
    let written = fs::File::options().write(true).truncate(true).open(root.join(path));
    written.and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(path),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            format!("set {} to {value}: {error}; a container may need its host to do it", name(path))
        }
        _ => format!("set {} to {value}: {error}", name(path)),
    })
}

/// What is said of a setting that is not there.
pub(super) fn missing(path: &str) -> String {
    let remedy = if path.starts_with(IPVS) {
        "IPVS is not loaded, or is without it".to_owned()
    } else if path.contains("/conf/") {
        "no such network link, or no such protocol".to_owned()
    } else {
        "this kernel has no such setting".to_owned()
    };
    format!("{}: {remedy}", name(path))
}
