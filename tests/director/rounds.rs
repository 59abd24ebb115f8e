//! Many questions at once.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use inuvika_ha::director::check::{Answer, Question, Verdict};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{Backlog, listen};

use crate::Body;
use crate::questions::{http, program, round, tcp, text};

pub const TRIALS: &[(&str, Body)] = &[
    ("answers_come_in_the_order_of_the_questions", order),
    ("equal_questions_are_asked_once", once),
    ("a_thousand_hanging_servers_cost_one_limit", hanging),
    ("a_round_ends_in_its_time_and_says_who_was_not_asked", unasked),
    ("rounds_do_not_all_begin_at_the_same_question", takes_turns),
    ("a_question_with_more_time_than_the_round_is_answered_all_the_same", too_long),
    ("a_round_keeps_within_the_limit_of_open_files", files),
    ("a_round_of_nothing_is_nothing", nothing),
];

pub const FIGURES: &[(&str, Body)] = &[("figure_of_a_thousand_healthy_servers", figure)];

/// Addresses of servers that all are one listener.
pub fn addresses(count: u16, port: u16) -> Vec<SocketAddr> {
    let address = |number: u16| Ipv4Addr::new(127, 1, (number >> 8) as u8, number as u8);
    (0..count).map(|number| (address(number), port).into()).collect()
}

/// A server on every address of the loopback link whose connections nobody accepts: the kernel opens them all the same.
fn hanging_server() -> (TcpListener, u16) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    listen(&listener, Backlog::new(4096).unwrap()).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A server that answers each request with a page, and how many it was asked for.
fn healthy_server() -> (u16, Arc<AtomicUsize>) {
    let (listener, port) = hanging_server();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A question that was given up has closed its connection without a word.
            if stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {
                count.fetch_add(1, Ordering::Relaxed);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell");
            }
        }
    });
    (port, asked)
}

fn pages(addresses: &[SocketAddr]) -> Vec<Question> {
    addresses.iter().map(|address| crate::questions::Page { body: text("well"), ..http(address) }.question()).collect()
}

fn count(answers: &[Answer], verdict: Verdict) -> usize {
    answers.iter().filter(|answer| answer.verdict == verdict).count()
}

fn order() {
    let (port, _) = healthy_server();
    let well = pages(&addresses(50, port));
    let mut questions = Vec::new();
    for (number, page) in well.into_iter().enumerate() {
        questions.push(page);
        questions.push(tcp(format!("127.0.0.1:{}", number + 1)));
        questions.push(program(&["sh", "-c", &format!("exit {}", number % 3)]));
    }
    let answers = round(&questions, 20_000, 32, 60_000);
    for (place, answer) in answers.iter().enumerate() {
        let well = match place % 3 {
            0 => true,
            1 => false,
            _ => place / 3 % 3 == 0,
        };
        assert_eq!(answer.is_up(), well, "{place}: {answer:?}");
    }
}

fn once() {
    let (port, asked) = healthy_server();
    let mut questions = pages(&addresses(10, port));
    questions.extend(questions.clone());
    questions.extend(pages(&addresses(20, port)));
    let answers = round(&questions, 20_000, 32, 60_000);
    assert_eq!((count(&answers, Verdict::Up), asked.load(Ordering::Relaxed)), (40, 20));
    assert_eq!(answers[0], answers[10], "one question has one answer");
}

fn hanging() {
    let (_listener, port) = hanging_server();
    let answers = round(&pages(&addresses(1000, port)), 3000, 1000, 30_000);
    assert_eq!(count(&answers, Verdict::Down), 1000);
    for answer in &answers {
        assert!(answer.detail.ends_with(": connected, but no answer within 3 s"), "{answer:?}");
    }
}

fn unasked() {
    let (_listener, port) = hanging_server();
    let questions = pages(&addresses(1000, port));
    let answers = round(&questions, 400, 50, 1000);
    let (down, unknown) = (count(&answers, Verdict::Down), count(&answers, Verdict::Unknown));
    // Two times fifty were answered, or fewer on a busy machine.
    assert!((1..=150).contains(&down) && down + unknown == 1000, "{down} down, {unknown} unknown");
    let says = |text: &str| answers.iter().filter(|answer| answer.detail.contains(text)).count();
    let (not_asked, cut_off) = (says(": not asked: no time left"), says(": no time left after "));
    assert!(not_asked >= 800 && not_asked + cut_off == unknown, "{not_asked} not asked, {cut_off} cut off");
}

fn takes_turns() {
    let (_listener, port) = hanging_server();
    let questions = pages(&addresses(1000, port));
    let first = || round(&questions, 200, 1, 600).iter().position(|answer| !answer.took.is_zero());
    let begun = [first(), first(), first()];
    assert!(begun.iter().any(|place| *place != begun[0]), "all rounds begin at {begun:?}");
}

fn too_long() {
    let (_listener, port) = hanging_server();
    let answers = round(&pages(&addresses(10, port)), 60_000, 10, 2000);
    assert_eq!(count(&answers, Verdict::Down), 10, "{answers:?}");
}

/// Counts the open files of this process until it is told to end; the highest count.
fn watch_files(end: &AtomicBool) -> usize {
    let mut most = 0;
    while !end.load(Ordering::Relaxed) {
        most = most.max(fs::read_dir("/proc/self/fd").unwrap().count());
        thread::sleep(Duration::from_millis(5));
    }
    most
}

fn files() {
    const LIMIT: u64 = 150;
    let (port, asked) = healthy_server();
    let (_listener, silent) = hanging_server();
    let questions = pages(&addresses(1000, port));
    let unanswered = pages(&addresses(200, silent));
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, LIMIT, hard).unwrap();
    let end = AtomicBool::new(false);
    let (answers, late, most) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch_files(&end));
        let answers = round(&questions, 20_000, 1000, 60_000);
        let late = round(&unanswered, 500, 1000, 20_000);
        end.store(true, Ordering::Relaxed);
        (answers, late, watcher.join().unwrap())
    });
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    assert_eq!((count(&answers, Verdict::Up), asked.load(Ordering::Relaxed)), (1000, 1000));
    assert_eq!(count(&late, Verdict::Down), 200);
    assert!((20..140).contains(&most), "{most} files were open");
}

fn nothing() {
    assert!(round(&[], 1000, 10, 1000).is_empty());
    // No time is no verdict.
    let answers = round(&[tcp("127.0.0.1:3"), program(&["sh", "-c", "exit 0"])], 1000, 10, 0);
    assert_eq!(count(&answers, Verdict::Unknown), 2, "{answers:?}");
}

/// Asks a thousand healthy servers and prints how long that took.
pub fn measure(what: &str, questions: &[Question]) {
    for concurrency in [64, 256, 1000] {
        let begun = Instant::now();
        let answers = round(questions, 20_000, concurrency, 60_000);
        let took = begun.elapsed();
        assert_eq!(count(&answers, Verdict::Up), questions.len());
        println!("{} healthy servers, {what}, {concurrency} at once: {took:?}", questions.len());
    }
}

fn figure() {
    let (port, _) = healthy_server();
    measure("http with body", &pages(&addresses(1000, port)));
    measure("tcp", &addresses(1000, port).into_iter().map(tcp).collect::<Vec<_>>());
}
