//! The settings file of the Session Manager: JSON since it is no longer PHP's own format. Of all that is in it, only where
//! the database is and whether maintenance is switched on matter here.
//!
//! No text of an error holds a value of the file: the database's password is among them.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::error::Category;

use crate::probe::mysql::{Database, Place};
use crate::secret::Secret;

/// Bytes of a settings file at most: real ones have some ten thousand.
const CAP: u64 = 16 << 20;
/// Where MySQL listens when the settings name no port.
const PORT: u16 = 3306;
/// Where servers keep their socket: Debian and relatives, Red Hat and relatives.
const SOCKETS: [&str; 2] = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock"];
/// Longest host name, in bytes (RFC 1035, section 2.3.4).
const HOST: usize = 255;

/// What the settings say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database of the Session Manager, and how it logs in there.
    pub database: Database,
    /// Whether the administrator has switched maintenance on: users are turned away, which is no failure.
    pub maintenance: bool,
}

impl Settings {
    /// Reads the file.
    ///
    /// # Errors
    /// One line: the file and why it is of no use.
    pub fn read(path: &Path) -> Result<Self, String> {
        let socket = SOCKETS.iter().map(Path::new).find(|socket| socket.exists());
        content(path)
            .and_then(|text| Self::parse(&text, socket))
            .map_err(|reason| format!("settings {}: {reason}", path.display()))
    }

    /// Takes what matters out of the file's content; `socket` is what the host `localhost` stands for, if this node has
    /// one: a client of MySQL never takes that name for an address.
    ///
    /// # Errors
    /// One line without any value of the file.
    pub fn parse(text: &[u8], socket: Option<&Path>) -> Result<Self, String> {
        let all = json(text)?;
        let kind = word(&all, "type")?;
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("mysql") {
            return Err("general.sql.type is not mysql".into());
        }
        let host = word(&all, "host")?;
        if host.is_empty() {
            return Err("no general.sql.host".into());
        }
        let place = match (place(&host)?, socket) {
            (Place::Tcp(name, PORT), Some(socket)) if is_localhost(&name) && !host.contains(':') => {
                Place::Socket(PathBuf::from(socket))
            }
            (Place::Tcp(name, port), _) if is_localhost(&name) => Place::Tcp("127.0.0.1".into(), port),
            (place, _) => place,
        };
        let database = Database {
            place,
            user: word(&all, "user")?,
            password: Secret::new(word(&all, "password")?),
            name: word(&all, "database")?,
        };
        let maintenance = match all.pointer("/general/system_in_maintenance") {
            Some(Value::Bool(on)) => *on,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::String(text)) => matches!(text.as_str(), "1" | "true" | "yes" | "on"),
            _ => false,
        };
        Ok(Self { database, maintenance })
    }

    /// Whether the database is on this node itself, as far as its name tells: another node that says the same means
    /// another database.
    pub fn is_local(&self) -> bool {
        match &self.database.place {
            Place::Socket(_) => true,
            Place::Tcp(host, _) => match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
                Ok(address) => address.is_loopback() || address.is_unspecified(),
                Err(_) => is_localhost(host),
            },
        }
    }
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    // Before it is opened: a pipe of that name would hold us for ever.
    let found = path.metadata().map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("not a file".into());
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(CAP + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > CAP {
        return Err(format!("bigger than {} MiB", CAP >> 20));
    }
    Ok(text)
}

/// The JSON value, or what the file looks like instead.
fn json(text: &[u8]) -> Result<Value, String> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err("empty, as a half-copied file is".into());
    }
    if text.first() == Some(&0) {
        return Err("filled with NUL bytes, as a half-copied file is".into());
    }
    serde_json::from_slice(text).map_err(|error| {
        let place = format!("at line {}, column {}", error.line(), error.column());
        match error.classify() {
            _ if is_php(text) => "PHP's serialized format of an older Session Manager, no JSON".into(),
            // The library's words may quote the file.
            Category::Eof => format!("ends {place} before its JSON does, as a half-copied file does"),
            _ => format!("no JSON {place}"),
        }
    })
}

/// Whether it begins as PHP's serialize() writes an array, an object or a text: `a:3:{`.
fn is_php(text: &[u8]) -> bool {
    let [kind, b':', rest @ ..] = text.trim_ascii_start() else { return false };
    let mut parts = rest.splitn(2, |byte| *byte == b':');
    let length = parts.next().unwrap_or_default();
    b"aOs".contains(kind) && !length.is_empty() && length.iter().all(u8::is_ascii_digit) && parts.next().is_some()
}

/// A text under general.sql; empty when it is not there or null. A number is what PHP makes of it.
fn word(all: &Value, key: &str) -> Result<String, String> {
    match all.pointer(&format!("/general/sql/{key}")) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(format!("general.sql.{key} is no text")),
    }
}

/// A name, an address, or one of the two with a port; an IPv6 address with a port stands in brackets.
fn place(host: &str) -> Result<Place, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = |name: &str| !name.is_empty() && name.chars().all(plain) && !name.starts_with('-');
    let refused = || "general.sql.host is no host name or address".to_owned();
    if host.len() > HOST {
        return Err(refused());
    }
    if host.parse::<Ipv6Addr>().is_ok() {
        return Ok(Place::Tcp(host.into(), PORT));
    }
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) if address.parse::<Ipv6Addr>().is_ok() => {
            (address, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or_else(refused)?) })
        }
        Some(_) => return Err(refused()),
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    if !is_name(name) && name.parse::<Ipv6Addr>().is_err() {
        return Err(refused());
    }
    let port = match port {
        None => PORT,
        // A sign is no digit, but the standard library takes it.
        Some(port) => (port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten())
            .filter(|port| *port > 0)
            .ok_or("general.sql.host has a port that is no number from 1 to 65535")?,
    };
    Ok(Place::Tcp(name.into(), port))
}

fn is_localhost(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
#[path = "settings_tests.rs"]
mod tests;
