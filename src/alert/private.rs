//! Files with a password in them: read only when nobody else can.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::{O_CLOEXEC, O_NONBLOCK};

use super::user::{GROUP, Owners, USER};

/// Largest file that is read, in bytes.
const SIZE_MAX: u64 = 256 << 10;

/// The text of a file that belongs to root or to the cluster's user and that others can neither read nor change.
///
/// # Errors
/// One line: what is wrong with which file, and the command that mends it.
pub fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    // A FIFO must not hold us.
    let file = File::options().read(true).custom_flags(O_NONBLOCK | O_CLOEXEC).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("{shown}: is not there"),
        ErrorKind::PermissionDenied => format!("{shown}: {USER} may not read it: chown {USER}:{GROUP} {shown}"),
        _ => format!("{shown}: {error}"),
    })?;
    let about = file.metadata().map_err(|error| format!("{shown}: {error}"))?;
    if !about.is_file() {
        return Err(format!("{shown}: is no file"));
    }
    if let Some(fault) = fault(about.uid(), about.gid(), about.mode(), Owners::of_host()) {
        return Err(format!("{shown}: {fault}: chown {USER}:{GROUP} {shown}; chmod 0600 {shown}"));
    }
    if about.len() > SIZE_MAX {
        return Err(format!("{shown}: is larger than {} KiB", SIZE_MAX >> 10));
    }
    let mut text = String::new();
    match (&mut file).take(SIZE_MAX).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(format!("{shown}: is not UTF-8 text")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

/// What is wrong with owner, group and mode. Pure.
fn fault(uid: u32, gid: u32, mode: u32, owners: Owners) -> Option<&'static str> {
    let group_is_ours = gid == 0 || owners.group.is_some_and(|group| group.as_raw() == gid);
    if uid != 0 && uid != owners.user.as_raw() {
        return Some("belongs to another user");
    }
    if mode & 0o004 != 0 || (mode & 0o040 != 0 && !group_is_ours) {
        return Some("may be read by others");
    }
    if mode & 0o022 != 0 {
        return Some("may be changed by others");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{Gid, Uid};

    #[test]
    fn only_root_and_the_cluster_may_have_it() {
        let owners = Owners { user: Uid::from_raw(189), group: Some(Gid::from_raw(190)) };
        for (uid, gid, mode, good) in [
            (189, 190, 0o100_600, true),
            (189, 50, 0o100_400, true),
            (0, 190, 0o100_640, true),
            (0, 0, 0o100_600, true),
            (0, 50, 0o100_640, false),
            (0, 190, 0o100_644, false),
            (0, 190, 0o100_660, false),
            (189, 190, 0o100_602, false),
            (1000, 190, 0o100_600, false),
        ] {
            assert_eq!(fault(uid, gid, mode, owners).is_none(), good, "{uid} {gid} {mode:o}");
        }
    }
}
