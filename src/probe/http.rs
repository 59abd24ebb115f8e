//! A page, read as a client would.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use reqwest::header::{COOKIE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Url};
use rustls::CertificateError;
use tokio::time::timeout;

use super::line::{first_line, network, seconds};
use super::runtime;
use crate::ocf::deadline::Deadline;

/// How the reason begins when nobody was asked: this host lacks files or memory.
pub const NO_CLIENT: &str = "start the client";
/// Bytes kept of a body.
const CAP: usize = 64 << 10;

/// What to ask for.
#[derive(Debug, Clone)]
pub struct Page {
    /// An http or https URL.
    pub url: String,
    /// Sent as the Cookie header; none when empty.
    pub cookie: String,
    /// CA certificates (PEM) that the server's certificate must be signed by. None: it is not checked, for a node that
    /// asks itself.
    pub ca: Option<PathBuf>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The first 64 KiB of the body; what is no UTF-8 is replaced.
    pub body: String,
}

impl Page {
    /// Whether this URL can be asked for: http or https, with a host, without credentials. Pure.
    ///
    /// # Errors
    /// What is wrong with it, as the end of "URL is ...".
    pub fn check(url: &str) -> Result<(), String> {
        parse(url).map(|_| ())
    }

    /// Gets the page: no proxy, no redirect followed, one total deadline. A status of any kind is an answer.
    ///
    /// # Errors
    /// One line that says what failed, without the URL.
    pub fn get(&self, deadline: &Deadline) -> Result<Answer, String> {
        let started = Instant::now();
        match runtime::block(self.fetch(), deadline) {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(format!("no answer in {}", seconds(started))),
            Err(error) => Err(format!("{NO_CLIENT}: {error}")),
        }
    }

    async fn fetch(&self) -> Result<Answer, String> {
        let url = parse(&self.url).map_err(|reason| format!("URL is {reason}"))?;
        let client = self.client()?;
        let mut request = client.get(url);
        if !self.cookie.is_empty() {
            let mut cookie = HeaderValue::from_str(&self.cookie)
                .map_err(|_| "cookie has characters that no header may have".to_owned())?;
            cookie.set_sensitive(true);
            request = request.header(COOKIE, cookie);
        }
        let answer = async {
            let mut response = request.send().await?;
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                let space = CAP - body.len();
                body.extend(chunk.iter().take(space));
                if body.len() == CAP {
                    break;
                }
            }
            let body = String::from_utf8_lossy(&body).into_owned();
            Ok(Answer { status: response.status().as_u16(), body })
        };
        answer.await.map_err(|error: reqwest::Error| explain(&error))
    }

    fn client(&self) -> Result<Client, String> {
        // An error says that a provider was installed before: that one does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder().no_proxy().redirect(Policy::none()).user_agent("inuvika-ha").http1_only();
        let builder = match &self.ca {
            // The provider alone costs nothing; the system's certificates would be read even for http.
            None => builder.tls_danger_accept_invalid_certs(true),
            Some(path) => trusting(builder, path)?,
        };
        builder.build().map_err(|error| format!("{NO_CLIENT}: {}", explain(&error)))
    }
}

/// Gets several pages at once: what one has to say does not wait for the others, and all are over at the deadline.
pub fn get_all(pages: &[Page], deadline: &Deadline) -> Vec<Result<Answer, String>> {
    let started = Instant::now();
    // A little earlier than the deadline, so that those that have answered are heard.
    let limit = deadline.left() * 19 / 20;
    let all = async {
        let ask =
            |page: Page| async move { timeout(limit, page.fetch()).await.unwrap_or_else(|_| silent_since(started)) };
        let asked: Vec<_> = pages.iter().map(|page| tokio::spawn(ask(page.clone()))).collect();
        let mut answers = Vec::new();
        for one in asked {
            answers.push(one.await.unwrap_or_else(|_| Err("an answer that no server gives".to_owned())));
        }
        answers
    };
    match runtime::block(all, deadline) {
        Ok(Some(answers)) => answers,
        Ok(None) => pages.iter().map(|_| silent_since(started)).collect(),
        Err(error) => pages.iter().map(|_| Err(format!("{NO_CLIENT}: {error}"))).collect(),
    }
}

fn silent_since(started: Instant) -> Result<Answer, String> {
    Err(format!("no answer in {}", seconds(started)))
}

/// Makes the client trust these certificates and no others.
pub(crate) fn trusting(builder: ClientBuilder, path: &Path) -> Result<ClientBuilder, String> {
    let shown = path.display();
    let pem = fs::read(path).map_err(|error| format!("read CA certificates {shown}: {error}"))?;
    let all = Certificate::from_pem_bundle(&pem)
        .map_err(|error| format!("read CA certificates {shown}: {}", explain(&error)))?;
    if all.is_empty() {
        return Err(format!("read CA certificates {shown}: no certificate in it"));
    }
    Ok(builder.tls_certs_only(all))
}

fn parse(text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err("empty".into());
    }
    // The parser drops some of these without a word.
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("not without white space and control characters".into());
    }
    let url = Url::parse(text).map_err(|error| format!("no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("neither http nor https".into());
    }
    if url.host_str().unwrap_or_default().is_empty() {
        return Err("without a host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("with a user or a password, which belong into no parameter".into());
    }
    Ok(url)
}

/// One line about a request that failed.
pub(crate) fn explain(error: &reqwest::Error) -> String {
    let mut cause: &(dyn Error + 'static) = error;
    loop {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        // The outer causes say only that there was one, and name the URL.
        cause = match (inner(cause), cause.downcast_ref::<io::Error>()) {
            (Some(next), _) => next,
            (None, Some(error)) => return network(error),
            (None, None) if error.is_request() && !error.is_connect() || error.is_body() || error.is_decode() => {
                return format!("no HTTP answer: {}", first_line(&cause.to_string(), 100));
            }
            (None, None) => return first_line(&cause.to_string(), 120),
        };
    }
}

/// The cause of an error. An io::Error that holds another one does not give it away as its source.
pub(crate) fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source())
}

/// What TLS has to say against a server, with the remedy where it is known.
pub(crate) fn of_tls(error: &rustls::Error) -> String {
    let remedy = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::UnknownIssuer => ": it is not signed by the given CA certificates",
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => ": it has expired",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                ": it is for another name; use one of its names in the URL"
            }
            CertificateError::Other(_) if format!("{reason:?}").contains("CaUsedAsEndEntity") => {
                ": it is the certificate of a CA itself; sign one for the server with it"
            }
            _ => return format!("certificate not accepted: {}", first_line(&error.to_string(), 100)),
        },
        _ => return format!("TLS: {}", first_line(&error.to_string(), 100)),
    };
    format!("certificate not accepted{remedy}")
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn only_plain_http_urls_are_asked_for() {
        for url in ["http://127.0.0.1:1111/server/status", "https://osm1.priv/ovd?x=1", "HTTP://[::1]/", "http://a"] {
            assert_eq!(Page::check(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:1111",
            "/server/status",
            "ftp://a/",
            "file:///etc/passwd",
            "http://",
            "http://u@a/",
            "http://u:p@a/",
            "http://a/\nb",
            "http://a/ b",
            " http://a/",
            "http://a:99999/",
        ] {
            assert!(Page::check(url).is_err(), "{url:?}");
        }
    }
}
