//! A server that is asked over a connection of its own, with or without TLS.

use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::http::{inner, of_tls};
use super::line::{BROKEN, first_line, network, seconds};
use super::tls::Trust;
use super::trouble::Trouble;

/// A connection to a server.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Where a server is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What it is, for people: `Redis`.
    pub kind: &'static str,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Over TLS, and whose certificate will do; none: as plain text.
    pub tls: Option<Trust>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "{} [{}]:{}", self.kind, self.host, self.port),
            false => write!(f, "{} {}:{}", self.kind, self.host, self.port),
        }
    }
}

impl Server {
    /// Whether a password may go there: never over TLS to a server whose certificate nobody looks at. Plain text is what whoever
    /// configured it sends all day.
    pub fn may_have_password(&self) -> bool {
        self.tls != Some(Trust::Anybody)
    }

    /// Opens a connection. To be limited by [`Server::limited`].
    ///
    /// # Errors
    /// That nobody is there, or that its certificate is not accepted, in one line.
    pub async fn connect(&self) -> Result<Box<dyn Stream>, Trouble> {
        let said = |reason: String| Trouble::Unreachable(format!("{self}: {reason}"));
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| said(network(&error)))?;
        let Some(trust) = &self.tls else { return Ok(Box::new(tcp)) };
        // What this node does not trust, or cannot read, is its own: the server is there.
        let refused = |reason: String| Trouble::Refused(format!("{self}: {reason}"));
        let config = trust.config(&[]).map_err(refused)?;
        let name = ServerName::try_from(self.host.clone()).map_err(|_| said("no name for a certificate".to_owned()))?;
        let tls = TlsConnector::from(config).connect(name, tcp).await.map_err(|error| {
            let cause = inner(&error).and_then(|cause| cause.downcast_ref::<rustls::Error>());
            match cause {
                None => said(format!("no TLS: {}", network(&error))),
                Some(cause @ rustls::Error::InvalidCertificate(_)) => refused(of_tls(cause)),
                Some(cause) => said(of_tls(cause)),
            }
        })?;
        Ok(Box::new(tls))
    }

    /// Drives a question to this server to its end, name resolution included; no answer within `limit` is trouble.
    ///
    /// # Errors
    /// What the question said, or that there was no answer.
    pub async fn limited(
        &self,
        limit: Duration,
        question: impl Future<Output = Result<(), Trouble>>,
    ) -> Result<(), Trouble> {
        let started = Instant::now();
        let answer = timeout(limit, question).await;
        answer.unwrap_or_else(|_| Err(Trouble::Unreachable(format!("{self}: no answer in {}", seconds(started)))))
    }

    /// What a broken connection is.
    pub(super) fn broken(&self, error: &io::Error) -> Trouble {
        let reason = match error.kind() {
            ErrorKind::UnexpectedEof => BROKEN.to_owned(),
            _ => network(error),
        };
        Trouble::Unreachable(format!("{self}: {reason}"))
    }

    /// What an answer is that no server of this kind gives.
    pub(super) fn foreign(&self) -> Trouble {
        Trouble::Unreachable(format!("{self}: answers, but not as {}", self.kind))
    }

    /// What the server's own words against us are.
    pub(super) fn refuses(&self, words: &str) -> Trouble {
        Trouble::Refused(format!("{self} refuses: {}", first_line(words, 120)))
    }
}
