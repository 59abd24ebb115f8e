//! The address under which a server sees the connections of a node.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::exec::Machine;
use super::host::Host;

const PORT: u16 = 9100;
const LIMIT: Duration = Duration::from_secs(5);

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proto {
    /// A new connection.
    Tcp,
    /// One datagram.
    Udp,
}

type Seen = Arc<Mutex<BTreeMap<String, IpAddr>>>;

/// Listens on the server, on TCP and UDP, IPv4 and IPv6.
#[derive(Debug)]
pub struct SourceWatch {
    seen: Seen,
    count: AtomicU32,
}

impl SourceWatch {
    /// Starts to listen.
    pub fn start(server: &Host) -> Result<Self> {
        let seen = Seen::default();
        // One socket for both families; hosts without IPv6 get one for IPv4.
        let any = [SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)), SocketAddr::from(([0, 0, 0, 0], PORT))];
        let open = move || Ok::<_, std::io::Error>((TcpListener::bind(&any[..])?, UdpSocket::bind(&any[..])?));
        let opened = server.thread(open)?.join().ok().context("thread panicked")?;
        let (tcp, udp) = opened.with_context(|| format!("listen on {}", server.name()))?;
        let notes = Arc::clone(&seen);
        std::thread::spawn(move || {
            for connection in tcp.incoming().flatten() {
                let notes = Arc::clone(&notes);
                std::thread::spawn(move || {
                    let (Ok(peer), Ok(())) = (connection.peer_addr(), connection.set_read_timeout(Some(LIMIT))) else {
                        return;
                    };
                    let mut token = String::new();
                    if BufReader::new(connection).read_line(&mut token).is_ok() {
                        note(&notes, &token, peer);
                    }
                });
            }
        });
        let notes = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 64];
            while let Ok((length, peer)) = udp.recv_from(&mut buffer) {
                note(&notes, &String::from_utf8_lossy(&buffer[..length]), peer);
            }
        });
        Ok(Self { seen, count: AtomicU32::new(0) })
    }

    /// Lets `machine` send something to the server's address `target`, and returns where it came from for the server.
    pub fn source_of(&self, machine: &dyn Machine, proto: Proto, target: IpAddr) -> Result<IpAddr> {
        let token = format!("token-{}", self.count.fetch_add(1, Ordering::SeqCst));
        let kind = if proto == Proto::Tcp { "tcp" } else { "udp" };
        machine.sh_within(LIMIT, &format!("echo {token} >/dev/{kind}/{target}/{PORT}"))?;
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            if let Some(address) = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&token) {
                return Ok(*address);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("{target} saw no {kind} of {} within {} s", machine.name(), LIMIT.as_secs())
    }
}

fn note(seen: &Seen, token: &str, peer: SocketAddr) {
    seen.lock().unwrap_or_else(PoisonError::into_inner).insert(token.trim().to_owned(), peer.ip().to_canonical());
}
