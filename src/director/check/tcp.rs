//! Whether a TCP connection comes about.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use nix::errno::Errno;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::answer::Outcome;
use crate::probe::line::network;

/// The time of one question: all its parts end at the same moment, however far each of them came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    end: Instant,
    limit: Duration,
}

impl Clock {
    /// Begins to run.
    pub fn start(limit: Duration) -> Self {
        Self { end: Instant::now() + limit, limit }
    }

    /// Waits for a part; the outcome at the end of the time says what did not happen.
    pub async fn wait<T>(self, what: &str, part: impl Future<Output = T>) -> Result<T, Outcome> {
        timeout_at(self.end, part).await.map_err(|_| Outcome::late(what, self.limit))
    }
}

/// Asks.
pub(super) async fn ask(to: SocketAddr, clock: Clock) -> Outcome {
    match connect(to, clock).await {
        Ok(_) => Outcome::up("connected"),
        Err(outcome) => outcome,
    }
}

/// Connects from the address that the kernel chooses.
pub(super) async fn connect(to: SocketAddr, clock: Clock) -> Result<TcpStream, Outcome> {
    let stream = clock.wait("no connection", TcpStream::connect(to)).await?.map_err(|error| explain(&error))?;
    // A port of this host that nobody listens on can be chosen for our own end: then we would talk to ourselves.
    match (stream.local_addr(), stream.peer_addr()) {
        (Ok(own), Ok(peer)) if own == peer => Err(Outcome::down("connection refused")),
        _ => Ok(stream),
    }
}

fn explain(error: &io::Error) -> Outcome {
    // What this host lacks says nothing of the server.
    let own = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM, Errno::EADDRNOTAVAIL];
    match error.raw_os_error().map(Errno::from_raw) {
        Some(errno) if own.contains(&errno) => Outcome::unknown(format!("this host cannot ask: {}", network(error))),
        _ => Outcome::down(network(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::director::check::Verdict;

    #[test]
    fn what_this_host_lacks_is_not_the_servers_fault() {
        for (errno, verdict, text) in [
            (Errno::ECONNREFUSED, Verdict::Down, "connection refused"),
            (Errno::EHOSTUNREACH, Verdict::Down, "no route to host"),
            (Errno::EMFILE, Verdict::Unknown, "this host cannot ask: too many open files"),
        ] {
            let outcome = explain(&errno.into());
            assert_eq!((outcome.verdict, outcome.text.as_str()), (verdict, text));
        }
    }
}
