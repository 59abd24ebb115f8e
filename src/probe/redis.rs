//! A Redis server, asked as its client would: AUTH, then PING (RESP, redis.io/docs/reference/protocol-spec).

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::line::first_line;
use super::server::{Server, Stream};
use super::trouble::Trouble;
use crate::secret::Secret;

/// Bytes of an answer at most: both have a line of a few words.
const CAP: usize = 512;

/// How answers to AUTH begin that have none of our words in them.
const OWN: [&str; 7] =
    ["WRONGPASS", "NOAUTH", "NOPERM", "DENIED", "LOADING", "ERR invalid password", "ERR max number of clients reached"];

/// A Redis server and who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// Where.
    pub server: Server,
    /// Who; the default user when empty.
    pub user: String,
    /// With which password; no AUTH when empty.
    pub password: Secret,
}

impl Redis {
    /// Logs in where there is a password, asks PING, and leaves. To be limited by [`Server::limited`].
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn ping(&self) -> Result<(), Trouble> {
        let mut stream = self.server.connect().await?;
        let has_password = !self.password.reveal().is_empty();
        if has_password && self.server.may_have_password() {
            let mut words = vec!["AUTH"];
            words.extend((!self.user.is_empty()).then_some(self.user.as_str()));
            words.push(self.password.reveal());
            let said = self.ask(&mut stream, &words).await?;
            logged_in(&said).map_or(Ok(()), |words| Err(self.server.refuses(&self.told(words))))?;
        }
        let said = self.ask(&mut stream, &["PING"]).await?;
        // It insists on the password that we do not send to a server whose certificate nobody looks at: it is there.
        if has_password && !self.server.may_have_password() && said.starts_with("-NOAUTH") {
            return Ok(());
        }
        judge(&self.server, &said)
    }

    /// What may be repeated of an answer to AUTH: a server that does not know the command has our words in its answer, maybe cut
    /// off or quoted. So only answers that servers have words of their own for are told whole.
    fn told(&self, words: &str) -> String {
        let kind = words.split_whitespace().next().unwrap_or_default();
        let is_kind = !kind.is_empty() && kind.len() <= 16 && kind.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_known = OWN.iter().any(|own| words.starts_with(own));
        let is_ours = [self.password.reveal(), &self.user].iter().any(|own| !own.is_empty() && words.contains(own));
        match (is_known && !is_ours, is_kind && kind != self.password.reveal()) {
            (true, _) => words.to_owned(),
            (false, true) => format!("AUTH: {kind}"),
            (false, false) => "AUTH".to_owned(),
        }
    }

    async fn ask(&self, stream: &mut Box<dyn Stream>, words: &[&str]) -> Result<String, Trouble> {
        stream.write_all(&command(words)).await.map_err(|error| self.server.broken(&error))?;
        let mut line = Vec::new();
        while !line.ends_with(b"\n") && line.len() < CAP {
            // Byte by byte: nothing of the next answer is lost, and the system call costs less than a buffer's lines of code.
            let byte = stream.read_u8().await.map_err(|error| self.server.broken(&error))?;
            line.push(byte);
        }
        Ok(first_line(&String::from_utf8_lossy(&line), CAP))
    }
}

/// A command as an array of strings.
fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

/// What speaks against a login; none when it is done, or when the server wants no password at all.
fn logged_in(said: &str) -> Option<&str> {
    let words = said.strip_prefix('-')?;
    let wants_none = words.contains("no password is set") || words.contains("without any password configured");
    (!wants_none).then_some(words)
}

fn judge(server: &Server, said: &str) -> Result<(), Trouble> {
    match said.strip_prefix('-') {
        None if said == "+PONG" => Ok(()),
        None => Err(server.foreign()),
        // "protected mode": it lets nobody in but its own host; another node may be that.
        Some(words) if words.starts_with("DENIED") => {
            Err(Trouble::Unreachable(format!("{server} shuts this node out: {}", first_line(words, 60))))
        }
        // Its password is right and PING is not among what it may do: it is there, and its own work may be allowed.
        Some(words) if words.starts_with("NOPERM") => Ok(()),
        Some(words) => Err(server.refuses(words)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ocf::deadline::Deadline;
    use crate::probe::runtime;

    fn server() -> Server {
        Server { kind: "Redis", host: "10.60.13.59".into(), port: 6379, tls: None }
    }

    #[test]
    fn a_command_has_lengths_in_bytes() {
        assert_eq!(command(&["AUTH", "p\u{e9} x"]), "*2\r\n$4\r\nAUTH\r\n$5\r\np\u{e9} x\r\n".as_bytes());
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(judge(&server(), "+PONG"), Ok(()));
        for said in
            ["-NOAUTH Authentication required.", "-LOADING Redis is loading", "-ERR max number of clients reached"]
        {
            let judged = judge(&server(), said);
            assert!(matches!(&judged, Err(Trouble::Refused(why)) if why.contains(&said[1..])), "{judged:?}");
        }
        for said in ["", "HTTP/1.1 400 Bad Request", "+OK", "-DENIED Redis is running in protected mode"] {
            assert!(matches!(judge(&server(), said), Err(Trouble::Unreachable(_))), "{said}");
        }
        assert_eq!(logged_in("+OK"), None);
        assert_eq!(
            logged_in("-ERR AUTH <password> called without any password configured for the default user."),
            None
        );
        assert_eq!(logged_in("-ERR Client sent AUTH, but no password is set"), None);
        assert_eq!(logged_in("-WRONGPASS invalid"), Some("WRONGPASS invalid"));
    }

    #[test]
    fn a_server_that_repeats_our_words_is_not_repeated() {
        let redis = Redis { server: server(), user: "abiquo".into(), password: Secret::new("hunter2") };
        for (words, told) in [
            ("ERR unknown command `AUTH`, with args beginning with: `hunter2`, ", "AUTH: ERR"),
            ("ERR unknown command 'AUTH', with args beginning with: 'hunt", "AUTH: ERR"),
            ("WRONGPASS no such user abiquo", "AUTH: WRONGPASS"),
            ("WRONGPASS hunter2 is wrong", "AUTH: WRONGPASS"),
            ("hunter2", "AUTH"),
            ("", "AUTH"),
            (
                "WRONGPASS invalid username-password pair or user is disabled.",
                "WRONGPASS invalid username-password pair or user is disabled.",
            ),
            ("ERR invalid password", "ERR invalid password"),
        ] {
            assert_eq!(redis.told(words), told, "{words}");
        }
        let redis = Redis { password: Secret::new("HUNTER"), ..redis };
        assert_eq!(redis.told("HUNTER x"), "AUTH");
    }

    /// As Redis 5 and later answer where AUTH has been renamed.
    #[test]
    fn the_password_does_not_come_back_in_the_reason() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 64];
            let length = std::io::Read::read(&mut stream, &mut asked).unwrap();
            let words = String::from_utf8_lossy(&asked[..length]).replace("\r\n", " ");
            let answer = format!("-ERR unknown command `AUTH`, with args beginning with: `{words}`, \r\n");
            std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
        });
        let server = Server { host: "127.0.0.1".into(), port, ..server() };
        let redis = Redis { server, user: String::new(), password: Secret::new("hunter2") };
        let limit = Deadline::after(Duration::from_secs(5));
        let said = runtime::block(redis.server.limited(Duration::from_secs(4), redis.ping()), &limit).unwrap();
        let text = format!("Redis 127.0.0.1:{port} refuses: AUTH: ERR");
        assert_eq!(said, Some(Err(Trouble::Refused(text))));
    }

    #[test]
    fn the_password_is_in_no_debug_output() {
        let redis = Redis { server: server(), user: String::new(), password: Secret::new("hunter2") };
        assert!(!format!("{redis:?}").contains("hunter2"));
    }
}
