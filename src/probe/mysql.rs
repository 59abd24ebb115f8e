//! A MySQL or MariaDB server, asked as its client would.

use std::path::PathBuf;

use crate::ocf::deadline::Deadline;
use crate::secret::Secret;

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Host name or address, and port.
    Tcp(String, u16),
    /// A socket on this host.
    Socket(PathBuf),
}

/// A database and who asks.
#[derive(Debug, Clone)]
pub struct Database {
    /// Where.
    pub place: Place,
    /// Who.
    pub user: String,
    /// With which password; none when empty.
    pub password: Secret,
    /// Which database; none when empty.
    pub name: String,
}

/// Why `SELECT 1` had no result. The texts are one line and never hold the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answered from there: no route, refused, no answer in time, a name that does not resolve, or a server that
    /// breaks off before it has said anything of its own.
    Unreachable(String),
    /// The server answered and refused: access denied, unknown database, host not allowed, too many connections,
    /// shutting down.
    Refused(String),
}

impl Database {
    /// Connects, asks `SELECT 1` and leaves; never longer than the deadline allows, name resolution included.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn select_1(&self, _deadline: &Deadline) -> Result<(), Trouble> {
        Err(Trouble::Unreachable("not there yet".into()))
    }
}
