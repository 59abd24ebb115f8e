//! Servers, real and made up, and the network they are on.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use inuvika_ha::ocf::deadline::Deadline;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::frozen;

/// An address of this host that no user of the database may come from.
pub const OTHER: &str = "10.77.0.1";
/// An address behind a link that loses every packet.
pub const LOST: &str = "10.88.0.9";

/// Brings up lo, and a link that leads nowhere: the name server of the host is behind it, too.
pub fn network() {
    for line in [
        "link set lo up",
        "address add 10.77.0.1/32 dev lo",
        // Without ARP nothing is ever known to be missing: packets just do not come back.
        "link add nowhere arp off type veth peer name void",
        "link set void up",
        "link set nowhere up",
        "address add 10.88.0.1/24 dev nowhere",
        "route add default dev nowhere",
    ] {
        assert!(Command::new("ip").args(line.split(' ')).status().unwrap().success(), "ip {line}");
    }
}

/// Asks with this limit, and fails when it is not kept.
pub fn within<T>(limit_ms: u64, ask: impl FnOnce(&Deadline) -> T) -> T {
    let started = Instant::now();
    let answer = ask(&Deadline::after(Duration::from_millis(limit_ms)));
    let took = started.elapsed();
    assert!(took < Duration::from_millis(limit_ms + 3000), "took {took:?} of {limit_ms} ms");
    answer
}

/// A server process; killed when dropped.
pub struct Server(Child);

impl Server {
    /// Starts it, and waits until it listens on `address`. Its output goes to `log`.
    pub fn start(command: &mut Command, address: &str, log: &Path) -> Self {
        let output = fs::File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut child = command.spawn().unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let said = || fs::read_to_string(log).unwrap_or_default();
            assert!(child.try_wait().unwrap().is_none(), "{command:?} has ended: {}", said());
            assert!(started.elapsed() < Duration::from_secs(60), "{command:?} does not listen: {}", said());
            thread::sleep(Duration::from_millis(50));
        }
        Self(child)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    /// Does something while the process hangs.
    pub fn stopped<T>(&self, work: impl FnOnce() -> T) -> T {
        let _resumed = Resumed(self);
        frozen::signal(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGSTOP).unwrap();
        work()
    }
}

/// Lets a stopped server go on, also when a trial fails.
struct Resumed<'a>(&'a Server);

impl Drop for Resumed<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::SIGCONT);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a made-up server does with a connection.
#[derive(Clone, Copy)]
pub enum Manner {
    /// Nothing.
    Silent,
    /// Closes it at once.
    Closes,
    /// Sends this, then nothing.
    Says(&'static [u8]),
    /// The same, but only when it has been asked.
    Answers(&'static [u8]),
    /// Sends this again and again, one byte every 200 ms, when it has been asked or waited for that in vain.
    Drips(&'static [u8]),
}

/// A made-up server; what it is sent first arrives at the receiver.
pub fn fake(manner: Manner) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().flatten() {
            match manner {
                Manner::Closes => continue,
                Manner::Says(bytes) => stream.write_all(bytes).unwrap(),
                Manner::Silent | Manner::Answers(_) | Manner::Drips(_) => {}
            }
            let mut buffer = [0; 4096];
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            let length = stream.read(&mut buffer).unwrap_or_default();
            match manner {
                Manner::Answers(bytes) => stream.write_all(bytes).unwrap(),
                Manner::Drips(bytes) => drip(stream.try_clone().unwrap(), bytes),
                _ => {}
            }
            let _ = send.send(String::from_utf8_lossy(&buffer[..length]).into_owned());
            kept.push(stream);
        }
    });
    (address, receive)
}

fn drip(mut stream: TcpStream, bytes: &'static [u8]) {
    thread::spawn(move || {
        for byte in bytes.iter().cycle() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
    });
}
