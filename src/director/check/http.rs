//! Whether a page is as it should be: one request on a connection of its own.

use std::error::Error;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::rt::{Read, Write};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use regex::bytes::{Regex, RegexBuilder};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::answer::Outcome;
use super::question::{BodyMatch, Method};
use super::statuses::Statuses;
use super::tcp::{Clock, connect};
use super::tls;
use crate::probe::http::inner;
use crate::probe::line::{BROKEN, first_line, network};

/// Bytes read of a body, and of what comes before it.
const CAP: usize = 64 << 10;
/// Memory that a compiled expression may take.
const MATCHER: usize = 1 << 20;

/// A page that is asked for, with all that several questions share.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub to: SocketAddr,
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    pub host: Option<String>,
    pub path: String,
    pub method: Method,
    pub status: Statuses,
    pub body: Option<(Regex, BodyMatch)>,
}

impl Page {
    /// Asks.
    pub async fn ask(self, clock: Clock) -> Outcome {
        self.answer(clock).await.unwrap_or_else(|outcome| outcome)
    }

    async fn answer(self, clock: Clock) -> Result<Outcome, Outcome> {
        let stream = connect(self.to, clock).await?;
        match self.tls.clone() {
            None => self.over(TokioIo::new(stream), clock).await,
            Some((config, name)) => {
                let stream = tls::shake_hands(config, name, stream, clock).await?;
                self.over(TokioIo::new(stream), clock).await
            }
        }
    }

    async fn over(&self, stream: impl Read + Write + Unpin + 'static, clock: Clock) -> Result<Outcome, Outcome> {
        let (sender, connection) =
            http1::Builder::new().max_buf_size(CAP).handshake(stream).await.map_err(|error| explain(&error, BROKEN))?;
        // Both on one task: whoever drops the question drops the connection.
        let mut connection = pin!(connection);
        let mut question = pin!(self.talk(sender, clock));
        let mut ended = None;
        let answer = poll_fn(|context| {
            if ended.is_none()
                && let Poll::Ready(end) = connection.as_mut().poll(context)
            {
                ended = Some(end);
            }
            question.as_mut().poll(context)
        })
        .await;
        match (answer, ended) {
            // What the connection keeps for itself is the cause of what the question was told, if anything.
            (Err(_), Some(Err(error))) => Err(explain(&error, BROKEN)),
            (answer, _) => answer,
        }
    }

    async fn talk(&self, mut sender: SendRequest<String>, clock: Clock) -> Result<Outcome, Outcome> {
        let request = self.request().map_err(|error| Outcome::unknown(format!("cannot be asked for: {error}")))?;
        let response = clock.wait("connected, but no answer", sender.send_request(request)).await?;
        let response = response.map_err(|error| explain(&error, BROKEN))?;
        let status = response.status().as_u16();
        if !self.status.has(status) {
            return Err(Outcome::down(format!("status {status}, wanted {}", self.status)));
        }
        let Some((matcher, wanted)) = &self.body else { return Ok(Outcome::up(format!("status {status}"))) };
        let body = clock.wait(&format!("status {status}, but no end of the body"), read(response)).await?;
        let broken = format!("status {status}, but connection broken off before the end of the body");
        let body = body.map_err(|error| explain(&error, &broken))?;
        if matcher.is_match(&body) {
            return Ok(Outcome::up(format!("status {status}, body as wanted")));
        }
        Err(Outcome::down(format!("status {status}, but nothing in {} bytes of body is {}", body.len(), shown(wanted))))
    }

    fn request(&self) -> hyper::http::Result<Request<String>> {
        let default = if self.tls.is_some() { 443 } else { 80 };
        let host = match (&self.host, self.to) {
            (Some(host), _) => host.clone(),
            // A host has no scope.
            (None, SocketAddr::V6(to)) if to.port() == default => format!("[{}]", to.ip()),
            (None, SocketAddr::V6(to)) => format!("[{}]:{}", to.ip(), to.port()),
            (None, to) if to.port() == default => to.ip().to_string(),
            (None, to) => to.to_string(),
        };
        Request::builder()
            .method(self.method.name())
            .uri(&self.path)
            .header(HOST, host)
            .header(USER_AGENT, "inuvika-ha")
            .header(CONNECTION, "close")
            .body(String::new())
    }
}

/// The first bytes of a body.
async fn read(response: Response<Incoming>) -> hyper::Result<Vec<u8>> {
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while body.len() < CAP {
        let frame = poll_fn(|context| Body::poll_frame(std::pin::Pin::new(&mut incoming), context)).await;
        let Some(frame) = frame.transpose()? else { break };
        // What is no data is a trailer.
        let data = frame.into_data().unwrap_or_default();
        body.extend(data.iter().take(CAP - body.len()));
    }
    Ok(body)
}

fn shown(wanted: &BodyMatch) -> String {
    match wanted {
        BodyMatch::Text(text) => format!("'{}'", first_line(text, 30)),
        BodyMatch::Regex(text) => format!("a match of '{}'", first_line(text, 30)),
    }
}

/// What went wrong after the connection stood; `broken` is said when it was broken off.
fn explain(error: &hyper::Error, broken: &str) -> Outcome {
    let mut cause: &(dyn Error + 'static) = error;
    // The innermost one of hyper's own: it may hold a text of which nothing follows.
    let mut own = error;
    loop {
        own = cause.downcast_ref().unwrap_or(own);
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Outcome::down(tls::explain(tls));
        }
        let network_error = cause.downcast_ref::<io::Error>();
        cause = match (inner(cause), network_error.map(io::Error::kind)) {
            (_, Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)) => {
                return Outcome::down(broken);
            }
            (Some(next), _) => next,
            (None, Some(_)) => return Outcome::down(network_error.map(network).unwrap_or_default()),
            (None, None) if is_broken(own) => return Outcome::down(broken),
            (None, None) => return Outcome::down(format!("no HTTP answer: {}", first_line(&cause.to_string(), 60))),
        };
    }
}

/// Whether this is the end of a connection. A server that speaks before it is asked has another one.
fn is_broken(error: &hyper::Error) -> bool {
    error.is_incomplete_message() || error.is_closed() || error.is_canceled()
}

/// Refuses a path or a host that cannot stand in a request.
pub(super) fn check_target(path: &str, host: Option<&str>) -> Result<(), String> {
    // The query may hold what is nobody's business.
    let shown = path.split('?').next().unwrap_or_default();
    if !path.starts_with('/') {
        return Err(format!("check of path {shown:?}: it does not begin with /"));
    }
    let path_ok =
        path.parse::<hyper::Uri>().is_ok() && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !path_ok {
        return Err(format!("check of path {shown:?}: write blanks and unusual characters as percent and two digits"));
    }
    let usual = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    match host {
        Some(host) if host.contains('@') => {
            Err("check with a user or password in the host: none is sent; ask a page that needs none, or by a command"
                .into())
        }
        Some(host) if host.is_empty() || !host.chars().all(usual) => {
            Err(format!("check with host {host:?}: not a name or address, with or without a port"))
        }
        _ => Ok(()),
    }
}

/// What finds the wanted text in a body.
///
/// # Errors
/// One line about what is no regular expression, or no text.
pub(super) fn matcher(wanted: &BodyMatch) -> Result<Regex, String> {
    let pattern = match wanted {
        BodyMatch::Text(text) | BodyMatch::Regex(text) if text.is_empty() => {
            return Err("check of the body: the wanted text is empty".into());
        }
        BodyMatch::Text(text) => regex::escape(text),
        BodyMatch::Regex(text) => text.clone(),
    };
    RegexBuilder::new(&pattern).size_limit(MATCHER).build().map_err(|error| {
        // The library's text has several lines; the last one says why.
        let text = error.to_string();
        let reason = text.lines().next_back().unwrap_or_default().trim().trim_start_matches("error: ");
        format!("check of the body: no regular expression: {}", first_line(reason, 80))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn page(to: &str) -> Page {
        Page {
            to: to.parse().unwrap(),
            tls: None,
            host: None,
            path: "/index.html?a=b".into(),
            method: Method::Get,
            status: Statuses::default(),
            body: None,
        }
    }

    #[test]
    fn the_host_is_the_virtual_one_or_the_address() {
        let host = |page: Page| page.request().unwrap().headers().get(HOST).unwrap().to_str().unwrap().to_owned();
        for (to, expected) in [
            ("192.0.2.1:80", "192.0.2.1"),
            ("192.0.2.1:8080", "192.0.2.1:8080"),
            ("[2001:db8::1]:80", "[2001:db8::1]"),
            ("[fe80::1%2]:8080", "[fe80::1]:8080"),
        ] {
            assert_eq!(host(page(to)), expected);
        }
        assert_eq!(host(Page { host: Some("www.example.com".into()), ..page("192.0.2.1:80") }), "www.example.com");
    }

    #[test]
    fn a_text_is_looked_for_byte_by_byte() {
        let finds = |wanted, body: &[u8]| matcher(&wanted).unwrap().is_match(body);
        assert!(finds(BodyMatch::Text("a.b".into()), b"\xff a.b"));
        assert!(!finds(BodyMatch::Text("a.b".into()), b"acb"));
        assert!(finds(BodyMatch::Regex("(?i)server [0-9]+ ok".into()), b"\xff SERVER 12 OK"));
        assert!(matcher(&BodyMatch::Regex("a{1000}{1000}".into())).unwrap_err().starts_with("check of the body: "));
    }
}
