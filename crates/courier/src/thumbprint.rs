//! Servers that are known by the digest of a certificate, where no certificate authority that we trust vouches for them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// The SHA-1 digest of a certificate in DER, as IAM names servers of identity providers.
///
/// SHA-1 is broken for collisions; to pass for somebody else's certificate takes a second preimage, which nobody can make.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 20]);

impl Thumbprint {
    /// Reads 40 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Thumbprint> {
        let digits = text.as_bytes();
        let mut bytes = [0; 20];
        if digits.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Thumbprint(bytes))
    }

    fn of(certificate: &CertificateDer<'_>) -> Thumbprint {
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
        Thumbprint(digest.as_ref().try_into().expect("a SHA-1 digest has 20 bytes"))
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// First the authorities. Only for a certificate whose issuer is none of them, the certificates of its own chain that are named: each
/// is then what an authority's would be, so signatures, names and dates are checked as ever.
pub(crate) struct ByThumbprint {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    thumbprints: Vec<Thumbprint>,
}

impl ByThumbprint {
    pub(crate) fn new(roots: &Arc<RootCertStore>, thumbprints: &[Thumbprint]) -> ByThumbprint {
        // Without any authority there is no verifier to build.
        let authorities = verifier(Arc::clone(roots)).ok();
        ByThumbprint { authorities, thumbprints: thumbprints.to_vec() }
    }
}

fn verifier(roots: Arc<RootCertStore>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(roots, Arc::new(default_provider()))
        .build()
        .map_err(|error| Error::General(error.to_string()))
}

impl ServerCertVerifier for ByThumbprint {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let by_authority = match &self.authorities {
            Some(authorities) => {
                authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(unknown.clone()),
        };
        if by_authority.as_ref().err() != Some(&unknown) {
            return by_authority;
        }
        let mut named = RootCertStore::empty();
        let chain = std::iter::once(end_entity).chain(intermediates);
        for certificate in chain.filter(|certificate| self.thumbprints.contains(&Thumbprint::of(certificate))) {
            named.add(certificate.clone().into_owned())?;
        }
        if named.is_empty() {
            return Err(unknown);
        }
        verifier(Arc::new(named))?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for ByThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByThumbprint").field("thumbprints", &self.thumbprints).finish_non_exhaustive()
    }
}

/// Takes no certificate, and remembers what it was shown: the handshake ends there, so that nothing is ever said to whom nobody knows.
#[derive(Debug)]
pub(crate) struct Look {
    shown: Arc<OnceLock<Thumbprint>>,
}

impl Look {
    pub(crate) fn new(shown: Arc<OnceLock<Thumbprint>>) -> Look {
        Look { shown }
    }
}

impl ServerCertVerifier for Look {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let last = Thumbprint::of(intermediates.last().unwrap_or(end_entity));
        self.shown.get_or_init(|| last);
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_thumbprint_is_forty_hexadecimal_digits() {
        let text = "0123456789abcdefABCDEF0123456789abcdef01";
        assert_eq!(Thumbprint::parse(text).unwrap().to_string(), text.to_ascii_lowercase());
        for bad in ["", "01", &text[1..], &format!("{text}0"), &text.replace('0', "g"), &text.replace("01", "+1")] {
            assert_eq!(Thumbprint::parse(bad), None, "{bad}");
        }
    }
}
