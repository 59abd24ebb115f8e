//! Whether a web server answers at all: one request over a plain socket, no HTTP library, no child process.

use std::net::SocketAddr;

use crate::ocf::deadline::Deadline;

/// Asks `OPTIONS *`, which the server answers itself: no application, no file, no session. Any HTTP status line is an
/// answer, whatever its code; the line without its end is returned, at most 64 bytes.
///
/// # Errors
/// One line that says what did not happen and how long it was waited for.
pub fn ask(_address: SocketAddr, _deadline: &Deadline) -> Result<String, String> {
    Err("not there yet".into())
}
