//! Whether a web server answers at all: one request over a plain socket, no HTTP library, no child process.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use nix::errno::Errno;

use super::line::{first_line, seconds};
use crate::ocf::deadline::Deadline;

/// How a reason begins that says that this host could not even ask.
pub const NOT_ASKED: &str = "cannot ask ";
/// What the answer has to begin with (RFC 9112, section 4).
const BEGIN: &[u8] = b"HTTP/";
/// Bytes read at most: a status line with its usual reason is shorter.
const CAP: usize = 64;

/// Asks `OPTIONS *`, which the server answers itself: no application, no file, no session. Any HTTP status line is an
/// answer, whatever its code; the line without its end is returned, at most 64 bytes.
///
/// # Errors
/// One line that says what did not happen and how long it was waited for.
pub fn ask(address: SocketAddr, deadline: &Deadline) -> Result<String, String> {
    let started = Instant::now();
    let bytes = exchange(address, deadline).map_err(|error| match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("no answer from {address} in {}", seconds(started)),
        ErrorKind::ConnectionRefused => format!("{address} refuses connections"),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => format!("{address} breaks the connection off"),
        _ if is_own_lack(&error) => format!("{NOT_ASKED}{address}: {}", first_line(&error.to_string(), 80)),
        _ => format!("ask {address}: {}", first_line(&error.to_string(), 80)),
    })?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = first_line(&String::from_utf8_lossy(line), CAP);
    if bytes.is_empty() {
        Err(format!("{address} closes the connection without an answer"))
    } else if bytes.starts_with(BEGIN) {
        Ok(line)
    } else {
        Err(format!("{address} answers no HTTP: '{}'", first_line(&line, 32)))
    }
}

/// Whether this host has no port, file or memory left for a question. The server has no part in that.
pub(super) fn is_own_lack(error: &io::Error) -> bool {
    let lacks = [Errno::EADDRNOTAVAIL, Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM];
    error.raw_os_error().is_some_and(|number| lacks.contains(&Errno::from_raw(number)))
}

/// The begin of the answer: up to the end of its first line, or as soon as it cannot be one of HTTP.
fn exchange(address: SocketAddr, deadline: &Deadline) -> io::Result<Vec<u8>> {
    // A zero limit is an invalid argument to the standard library.
    let left = || Some(deadline.left()).filter(|left| !left.is_zero()).ok_or(ErrorKind::TimedOut);
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    // HTTP/1.0: the server closes by itself, and no intermediate answer (100) is possible.
    let request =
        format!("OPTIONS * HTTP/1.0\r\nHost: {address}\r\nUser-Agent: inuvika-ha\r\nConnection: close\r\n\r\n");
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::with_capacity(CAP);
    let mut buffer = [0; CAP];
    while bytes.len() < CAP && !bytes.contains(&b'\n') {
        // Set anew each time: a server that sends single bytes must not get a new limit with each.
        stream.set_read_timeout(Some(left()?))?;
        let space = buffer.get_mut(..CAP - bytes.len()).unwrap_or_default();
        match stream.read(space) {
            Ok(0) => break,
            Ok(length) => bytes.extend(buffer.iter().take(length)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if bytes.iter().zip(BEGIN).any(|(got, wanted)| got != wanted) {
            break;
        }
    }
    Ok(bytes)
}
