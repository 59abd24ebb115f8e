//! Whether an ssh server answers: a connection and its first line, no child process.
//!
//! A stopped or hung sshd still has its connections accepted by the kernel: only the line tells (RFC 4253, section 4.2).

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};

use super::line::{first_line, network};
use crate::cluster::names;
use crate::ocf::deadline::Deadline;

/// What the line begins with. Other lines may come before it.
const BEGIN: &[u8] = b"SSH-";
/// Bytes read at most: a login banner before the line is rare, and short.
const CAP: usize = 4096;

/// Waits for the line of the ssh server at `host` (an address or a name), `port`; all addresses of the name share the time.
///
/// # Errors
/// One line that says what did not happen; its kind is that of the network, `TimedOut` when nothing came.
pub fn banner(host: &str, port: u16, deadline: &Deadline) -> io::Result<()> {
    let started = std::time::Instant::now();
    let addresses = addresses(host, deadline);
    if addresses.is_empty() {
        return Err(io::Error::new(ErrorKind::NotFound, format!("the name {host} does not resolve")));
    }
    let mut last = None;
    for (index, ip) in addresses.iter().enumerate() {
        // The first of two addresses may be one that drops everything: the second gets its share.
        let share = deadline.left() / u32::try_from(addresses.len() - index).unwrap_or(1);
        match first_bytes(SocketAddr::new(*ip, port), &deadline.within(share)) {
            Ok(()) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    let error = last.unwrap_or_else(|| ErrorKind::TimedOut.into());
    let waited = started.elapsed().as_secs_f32();
    let reason = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("{host} port {port} (ssh): no answer in {waited:.1} s"),
        ErrorKind::Other => format!("{host} port {port} (ssh): {error}"),
        _ => format!("{host} port {port} (ssh): {}", network(&error)),
    };
    Err(io::Error::new(error.kind(), reason))
}

fn addresses(host: &str, deadline: &Deadline) -> Vec<IpAddr> {
    // /etc/hosts first: a dead name server must not cost the time of the question itself.
    let known = names::Hosts::read().addresses(host);
    if known.is_empty() { names::resolve(host, deadline) } else { known }
}

fn first_bytes(address: SocketAddr, deadline: &Deadline) -> io::Result<()> {
    // A zero limit is an invalid argument to the standard library.
    let left = || Some(deadline.left()).filter(|left| !left.is_zero()).ok_or(ErrorKind::TimedOut);
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 256];
    loop {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut buffer) {
            Ok(0) => return Err(closed(&bytes)),
            Ok(length) => bytes.extend(buffer.iter().take(length)),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(BEGIN)) {
            return Ok(());
        }
        if bytes.len() >= CAP {
            return Err(closed(&bytes));
        }
    }
}

/// Something else than ssh, or an sshd that takes no more connections (MaxStartups).
fn closed(bytes: &[u8]) -> io::Error {
    let said = first_line(&String::from_utf8_lossy(bytes), 40);
    io::Error::other(if said.is_empty() { "it closes the connection".into() } else { format!("it answers '{said}'") })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    fn server(answer: &'static [u8], linger: bool) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(answer).unwrap();
            if linger {
                std::thread::sleep(Duration::from_secs(5));
            }
        });
        port
    }

    fn ask(port: u16) -> Result<(), String> {
        banner("127.0.0.1", port, &Deadline::after(Duration::from_millis(300))).map_err(|e| e.to_string())
    }

    #[test]
    fn only_the_line_of_ssh_is_an_answer() {
        assert_eq!(ask(server(b"hello\r\nSSH-2.0-OpenSSH_9.2\r\n", true)), Ok(()));
        assert!(ask(server(b"HTTP/1.0 400\r\n", false)).unwrap_err().contains("it answers 'HTTP/1.0 400'"));
        assert!(ask(server(b"", false)).unwrap_err().contains("closes the connection"));
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(ask(closed).unwrap_err().ends_with("connection refused"));
    }

    #[test]
    fn a_hung_server_costs_the_time_given_and_no_more() {
        let begun = Instant::now();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let reason = ask(listener.local_addr().unwrap().port()).unwrap_err();
        assert!(reason.contains("no answer in 0.3 s"), "{reason}");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}
