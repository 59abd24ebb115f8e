//! Which processes are in the control group of a unit: that is how systemd itself knows them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

/// Where systemd's tree can be: version 2, version 1, version 1 with version 2 beside it.
const ROOTS: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];

/// The ids of all processes of a unit: in `group`, else in the one that it has unless its `Slice=` says otherwise.
///
/// # Errors
/// See [`processes`].
pub(super) fn of_unit(unit: &str, group: Option<&str>) -> io::Result<Vec<i32>> {
    match group {
        Some(group) => processes(group),
        None => processes(&format!("/system.slice/{unit}")),
    }
}

/// The ids of all processes in a group and in those below it. No such group: none.
///
/// # Errors
/// When the name is not one of a service's group, or the kernel does not show the groups here.
pub(super) fn processes(group: &str) -> io::Result<Vec<i32>> {
    if !is_of_service(group) {
        // A wrong name might be that of all services together.
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{group} is not the control group of a service"),
        ));
    }
    let mut pids = Vec::new();
    let mut mounted = false;
    for root in ROOTS {
        let folder = PathBuf::from(format!("{root}{group}"));
        mounted |= collect(&folder, &mut pids)? || Path::new(root).join("cgroup.procs").exists();
    }
    if !mounted {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no control groups of systemd in /sys/fs/cgroup"));
    }
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

fn is_of_service(group: &str) -> bool {
    let unit = group.rsplit('/').next().unwrap_or_default();
    let named = unit.strip_suffix(".service").is_some_and(|name| !name.is_empty());
    named && group.starts_with('/') && !group.split('/').any(|part| part == "..")
}

/// False when there is no such group, or when it goes away meanwhile.
fn collect(folder: &Path, pids: &mut Vec<i32>) -> io::Result<bool> {
    match fs::read_to_string(folder.join("cgroup.procs")) {
        // 0 is a process that this PID namespace does not show.
        Ok(text) => pids.extend(text.lines().filter_map(|line| line.parse().ok()).filter(|pid: &i32| *pid > 0)),
        Err(error) if is_gone(&error) => return Ok(false),
        // A group of threads: its processes are listed by the group above.
        Err(error) if error.raw_os_error() == Some(Errno::EOPNOTSUPP as i32) => {}
        Err(error) => return Err(error),
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(true),
        Err(error) => return Err(error),
    };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), pids)?;
        }
    }
    Ok(true)
}

/// What the kernel says of a group that is removed, before or while it is read.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::ENODEV as i32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_the_group_of_a_service_is_taken() {
        for group in ["/system.slice/apache2.service", "/a.slice/a-b.slice/c@d.service"] {
            assert!(is_of_service(group), "{group}");
        }
        for group in
            ["", "/", "/system.slice", "/system.slice/", "/system.slice/.service", "apache2.service", "/../a.service"]
        {
            assert!(!is_of_service(group), "{group}");
            assert!(processes(group).is_err(), "{group}");
        }
    }

    #[test]
    fn processes_of_groups_below_count_and_a_missing_group_has_none() {
        let group = tempfile::tempdir().unwrap();
        fs::create_dir_all(group.path().join("below/deep")).unwrap();
        fs::write(group.path().join("cgroup.procs"), "0\n12\n").unwrap();
        fs::write(group.path().join("below/cgroup.procs"), "").unwrap();
        fs::write(group.path().join("below/deep/cgroup.procs"), "7\n13\n").unwrap();
        let mut pids = Vec::new();
        assert!(collect(group.path(), &mut pids).unwrap());
        assert_eq!(pids, [12, 7, 13]);
        assert!(!collect(Path::new("/nowhere"), &mut pids).unwrap());
    }
}
