//! The daemons that tell connections to the other directors: master and backup on every one, so that none has to be changed
//! when the virtual address moves. Only those that this instance has started are ever stopped.

use std::collections::BTreeSet;
use std::io;

use nix::errno::Errno;

use super::table;
use crate::director::farm::Farm;
use crate::ocf::operation::Operation;
use crate::sys::ipvs::{self, Ipvs, Role, SyncDaemon};

/// The file in the state folder: the roles of the daemons that this instance has started.
const FILE: &str = "lvs.sync";
const ROLES: [(Role, &str); 2] = [(Role::Master, "master"), (Role::Backup, "backup")];

/// Makes the daemons run as they are wanted.
///
/// # Errors
/// One line: the service works without them, only connections do not survive a failover.
pub fn reconcile(farm: &Farm, kernel: &mut Ipvs, op: &Operation) -> Result<(), String> {
    let ours = ours(op);
    if farm.sync.is_none() && ours.is_empty() {
        return Ok(());
    }
    let running = kernel.sync_daemons().map_err(|error| format!("list the sync daemons: {error}"))?;
    let mut first = Ok(());
    for (role, word) in ROLES {
        let wanted = farm.sync.as_ref().map(|sync| SyncDaemon {
            role,
            interface: sync.interface.clone(),
            id: sync.id,
            max_len: sync.max_length,
            group: sync.group,
            port: sync.port,
            ttl: sync.ttl,
        });
        let found = running.iter().find(|daemon| daemon.role == role);
        let result = one(wanted.as_ref(), found, ours.contains(word), word, kernel, op);
        first = first.and(result);
    }
    first
}

fn one(
    wanted: Option<&SyncDaemon>,
    found: Option<&SyncDaemon>,
    is_ours: bool,
    word: &str,
    kernel: &mut Ipvs,
    op: &Operation,
) -> Result<(), String> {
    match (wanted, found) {
        (Some(wanted), Some(found)) if wanted.is_run_by(found) => return Ok(()),
        (Some(wanted), Some(found)) if !is_ours => {
            let (link, other) = (&wanted.interface, &found.interface);
            return Err(format!("somebody else runs the {word} sync daemon on {other}, not on {link}: stop that one"));
        }
        (_, Some(found)) if is_ours => {
            kernel.stop_sync(found.role).map_err(|error| format!("stop the {word} sync daemon: {error}"))?;
            op.log.info(&format!("{word} sync daemon on {} stopped", found.interface));
        }
        _ => {}
    }
    let Some(wanted) = wanted else {
        return remember(op, word, false);
    };
    // Before the kernel hears of it, so that a stop after a kill finds it.
    remember(op, word, true)?;
    kernel.start_sync(wanted).map_err(|error| ipvs::explain_sync(wanted, &error))?;
    op.log.info(&format!("{word} sync daemon on {} started", wanted.interface));
    Ok(())
}

/// Stops the daemons that this instance has started.
pub fn stop(op: &Operation) -> io::Result<()> {
    let ours = ours(op);
    if ours.is_empty() {
        return Ok(());
    }
    if let Some(mut kernel) = table()? {
        for (role, _) in ROLES.iter().filter(|(_, word)| ours.contains(*word)) {
            match kernel.stop_sync(*role) {
                Err(error) if error.raw_os_error() != Some(Errno::ESRCH as i32) => return Err(error),
                _ => {}
            }
        }
    }
    op.state.forget(FILE);
    Ok(())
}

fn ours(op: &Operation) -> BTreeSet<String> {
    op.state.read(FILE).unwrap_or_default()
}

fn remember(op: &Operation, word: &str, is_ours: bool) -> Result<(), String> {
    let mut all = ours(op);
    let changed = if is_ours { all.insert(word.to_owned()) } else { all.remove(word) };
    if !changed {
        return Ok(());
    }
    op.state.write(FILE, &all).map_err(|error| format!("remember the {word} sync daemon: {error}"))
}
