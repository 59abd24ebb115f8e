//! ctdbd over its own socket: one request, one answer, no child process.
//!
//! The kernel takes connections for a daemon that is stopped, so only an answer shows that it lives. The layout of the messages is
//! that of protocol version 1 (ctdb/protocol in Samba's sources, the same from 4.0 on): numbers in the host's byte order.

mod well;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

pub use self::well::{Well, well};
use super::line::first_line;
use crate::ocf::deadline::Deadline;

/// `CTDB`, and the version of the protocol.
const MAGIC: u32 = 0x4354_4442;
const VERSION: u32 = 1;
/// A request for a control, and the answer to one.
const REQUEST: u32 = 7;
const REPLY: u32 = 8;
/// The node that is asked, and whoever asks.
const CURRENT: u32 = 0xf000_0001;
const ANYBODY: u32 = u32::MAX;
/// Controls: the number of the node, and its list of public addresses.
const GET_PNN: u32 = 35;
const GET_PUBLIC_IPS: u32 = 90;
/// Bytes of a request without data, of which three pad it; and of an answer before its data.
const REQUEST_LENGTH: usize = 64;
const REPLY_HEADER: usize = 44;
/// The longest answer that is read: some thousand addresses.
const CAP: usize = 64 << 10;
/// Bytes of a socket address in an answer, of the largest kind.
const ADDRESS: usize = 28;
/// Bytes of a public address in an answer: the node that serves it, then the address.
const ENTRY: usize = 4 + ADDRESS;

/// Address families, as Linux numbers them.
const INET: u16 = 2;
const INET6: u16 = 10;

/// A public address, and who serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// The address.
    pub address: IpAddr,
    /// The number of the node that serves it; none: nobody does.
    pub node: Option<u32>,
}

/// The number of this node.
///
/// # Errors
/// One line that says what did not happen.
pub fn pnn(path: &Path, deadline: &Deadline) -> Result<u32, String> {
    let (status, _) = ask(path, GET_PNN, deadline)?;
    Ok(status)
}

/// The public addresses that this node has in its list.
///
/// # Errors
/// One line that says what did not happen.
pub fn public_addresses(path: &Path, deadline: &Deadline) -> Result<Vec<Served>, String> {
    let (_, data) = ask(path, GET_PUBLIC_IPS, deadline)?;
    addresses(&data).ok_or_else(|| format!("{}: its list of public addresses is not understood", path.display()))
}

fn ask(path: &Path, control: u32, deadline: &Deadline) -> Result<(u32, Vec<u8>), String> {
    let shown = path.display();
    let waited = || format!("no answer from ctdbd at {shown} in {:.1} s", deadline.span().as_secs_f32());
    let bytes = exchange(path, control, deadline).map_err(|error| match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => waited(),
        ErrorKind::ConnectionRefused | ErrorKind::NotFound => format!("nobody listens at {shown}"),
        ErrorKind::UnexpectedEof => format!("ctdbd at {shown} closes the connection without an answer"),
        _ => format!("ask ctdbd at {shown}: {}", first_line(&error.to_string(), 80)),
    })?;
    reply(&bytes).ok_or_else(|| format!("the answer of ctdbd at {shown} is not understood"))
}

/// Sends the request; the whole answer, its length first.
fn exchange(path: &Path, control: u32, deadline: &Deadline) -> io::Result<Vec<u8>> {
    // A zero limit is an invalid argument to the standard library.
    let left = || Some(deadline.left()).filter(|left| !left.is_zero()).ok_or(ErrorKind::TimedOut);
    let mut stream = open(path)?;
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(&request(control))?;
    let mut fill = |buffer: &mut [u8]| {
        let mut done = 0;
        while let Some(space) = buffer.get_mut(done..).filter(|space| !space.is_empty()) {
            stream.set_read_timeout(Some(left()?))?;
            match stream.read(space) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => done += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok::<(), io::Error>(())
    };
    let mut head = [0; 4];
    fill(&mut head)?;
    let length = usize::try_from(u32::from_ne_bytes(head)).unwrap_or(usize::MAX);
    if !(REPLY_HEADER..=CAP).contains(&length) {
        return Err(io::Error::other(format!("an answer of {length} bytes")));
    }
    let mut bytes = vec![0; length];
    let (first, rest) = bytes.split_at_mut(head.len());
    first.copy_from_slice(&head);
    fill(rest)?;
    Ok(bytes)
}

/// Connects, and never waits for it: with its queue of connections full, a daemon that is stopped would keep us.
fn open(path: &Path) -> io::Result<UnixStream> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let handle = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(std::os::fd::AsRawFd::as_raw_fd(&handle), &UnixAddr::new(&PathBuf::from(path))?)?;
    let stream = UnixStream::from(handle);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

fn request(control: u32) -> [u8; REQUEST_LENGTH] {
    let mut bytes = [0; REQUEST_LENGTH];
    let length = u32::try_from(REQUEST_LENGTH).unwrap_or_default();
    // Length, magic, version, generation, operation, to, from, number of the request, control.
    let words = [length, MAGIC, VERSION, 0, REQUEST, CURRENT, ANYBODY, 1, control];
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// Status and data of an answer; none when it is not one.
fn reply(bytes: &[u8]) -> Option<(u32, Vec<u8>)> {
    if (number(bytes, 4)?, number(bytes, 8)?, number(bytes, 16)?) != (MAGIC, VERSION, REPLY) {
        return None;
    }
    let length = usize::try_from(number(bytes, 36)?).ok()?;
    let data = bytes.get(REPLY_HEADER..REPLY_HEADER.checked_add(length)?)?;
    // A negative status is an error.
    let status = number(bytes, 32)?;
    i32::try_from(status).ok().map(|_| (status, data.to_vec()))
}

fn addresses(data: &[u8]) -> Option<Vec<Served>> {
    let count = usize::try_from(number(data, 0)?).ok()?;
    let mut all = Vec::new();
    for entry in data.get(4..)?.chunks_exact(ENTRY).take(count) {
        let node = Some(number(entry, 0)?).filter(|node| *node != u32::MAX);
        all.push(Served { address: address(entry.get(4..)?)?, node });
    }
    (all.len() == count).then_some(all)
}

/// A socket address without its port.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let family = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
    match family {
        INET => Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?))),
        INET6 => Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?))),
        _ => None,
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    use super::*;

    /// What ctdbd 4.17.12 wrote on a host of the Intel kind.
    const REAL: &[u8] = &[
        0x50, 0, 0, 0, 0x42, 0x44, 0x54, 0x43, 1, 0, 0, 0, 0xd7, 0x46, 0x97, 0x3b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x3a, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0x24, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 172, 16, 4,
        26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    #[test]
    #[cfg(target_endian = "little")]
    fn a_real_answer_is_understood() {
        let (status, data) = reply(REAL).unwrap();
        let served = Served { address: "172.16.4.26".parse().unwrap(), node: Some(0) };
        assert_eq!((status, addresses(&data)), (0, Some(vec![served])));
        let mut nobody = data.clone();
        nobody[4..8].copy_from_slice(&[0xff; 4]);
        assert_eq!(addresses(&nobody).unwrap()[0].node, None);
        let mut six = data.clone();
        six[8..10].copy_from_slice(&INET6.to_ne_bytes());
        six[16..32].copy_from_slice(&"fd00::26".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!(addresses(&six).unwrap()[0].address.to_string(), "fd00::26");
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn what_is_cut_or_another_protocol_is_none() {
        for length in 0..REAL.len() - 4 {
            let part = &REAL[..length];
            assert!(reply(part).is_none_or(|(_, data)| addresses(&data).is_none()), "{length}");
        }
        let mut other = REAL.to_vec();
        other[8] = 2;
        assert_eq!(reply(&other), None);
        let mut error = REAL.to_vec();
        error[32..36].copy_from_slice(&[0xff; 4]);
        assert_eq!(reply(&error), None);
    }

    #[test]
    fn silence_has_an_end_and_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let limit = || Deadline::after(Duration::from_millis(100));
        let refused = || pnn(&path, &limit()).unwrap_err().starts_with("nobody listens at ");
        assert!(refused());
        // Takes connections, and says nothing.
        let listener = UnixListener::bind(&path).unwrap();
        assert!(pnn(&path, &limit()).unwrap_err().contains("in 0.1 s"));
        drop(listener);
        // A process that another test is just starting has the socket, too, until it runs its program.
        let soon = || {
            std::thread::sleep(Duration::from_millis(50));
            refused()
        };
        assert!((0..100).any(|_| soon()));
        let long = folder.path().join("x".repeat(200));
        assert!(pnn(&long, &limit()).is_err());
    }
}
