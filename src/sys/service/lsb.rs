//! A daemon under an LSB script. The script only starts it: its processes are known by their program, and `stop` ends
//! those, because a script may wait, or leave workers of a dead main process behind.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Service;
use super::direct::{is_complete, option_of};
use super::launch::launch;
use super::processes::{Seen, of_program};
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// Its processes: those of the program with the configuration file that is built in, below the root of this script.
pub(super) fn processes(script: &Path, program: &Path) -> io::Result<Vec<Seen>> {
    of_program(program, |arguments| {
        option_of(arguments, b'f').is_none() && is_root_of(option_of(arguments, b'd'), script, program)
    })
}

/// Whether a server with this root (`-d`; none: the one that is built in) is that of the script. Debian's scripts of
/// further instances (/usr/share/doc/apache2/README.multiple-instances) are called `apache2-NAME` and run
/// `apache2 -d /etc/apache2-NAME`; a script of the administrator's own names the root, or its file of defaults does.
fn is_root_of(root: Option<&[u8]>, script: &Path, program: &Path) -> bool {
    let (Some(own), Some(usual)) = (script.file_name(), program.file_name()) else { return true };
    let instance = own.as_bytes().strip_prefix(usual.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'-'));
    let etc = Path::new("/etc");
    let Some(root) = root else { return !(instance && etc.join(own).is_dir()) };
    let path = Path::new(OsStr::from_bytes(root));
    let is_same = |other: &Path| {
        path == other || fs::canonicalize(path).ok().is_some_and(|real| fs::canonicalize(other).ok() == Some(real))
    };
    let files = [script.to_owned(), etc.join("default").join(own), etc.join("sysconfig").join(own)];
    let names = |file: &Path| fs::read(file).is_ok_and(|text| has_word(&text, root));
    is_same(&etc.join(own)) || !instance && is_same(&etc.join(usual)) || files.iter().any(|file| names(file))
}

/// Whether a path stands in a text, and not as a part of a longer one.
fn has_word(text: &[u8], path: &[u8]) -> bool {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
    let mut places = text.windows(path.len().max(1)).enumerate().filter(|(_, part)| *part == path);
    places.any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        !before.is_some_and(goes_on) && !text.get(at + path.len()).is_some_and(goes_on)
    })
}

/// Runs `SCRIPT start` and waits until the main process is there.
pub(super) fn start(service: &Service, script: &Path, deadline: &Deadline) -> io::Result<()> {
    if is_complete(&service.seen()?) {
        return Ok(());
    }
    let start = [OsStr::new("start")];
    let said = launch(script, &start, deadline).map_err(|error| super::because("start", service, &error))?;
    super::wait_for_process(service, said, deadline)
}

/// The command that turns off what starts a script at boot; none when nothing does.
pub(super) fn at_boot(script: &Path) -> Option<String> {
    let name = script.file_name()?.to_str()?;
    let levels = ["2", "3", "4", "5", "S"];
    let folders = levels.iter().flat_map(|level| [format!("/etc/rc{level}.d"), format!("/etc/rc.d/rc{level}.d")]);
    let mut links = folders.flat_map(fs::read_dir).flatten().flatten();
    if !links.any(|link| link.file_name().to_str().is_some_and(|link| is_start_link(link, name))) {
        return None;
    }
    let command = match process::find("update-rc.d") {
        Some(_) => format!("update-rc.d {name} disable"),
        None => format!("chkconfig {name} off"),
    };
    Some(format!("{} starts at boot: {command}", script.display()))
}

/// `S20apache2` for `apache2`.
fn is_start_link(link: &str, name: &str) -> bool {
    let number = link.strip_prefix('S').and_then(|rest| rest.strip_suffix(name));
    number.is_some_and(|number| number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_root_belongs_to_the_script_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("web");
        fs::write(&script, "#!/bin/sh\nexec /usr/sbin/apache2 -d /srv/web -k \"$1\"\n").unwrap();
        let program = Path::new("/usr/sbin/apache2");
        let is = |root: Option<&str>, script: &Path| is_root_of(root.map(str::as_bytes), script, program);
        assert!(is(None, &script) && is(Some("/srv/web"), &script) && is(Some("/etc/apache2"), &script));
        assert!(!is(Some("/srv/we"), &script) && !is(Some("/srv"), &script) && !is(Some("/"), &script));
        assert!(!is(Some("/srv/other"), &script) && !is(Some("/etc/apache2-x"), &script));
        let usual = Path::new("/etc/init.d/apache2");
        assert!(is(None, usual) && is(Some("/etc/apache2"), usual) && !is(Some("/etc/apache2-x"), usual));
        let instance = Path::new("/etc/init.d/apache2-x");
        assert!(is(Some("/etc/apache2-x"), instance) && !is(Some("/etc/apache2"), instance));
    }

    #[test]
    fn start_links_have_a_number_of_two_digits() {
        assert!(is_start_link("S20apache2", "apache2"));
        for other in ["K20apache2", "S20apache2x", "S20xapache2", "Sapache2", "S2apache2", "README"] {
            assert!(!is_start_link(other, "apache2"), "{other}");
        }
    }
}
