//! Generic netlink: families of commands that the kernel knows by name, such as IPVS.
//!
//! Numbers after `linux/genetlink.h`.

use std::io;

use nix::errno::Errno;

use super::message::ACK;
use super::{Reply, Socket, Writer, attribute};

const NETLINK_GENERIC: isize = 16;
/// `GENL_ID_CTRL`: the family that knows the others.
const CONTROLLER: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
/// The version that the controller, IPVS and most others have had for ever.
const VERSION: u8 = 1;

/// Length of `struct genlmsghdr`, which opens every message.
pub const HEADER: usize = 4;

/// Messages that are sent together at most. Each of them may fail, and all of the errors have to wait in the socket's
/// receive buffer (208 KiB unless somebody changed that) until they are read: an error takes there up to 1.3 KiB.
const TOGETHER: usize = 128;

/// A socket that talks to one family.
pub struct Generic {
    socket: Socket,
    family: u16,
}

/// Opens a message: writes `struct genlmsghdr`.
pub fn header(message: &mut Writer, command: u8) {
    message.raw(&[command, VERSION, 0, 0]);
}

fn ask_for(socket: &mut Socket, name: &str) -> io::Result<Reply> {
    socket.get(CONTROLLER, |message| {
        header(message, GET_FAMILY);
        message.text(FAMILY_NAME, name);
    })
}

impl Generic {
    /// Opens a socket and finds the family; the kernel loads the family's module by its alias.
    ///
    /// # Errors
    /// `ENOENT` when the kernel has no such family, and what else it says.
    pub fn open(name: &str) -> io::Result<Self> {
        let mut socket = Socket::open(NETLINK_GENERIC)?;
        let reply = ask_for(&mut socket, name)?;
        let mut ids = reply.messages().filter_map(|message| attribute(message.attributes(HEADER), FAMILY_ID));
        let id = ids.find_map(|value| value.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes)));
        let family = id.ok_or_else(|| io::Error::from_raw_os_error(Errno::ENOENT as i32))?;
        Ok(Self { socket, family })
    }

    /// Asks for one object.
    ///
    /// # Errors
    /// What the kernel says, with its errno.
    pub fn get(&mut self, command: u8) -> io::Result<Reply> {
        self.socket.get(self.family, |message| header(message, command))
    }

    /// Asks for a list, as [`Socket::dump`] does.
    ///
    /// # Errors
    /// What the kernel says, with its errno.
    pub fn dump(&mut self, command: u8, fill: impl Fn(&mut Writer)) -> io::Result<Reply> {
        self.socket.dump(self.family, |message| {
            header(message, command);
            fill(message);
        })
    }

    /// Has the kernel carry out one command.
    ///
    /// # Errors
    /// What the kernel says, with its errno.
    pub fn carry_out(&mut self, command: u8, fill: impl Fn(&mut Writer)) -> io::Result<()> {
        let failed = self.carry_out_all(&[()], |(), message| {
            header(message, command);
            fill(message);
        })?;
        failed.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Has the kernel carry out one command for each item, in their order: many to a system call, and with one
    /// acknowledgement for many. `write` gets the item and a message, which it
    /// opens with [`header`]. Commands that fail do
    /// not keep the others from being carried out; the index of each, with its error, is returned.
    ///
    /// # Errors
    /// The socket's: then nobody knows how many were carried out.
    pub fn carry_out_all<T>(
        &mut self,
        items: &[T],
        write: impl Fn(&T, &mut Writer),
    ) -> io::Result<Vec<(usize, io::Error)>> {
        let mut failed = Vec::new();
        for (chunk, items) in items.chunks(TOGETHER).enumerate() {
            let mut messages = Writer::default();
            let (mut first, mut last) = (None, 0);
            for (index, item) in items.iter().enumerate() {
                let flags = if index + 1 == items.len() { ACK } else { 0 };
                last = self.socket.next_seq();
                first.get_or_insert(last);
                messages.message(self.family, flags, last, |message| write(item, message));
            }
            let Some(first) = first else { break };
            self.socket.send(messages.bytes())?;
            let errors = self.socket.errors(first, last)?;
            failed.extend(errors.into_iter().map(|(seq, error)| (chunk * TOGETHER + (seq - first) as usize, error)));
        }
        Ok(failed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn families_are_found_by_name() {
        let mut controller = Generic::open("nlctrl").unwrap();
        assert_eq!(controller.family, CONTROLLER);
        let names = controller.dump(GET_FAMILY, |_| {}).unwrap();
        assert!(names.messages().any(|m| super::super::text(m.attributes(HEADER), FAMILY_NAME) == Some("nlctrl")));
        let error = Generic::open("no such family").err().unwrap();
        assert_eq!(error.raw_os_error(), Some(Errno::ENOENT as i32));
    }

    #[test]
    fn errors_come_back_with_their_index() {
        let mut controller = Generic::open("nlctrl").unwrap();
        // The controller has one command with an argument: by a wrong name, it fails.
        let items: Vec<usize> = (0..300).collect();
        let wrong = |item: usize| item % 100 == 27 || item == 299;
        let failed = controller.carry_out_all(&items, |item, message| {
            header(message, GET_FAMILY);
            // Too long for a name: refused before a module is looked for.
            message.text(FAMILY_NAME, if wrong(*item) { "longer than GENL_NAMSIZ" } else { "nlctrl" });
        });
        let failed = failed.unwrap();
        let indices: Vec<usize> = failed.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, [27, 127, 227, 299]);
        assert!(failed.iter().all(|(_, error)| error.raw_os_error().is_some()));
        assert!(controller.carry_out_all::<()>(&[], |_, _| {}).unwrap().is_empty());
    }
}
