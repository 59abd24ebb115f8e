//! The agent's configuration, /etc/inuvika-ha/alert.toml.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;

use super::event::Resources;
use super::private;
use crate::document::fault::{Fault, Source};
use crate::document::reader::{Item, Table, Word};
use crate::probe::http::Page;
use crate::secret::Secret;

/// Where it stands.
pub const PATH: &str = "/etc/inuvika-ha/alert.toml";

/// Everything the file says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which events of resources are told.
    pub resources: Resources,
    /// How long events are collected before a message about them is sent: 0 s to 10 s.
    pub gather: Duration,
    /// The least time between two mails: 0 s to 1 h. What happens meanwhile stands in the next one.
    pub every: Duration,
    /// How long a message that cannot be sent is kept: 1 h to 30 days.
    pub keep: Duration,
    /// By e-mail.
    pub mail: Option<Mail>,
    /// To a web server.
    pub hook: Option<Hook>,
    /// To a file.
    pub file: Option<PathBuf>,
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The mail server: a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// The CA certificates that its certificate has to be signed by; none: those of this system.
    pub ca: Option<PathBuf>,
    /// Who we are to the server.
    pub login: Option<(String, Password)>,
    /// The sender.
    pub from: Mailbox,
    /// Who gets it when the cluster names nobody.
    pub to: Vec<Mailbox>,
}

/// Where a password stands.
#[derive(Debug, Clone)]
pub enum Password {
    /// In the configuration.
    Here(Secret),
    /// In the first line of this file.
    File(PathBuf),
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From STARTTLS on (RFC 3207), without which nothing is sent.
    StartTls,
    /// From the first byte on (RFC 8314).
    Implicit,
    /// Not at all.
    None,
}

/// A web server that wants to know.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its URL; often a secret by itself, so it is shown nowhere.
    pub url: Secret,
    /// The CA certificates that its certificate has to be signed by; none: those of this system.
    pub ca: Option<PathBuf>,
    /// The file with the bearer token.
    pub token_file: Option<PathBuf>,
}

impl Password {
    /// The password itself.
    ///
    /// # Errors
    /// What is wrong with its file, in one line.
    pub fn read(&self) -> Result<Secret, String> {
        match self {
            Password::Here(secret) => Ok(secret.clone()),
            Password::File(path) => first_line(path),
        }
    }
}

/// The first line of a private file.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn first_line(path: &Path) -> Result<Secret, String> {
    let text = private::read(path)?;
    match text.lines().next().unwrap_or_default() {
        "" => Err(format!("{}: its first line is empty", path.display())),
        line => Ok(Secret::new(line)),
    }
}

impl Settings {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// What is wrong, and where, in one line.
    pub fn read(path: &Path) -> Result<Settings, String> {
        let text = private::read(path)?;
        let file = path.display().to_string();
        Settings::parse(Source { file: &file, text: &text }).map_err(|fault| fault.to_string())
    }

    /// Reads its text. Pure.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(source: Source<'_>) -> Result<Settings, Fault> {
        let top = Table::document(source)?;
        let mut top = top.only(&["resources", "gather", "every", "keep", "mail", "hook", "file"])?;
        let resources = match top.take("resources").map(Item::text).transpose()? {
            None => Resources::default(),
            Some(word) => match word.text.as_str() {
                "failures" => Resources::Failures,
                "all" => Resources::All,
                "none" => Resources::None,
                _ => return Err(word.must_be("\"failures\", \"all\" or \"none\"")),
            },
        };
        let gather = number(top.take("gather"), 5, 0..=10, "seconds")?;
        let every = number(top.take("every"), 60, 0..=3600, "seconds")?;
        let keep = number(top.take("keep"), 72, 1..=720, "hours")?;
        let place = top.place();
        let mail = top.take("mail").map(Item::table).transpose()?.map(Mail::parse).transpose()?;
        let hook = top.take("hook").map(Item::table).transpose()?.map(Hook::parse).transpose()?;
        let file = match top.take("file").map(Item::table).transpose()? {
            None => None,
            Some(table) => {
                let mut table = table.only(&["path"])?;
                Some(path(table.need("path", "the file that gets a line of JSON for each event")?)?)
            }
        };
        if mail.is_none() && hook.is_none() && file.is_none() {
            return Err(place.fault("has none of [mail], [hook] and [file]: nobody would be told"));
        }
        let seconds = Duration::from_secs;
        Ok(Settings {
            resources,
            gather: seconds(gather),
            every: seconds(every),
            keep: seconds(keep * 3600),
            mail,
            hook,
            file,
        })
    }
}

impl Mail {
    fn parse(table: Table<'_>) -> Result<Mail, Fault> {
        let keys = ["host", "port", "tls", "ca", "username", "password", "password_file", "from", "to"];
        let mut table = table.only(&keys)?;
        let host = table.need("host", "the name of the mail server")?.text()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if host.text.is_empty() || !host.text.chars().all(plain) {
            return Err(host.must_be("a host name or an address, without port"));
        }
        let tls = match table.take("tls").map(Item::text).transpose()? {
            None => Tls::StartTls,
            Some(word) => match word.text.as_str() {
                "starttls" => Tls::StartTls,
                "implicit" => Tls::Implicit,
                "none" => Tls::None,
                _ => return Err(word.must_be("\"starttls\", \"implicit\" or \"none\"")),
            },
        };
        let usual = match tls {
            Tls::StartTls => 587,
            Tls::Implicit => 465,
            Tls::None => 25,
        };
        let port = number(table.take("port"), usual, 1..=65535, "")?;
        let ca = table.take("ca").map(path).transpose()?;
        let login = login(&mut table, tls, &host.text)?;
        let from = mailbox(&table.need("from", "the address that mails come from")?.text()?)?;
        let to = match table.take("to").map(Item::texts).transpose()? {
            None => Vec::new(),
            Some(words) => words.iter().map(mailbox).collect::<Result<_, _>>()?,
        };
        // In range by the check above.
        let port = u16::try_from(port).unwrap_or_default();
        Ok(Mail { host: host.text, port, tls, ca, login, from, to })
    }
}

fn login(table: &mut Table<'_>, tls: Tls, host: &str) -> Result<Option<(String, Password)>, Fault> {
    let username = table.take("username").map(Item::text).transpose()?;
    let inside = table.take("password").map(Item::text).transpose()?;
    let file = table.take("password_file");
    let password = match (inside, file) {
        (Some(word), Some(_)) => return Err(word.fault("stands beside password_file: give one of them")),
        (Some(word), None) => Some((word.clone(), Password::Here(Secret::new(word.text)))),
        (None, Some(item)) => Some((item.place(), Password::File(path(item)?))),
        (None, None) => None,
    };
    match (username, password) {
        (None, None) => Ok(None),
        (Some(name), Some((_, password))) => {
            let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
            if tls == Tls::None && !local {
                return Err(name.fault("would send the password without encryption: set tls to starttls or implicit"));
            }
            Ok(Some((name.text, password)))
        }
        (Some(name), None) => Err(name.fault("needs password_file or password")),
        (None, Some((place, _))) => Err(place.fault("needs username")),
    }
}

impl Hook {
    fn parse(table: Table<'_>) -> Result<Hook, Fault> {
        let mut table = table.only(&["url", "ca", "token_file"])?;
        let url = table.need("url", "the http or https URL that gets a POST with JSON")?.text()?;
        Page::check(&url.text).map_err(|reason| url.fault(format!("is {reason}")))?;
        let ca = table.take("ca").map(path).transpose()?;
        let token = table.take("token_file");
        if let Some(item) = token.as_ref().filter(|_| !url.text.to_ascii_lowercase().starts_with("https:")) {
            return Err(item.fault("would be sent without encryption: use an https URL"));
        }
        Ok(Hook { url: Secret::new(url.text), ca, token_file: token.map(path).transpose()? })
    }
}

fn mailbox(word: &Word<'_>) -> Result<Mailbox, Fault> {
    word.text.parse().map_err(|_| word.must_be("a mail address, such as ops@example.com or Ops <ops@example.com>"))
}

fn path(item: Item<'_>) -> Result<PathBuf, Fault> {
    let word = item.text()?;
    if word.text.starts_with('/') && !word.text.chars().any(char::is_control) {
        Ok(PathBuf::from(word.text))
    } else {
        Err(word.must_be("an absolute path"))
    }
}

fn number(item: Option<Item<'_>>, usual: u64, range: std::ops::RangeInclusive<u64>, unit: &str) -> Result<u64, Fault> {
    let Some(item) = item else { return Ok(usual) };
    let given = item.integer()?;
    let good = u64::try_from(given).ok().filter(|number| range.contains(number));
    good.ok_or_else(|| {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        item.fault(format!("{given} is not allowed: must be {} to {}{unit}", range.start(), range.end()))
    })
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
