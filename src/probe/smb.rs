//! Whether a server speaks SMB: the first exchange of SMB 2 ([MS-SMB2] 2.2.3 and 2.2.4) over a plain socket, without a login.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::alive::{NOT_ASKED, is_own_lack};
use super::line::{first_line, seconds};
use crate::ocf::deadline::Deadline;

/// How a message of SMB 2 begins, after four bytes with its length.
const BEGIN: [u8; 4] = [0xfe, b'S', b'M', b'B'];
/// Length of the header, and of the question without its list of dialects.
const HEADER: usize = 64;
const BODY: usize = 36;
/// SMB 2.0.2 and 2.1: every Samba from 3.6 on takes one of them, whatever else it is told to refuse is said in its status.
const DIALECTS: [u16; 2] = [0x0202, 0x0210];
/// Bytes of the answer that are read: its length, and its header up to the status.
const ENOUGH: usize = 4 + 12;

/// Asks for the dialects that the server speaks. Any SMB 2 answer will do: who refuses the dialects is there as well.
///
/// # Errors
/// One line that says what did not happen and how long it was waited for.
pub fn ask(address: SocketAddr, deadline: &Deadline) -> Result<(), String> {
    let started = Instant::now();
    let bytes = exchange(address, deadline).map_err(|error| match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("no SMB answer from {address} in {}", seconds(started)),
        ErrorKind::ConnectionRefused => format!("{address} refuses connections"),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => format!("{address} breaks the connection off"),
        ErrorKind::UnexpectedEof => format!("{address} closes the connection without an SMB answer"),
        _ if is_own_lack(&error) => format!("{NOT_ASKED}{address}: {}", first_line(&error.to_string(), 80)),
        _ => format!("ask {address}: {}", first_line(&error.to_string(), 80)),
    })?;
    if bytes.get(4..8) == Some(BEGIN.as_slice()) { Ok(()) } else { Err(format!("{address} answers no SMB 2")) }
}

fn exchange(address: SocketAddr, deadline: &Deadline) -> io::Result<[u8; ENOUGH]> {
    // A zero limit is an invalid argument to the standard library.
    let left = || Some(deadline.left()).filter(|left| !left.is_zero()).ok_or(ErrorKind::TimedOut);
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(&question())?;
    let mut answer = [0; ENOUGH];
    let mut done = 0;
    while let Some(space) = answer.get_mut(done..).filter(|space| !space.is_empty()) {
        // Set anew each time: a server that sends single bytes must not get a new limit with each.
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(space) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => done += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

/// Header and body of a NEGOTIATE request; what is not set is zero.
fn question() -> Vec<u8> {
    let mut message = vec![0; HEADER + BODY];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = message.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, &BEGIN);
    // Sizes of the two structures, one credit, the number of dialects, "signing enabled".
    put(4, &64_u16.to_le_bytes());
    put(14, &1_u16.to_le_bytes());
    put(HEADER, &36_u16.to_le_bytes());
    put(HEADER + 2, &u16::try_from(DIALECTS.len()).unwrap_or_default().to_le_bytes());
    put(HEADER + 4, &1_u16.to_le_bytes());
    // A client's own number: sixteen bytes that need not be zero.
    put(HEADER + 12, b"inuvika-ha check");
    message.extend(DIALECTS.iter().flat_map(|dialect| dialect.to_le_bytes()));
    let length = u32::try_from(message.len()).unwrap_or_default();
    [length.to_be_bytes().as_slice(), &message].concat()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_question_is_as_long_as_it_says() {
        let all = question();
        assert_eq!(all.len(), 4 + HEADER + BODY + 4);
        assert_eq!(u32::from_be_bytes(all[..4].try_into().unwrap()) as usize, all.len() - 4);
    }

    #[test]
    fn only_an_answer_counts() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            for answer in [&b"\0\0\0\x40\xfeSMB\x40\0\0\0\0\0\0\0"[..], b"HTTP/1.1 400 Bad Request\r\n", b""] {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut [0; 4 + HEADER + BODY + 4]).unwrap();
                stream.write_all(answer).unwrap();
            }
        });
        let limit = || Deadline::after(Duration::from_secs(5));
        assert_eq!(ask(address, &limit()), Ok(()));
        assert!(ask(address, &limit()).unwrap_err().ends_with("answers no SMB 2"));
        assert!(ask(address, &limit()).unwrap_err().contains("without an SMB answer"));
        server.join().unwrap();
        assert!(ask(address, &limit()).unwrap_err().ends_with("refuses connections"));
        let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let said = ask(silent.local_addr().unwrap(), &Deadline::after(Duration::from_millis(80))).unwrap_err();
        assert!(said.starts_with("no SMB answer from"), "{said}");
    }
}
