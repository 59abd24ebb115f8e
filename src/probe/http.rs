//! A page, read as a client would.

use std::path::PathBuf;

use crate::ocf::deadline::Deadline;

/// What to ask for.
#[derive(Debug, Clone)]
pub struct Page {
    /// An http or https URL.
    pub url: String,
    /// Sent as the Cookie header; none when empty.
    pub cookie: String,
    /// CA certificates (PEM) that the server's certificate must be signed by. None: it is not checked, for a node that
    /// asks itself.
    pub ca: Option<PathBuf>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The first 64 KiB of the body; what is no UTF-8 is replaced.
    pub body: String,
}

impl Page {
    /// Whether this URL can be asked for: http or https, with a host, without credentials. Pure.
    ///
    /// # Errors
    /// What is wrong with it, as the end of "URL is ...".
    pub fn check(_url: &str) -> Result<(), String> {
        Ok(())
    }

    /// Gets the page: no proxy, no redirect followed, one total deadline.
    ///
    /// # Errors
    /// One line that says what failed, without the URL.
    pub fn get(&self, _deadline: &Deadline) -> Result<Answer, String> {
        Err("not there yet".into())
    }
}
