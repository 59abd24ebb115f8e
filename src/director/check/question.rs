//! What a real server is asked.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::statuses::Statuses;
use super::{command, http, tls};

/// A question to one address and port. Two that are equal are asked once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    /// Whether a TCP connection comes about. Nothing is sent.
    Tcp {
        /// Where.
        to: SocketAddr,
    },
    /// Whether a page is as it should be. Redirects are not followed, proxies of the environment not used.
    Http {
        /// Where.
        to: SocketAddr,
        /// Whether over TLS (1.2 or 1.3).
        https: bool,
        /// The virtual host, with its port if one belongs to it, as it stands in the Host header. None: address and port.
        host: Option<String>,
        /// Path and query, such as `/index.html?x=1`.
        path: String,
        /// How.
        method: Method,
        /// The statuses that are well.
        status: Statuses,
        /// What the first 64 KiB of the body have to hold. None: the body is not read.
        body: Option<BodyMatch>,
        /// The name sent in the TLS handshake, which the certificate has to be for when it is verified. None: that of
        /// `host`, without one the address (which is not sent).
        sni: Option<String>,
        /// Whether the server's certificate has to be valid. Off, nobody is kept from answering for the server, which
        /// matters little to a question without secrets.
        verify: bool,
        /// PEM file with the CA certificates to verify with. None: those of this system.
        ca: Option<PathBuf>,
    },
    /// Whether a program ends with exit code 0. No shell; see [`command`] for its environment.
    Command {
        /// About which server.
        to: SocketAddr,
        /// The program (an absolute path, or a name in the system's directories) and its arguments, in which `{address}`
        /// and `{port}` are replaced.
        argv: Vec<String>,
        /// More variables of its environment.
        env: BTreeMap<String, String>,
    },
}

/// The method of an HTTP request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// The page.
    #[default]
    Get,
    /// What would come before the page.
    Head,
}

impl Method {
    /// As it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
        }
    }
}

/// What a body has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyMatch {
    /// This text, byte by byte.
    Text(String),
    /// A match of this regular expression, in the syntax of the regex crate.
    Regex(String),
}

impl Question {
    /// Whether it is about a server that could answer: refuses what no server, or no kernel, would understand.
    ///
    /// # Errors
    /// One line: what is wrong, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.to().port() == 0 {
            return Err(format!("check of {}: port 0 answers nobody; give the check a port of its own", self.to()));
        }
        match self {
            Question::Tcp { .. } => Ok(()),
            Question::Http { host, path, method, body, sni, verify, ca, https, .. } => {
                http::check_target(path, host.as_deref())?;
                if *method == Method::Head && body.is_some() {
                    return Err("check with method HEAD: its answer has no body to look into; use GET".into());
                }
                if let Some(body) = body {
                    http::matcher(body)?;
                }
                if !https && (sni.is_some() || *verify || ca.is_some()) {
                    return Err("check over http: sni, verify and ca are for https".into());
                }
                if ca.is_some() && !verify {
                    return Err("check with a CA file: it is used with verify = true only".into());
                }
                if let Some(ca) = ca.as_ref().filter(|ca| !ca.is_absolute()) {
                    return Err(format!("check with the CA file {}: give its absolute path", ca.display()));
                }
                if *https { tls::server_name(sni.as_deref(), host.as_deref(), self.to()).map(|_| ()) } else { Ok(()) }
            }
            Question::Command { argv, env, .. } => command::check(argv, env),
        }
    }

    /// The address and port it is about.
    pub fn to(&self) -> SocketAddr {
        match self {
            Question::Tcp { to } | Question::Http { to, .. } | Question::Command { to, .. } => *to,
        }
    }
}

/// As it stands in answers: "http 192.0.2.21:80/index.html".
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Answers become exit reasons, which have 128 bytes.
        const SHOWN: usize = 40;
        let short = |text: &str| match text.char_indices().nth(SHOWN) {
            None => text.to_owned(),
            Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        };
        match self {
            Question::Tcp { to } => write!(f, "tcp {to}"),
            Question::Http { to, https, host, path, .. } => {
                let scheme = if *https { "https" } else { "http" };
                // The query may hold what is nobody's business.
                let path = path.split('?').next().unwrap_or_default();
                write!(f, "{scheme} {to}{}", short(path))?;
                host.iter().try_for_each(|host| write!(f, " of {}", short(host)))
            }
            Question::Command { to, argv, .. } => {
                write!(f, "{} for {to}", short(argv.first().map(String::as_str).unwrap_or_default()))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
