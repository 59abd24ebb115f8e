//! Many questions at once, all answered by the end of the round.

use std::collections::{BTreeMap, HashMap, hash_map::RandomState};
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use regex::bytes::Regex;
use rustls::ClientConfig;
use tokio::task::{Id, JoinSet};

use super::answer::{Answer, Outcome};
use super::command::{self, cut_off};
use super::http::{self, Page};
use super::limits::Limits;
use super::question::{BodyMatch, Question};
use super::tcp::{self, Clock};
use super::tls::{self, Trust};
use crate::probe::runtime;

/// Asks all questions, equal ones once, and returns the answers in the order of the questions.
///
/// It ends with the round, whatever the servers do; only programs that hang in the kernel may cost half a second more. What
/// has no answer by then has the verdict Unknown. The questions are begun at another one each time, so that it is not
/// always the same ones that there is no time for.
pub fn ask(questions: &[Question], limits: &Limits) -> Vec<Answer> {
    let mut places = BTreeMap::new();
    for question in questions {
        let next = places.len();
        places.entry(question).or_insert(next);
    }
    let mut distinct: Vec<(&Question, usize)> = places.iter().map(|(question, place)| (*question, *place)).collect();
    distinct.sort_unstable_by_key(|(_, place)| *place);
    let first = RandomState::new().hash_one(()) % distinct.len().max(1) as u64;
    distinct.rotate_left(usize::try_from(first).unwrap_or_default());

    let (programs, servers): (Vec<_>, Vec<_>) =
        distinct.into_iter().partition(|(question, _)| matches!(question, Question::Command { .. }));
    let limit = limits.per_question();
    let at_once = limits.commands().min(programs.len());
    let connections = limits.connections(at_once);
    let found = thread::scope(|scope| {
        let run = || run_all(&programs, at_once, limit, limits);
        let ran = (!programs.is_empty()).then(|| thread::Builder::new().spawn_scoped(scope, run));
        let mut found = connect_all(&servers, connections, limit, limits);
        found.extend(match ran {
            Some(Ok(thread)) => thread.join().unwrap_or_default(),
            // A host that has no threads left still asks.
            Some(Err(_)) => run(),
            None => Found::new(),
        });
        found
    });
    let answer = |question: &Question| {
        let place = places.get(question);
        let (outcome, took) = place
            .and_then(|place| found.get(place).cloned())
            .unwrap_or_else(|| (Outcome::unknown("not asked: no time left"), Duration::ZERO));
        outcome.answer(&question.to_string(), took)
    };
    questions.iter().map(answer).collect()
}

/// What came of the questions with these places, and how long it took.
type Found = HashMap<usize, (Outcome, Duration)>;

/// Runs the programs, so many at once.
fn run_all(programs: &[(&Question, usize)], at_once: usize, limit: Duration, limits: &Limits) -> Found {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Found::new());
    let work = || {
        while let Some((question, place)) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Question::Command { to, argv, env } = question else { continue };
            if limits.deadline.passed() {
                return;
            }
            let begun = Instant::now();
            let outcome = command::ask(*to, argv, env, limit, &limits.deadline);
            found.lock().unwrap_or_else(PoisonError::into_inner).insert(*place, (outcome, begun.elapsed()));
        }
    };
    thread::scope(|scope| {
        // This thread is one of them.
        for _ in 1..at_once {
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Asks servers over the network, so many at once.
fn connect_all(servers: &[(&Question, usize)], at_once: usize, limit: Duration, limits: &Limits) -> Found {
    let mut found = Found::new();
    if servers.is_empty() {
        return found;
    }
    let mut begun = HashMap::new();
    let driven = runtime::block(drive(servers, at_once, limit, &mut found, &mut begun), &limits.deadline);
    let cannot = driven.err().map(|error| Outcome::unknown(format!("this host cannot ask: {error}")));
    for (_, place) in servers.iter().filter(|(_, place)| !found.contains_key(place)).collect::<Vec<_>>() {
        let outcome = match (&cannot, begun.get(place)) {
            (Some(cannot), _) => (cannot.clone(), Duration::ZERO),
            (None, Some(begun)) => (cut_off(Instant::elapsed(begun)), begun.elapsed()),
            (None, None) => continue,
        };
        found.insert(*place, outcome);
    }
    found
}

async fn drive(
    servers: &[(&Question, usize)],
    at_once: usize,
    limit: Duration,
    found: &mut Found,
    begun: &mut HashMap<usize, Instant>,
) {
    let mut kit = Kit::default();
    let mut waiting = servers.iter();
    let mut running = JoinSet::new();
    let mut places: HashMap<Id, usize> = HashMap::new();
    loop {
        while running.len() < at_once
            && let Some((question, place)) = waiting.next()
        {
            begun.insert(*place, Instant::now());
            match kit.prepare(question) {
                Ok(prepared) => {
                    places.insert(running.spawn(prepared.ask(limit)).id(), *place);
                }
                Err(reason) => {
                    found.insert(*place, (Outcome::unknown(reason), Duration::ZERO));
                }
            }
        }
        let (id, came) = match running.join_next_with_id().await {
            None => return,
            Some(Ok((id, came))) => (id, came),
            // A library has panicked over what it was told.
            Some(Err(error)) => (error.id(), (Outcome::down("an answer that no server gives"), Duration::ZERO)),
        };
        if let Some(place) = places.remove(&id) {
            found.insert(place, came);
        }
    }
}

/// What questions have in common, made once.
#[derive(Default)]
struct Kit {
    configs: HashMap<Trust, Result<Arc<ClientConfig>, String>>,
    matchers: HashMap<BodyMatch, Result<Regex, String>>,
}

/// A question that only needs to be asked.
enum Prepared {
    Tcp(SocketAddr),
    Http(Box<Page>),
}

impl Prepared {
    async fn ask(self, limit: Duration) -> (Outcome, Duration) {
        let (begun, clock) = (Instant::now(), Clock::start(limit));
        let outcome = match self {
            Prepared::Tcp(to) => tcp::ask(to, clock).await,
            Prepared::Http(page) => page.ask(clock).await,
        };
        (outcome, begun.elapsed())
    }
}

impl Kit {
    /// # Errors
    /// What this host lacks, or what is wrong with the question.
    fn prepare(&mut self, question: &Question) -> Result<Prepared, String> {
        let page = match question {
            Question::Http { to, https, host, path, method, status, body, sni, verify, ca } => {
                let tls = if *https {
                    let trust = Trust::of(*verify, ca.as_deref());
                    let config =
                        self.configs.entry(trust).or_insert_with_key(|trust| trust.config(&["http/1.1"])).clone()?;
                    Some((config, tls::server_name(sni.as_deref(), host.as_deref(), *to)?))
                } else {
                    None
                };
                let body = match body {
                    None => None,
                    Some(wanted) => {
                        let matcher = self.matchers.entry(wanted.clone()).or_insert_with_key(http::matcher);
                        Some((matcher.clone()?, wanted.clone()))
                    }
                };
                let (host, path) = (host.clone(), path.clone());
                Page { to: *to, tls, host, path, method: *method, status: status.clone(), body }
            }
            Question::Tcp { to } | Question::Command { to, .. } => return Ok(Prepared::Tcp(*to)),
        };
        Ok(Prepared::Http(Box::new(page)))
    }
}
