//! A MySQL or MariaDB server, asked as its client would.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Instant;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error, IoError, OptsBuilder};

use super::line::{BROKEN, first_line, network, seconds};
use super::runtime;
pub use super::trouble::Trouble;
use crate::ocf::deadline::Deadline;
use crate::secret::Secret;

/// Longest packet, in bytes: far more than our question and its answer need.
const PACKET: usize = 1 << 20;
/// How long the library believes an idle connection alive, in seconds: ours never is idle.
const WAIT: usize = 60;

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

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Database {
    /// Connects, asks `SELECT 1` and leaves; never longer than the deadline allows, name resolution included.
    ///
    /// # Errors
    /// See [`Trouble`]. A server that lets this host in no more, or never did (1129, 1130), counts as out of reach: it may serve
    /// others.
    pub fn select_1(&self, deadline: &Deadline) -> Result<(), Trouble> {
        let started = Instant::now();
        let options = self.options();
        let question = async {
            let mut connection = Conn::new(options).await?;
            connection.query_drop("SELECT 1").await?;
            // The answer is there: what leaving may say is of no interest.
            let _ = connection.disconnect().await;
            Ok(())
        };
        match runtime::block(question, deadline) {
            Ok(Some(answer)) => answer.map_err(|error| self.explain(&error)),
            Ok(None) => {
                Err(Trouble::Unreachable(format!("database {}: no answer in {}", self.place, seconds(started))))
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(foreign(&self.place, &error.to_string())),
            Err(error) => Err(Trouble::Unreachable(format!("database {}: start the client: {error}", self.place))),
        }
    }

    fn options(&self) -> OptsBuilder {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let options = OptsBuilder::default()
            .user(given(&self.user))
            .pass(given(self.password.reveal()))
            .db_name(given(&self.name))
            // Each of the two would be one more question to the server.
            .max_allowed_packet(Some(PACKET))
            .wait_timeout(Some(WAIT))
            // It would ask for the server's own socket, and a tunnel's end on this host is no server.
            .prefer_socket(false)
            .stmt_cache_size(0);
        match &self.place {
            Place::Tcp(host, port) => options.ip_or_hostname(host.clone()).tcp_port(*port),
            Place::Socket(path) => options.socket(Some(path.to_string_lossy().into_owned())),
        }
    }

    fn explain(&self, error: &Error) -> Trouble {
        let place = &self.place;
        match error {
            // Too many broken connections from this host, and a host that may not come at all: others may be served.
            Error::Server(error) if [1129, 1130].contains(&error.code) => {
                let text = first_line(&error.message, 160);
                Trouble::Unreachable(format!("database {place} shuts this node out: {text} ({})", error.code))
            }
            Error::Server(error) => {
                let text = first_line(&error.message, 160);
                let text = text.strip_suffix(" (using password: YES)").unwrap_or(&text);
                Trouble::Refused(format!("database {place} refuses: {text} ({})", error.code))
            }
            Error::Io(IoError::Io(error)) => of_io(place, error),
            Error::Driver(DriverError::ConnectionClosed) => Trouble::Unreachable(format!("database {place}: {BROKEN}")),
            Error::Driver(error) => match login(error) {
                Some(reason) => Trouble::Refused(format!("database {place} refuses: {reason}")),
                None => foreign(place, &error.to_string()),
            },
            Error::Other(error) => foreign(place, &error.to_string()),
            Error::Url(error) => foreign(place, &error.to_string()),
        }
    }
}

/// What came from there is nothing that a database says.
fn foreign(place: &Place, reason: &str) -> Trouble {
    Trouble::Unreachable(format!("database {place}: answers, but not as a MySQL server: {}", first_line(reason, 80)))
}

/// A way to log in that the server insists on and that no client of the Session Manager's kind has either.
fn login(error: &DriverError) -> Option<&'static str> {
    match error {
        DriverError::UnknownAuthPlugin { .. } => Some("it wants a way to log in that is not supported"),
        DriverError::MysqlOldPasswordDisabled => Some("it wants the insecure old password format"),
        DriverError::CleartextPluginDisabled => Some("it wants the password in clear text"),
        _ => None,
    }
}

fn of_io(place: &Place, error: &io::Error) -> Trouble {
    let text = error.to_string();
    let reason = match error.kind() {
        ErrorKind::NotFound => "no such socket".into(),
        // What the parser says is of this kind, too.
        ErrorKind::UnexpectedEof if text == "connection closed" => BROKEN.into(),
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => return foreign(place, &text),
        ErrorKind::Other if !text.contains("lookup address") => return foreign(place, &text),
        _ => network(error),
    };
    Trouble::Unreachable(format!("database {place}: {reason}"))
}

#[cfg(test)]
mod tests {
    use mysql_async::ServerError;

    use super::*;

    fn database(host: &str) -> Database {
        Database {
            place: Place::Tcp(host.into(), 3306),
            user: "ovd".into(),
            password: Secret::new("hunter2"),
            name: "ovd".into(),
        }
    }

    #[test]
    fn what_the_server_says_is_a_refusal_in_one_line() {
        let error = Error::Server(ServerError {
            code: 1045,
            message: "Access denied for user 'ovd'@'10.20.1.11' (using password: YES)".into(),
            state: "28000".into(),
        });
        let text = "database dbmy.priv:3306 refuses: Access denied for user 'ovd'@'10.20.1.11' (1045)";
        assert_eq!(database("dbmy.priv").explain(&error), Trouble::Refused(text.into()));
    }

    #[test]
    fn a_network_error_is_none() {
        let error = Error::Io(IoError::Io(io::Error::from_raw_os_error(nix::libc::EHOSTUNREACH)));
        let text = "database [fd00::21]:3306: no route to host";
        assert_eq!(database("fd00::21").explain(&error), Trouble::Unreachable(text.into()));
    }

    #[test]
    fn the_password_is_in_no_debug_output() {
        assert!(!format!("{:?}", database("dbmy.priv")).contains("hunter2"));
    }
}
