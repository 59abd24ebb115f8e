//! `inuvika-ha lock-is-held`: asked by this program itself, as the question may hang (see [`crate::probe::lock`]).

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Failure, print};
use crate::probe::lock;

/// Say whether somebody holds a lock on a file.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct LockIsHeld {
    /// The file.
    path: PathBuf,
}

impl LockIsHeld {
    pub(super) fn run(self) -> Result<(), Failure> {
        let word = lock::ask(&self.path).with_context(|| format!("ask about locks on {}", self.path.display()))?;
        print(&format!("{word}\n"))
    }
}
