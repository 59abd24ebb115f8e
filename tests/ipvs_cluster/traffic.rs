//! Clients of the address: one that asks all the time, and one that takes its time with a single question.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::bed::ip;
use crate::lab::{Lab, VIP};

/// What a question gets, all in all.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// A question and what came of it.
pub struct Asked {
    pub begun: Instant,
    pub ended: Instant,
    pub answer: Result<String, String>,
}

/// A client that asks all the time.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Asked>>,
}

impl Traffic {
    pub fn start(lab: &'static Lab) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            lab.client.enter(|| {
                let mut asked = Vec::new();
                while !told.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let answer = ask().map_err(|error| format!("{error:#}"));
                    asked.push(Asked { begun, ended: Instant::now(), answer });
                    std::thread::sleep(PAUSE);
                }
                asked
            })
        });
        Self { stop, thread }
    }

    /// All that it asked.
    pub fn end(self) -> Record {
        self.stop.store(true, Ordering::Relaxed);
        Record(self.thread.join().unwrap())
    }
}

/// What a client has seen, in order.
pub struct Record(Vec<Asked>);

impl Record {
    pub fn answered(&self) -> usize {
        self.0.iter().filter(|asked| asked.answer.is_ok()).count()
    }

    /// Questions that were asked from then on and failed.
    pub fn failures_since(&self, since: Instant) -> Vec<&str> {
        let late = self.0.iter().filter(|asked| asked.begun >= since);
        late.filter_map(|asked| asked.answer.as_ref().err()).map(String::as_str).collect()
    }

    /// The longest time without an answer.
    pub fn outage(&self) -> Duration {
        let good: Vec<_> = self.0.iter().filter(|asked| asked.answer.is_ok()).map(|asked| asked.ended).collect();
        good.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default()
    }

    /// It has worked at both ends of the record.
    pub fn is_framed(&self) -> bool {
        let ends = [self.0.first(), self.0.last()];
        ends.iter().all(|asked| asked.is_some_and(|asked| asked.answer.is_ok()))
    }
}

fn ask() -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::new(ip(VIP), 80), PATIENCE).context("connect")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")?;
    rest(stream)
}

fn rest(mut stream: TcpStream) -> Result<String> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("read")?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    Ok(answer.lines().last().unwrap_or_default().to_owned())
}

/// A question that takes its time, a line after the other: an open connection with traffic.
pub struct Slow {
    /// The port that it comes from.
    pub port: u16,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<String>>,
}

impl Slow {
    pub fn start(lab: &Lab) -> Result<Self> {
        let to = SocketAddr::new(ip(VIP), 80);
        let mut stream = lab.client.enter(|| TcpStream::connect_timeout(&to, Duration::from_secs(5)))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let port = stream.local_addr()?.port();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            stream.write_all(b"GET / HTTP/1.1\r\n")?;
            while !told.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(200));
                stream.write_all(b"X-More: of it\r\n")?;
            }
            stream.write_all(b"\r\n")?;
            rest(stream)
        });
        Ok(Self { port, stop, thread })
    }

    /// Comes to the end of the question; the answer.
    pub fn end(self) -> Result<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap().context("the open connection")
    }
}
