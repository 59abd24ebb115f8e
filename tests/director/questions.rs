//! Questions as the trials ask them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use inuvika_ha::director::check::{Answer, BodyMatch, Limits, Method, Question, Verdict, ask};
use inuvika_ha::ocf::deadline::Deadline;

/// What a loaded machine may take beyond a limit.
const MARGIN: Duration = Duration::from_secs(6);

/// A page that is asked for.
#[derive(Clone)]
pub struct Page {
    pub to: SocketAddr,
    pub https: bool,
    pub host: Option<&'static str>,
    pub path: &'static str,
    pub method: Method,
    pub status: &'static str,
    pub body: Option<BodyMatch>,
    pub sni: Option<&'static str>,
    pub verify: bool,
    pub ca: Option<&'static str>,
}

/// A page over http.
pub fn http(to: impl ToString) -> Page {
    Page {
        to: to.to_string().parse().unwrap(),
        https: false,
        host: None,
        path: "/status",
        method: Method::Get,
        status: "200-299",
        body: None,
        sni: None,
        verify: false,
        ca: None,
    }
}

impl Page {
    pub fn question(&self) -> Question {
        let question = Question::Http {
            to: self.to,
            https: self.https,
            host: self.host.map(str::to_owned),
            path: self.path.to_owned(),
            method: self.method,
            status: self.status.parse().unwrap(),
            body: self.body.clone(),
            sni: self.sni.map(str::to_owned),
            verify: self.verify,
            ca: self.ca.map(PathBuf::from),
        };
        assert_eq!(question.check(), Ok(()));
        question
    }
}

pub fn text(wanted: &str) -> Option<BodyMatch> {
    Some(BodyMatch::Text(wanted.into()))
}

pub fn regex(wanted: &str) -> Option<BodyMatch> {
    Some(BodyMatch::Regex(wanted.into()))
}

pub fn tcp(to: impl ToString) -> Question {
    Question::Tcp { to: to.to_string().parse().unwrap() }
}

pub fn program(argv: &[&str]) -> Question {
    let question = Question::Command {
        to: "[2001:db8::7]:8080".parse().unwrap(),
        argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
        env: BTreeMap::from([("EXTRA".to_owned(), "a b".to_owned())]),
    };
    assert_eq!(question.check(), Ok(()));
    question
}

/// Asks a round, which has to end in its time, and in which every answer is one line.
pub fn round(questions: &[Question], timeout_ms: u64, concurrency: usize, total_ms: u64) -> Vec<Answer> {
    let total = Duration::from_millis(total_ms);
    let begun = Instant::now();
    let deadline = Deadline::after(total);
    let limits = Limits { timeout: Duration::from_millis(timeout_ms), concurrency, deadline };
    let answers = ask(questions, &limits);
    assert!(begun.elapsed() < total + MARGIN, "took {:?} of {total:?}", begun.elapsed());
    assert_eq!(answers.len(), questions.len());
    for (question, answer) in questions.iter().zip(&answers) {
        let detail = &answer.detail;
        assert!(detail.starts_with(&format!("{question}: ")), "{question}: {detail}");
        assert!(!detail.chars().any(char::is_control) && detail.chars().count() < 300, "{detail:?}");
    }
    answers
}

/// Asks one question, which has to end at its limit although the round goes on much longer.
pub fn one(question: &Question, timeout_ms: u64) -> Answer {
    let begun = Instant::now();
    let answer = round(std::slice::from_ref(question), timeout_ms, 8, 60_000).remove(0);
    let limit = Duration::from_millis(timeout_ms) + MARGIN;
    assert!(begun.elapsed() < limit && answer.took < limit, "took {:?}", answer.took);
    answer
}

pub fn is(question: &Question, timeout_ms: u64, verdict: Verdict, said: &str) {
    let answer = one(question, timeout_ms);
    assert!(answer.verdict == verdict && answer.detail.contains(said), "wanted {verdict:?} {said:?}: {answer:?}");
}

/// The server is well, and the answer says this.
pub fn up(page: &Page, said: &str) {
    is(&page.question(), 20_000, Verdict::Up, said);
}

/// It is not, which is known before the limit.
pub fn down(page: &Page, said: &str) {
    is(&page.question(), 20_000, Verdict::Down, said);
}

/// It does not answer in one second.
pub fn late(page: &Page, said: &str) {
    is(&page.question(), 1000, Verdict::Down, &format!("{said} within 1 s"));
}
