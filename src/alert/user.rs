//! The user that Pacemaker runs alert agents as: what this agent reads and writes is this user's.

use std::ffi::CString;
use std::io;

use nix::unistd::{Gid, Group, Uid, User, geteuid, initgroups, setgid, setuid};

/// The cluster's user.
pub const USER: &str = "hacluster";
/// Its group.
pub const GROUP: &str = "haclient";

/// Who may own the agent's files.
#[derive(Debug, Clone, Copy)]
pub struct Owners {
    /// The cluster's user, or who runs this where there is none.
    pub user: Uid,
    /// The cluster's group.
    pub group: Option<Gid>,
}

impl Owners {
    /// As this host has them.
    pub fn of_host() -> Self {
        let user = User::from_name(USER).ok().flatten();
        let group = Group::from_name(GROUP).ok().flatten();
        Self { user: user.map_or_else(geteuid, |user| user.uid), group: group.map(|group| group.gid) }
    }
}

/// Lets root go on as the cluster's user, so that the spool stays that user's and files are read with its rights. Others
/// stay who they are. To be called while there is one thread.
///
/// # Errors
/// That there is no such user, or what the kernel said.
pub fn step_down() -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("there is no user {USER}: install pacemaker"));
    let user = User::from_name(USER)?.ok_or_else(missing)?;
    let name = CString::new(USER).map_err(io::Error::other)?;
    initgroups(&name, user.gid)?;
    setgid(user.gid)?;
    setuid(user.uid)?;
    Ok(())
}
