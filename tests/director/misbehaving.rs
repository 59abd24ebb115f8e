//! Questions to small servers that misbehave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use inuvika_ha::director::check::Verdict;

use crate::Body;
use crate::questions::{Page, down, http, is, late, tcp, text, up};
use crate::server::{LOST, Manner, fake};

pub const TRIALS: &[(&str, Body)] = &[
    ("nobody_there_is_said_at_once", refuses),
    ("a_lost_packet_costs_no_more_than_the_limit", lost),
    ("slow_bytes_do_not_extend_the_limit", slow),
    ("what_is_no_http_is_said", no_http),
    ("an_answer_without_end_is_not_read_to_its_end", endless),
    ("a_question_says_no_more_than_it_has_to", question),
];

/// A server that does this with every connection, each in a thread of its own.
fn serve(manner: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || manner(stream));
        }
    });
    address
}

/// Waits for a question, sends `first`, then `again` until nobody listens any more.
fn send(mut stream: TcpStream, first: &[u8], again: &[u8], pause: Duration) {
    let _ = stream.read(&mut [0; 4096]);
    let mut sent = stream.write_all(first);
    while sent.is_ok() {
        thread::sleep(pause);
        sent = stream.write_all(again);
    }
}

fn refuses() {
    for to in ["127.0.0.1:3", "[::1]:3"] {
        is(&tcp(to), 20_000, Verdict::Down, &format!("tcp {to}: connection refused after "));
        down(&http(to), "connection refused after ");
        down(&Page { https: true, ..http(to) }, "connection refused after ");
    }
}

fn lost() {
    let to = format!("{LOST}:80");
    is(&tcp(&to), 1000, Verdict::Down, "tcp 10.88.0.9:80: no connection within 1 s");
    late(&http(&to), "no connection");
    late(&Page { https: true, ..http(&to) }, "no connection");
}

fn slow() {
    late(&http(fake(Manner::Silent).0), "connected, but no answer");
    late(&Page { https: true, ..http(fake(Manner::Silent).0) }, "connected, but no TLS handshake");
    late(&http(fake(Manner::Drips(b"HTTP/1.1 200 OK\r\nx: y\r\n")).0), "connected, but no answer");
    let body = serve(|stream| {
        send(stream, b"HTTP/1.1 200 OK\r\n\r\nwell", b"x", Duration::from_millis(50));
    });
    let page = Page { body: text("well"), ..http(body) };
    late(&page, "status 200, but no end of the body");
    // Who does not ask for the body does not wait for it.
    up(&http(body), "status 200");
}

fn no_http() {
    for (manner, said) in [
        (Manner::Closes, "connection broken off before an answer after "),
        (Manner::Says(b"SSH-2.0-OpenSSH_9.2\r\n"), "no HTTP answer: "),
        (Manner::Answers(b"HTTP/9\r\n\r\n"), "no HTTP answer: "),
        (Manner::Answers(b"\x1b[2J\r\n\r\n"), "no HTTP answer: "),
    ] {
        down(&http(fake(manner).0), said);
        let tls = Page { https: true, ..http(fake(manner).0) };
        let answer = crate::questions::one(&tls.question(), 1000);
        assert!(answer.is_down(), "{answer:?}");
    }
    let half = serve(|stream| {
        let mut stream = stream;
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nwell");
    });
    down(
        &Page { body: text("well"), ..http(half) },
        "status 200, but connection broken off before the end of the body after ",
    );
}

fn endless() {
    let header = serve(|stream| send(stream, b"HTTP/1.1 200 OK\r\nx: ", &[b'y'; 4096], Duration::ZERO));
    down(&http(header), "no HTTP answer: message head is too large after ");
    let body = serve(|stream| send(stream, b"HTTP/1.1 200 OK\r\n\r\n", &[b'y'; 4096], Duration::ZERO));
    down(&Page { body: text("well"), ..http(body) }, "nothing in 65536 bytes of body is 'well'");
    let chunks = serve(|stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\nyyyy\r\n", Duration::ZERO);
    });
    down(&Page { body: text("well"), ..http(chunks) }, "nothing in 65536 bytes of body is 'well'");
    // What is announced is not what is kept.
    let huge = serve(|stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", &[0; 4096], Duration::ZERO)
    });
    down(&Page { body: text("well"), ..http(huge) }, "nothing in 65536 bytes of body is 'well'");
}

fn question() {
    let (address, asked) = fake(Manner::Answers(b"HTTP/1.1 204 No Content\r\n\r\n"));
    up(&Page { path: "/a?b=c", host: Some("www.example.com"), ..http(address) }, "status 204");
    let asked = asked.recv().unwrap().to_lowercase();
    assert!(asked.starts_with("get /a?b=c http/1.1\r\n"), "{asked}");
    let mut headers: Vec<&str> = asked.lines().skip(1).filter(|line| !line.is_empty()).collect();
    headers.sort_unstable();
    assert_eq!(headers, ["connection: close", "host: www.example.com", "user-agent: inuvika-ha"]);
}
