//! A client that keeps sessions through the virtual IP, and remembers what was acknowledged.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::lab::{Lab, VIP, wait_for};
use super::session_manager::PORT;

/// A request that is not answered by then is asked again, as another session.
const LIMIT: Duration = Duration::from_secs(2);
/// Every so many requests go to one of the sessions that are written again and again.
const EVERY: usize = 5;
/// The number of those.
const LIVELY: usize = 10;

/// What the web server said of a session it has kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The number in it.
    pub number: usize,
    /// The hash of its file.
    pub hash: String,
}

/// Sessions by the names of their files.
pub type Sessions = BTreeMap<String, Kept>;

/// Whether a file is of a session that is written again and again.
pub fn is_lively(file: &str) -> bool {
    file.contains("-again-")
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    goal: AtomicUsize,
    kept: Mutex<Sessions>,
    count: AtomicUsize,
}

/// The client.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// A client that has nothing to do yet; the names of its sessions begin with `prefix`.
    pub fn start(lab: &Lab, prefix: &str) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (inside, prefix) = (Arc::clone(&shared), prefix.to_owned());
        let thread = lab.client.thread(move || work(&inside, &prefix))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Lets it keep so many sessions more than before.
    pub fn more(&self, files: usize) {
        self.shared.goal.fetch_add(files, Ordering::SeqCst);
    }

    /// Waits until all but `missing` of them have been acknowledged.
    pub fn wait(&self, missing: usize, limit: Duration) -> Result<()> {
        let goal = self.shared.goal.load(Ordering::SeqCst);
        let done = || Ok(self.shared.count.load(Ordering::SeqCst) + missing >= goal);
        wait_for(limit, "sessions to be kept", done).map(drop)
    }

    /// What has been acknowledged by now.
    pub fn kept(&self) -> Sessions {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(shared: &Shared, prefix: &str) {
    for number in 1.. {
        while shared.count.load(Ordering::SeqCst) >= shared.goal.load(Ordering::SeqCst) {
            if shared.stop.load(Ordering::SeqCst) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let lively = number % EVERY == 0;
        let name =
            if lively { format!("{prefix}-again-{}", number / EVERY % LIVELY) } else { format!("{prefix}-{number}") };
        match keep(&name, number) {
            Ok((file, kept)) => {
                shared.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(file, kept);
                shared.count.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Keeps a session: the name of its file, and what is in it.
pub fn keep(name: &str, number: usize) -> Result<(String, Kept)> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((VIP, PORT)), LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let request = format!("GET /ovd/store?number={number} HTTP/1.0\r\nHost: {VIP}\r\nCookie: PHPSESSID={name}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            length => text.push_str(&String::from_utf8_lossy(&buffer[..length])),
        }
        ensure!(begun.elapsed() < LIMIT, "no whole answer");
    }
    let Some(words) = text.lines().last().and_then(|line| line.strip_prefix("stored ")) else {
        bail!("unexpected answer: {text}");
    };
    let words: Vec<&str> = words.split(' ').collect();
    let [file, told, hash] = words[..] else { bail!("unexpected answer: {text}") };
    let told: usize = told.parse().context("no number")?;
    ensure!(told == number && file == format!("sess_{name}"), "another session was kept: {text}");
    Ok((file.to_owned(), Kept { number, hash: hash.to_owned() }))
}
