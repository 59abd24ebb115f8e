//! A netlink socket: one question at a time, and all of its answer.

use std::io;

use netlink_sys::SocketAddr;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};

use super::message::{DONE, DUMP, ERROR, INTERRUPTED, Message, Messages, Writer};

/// The kernel answers within the system call that asks, so a missing answer is a fault: seconds until it counts as one.
const ANSWER_SECONDS: i64 = 2;
/// Above what the kernel puts in one datagram of a dump (32 KiB).
const BUFFER: usize = 1 << 16;
/// What a list gets: room for a first datagram, and still enough for a second one.
const ROOM: usize = BUFFER + BUFFER / 2;
/// A list that was changed by others while it was read is asked for again, this many times in all.
const DUMP_TRIES: usize = 8;

/// An open netlink socket, connected to the kernel.
pub struct Socket {
    inner: netlink_sys::Socket,
    seq: u32,
    buffer: Vec<u8>,
}

/// All messages that answer one question.
#[derive(Debug, Default)]
pub struct Reply(Vec<u8>);

impl Reply {
    /// Its messages, without the one that ends a list.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        Messages(&self.0).filter(|message| message.kind != DONE)
    }
}

impl Socket {
    /// Opens a socket of a netlink protocol (`NETLINK_ROUTE` and so on).
    pub fn open(protocol: isize) -> io::Result<Self> {
        let mut inner = netlink_sys::Socket::new(protocol)?;
        inner.bind_auto()?;
        inner.connect(&SocketAddr::new(0, 0))?;
        setsockopt(&inner, sockopt::ReceiveTimeout, &TimeVal::seconds(ANSWER_SECONDS))?;
        // Errors otherwise quote the whole message they complain about; before 4.3 the kernel cannot leave it out.
        let _ = inner.set_cap_ack(true);
        Ok(Self { inner, seq: 0, buffer: Vec::with_capacity(BUFFER) })
    }

    /// The next unused sequence number.
    pub fn next_seq(&mut self) -> u32 {
        self.seq += 1;
        self.seq
    }

    /// Sends bytes that hold whole messages, however many.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        const SMALL: usize = 100 * 1024; // half of the default buffer, which counts overhead too
        if bytes.len() > SMALL {
            let wanted = bytes.len() * 2;
            // Forced needs CAP_NET_ADMIN; without it the limit of the system stays and send says EMSGSIZE.
            setsockopt(&self.inner, sockopt::SndBufForce, &wanted)
                .or_else(|_| setsockopt(&self.inner, sockopt::SndBuf, &wanted))?;
        }
        self.inner.send(bytes, 0).map(|_| ())
    }

    /// Waits for the next datagram.
    pub fn receive(&mut self) -> io::Result<Messages<'_>> {
        self.buffer.clear();
        receive(&self.inner, &mut self.buffer)?;
        Ok(Messages(&self.buffer))
    }

    /// Asks for one object; an error answer comes back with its errno.
    pub fn get(&mut self, kind: u16, fill: impl FnOnce(&mut Writer)) -> io::Result<Reply> {
        let mut question = Writer::default();
        let seq = self.next_seq();
        question.message(kind, 0, seq, fill);
        self.send(question.bytes())?;
        loop {
            let mut messages = self.receive()?;
            let bytes = messages.0;
            let answer = messages.find(|message| message.seq == seq);
            match answer.map(|message| message.errno()) {
                Some(Some(errno)) => return Err(io::Error::from_raw_os_error(errno)),
                Some(None) => return Ok(Reply(bytes.to_vec())),
                None => {}
            }
        }
    }

    /// Reads the answers to messages sent together, numbered `first` to `last`, of which the last asked for an
    /// acknowledgement: the errors, each with the number of its message.
    pub fn errors(&mut self, first: u32, last: u32) -> io::Result<Vec<(u32, io::Error)>> {
        let mut errors = Vec::new();
        loop {
            for answer in self.receive()?.filter(|answer| (first..=last).contains(&answer.seq)) {
                if let Some(errno) = answer.errno() {
                    errors.push((answer.seq, io::Error::from_raw_os_error(errno)));
                }
                if answer.seq == last && answer.kind == ERROR {
                    return Ok(errors);
                }
            }
        }
    }

    /// Asks for a list. When others changed the objects meanwhile it asks again, up to a limit, then fails with EINTR.
    pub fn dump(&mut self, kind: u16, fill: impl Fn(&mut Writer)) -> io::Result<Reply> {
        for _ in 0..DUMP_TRIES {
            let mut question = Writer::default();
            let seq = self.next_seq();
            question.message(kind, DUMP, seq, &fill);
            self.send(question.bytes())?;
            if let Some(reply) = self.list(seq)? {
                return Ok(reply);
            }
        }
        Err(io::Error::from_raw_os_error(nix::errno::Errno::EINTR as i32))
    }

    /// Reads a list to its end; `None` when it is not consistent.
    fn list(&mut self, seq: u32) -> io::Result<Option<Reply>> {
        let mut reply = Reply::default();
        let mut consistent = true;
        loop {
            let mut ended = false;
            let mut ours = false;
            // To where it stays: thousands of objects are not copied once more.
            let before = reply.0.len();
            // To grow, all of the room is copied, which touches every page of it: only where it has to be.
            if reply.0.capacity().saturating_sub(before) < BUFFER {
                reply.0.reserve(ROOM);
            }
            receive(&self.inner, &mut reply.0)?;
            let messages = Messages(reply.0.get(before..).unwrap_or_default());
            for message in messages.filter(|message| message.seq == seq) {
                ours = true;
                if let Some(errno) = message.errno() {
                    return Err(io::Error::from_raw_os_error(errno));
                }
                consistent &= message.flags & INTERRUPTED == 0;
                ended |= message.kind == DONE || message.kind == ERROR;
            }
            // What answers an older question, given up meanwhile, comes in datagrams of its own.
            if !ours {
                reply.0.truncate(before);
            }
            if ended {
                return Ok(consistent.then_some(reply));
            }
        }
    }
}

/// Appends the next datagram to `buffer`, within its capacity: what of that is not needed is never touched, so that its pages cost
/// nothing.
fn receive(socket: &netlink_sys::Socket, buffer: &mut Vec<u8>) -> io::Result<()> {
    loop {
        match socket.recv(buffer, 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(|_| ()),
        }
    }
}
