//! A web server that is its own service manager: `PROGRAM -f CONFIG -k start`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Service;
use super::launch::launch;
use super::processes::{Seen, of_program};
use crate::ocf::deadline::Deadline;

/// Options of httpd(8) that take a value, as the next argument where it does not follow at once.
const WITH_VALUE: &[u8] = b"DCcdfkeEn";

/// The processes of the instance that reads `config`.
pub(super) fn processes(program: &Path, config: &Path) -> io::Result<Vec<Seen>> {
    let resolved = fs::canonicalize(config).ok();
    of_program(program, |arguments| {
        option_of(arguments, b'f').is_some_and(|given| {
            let given = Path::new(OsStr::from_bytes(given));
            given == config || resolved.is_some() && fs::canonicalize(given).ok() == resolved
        })
    })
}

/// The value of an option in a command line: `f` for the configuration file, `d` for the server's root. None: what is
/// built in.
pub(super) fn option_of<'a>(arguments: &[&'a [u8]], wanted: u8) -> Option<&'a [u8]> {
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        let [b'-', option, value @ ..] = argument else { continue };
        if !WITH_VALUE.contains(option) {
            continue;
        }
        let value = if value.is_empty() { rest.next().copied() } else { Some(value) };
        if *option == wanted {
            return value;
        }
    }
    None
}

/// Starts it, and waits until its main process is there.
pub(super) fn start(service: &Service, program: &Path, config: &Path, deadline: &Deadline) -> io::Result<()> {
    if is_complete(&service.seen()?) {
        return Ok(());
    }
    let arguments = [OsStr::new("-f"), config.as_os_str(), OsStr::new("-k"), OsStr::new("start")];
    let said = launch(program, &arguments, deadline).map_err(|error| super::because("start", service, &error))?;
    super::wait_for_process(service, said, deadline)
}

/// Whether a main process is among them. Several processes without a child are what a dead one left behind.
pub(super) fn is_complete(seen: &[Seen]) -> bool {
    seen.len() == 1 || seen.iter().any(|seen| !seen.process.top)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(line: &str) -> Option<&str> {
        let arguments: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        option_of(&arguments, b'f').and_then(|config| str::from_utf8(config).ok())
    }

    #[test]
    fn both_spellings_of_the_configuration_file_are_known() {
        assert_eq!(config("/usr/sbin/apache2 -f /etc/osm.conf -k start"), Some("/etc/osm.conf"));
        assert_eq!(config("/usr/sbin/apache2 -k start -f/etc/osm.conf"), Some("/etc/osm.conf"));
        assert_eq!(config("apache2 -DFOREGROUND -d /etc/apache2 -X -f a"), Some("a"));
        assert_eq!(config("/usr/sbin/apache2 -k start"), None);
        assert_eq!(config("/usr/sbin/apache2 -D -f -k start"), None, "-f is the value of -D here");
        assert_eq!(config("/usr/sbin/apache2 -f"), None);
        assert_eq!(config(""), None);
        let line: [&[u8]; 5] = [b"/usr/sbin/apache2", b"-f", b"-d", b"-d/etc/apache2-x", b"-DX"];
        assert_eq!(option_of(&line, b'd'), Some(b"/etc/apache2-x".as_slice()), "-d is the value of -f here");
    }
}
