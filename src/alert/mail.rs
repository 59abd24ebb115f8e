//! E-mail over SMTP (RFC 5321).

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use lettre::Transport;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls as Encryption, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error as SmtpError, SmtpTransport};

use super::letter::Letter;
use super::settings::{Mail, Tls};
use crate::ocf::deadline::Deadline;
use crate::probe::http::{inner, of_tls};
use crate::probe::line::{first_line, network, seconds};
use crate::secret::Secret;

/// Longest answer of a server that is quoted, in characters.
const QUOTED: usize = 160;

/// Sends a letter, and is back at the deadline whatever the server does.
///
/// # Errors
/// One line: which server, and what it or the network said. Never the password.
pub fn send(mail: &Mail, to: &[Mailbox], letter: &Letter, deadline: &Deadline) -> Result<(), String> {
    let started = Instant::now();
    let message = message(mail, to, letter)?;
    let password = mail.login.as_ref().map(|(_, password)| password.read()).transpose()?;
    let name = format!("mail server {}:{}", mail.host, mail.port);
    let (mail, limit) = (mail.clone(), *deadline);
    let (tell, told) = mpsc::channel();
    // The library bounds each read and not the whole, and the resolver is not bounded at all. The thread ends with the process.
    let work = move || {
        let _ = tell.send(transport(&mail, password.as_ref(), &limit).and_then(|transport| {
            let sent = transport.send(&message).map(|_| ()).map_err(|error| explain(&error));
            sent.map_err(|text| hide(text, password.as_ref()))
        }));
    };
    thread::Builder::new().spawn(work).map_err(|error| format!("{name}: start a thread: {error}"))?;
    match told.recv_timeout(deadline.left()) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(text)) => Err(format!("{name}: {text}")),
        Err(_) => Err(format!("{name}: no answer in {}", seconds(started))),
    }
}

fn message(mail: &Mail, to: &[Mailbox], letter: &Letter) -> Result<Message, String> {
    let domain = mail.from.email.domain();
    let mut builder = Message::builder()
        .from(mail.from.clone())
        .subject(&letter.subject)
        // The same on every node: most mail servers show a message that arrives twice only once.
        .message_id(Some(format!("<{}@{domain}>", letter.name)))
        .header(ContentType::TEXT_PLAIN);
    for mailbox in to {
        builder = builder.to(mailbox.clone());
    }
    let message = builder.body(letter.body.clone());
    let mut message = message.map_err(|error| format!("make the mail: {error}"))?;
    // No holiday notice comes back (RFC 3834).
    if let Ok(name) = HeaderName::new_from_ascii("Auto-Submitted".to_owned()) {
        message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
    }
    Ok(message)
}

fn transport(mail: &Mail, password: Option<&Secret>, deadline: &Deadline) -> Result<SmtpTransport, String> {
    let encryption = match mail.tls {
        Tls::None => Encryption::None,
        Tls::StartTls => Encryption::Required(parameters(mail)?),
        Tls::Implicit => Encryption::Wrapper(parameters(mail)?),
    };
    let mut builder = SmtpTransport::builder_dangerous(&mail.host)
        .port(mail.port)
        .tls(encryption)
        .timeout(Some(deadline.left()))
        .hello_name(ClientId::Domain(host_name()));
    if let (Some((name, _)), Some(password)) = (&mail.login, password) {
        builder = builder.credentials(Credentials::new(name.clone(), password.reveal().to_owned()));
    }
    Ok(builder.build())
}

fn parameters(mail: &Mail) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(mail.host.clone());
    if let Some(path) = &mail.ca {
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificates(path)?);
    }
    builder.build_rustls().map_err(|error| format!("start TLS: {}", explain(&error)))
}

fn certificates(path: &Path) -> Result<Certificate, String> {
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|error| format!("read CA certificates {shown}: {error}"))?;
    let wrong = |_| format!("read CA certificates {shown}: no certificate in it");
    Certificate::from_pem(&pem).map_err(wrong)
}

fn host_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

/// One line about what went wrong.
fn explain(error: &SmtpError) -> String {
    if let Some(code) = error.status() {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        return format!("refused ({code}): {}", first_line(&text, QUOTED));
    }
    let mut cause: &(dyn Error + 'static) = error;
    loop {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        cause = match (inner(cause), cause.downcast_ref::<io::Error>()) {
            (Some(next), _) => next,
            (None, Some(error)) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
                return "no answer in time".to_owned();
            }
            (None, Some(error)) => return network(error),
            (None, None) => return first_line(&cause.to_string(), QUOTED),
        };
    }
}

/// A server might quote what it got.
fn hide(text: String, password: Option<&Secret>) -> String {
    match password {
        Some(password) if text.contains(password.reveal()) => "its answer quotes the password".to_owned(),
        _ => text,
    }
}
