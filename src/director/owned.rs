//! Which virtual services of the kernel's table are ours: the only ones that a stop removes.
//!
//! A key is written down before the kernel hears of it, and crossed out after the kernel has forgotten it: killed at any
//! instant, the next stop finds everything that was ours and nothing that was not.

use std::collections::{BTreeSet, HashSet};
use std::io;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use super::kernel::Kernel;
use super::{health, name, round};
use crate::ocf::state::{Kept, State};
use crate::sys::ipvs::{Change, Key};

/// The file in the state folder.
pub const FILE: &str = "lvs.owned";

/// Our virtual services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owned {
    /// Their keys.
    pub keys: BTreeSet<Key>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    services: Vec<String>,
}

impl Owned {
    /// Reads what was written down.
    ///
    /// # Errors
    /// Why it cannot be understood.
    pub fn read(state: &State) -> Result<Self, String> {
        let written = match state.recall::<Written>(FILE) {
            Kept::Nothing => return Ok(Self::default()),
            Kept::Unreadable(why) => return Err(why),
            Kept::Value(written) => written,
        };
        let key = |name: &String| name::key(name).ok_or_else(|| format!("{name:?} is not a service"));
        Ok(Self { keys: written.services.iter().map(key).collect::<Result<_, _>>()? })
    }

    /// Has these too, before the kernel hears of them.
    pub fn claim(&mut self, state: &State, keys: impl Iterator<Item = Key>) -> io::Result<()> {
        let all: BTreeSet<Key> = self.keys.iter().copied().chain(keys).collect();
        self.replace(state, all)
    }

    /// Has these alone, after the kernel has forgotten the others.
    pub fn replace(&mut self, state: &State, keys: BTreeSet<Key>) -> io::Result<()> {
        if keys == self.keys {
            return Ok(());
        }
        state.write(FILE, &Written { services: keys.iter().map(Key::to_string).collect() })?;
        self.keys = keys;
        Ok(())
    }
}

/// Removes what is ours from the kernel's table, and says what that was. `open` opens the table, or says that the kernel has
/// none now. Should the file not be readable, `farm` stands in for it: the keys of the configuration, if that can be read.
///
/// # Errors
/// What the kernel refused, in one line; the file stays, so that the next stop tries again.
pub fn stop<K: Kernel>(
    state: &State,
    farm: impl FnOnce() -> Vec<Key>,
    open: impl FnOnce() -> io::Result<Option<K>>,
) -> io::Result<Vec<String>> {
    let keys: Vec<Key> = Owned::read(state).map_or_else(|_| farm(), |owned| owned.keys.into_iter().collect());
    let mut removed = Vec::new();
    let kernel = if keys.is_empty() { None } else { open()? };
    if let Some(mut kernel) = kernel {
        let changes: Vec<Change> = keys.iter().map(|key| Change::DeleteService(*key)).collect();
        let failed = kernel.apply(&changes)?;
        let refused: Vec<&(usize, io::Error)> =
            failed.iter().filter(|(_, error)| error.raw_os_error() != Some(Errno::ESRCH as i32)).collect();
        // A kernel without IPv6 or SCTP in IPVS refuses to delete what it never took: what counts is what is there.
        let here: HashSet<Key> = match refused.is_empty() {
            true => HashSet::new(),
            false => kernel.list()?.iter().map(|entry| entry.service.key).collect(),
        };
        let is_here = |place: usize| keys.get(place).is_some_and(|key| here.contains(key));
        if let Some((place, error)) = refused.into_iter().find(|(place, _)| is_here(*place)) {
            let change = changes.get(*place).map(|change| K::explain(change, error));
            return Err(io::Error::other(change.unwrap_or_else(|| error.to_string())));
        }
        let places: HashSet<usize> = failed.iter().map(|(place, _)| *place).collect();
        let here = keys.iter().enumerate().filter(|(place, _)| !places.contains(place));
        removed = here.map(|(_, key)| key.to_string()).collect();
    }
    for file in [health::FILE, round::FILE, FILE] {
        state.forget(file);
    }
    Ok(removed)
}
