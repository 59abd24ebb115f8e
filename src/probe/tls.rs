//! Whose certificates a client of ours accepts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::line::first_line;

/// How a server's certificate is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Not at all.
    Anybody,
    /// It has to be good in the eyes of this system.
    System,
    /// It has to be signed by a CA in this file.
    File(PathBuf),
}

impl Trust {
    /// As parameters say it: whether to look at all, and by which certificates.
    pub fn of(verify: bool, ca: Option<&Path>) -> Self {
        match (verify, ca) {
            (false, _) => Trust::Anybody,
            (true, None) => Trust::System,
            (true, Some(path)) => Trust::File(path.to_owned()),
        }
    }

    /// The configuration for it, with the application protocols to offer (ALPN). It keeps no sessions: every question is a
    /// whole handshake.
    ///
    /// # Errors
    /// What this host lacks, in one line.
    pub fn config(&self, protocols: &[&str]) -> Result<Arc<ClientConfig>, String> {
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
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
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
    fn a_missing_ca_file_is_said() {
        let said = Trust::of(true, Some(Path::new("/nonexistent.pem"))).config(&[]).unwrap_err();
        assert!(said.starts_with("read CA certificates /nonexistent.pem: "), "{said}");
    }
}
