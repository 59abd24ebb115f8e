//! TLS for questions over https: one configuration for all servers that are trusted in the same way.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::Outcome;
use super::tcp::Clock;
use crate::probe::http::{inner, of_tls};
use crate::probe::line::{first_line, network};

/// How a server's certificate is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Trust {
    /// Not at all.
    Anybody,
    /// It has to be good in the eyes of this system.
    System,
    /// It has to be signed by a CA in this file.
    File(PathBuf),
}

impl Trust {
    pub fn of(verify: bool, ca: Option<&Path>) -> Self {
        match (verify, ca) {
            (false, _) => Trust::Anybody,
            (true, None) => Trust::System,
            (true, Some(path)) => Trust::File(path.to_owned()),
        }
    }

    /// The configuration for it. It keeps no sessions: every question is a whole handshake.
    ///
    /// # Errors
    /// What this host lacks, in one line.
    pub fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match self {
            Trust::Anybody => Arc::new(NoQuestions(Arc::clone(&provider))),
            Trust::System => {
                let system = Verifier::new(Arc::clone(&provider));
                Arc::new(system.map_err(|error| format!("read this system's CA certificates: {error}"))?)
            }
            Trust::File(path) => {
                let roots = Arc::new(roots(path)?);
                let built = rustls::client::WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
                built.build().map_err(|error| format!("use CA certificates {}: {error}", path.display()))?
            }
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| format!("start TLS: {error}"))?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn roots(path: &Path) -> Result<RootCertStore, String> {
    let shown = path.display();
    let said =
        |error: &dyn std::fmt::Display| format!("read CA certificates {shown}: {}", first_line(&error.to_string(), 80));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| said(&error))? {
        roots.add(certificate.map_err(|error| said(&error))?).map_err(|error| said(&error))?;
    }
    if roots.is_empty() { Err(said(&"no certificate in it")) } else { Ok(roots) }
}

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

/// Accepts every certificate, and every signature with it: what a certificate that nobody looks at could prove is nothing.
#[derive(Debug)]
struct NoQuestions(Arc<CryptoProvider>);

impl ServerCertVerifier for NoQuestions {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
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

    #[test]
    fn a_missing_ca_file_is_said() {
        let said = Trust::of(true, Some(Path::new("/nonexistent.pem"))).config().unwrap_err();
        assert!(said.starts_with("read CA certificates /nonexistent.pem: "), "{said}");
    }
}
