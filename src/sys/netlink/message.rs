//! Netlink messages and their attributes as bytes: written for the kernel, and read without trusting its lengths.
//!
//! Layout after `linux/netlink.h`: the message header is in host byte order, what attributes hold is up to the family
//! (nftables: big-endian numbers).

/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Length of `struct nlattr`.
const ATTRIBUTE_HEADER: usize = 4;
/// `NLA_F_NESTED`: the attribute holds attributes.
const NESTED: u16 = 0x8000;
/// Attribute kinds without the two flag bits (`NLA_TYPE_MASK`).
const KIND: u16 = 0x3fff;

/// `NLMSG_NOOP`: nothing is asked for.
pub const NOOP: u16 = 1;
/// `NLMSG_ERROR`: an errno, or 0 as the acknowledgement.
pub const ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump.
pub const DONE: u16 = 3;

/// `NLM_F_REQUEST`: this is a question to the kernel.
pub const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: say so when it is done.
pub const ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: the objects changed while they were being listed.
pub const INTERRUPTED: u16 = 0x10;
/// `NLM_F_DUMP`: list all objects.
pub const DUMP: u16 = 0x300;

/// Rounds up to the four bytes everything in netlink is aligned to.
fn aligned(length: usize) -> usize {
    (length + 3) & !3
}

/// Messages or attributes under construction.
#[derive(Debug, Default, Clone)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Appends bytes as they are, such as a family's fixed header.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends an attribute. Its value is at most 65,531 bytes long: who may have more splits it.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = ATTRIBUTE_HEADER + value.len();
        let ([l0, l1], [k0, k1]) = ((length as u16).to_ne_bytes(), kind.to_ne_bytes());
        self.0.extend_from_slice(&[l0, l1, k0, k1]);
        self.0.extend_from_slice(value);
        if let Some(padding) = [0; 3].get(..aligned(length) - length).filter(|padding| !padding.is_empty()) {
            self.0.extend_from_slice(padding);
        }
    }

    /// Appends text with the NUL the kernel wants at its end.
    pub fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.attribute(kind, &bytes);
    }

    /// Appends a big-endian number of four bytes.
    pub fn number(&mut self, kind: u16, value: u32) {
        self.attribute(kind, &value.to_be_bytes());
    }

    /// Appends an attribute that holds what `fill` writes.
    pub fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Writer)) {
        self.nest_unmarked(kind | NESTED, fill);
    }

    /// The same without the nested mark: the kernel leaves it out of what it lists, so this compares equal.
    pub fn nest_unmarked(&mut self, kind: u16, fill: impl FnOnce(&mut Writer)) {
        let start = self.0.len();
        self.attribute(kind, &[]);
        fill(self);
        let length = (self.0.len() - start) as u16;
        if let Some(field) = self.0.get_mut(start..start + 2) {
            field.copy_from_slice(&length.to_ne_bytes());
        }
    }

    /// Appends a whole message; `NLM_F_REQUEST` is added to `flags`.
    pub fn message(&mut self, kind: u16, flags: u16, seq: u32, fill: impl FnOnce(&mut Writer)) {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
        self.0.extend_from_slice(&seq.to_ne_bytes());
        self.0.extend_from_slice(&[0; 4]);
        fill(self);
        let length = (self.0.len() - start) as u32;
        if let Some(field) = self.0.get_mut(start..start + 4) {
            field.copy_from_slice(&length.to_ne_bytes());
        }
    }
}

/// One received message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`: of the question it answers.
    pub seq: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// The errno that an error or done message carries; `None` for an acknowledgement and all others.
    pub fn errno(&self) -> Option<i32> {
        if self.kind != ERROR && self.kind != DONE {
            return None;
        }
        let code = self.body.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes))?;
        (code != 0).then(|| code.saturating_neg())
    }

    /// The attributes that follow a fixed header of `length` bytes; none when the message is shorter.
    pub fn attributes(&self, length: usize) -> &'a [u8] {
        self.body.get(aligned(length)..).unwrap_or_default()
    }
}

/// The messages in a received datagram. A message longer than the rest ends it.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let header: &[u8; HEADER] = self.0.first_chunk()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
        let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let body = self.0.get(HEADER..length)?;
        self.0 = self.0.get(aligned(length)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            seq: u32::from_ne_bytes([s0, s1, s2, s3]),
            body,
        })
    }
}

/// The attributes in some bytes, as kind and value. One longer than the rest ends it.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let header: &[u8; ATTRIBUTE_HEADER] = self.0.first_chunk()?;
        let [l0, l1, k0, k1] = *header;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = self.0.get(ATTRIBUTE_HEADER..length)?;
        self.0 = self.0.get(aligned(length)..).unwrap_or_default();
        Some((u16::from_ne_bytes([k0, k1]) & KIND, value))
    }
}

/// The value of the first attribute of this kind.
pub fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    Attributes(bytes).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

/// A big-endian number of four bytes.
pub fn number(bytes: &[u8], kind: u16) -> Option<u32> {
    attribute(bytes, kind)?.first_chunk().map(|value| u32::from_be_bytes(*value))
}

/// Text up to its NUL.
pub fn text(bytes: &[u8], kind: u16) -> Option<&str> {
    let value = attribute(bytes, kind)?;
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    std::str::from_utf8(value.get(..end)?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn example() -> Vec<u8> {
        let mut writer = Writer::default();
        writer.message(7, ACK, 9, |body| {
            body.raw(&[2, 0, 0, 0]);
            body.text(1, "eth0");
            body.nest(2, |inner| inner.number(3, 0x0102_0304));
        });
        writer.bytes().to_vec()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = example();
        let message = Messages(&bytes).next().unwrap();
        assert_eq!((message.kind, message.flags, message.seq), (7, ACK | REQUEST, 9));
        let attributes = message.attributes(4);
        assert_eq!(text(attributes, 1), Some("eth0"));
        assert_eq!(number(attribute(attributes, 2).unwrap(), 3), Some(0x0102_0304));
        assert_eq!(Messages(&bytes).count(), 1);
    }

    #[test]
    fn short_input_ends_and_never_panics() {
        let bytes = example();
        for end in 0..bytes.len() {
            let cut = &bytes[..end];
            assert_eq!(Messages(cut).count(), 0, "{end} bytes");
            for (_, value) in Attributes(cut) {
                let _ = Attributes(value).count();
            }
            let _ = (text(cut, 1), number(cut, 3));
        }
        assert_eq!(Attributes(&[3, 0, 1, 0, 0, 0]).count(), 0, "a length below its own header");
        assert_eq!(Messages(&[0; 16]).count(), 0, "a message of length 0 would never end");
    }

    #[test]
    fn errors_carry_an_errno_and_acknowledgements_do_not() {
        let errno = |kind, code: &[u8]| Message { kind, flags: 0, seq: 1, body: code }.errno();
        assert_eq!(errno(ERROR, &(-2i32).to_ne_bytes()), Some(2));
        assert_eq!(errno(DONE, &(-4i32).to_ne_bytes()), Some(4));
        assert_eq!(errno(ERROR, &[0; 4]), None);
        assert_eq!(errno(20, &(-2i32).to_ne_bytes()), None);
        assert_eq!(errno(DONE, &[]), None);
    }
}
