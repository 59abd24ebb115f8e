//! Files of units: whether there is one that can be started, and whether it starts at boot. Nothing is asked but the files.

use std::fs;
use std::path::{Path, PathBuf};

/// Unit files, those that win first (systemd.unit(5)).
const FOLDERS: [&str; 8] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
    "/run/systemd/transient",
];
pub(super) const NO_NAME: &str = "not the name of a service unit";

/// Whether there is such a unit that can be started; a masked one cannot.
pub fn unit_exists(unit: &str) -> bool {
    look_for(unit) == Some(true)
}

/// Whether there is such a unit, but masked: what runs of it goes on, and cannot be started again.
pub fn unit_masked(unit: &str) -> bool {
    look_for(unit) == Some(false)
}

/// What the folder that wins says of a unit.
fn look_for(unit: &str) -> Option<bool> {
    FOLDERS.iter().filter(|_| is_name(unit)).find_map(|folder| state_of(Path::new(folder), unit))
}

/// What one folder says of a unit: there, masked (false), or nothing.
fn state_of(folder: &Path, unit: &str) -> Option<bool> {
    let template = unit.split_once('@').map(|(name, _)| format!("{name}@.service"));
    [Some(unit.to_owned()), template].into_iter().flatten().find_map(|name| {
        let path = folder.join(name);
        fs::symlink_metadata(&path).ok()?;
        // A link to /dev/null or an empty file masks it; a link to nowhere is no unit.
        Some(fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() > 0))
    })
}

/// Whether this can be the name of a service unit: what else it was, it would lead to another folder.
pub(super) fn is_name(unit: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let named = unit.strip_suffix(".service").is_some_and(|name| !name.is_empty() && name != "." && name != "..");
    named && unit.len() < 256 && unit.bytes().all(allowed)
}

/// The command that turns off what starts a unit at boot; none when nothing does.
pub(super) fn at_boot(unit: &str) -> Option<String> {
    let folder = FOLDERS.iter().find(|folder| is_wanted(Path::new(folder), unit))?;
    let remedy = match *folder {
        // Of a script in /etc/init.d: systemctl passes it on to update-rc.d or chkconfig.
        "/etc/systemd/system" | "/run/systemd/system" | "/run/systemd/generator.late" => {
            format!("systemctl disable {unit}")
        }
        // systemctl disable leaves these alone.
        _ => format!("remove its link below {folder}"),
    };
    Some(format!("{unit} starts at boot: {remedy}"))
}

/// Whether a folder of unit files has the unit in a `.wants` or `.requires` folder.
fn is_wanted(folder: &Path, unit: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let pulls = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "wants" || kind == "requires");
    entries.filter(pulls).any(|path| path.join(unit).symlink_metadata().is_ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_names_of_service_units_are_taken() {
        for name in ["apache2.service", "a@b.service", "dev-x\\x2d.service"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".service", "..service", "apache2", "a/b.service", "../a.service", "a b.service", "-.slice"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn masked_and_missing_units_do_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("there.service"), "[Service]\n").unwrap();
        fs::write(path("empty.service"), "").unwrap();
        fs::write(path("many@.service"), "[Service]\n").unwrap();
        symlink("/dev/null", path("masked.service")).unwrap();
        symlink("there.service", path("alias.service")).unwrap();
        symlink("nowhere.service", path("dangling.service")).unwrap();
        let state = |unit: &str| state_of(folder.path(), unit);
        assert_eq!((state("there.service"), state("alias.service")), (Some(true), Some(true)));
        assert_eq!(state("many@one.service"), Some(true));
        assert_eq!((state("masked.service"), state("empty.service")), (Some(false), Some(false)));
        assert_eq!((state("dangling.service"), state("no.service")), (Some(false), None));
    }

    #[test]
    fn links_of_targets_start_a_unit_at_boot() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("multi-user.target.wants")).unwrap();
        fs::create_dir(folder.path().join("apache2.service.d")).unwrap();
        fs::write(folder.path().join("apache2.service.d/apache2.service"), "").unwrap();
        assert!(!is_wanted(folder.path(), "apache2.service"));
        symlink("/nowhere", folder.path().join("multi-user.target.wants/apache2.service")).unwrap();
        assert!(is_wanted(folder.path(), "apache2.service"));
        assert!(!is_wanted(folder.path(), "httpd.service"));
    }
}
