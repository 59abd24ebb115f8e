//! A unit of systemd is claimed for the cluster, and given back: a drop-in that goes with a reboot.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bus::{Bus, ask};
use super::systemd::{or_else, systemctl};
use super::unit_files::{NO_NAME, is_name};
use super::{Service, because};
use crate::ocf::deadline::Deadline;

/// What keeps systemd from acting on its own: Pacemaker is stopped first at shutdown, and it alone restarts. systemd reads
/// drop-ins in the order of their names, wherever they are, and the last one wins: this one has to come after the
/// override.conf that `systemctl edit` writes.
const DROP_IN: &str = "zz-inuvika-ha.conf";
const DROP_IN_TEXT: &str = "# Written by inuvika-ha while the cluster runs this service; removed when it stops.\n\
    [Unit]\nBefore=pacemaker.service pacemaker_remote.service\n\n[Service]\nRestart=no\n";
/// systemd gets this long to begin to read its files again; a stop does not depend on it.
const BEGIN: Duration = Duration::from_secs(2);

/// Writes the drop-in and makes systemd read it; true when it was not there.
pub(super) fn claim(service: &Service, unit: &str, deadline: &Deadline) -> io::Result<bool> {
    let folder = folder_of(unit).map_err(|error| because("claim", service, &error))?;
    let file = folder.join(DROP_IN);
    let is_new = fs::read_to_string(&file).ok().as_deref() != Some(DROP_IN_TEXT);
    if is_new {
        write(&folder, &file)
            .map_err(|error| because("claim", service, &format!("write {}: {error}", file.display())))?;
    }
    let read = ask(deadline, async |bus: Bus| {
        // An action that was killed between the two steps has left a file that systemd does not know.
        if is_new || bus.needs_reload(&bus.load(unit).await?).await? {
            bus.reload().await?;
        }
        Ok(())
    });
    let read = or_else(read, || systemctl(&["daemon-reload"], deadline).map(drop));
    read.map_err(|error| because("claim", service, &format!("reload systemd: {error}")))?;
    Ok(is_new)
}

/// Removes the drop-in and asks systemd to read its files again, without waiting until it has done so.
pub(super) fn release(service: &Service, unit: &str, deadline: &Deadline) -> io::Result<()> {
    let Ok(folder) = folder_of(unit) else { return Ok(()) };
    let file = folder.join(DROP_IN);
    match fs::remove_file(&file) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(because("release", service, &format!("remove {}: {error}", file.display()))),
    }
    // Others may have drop-ins there; then it stays.
    let _ = fs::remove_dir(&folder);
    let limit = deadline.within(BEGIN);
    let asked = ask(&limit, async |bus: Bus| bus.request_reload().await);
    or_else(asked, || systemctl(&["daemon-reload"], &limit).map(drop))
        .map_err(|error| because("release", service, &format!("reload systemd: {error}")))
}

fn folder_of(unit: &str) -> io::Result<PathBuf> {
    if !is_name(unit) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, NO_NAME));
    }
    Ok(Path::new("/run/systemd/system").join(format!("{unit}.d")))
}

/// Writes beside and renames: systemd may read at any moment.
fn write(folder: &Path, file: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    let beside = folder.join(format!(".{DROP_IN}.{}", std::process::id()));
    let mut output = fs::File::options().write(true).create(true).truncate(true).mode(0o644).open(&beside)?;
    // Whatever the umask of Pacemaker is: of a file that not all may read systemd complains each time that it reads it.
    output.set_permissions(Permissions::from_mode(0o644))?;
    output.write_all(DROP_IN_TEXT.as_bytes())?;
    fs::rename(&beside, file)
}
