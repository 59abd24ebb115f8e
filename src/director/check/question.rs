//! What a real server is asked.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A question: the same one, wherever it is asked from, is one question.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Question {
    /// Whether a TCP connection opens.
    Tcp {
        /// Where.
        to: SocketAddr,
    },
    /// Whether a web server answers as expected.
    Http {
        /// Where.
        to: SocketAddr,
        /// Over TLS.
        https: bool,
        /// The virtual host; none: the address.
        host: Option<String>,
        /// Path and query.
        path: String,
        /// The method; none: GET.
        method: Option<String>,
        /// Status codes that are an answer, as ranges with both ends.
        status: Vec<(u16, u16)>,
        /// A regular expression that the body has to match.
        body: Option<String>,
        /// The name asked for in the TLS handshake; none: the virtual host.
        sni: Option<String>,
        /// Whether the certificate has to be good.
        verify: bool,
        /// The authority it has to come from; none: those of the system.
        ca: Option<PathBuf>,
    },
    /// Whether a program ends with 0.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
    },
}

/// What came of a question.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Whether it is the wanted one.
    pub ok: bool,
    /// What was seen, one line.
    pub detail: String,
    /// How long it took.
    pub took: std::time::Duration,
}
