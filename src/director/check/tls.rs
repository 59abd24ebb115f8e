//! TLS for questions over https: one configuration for all servers that are trusted in the same way.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::Outcome;
use super::tcp::Clock;
use crate::probe::http::{inner, of_tls};
use crate::probe::line::network;
pub(super) use crate::probe::tls::Trust;

/// The name a certificate has to be for: `sni`, else the host without its port, else the address.
///
/// # Errors
/// One line when it is no name that a certificate can be for.
pub(super) fn server_name(
    sni: Option<&str>,
    host: Option<&str>,
    to: SocketAddr,
) -> Result<ServerName<'static>, String> {
    let Some(name) = sni.or(host.map(without_port)) else { return Ok(to.ip().into()) };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(ip.into());
    }
    let wrong = |_| format!("check over https: {name:?} is no server name; set sni to one of the certificate's names");
    ServerName::try_from(name.to_owned()).map_err(wrong)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Shakes hands on a connection.
pub(super) async fn shake_hands(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: TcpStream,
    clock: Clock,
) -> Result<TlsStream<TcpStream>, Outcome> {
    let handshake = TlsConnector::from(config).connect(name, stream);
    clock.wait("connected, but no TLS handshake", handshake).await?.map_err(|error| {
        let cause = inner(&error).and_then(|cause| cause.downcast_ref::<rustls::Error>());
        Outcome::down(cause.map_or_else(|| format!("TLS: {}", broken_off(&error)), explain))
    })
}

fn broken_off(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "connection broken off in the handshake".into(),
        _ => network(error),
    }
}

/// What TLS has to say against a server.
pub(super) fn explain(error: &rustls::Error) -> String {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    match error {
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "certificate not accepted: it is for another name; set sni to one of its names".into()
        }
        _ => of_tls(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_sni_then_host_then_address() {
        let to: SocketAddr = "[2001:db8::1]:443".parse().unwrap();
        let name = |sni, host| server_name(sni, host, to).unwrap().to_str().into_owned();
        assert_eq!(name(Some("a.example"), Some("b.example:8443")), "a.example");
        assert_eq!(name(None, Some("b.example:8443")), "b.example");
        assert_eq!(name(None, Some("[2001:db8::2]:8443")), "2001:db8::2");
        assert_eq!(name(None, Some("192.0.2.1")), "192.0.2.1");
        assert_eq!(name(None, None), "2001:db8::1");
        assert!(server_name(Some("a b"), None, to).unwrap_err().contains("\"a b\""));
        assert!(server_name(None, Some(""), to).is_err());
    }
}
