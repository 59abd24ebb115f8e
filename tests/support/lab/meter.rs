//! How long a service is away: a poll every 20 ms from a client, whether or not the ones before have been answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::host::Host;

/// The time between two polls.
pub const PERIOD: Duration = Duration::from_millis(20);
/// A poll that is not answered by then is lost.
const LIMIT: Duration = Duration::from_millis(200);

/// One poll.
#[derive(Debug, Clone)]
struct Poll {
    sent: Instant,
    answered: Instant,
    answer: Option<String>,
}

/// What is asked of the service.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Sent after connecting; may be empty.
    pub request: String,
    /// The first line of the answer must contain it.
    pub expected: String,
    /// The rest of the answer must contain it; may be empty.
    pub body: String,
    /// The header that names who answered; when empty, the first line does.
    pub named_by: String,
}

impl Question {
    /// A web page, which must be answered with status 200.
    pub fn http(host: &str, path: &str) -> Self {
        let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        Self { request, expected: " 200 ".to_owned(), ..Self::default() }
    }

    /// The same web page asked for with one more header, such as `Cookie: NAME=VALUE`.
    pub fn with_header(mut self, header: &str) -> Self {
        self.request.insert_str(self.request.len() - 2, &format!("{header}\r\n"));
        self
    }

    /// The same question; a good answer contains that text after its first line.
    pub fn with_body(mut self, text: &str) -> Self {
        text.clone_into(&mut self.body);
        self
    }

    /// The same question; the value of that header says who answered.
    pub fn named_by(mut self, header: &str) -> Self {
        header.clone_into(&mut self.named_by);
        self
    }

    /// Who gave this answer; none as long as the answer is not complete enough to be a good one.
    fn judge(&self, answer: &str) -> Result<Option<String>> {
        let Some((line, rest)) = answer.split_once('\n') else { return Ok(None) };
        let line = line.trim_end();
        if !line.contains(&self.expected) {
            bail!("unexpected answer {line}");
        }
        if !rest.contains(&self.body) {
            return Ok(None);
        }
        if self.named_by.is_empty() {
            return Ok(Some(line.to_owned()));
        }
        let headers = rest.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let mut named = headers.filter_map(|line| line.split_once(':'));
        let found = named.find(|(name, _)| name.eq_ignore_ascii_case(&self.named_by));
        Ok(found.map(|(_, value)| value.trim().to_owned()))
    }
}

/// A running measurement.
#[derive(Debug)]
pub struct Meter {
    stop: Arc<AtomicBool>,
    polls: Arc<Mutex<Vec<Poll>>>,
    ticker: JoinHandle<()>,
}

/// The result of a measurement.
#[derive(Debug, Clone)]
pub struct Outage {
    /// From the last good answer before the longest gap to the first good one after it; zero when no poll was lost.
    pub longest: Duration,
    /// From the begin of the measurement to the last good answer before that gap.
    pub began: Duration,
    /// Number of polls.
    pub polls: usize,
    /// Number of polls without a good answer.
    pub lost: usize,
    /// Who answered, in this order; a name appears again when it answered again after another one.
    pub answers: Vec<String>,
}

impl Meter {
    /// Starts to poll `service` from `client` and waits for the first good answer, at most 5 s. Without a request, the
    /// service has to speak first.
    pub fn start(client: &Host, service: SocketAddr, question: Question) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let polls = Arc::new(Mutex::new(Vec::new()));
        let (stopped, kept) = (Arc::clone(&stop), Arc::clone(&polls));
        let ticker = client.thread(move || tick(service, &Arc::new(question), &stopped, &kept))?;
        let meter = Self { stop, polls, ticker };
        let started = Instant::now();
        while !meter.any_good() {
            if started.elapsed() > Duration::from_secs(5) {
                meter.stop.store(true, Ordering::SeqCst);
                bail!("{service} does not answer, so there is no outage to measure");
            }
            std::thread::sleep(PERIOD);
        }
        Ok(meter)
    }

    /// Ends the measurement.
    pub fn stop(self) -> Result<Outage> {
        self.stop.store(true, Ordering::SeqCst);
        self.ticker.join().ok().context("the meter's thread panicked")?;
        // Polls under way end within their own limit.
        std::thread::sleep(LIMIT + PERIOD);
        let mut polls = self.polls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        polls.sort_by_key(|poll| poll.sent);
        // What came before the first good answer is the meter's start, no outage.
        let first = polls.iter().position(|poll| poll.answer.is_some()).context("no good answer")?;
        Ok(evaluate(&polls[first..]))
    }

    fn any_good(&self) -> bool {
        self.polls.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|poll| poll.answer.is_some())
    }
}

impl std::fmt::Display for Outage {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { longest, polls, lost, answers, .. } = self;
        write!(
            out,
            "outage {:.2} s, {lost} of {polls} polls lost, answers: {}",
            longest.as_secs_f32(),
            answers.join(" -> ")
        )
    }
}

/// Sends polls at fixed moments, each from a thread of its own, so that a lost one delays no other.
fn tick(service: SocketAddr, question: &Arc<Question>, stop: &AtomicBool, polls: &Arc<Mutex<Vec<Poll>>>) {
    let started = Instant::now();
    for count in 0u32.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let (question, polls) = (Arc::clone(question), Arc::clone(polls));
        std::thread::spawn(move || {
            let sent = Instant::now();
            let answer = ask(service, &question, sent + LIMIT).ok();
            let poll = Poll { sent, answered: Instant::now(), answer };
            polls.lock().unwrap_or_else(PoisonError::into_inner).push(poll);
        });
        std::thread::sleep((started + PERIOD * (count + 1)).saturating_duration_since(Instant::now()));
    }
}

/// One poll: connect, ask, read until the answer is known to be good.
fn ask(service: SocketAddr, question: &Question, deadline: Instant) -> Result<String> {
    let left = || deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let mut connection = TcpStream::connect_timeout(&service, left())?;
    connection.set_write_timeout(Some(left()))?;
    connection.write_all(question.request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        connection.set_read_timeout(Some(left()))?;
        match connection.read(&mut buffer)? {
            0 => bail!("closed before the end of a good answer"),
            length => answer.extend_from_slice(&buffer[..length]),
        }
        if Instant::now() >= deadline {
            bail!("too late");
        }
        if let Some(who) = question.judge(&String::from_utf8_lossy(&answer))? {
            return Ok(who);
        }
    }
}

/// The longest gap between two good answers with a lost poll in between; `polls` begin with a good one. A service that
/// is away at the end counts as away up to the last poll.
fn evaluate(polls: &[Poll]) -> Outage {
    let mut outage =
        Outage { longest: Duration::ZERO, began: Duration::ZERO, polls: polls.len(), lost: 0, answers: Vec::new() };
    let Some(begin) = polls.first() else { return outage };
    let (mut good, mut lost) = (begin, false);
    for (index, poll) in polls.iter().enumerate() {
        outage.lost += usize::from(poll.answer.is_none());
        lost |= poll.answer.is_none();
        if poll.answer.is_none() && index + 1 < polls.len() {
            continue;
        }
        let gap = poll.answered.saturating_duration_since(good.answered);
        if lost && gap > outage.longest {
            outage.longest = gap;
            outage.began = good.answered.saturating_duration_since(begin.sent);
        }
        if let Some(answer) = &poll.answer {
            (good, lost) = (poll, false);
            if outage.answers.last() != Some(answer) {
                outage.answers.push(answer.clone());
            }
        }
    }
    outage
}
