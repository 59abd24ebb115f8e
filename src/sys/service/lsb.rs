//! A daemon under an LSB script. The script only starts it: its processes are known by their program, and `stop` ends
//! those, because a script may wait, or leave workers of a dead main process behind.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::Service;
use super::direct::{config_of, is_complete};
use super::launch::launch;
use super::processes::{Seen, of_program};
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// Its processes: those of the program with the configuration file that is built in.
pub(super) fn processes(program: &Path) -> io::Result<Vec<Seen>> {
    of_program(program, |arguments| config_of(arguments).is_none())
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
mod tests {
    use super::*;

    #[test]
    fn start_links_have_a_number_of_two_digits() {
        assert!(is_start_link("S20apache2", "apache2"));
        for other in ["K20apache2", "S20apache2x", "S20xapache2", "Sapache2", "S2apache2", "README"] {
            assert!(!is_start_link(other, "apache2"), "{other}");
        }
    }
}
