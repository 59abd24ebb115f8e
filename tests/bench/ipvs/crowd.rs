//! A round of checks over 1,000 healthy web servers, on this machine itself: `inuvika-ha lvs check`, which asks as the agent
//! does. The servers are this program's: what they take is in the time, as on a director that serves itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::socket::{Backlog, listen};

use crate::netns::{Namespace, connect};
use crate::timed::{self, Timed};

pub const SERVERS: usize = 1000;
/// Servers that answer at the same time.
const THREADS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(10);

/// So many rounds, four times as many as in the guest: they are short.
pub fn measure(rounds: usize) -> Result<Vec<Timed>> {
    let (director, servers) = (Namespace::new(), Namespace::new());
    connect(&director, "eth0", &servers, "eth0");
    director.ip_all(&["address add 10.0.0.1/24 dev eth0".into(), "route add 10.1.0.0/16 via 10.0.0.2".into()]);
    // Every address of the network is the servers' own.
    servers.ip_all(&["address add 10.0.0.2/24 dev eth0".into(), "route add local 10.1.0.0/16 dev lo".into()]);
    let answered = Arc::new(AtomicUsize::new(0));
    serve(&servers, &answered)?;

    let addresses = (0..SERVERS).map(|number| format!("\"10.1.{}.{}\"", number / 250, number % 250 + 1));
    let real = addresses.collect::<Vec<_>>().join(", ");
    let text = format!("check = {{ type = \"http\" }}\n[[service]]\nvirtual = \"192.0.2.1:80\"\nreal = [{real}]\n");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crowd.toml");
    fs::write(&file, text)?;
    let words = [env!("CARGO_BIN_EXE_inuvika-ha"), "lvs", "check", "--config", &file.display().to_string()];
    let one = |round: usize| {
        let timed = timed::run(&director, Path::new("/dev/null"), &words, &[])?;
        let all = answered.load(Ordering::Relaxed);
        ensure!(all == (round + 1) * SERVERS, "{all} questions were answered by the end of round {round}");
        Ok(timed)
    };
    let rounds = (0..rounds * 4).map(one).collect();
    fs::remove_file(&file)?;
    rounds
}

/// Starts the servers; they end with this program.
fn serve(host: &Namespace, answered: &Arc<AtomicUsize>) -> Result<()> {
    let listener = host.enter(|| TcpListener::bind(("0.0.0.0", 80)))?;
    // All of them are one socket, which has to have room for what 1,000 have.
    listen(&listener, Backlog::MAXCONN)?;
    for _ in 0..THREADS {
        let (listener, answered) = (listener.try_clone()?, answered.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if answer(stream).is_ok() {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    Ok(())
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut question, mut part) = (Vec::new(), [0; 1024]);
    while !question.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => question.extend_from_slice(&part[..read]),
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n")
}
