//! A RabbitMQ server, asked as its client would: the login of AMQP 0-9-1 (specification, sections 4.2 and 1.4), and a good-bye.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::{Server, Stream};
use super::trouble::Trouble;
use crate::secret::Secret;

/// Bytes of a frame at most: both sides agree on more only after the login.
const CAP: u32 = 128 << 10;
/// What a frame ends with.
const END: u8 = 0xCE;
/// The class of all methods that matter here, and the methods.
const CONNECTION: u16 = 10;
const START: u16 = 10;
const START_OK: u16 = 11;
const TUNE: u16 = 30;
const TUNE_OK: u16 = 31;
const OPEN: u16 = 40;
const OPEN_OK: u16 = 41;
const CLOSE: u16 = 50;

/// A RabbitMQ server and who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rabbit {
    /// Where.
    pub server: Server,
    /// Who.
    pub user: String,
    /// With which password.
    pub password: Secret,
    /// For which virtual host.
    pub virtual_host: String,
}

/// A method that the server sent.
struct Method {
    number: u16,
    arguments: Vec<u8>,
}

impl Rabbit {
    /// Logs in, opens the virtual host, and leaves in good order. To be limited by [`Server::limited`].
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn login(&self) -> Result<(), Trouble> {
        let mut stream = self.server.connect().await?;
        // Without a login there is no good-bye, and a client that has begun and leaves is a line in the server's log each time; one
        // that has said nothing is none.
        if !self.server.may_have_password() {
            return Ok(());
        }
        stream.write_all(b"AMQP\0\0\x09\x01").await.map_err(|error| self.server.broken(&error))?;
        let start = self.read(&mut stream).await?;
        if start.number != START {
            return Err(self.server.foreign());
        }
        if !mechanisms(&start.arguments).is_some_and(|names| names.split(' ').any(|name| name == "PLAIN")) {
            return Err(self.server.refuses("it offers no login with a password"));
        }
        let login = [properties(), short("PLAIN"), long(&self.response()), short("en_US")].concat();
        self.write(&mut stream, START_OK, &login).await?;
        let tune = self.answer(&mut stream, TUNE).await?;
        self.write(&mut stream, TUNE_OK, &tuned(&tune)).await?;
        self.write(&mut stream, OPEN, &[short(&self.virtual_host), short(""), vec![0]].concat()).await?;
        self.answer(&mut stream, OPEN_OK).await?;
        // Without a good-bye the server would log each of these questions as a client that was lost.
        let close = [200u16.to_be_bytes().to_vec(), short(""), vec![0; 4]].concat();
        if self.write(&mut stream, CLOSE, &close).await.is_ok() {
            let _ = self.read(&mut stream).await;
        }
        Ok(())
    }

    /// The method that is wanted next; or what the server says instead.
    async fn answer(&self, stream: &mut Box<dyn Stream>, wanted: u16) -> Result<Vec<u8>, Trouble> {
        match self.read(stream).await {
            Ok(method) if method.number == wanted => Ok(method.arguments),
            Ok(method) if method.number == CLOSE => Err(self.server.refuses(&self.told(&why(&method.arguments)))),
            Ok(_) => Err(self.server.foreign()),
            // Servers that do not say why: it has spoken before, so this is an answer.
            Err(Trouble::Unreachable(_)) => Err(self.server.refuses("it ends the connection at the login")),
            Err(other) => Err(other),
        }
    }

    /// What may be repeated of the server's words: a broker never tells a password, but whatever answers here may.
    fn told(&self, words: &str) -> String {
        let password = self.password.reveal();
        if password.is_empty() || !words.contains(password) { words.to_owned() } else { words.replace(password, "***") }
    }

    /// Reads frames up to the next method of the connection.
    async fn read(&self, stream: &mut Box<dyn Stream>) -> Result<Method, Trouble> {
        loop {
            let (kind, payload) = frame(stream).await.map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => self.server.foreign(),
                _ => self.server.broken(&error),
            })?;
            match (kind, payload.as_slice()) {
                (1, [0, class, high, low, arguments @ ..]) if u16::from(*class) == CONNECTION => {
                    return Ok(Method { number: u16::from_be_bytes([*high, *low]), arguments: arguments.to_vec() });
                }
                (1, _) => return Err(self.server.foreign()),
                // A heartbeat.
                _ => {}
            }
        }
    }

    async fn write(&self, stream: &mut Box<dyn Stream>, number: u16, arguments: &[u8]) -> Result<(), Trouble> {
        let payload = [&CONNECTION.to_be_bytes(), &number.to_be_bytes(), arguments].concat();
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let bytes = [&[1, 0, 0], length.to_be_bytes().as_slice(), &payload, &[END]].concat();
        stream.write_all(&bytes).await.map_err(|error| self.server.broken(&error))
    }

    /// The answer of the mechanism PLAIN (RFC 4616).
    fn response(&self) -> Vec<u8> {
        [&[0], self.user.as_bytes(), &[0], self.password.reveal().as_bytes()].concat()
    }
}

/// One frame: its type and payload. `InvalidData` when this is no AMQP 0-9-1.
async fn frame(stream: &mut Box<dyn Stream>) -> io::Result<(u8, Vec<u8>)> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let kind = stream.read_u8().await?;
    // Method, header, body, heartbeat. A server of another version answers "AMQP" and its own.
    if !matches!(kind, 1..=3 | 8) {
        return Err(wrong());
    }
    stream.read_u16().await?;
    let length = stream.read_u32().await?;
    if length > CAP {
        return Err(wrong());
    }
    let mut payload = vec![0; usize::try_from(length).map_err(|_| wrong())?];
    stream.read_exact(&mut payload).await?;
    if stream.read_u8().await? == END { Ok((kind, payload)) } else { Err(wrong()) }
}

/// The ways to log in that the server offers: after its version and a table about itself.
fn mechanisms(start: &[u8]) -> Option<&str> {
    let (_, rest) = counted(start.get(2..)?)?;
    str::from_utf8(counted(rest)?.0).ok()
}

/// What follows a length of four bytes, and the rest.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// The server's own words in a Close: after a number, a short string.
fn why(close: &[u8]) -> String {
    let text = close.get(2).and_then(|length| close.get(3..3 + usize::from(*length))).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// What the server wants as limits, which we take, and no heartbeat.
fn tuned(tune: &[u8]) -> Vec<u8> {
    let limits = tune.get(..6).unwrap_or(&[0; 6]);
    [limits, &[0, 0]].concat()
}

fn short(text: &str) -> Vec<u8> {
    // All ours are shorter; a longer virtual host is one that cannot exist.
    let bytes = text.as_bytes().get(..255).unwrap_or(text.as_bytes());
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[length], bytes].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

/// What we say of ourselves. With this capability a wrong password is answered; without it the server just hangs up.
fn properties() -> Vec<u8> {
    let capability = [short("authentication_failure_close"), vec![b't', 1]].concat();
    let product = [short("product"), vec![b'S'], long(b"inuvika-ha")].concat();
    long(&[product, short("capabilities"), vec![b'F'], long(&capability)].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_sends_is_taken_apart() {
        let start = [vec![0, 9], long(b"\x07productS\0\0\0\x01x"), long(b"AMQPLAIN PLAIN"), long(b"en_US")].concat();
        assert_eq!(mechanisms(&start), Some("AMQPLAIN PLAIN"));
        let close = [403u16.to_be_bytes().to_vec(), short("ACCESS_REFUSED - no"), vec![0; 4]].concat();
        assert_eq!(why(&close), "ACCESS_REFUSED - no");
        assert_eq!(tuned(&[0, 1, 0, 2, 0, 0, 0, 60]), [0, 1, 0, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn damaged_answers_are_no_panic() {
        let start = [vec![0, 9], long(b"x"), long(b"PLAIN")].concat();
        for end in 0..start.len() {
            assert_eq!(mechanisms(&start[..end]), None, "{end}");
        }
        assert_eq!(mechanisms(&[0, 9, 0xFF, 0xFF, 0xFF, 0xFF, 1]), None);
        assert_eq!(why(&[1]), "");
        assert_eq!(why(&[1, 2, 9, b'a']), "");
        assert_eq!(tuned(&[]), [0; 8]);
    }

    #[test]
    fn the_response_is_that_of_plain_and_hidden_elsewhere() {
        let server = Server { kind: "RabbitMQ", host: "h".into(), port: 5672, tls: None };
        let rabbit =
            Rabbit { server, user: "guest".into(), password: Secret::new("hunter2"), virtual_host: "/".into() };
        assert_eq!(rabbit.response(), b"\0guest\0hunter2");
        assert!(!format!("{rabbit:?}").contains("hunter2"));
        assert_eq!(rabbit.told("ACCESS_REFUSED - no"), "ACCESS_REFUSED - no");
        assert_eq!(rabbit.told("bad login guest/hunter2"), "bad login guest/***");
    }
}
