//! A server of NFS, asked what every one of its threads may answer: the NULL procedure of ONC RPC (RFC 5531, RFC 8881 section
//! 16.1). A connection alone says little: the kernel takes it while all threads of the server hang.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::Server;
use super::trouble::Trouble;

/// The program NFS, and a version of it. A server of other versions says so, which is an answer as well.
const PROGRAM: u32 = 100_003;
const VERSION: u32 = 4;
/// The version of ONC RPC.
const RPC: u32 = 2;
/// The kinds of a message.
const CALL: u32 = 0;
const REPLY: u32 = 1;
/// Marks the last fragment of a message, before its length.
const LAST: u32 = 1 << 31;
/// What the call is known by. One connection carries one call.
const ID: u32 = 0x696e_7576;

/// Calls the NULL procedure. To be limited by [`Server::limited`].
///
/// # Errors
/// See [`Trouble`].
pub async fn null(server: &Server) -> Result<(), Trouble> {
    let mut stream = server.connect().await?;
    stream.write_all(&call()).await.map_err(|error| server.broken(&error))?;
    // The length of the fragment, the call's id, and what kind of message it is.
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.map_err(|error| server.broken(&error))?;
    if is_reply(&head) { Ok(()) } else { Err(server.foreign()) }
}

/// The call: no credentials, no arguments.
fn call() -> Vec<u8> {
    let words = [ID, CALL, RPC, PROGRAM, VERSION, 0, 0, 0, 0, 0];
    let length = u32::try_from(words.len() * 4).unwrap_or_default();
    [LAST | length].into_iter().chain(words).flat_map(u32::to_be_bytes).collect()
}

fn is_reply(head: &[u8; 12]) -> bool {
    head.get(4..) == Some([ID.to_be_bytes(), REPLY.to_be_bytes()].concat().as_slice())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;
    use crate::ocf::deadline::Deadline;
    use crate::probe::runtime;

    /// What is said of a server that reads the call and answers so; nothing: never.
    fn said(answer: Option<&'static [u8]>) -> Result<(), Trouble> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut call = [0; 44];
            stream.read_exact(&mut call).unwrap();
            assert_eq!(call[..4], [0x80, 0, 0, 40]);
            match answer {
                Some(bytes) => stream.write_all(bytes).unwrap(),
                None => std::thread::sleep(Duration::from_secs(2)),
            }
        });
        let server = Server { kind: "NFS", host: "127.0.0.1".into(), port, tls: None };
        let limit = Duration::from_millis(300);
        let question = async { server.limited(limit, null(&server)).await };
        runtime::block(question, &Deadline::after(Duration::from_secs(5))).unwrap().unwrap()
    }

    #[test]
    fn an_answer_counts_and_a_connection_does_not() {
        // Accepted; and a server that has other versions: both serve.
        assert_eq!(said(Some(b"\x80\0\0\x18inuv\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")), Ok(()));
        assert_eq!(
            said(Some(b"\x80\0\0\x20inuv\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x03\0\0\0\x03")),
            Ok(())
        );
        for (answer, why) in [
            (None, "no answer in 0.3 s"),
            (Some(&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..]), "answers, but not as NFS"),
            (Some(&b"\x80"[..]), "broken off"),
        ] {
            let said = said(answer);
            assert!(matches!(&said, Err(Trouble::Unreachable(text)) if text.contains(why)), "{said:?}");
        }
    }
}
