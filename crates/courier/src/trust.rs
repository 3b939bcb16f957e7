use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::Thumbprint;
use crate::thumbprint::{ByThumbprint, Look};

/// Which certificate authorities are believed. Made once, shared by many clients.
#[derive(Clone)]
pub struct Trust {
    pub(crate) settings: Arc<ClientConfig>,
    roots: Arc<RootCertStore>,
}

/// Certificate authorities that cannot be believed.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The PEM text is not certificates.
    #[error("not certificates in PEM: {0}")]
    NotCertificates(String),
    /// There is none.
    #[error(
        "there is no certificate authority to trust: install the system's (ca-certificates), or name a file of them"
    )]
    Nobody,
    /// The TLS library refused.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Trust {
    /// The certificate authorities that the system trusts. `SSL_CERT_FILE` and `SSL_CERT_DIR` are heeded.
    ///
    /// # Errors
    /// [`TrustError::Nobody`] if the system has none.
    pub fn system() -> Result<Trust, TrustError> {
        Trust::of(system())
    }

    /// Those of the system, if it has any, and those in `pem`.
    ///
    /// # Errors
    /// [`TrustError::NotCertificates`].
    pub fn system_and(pem: &[u8]) -> Result<Trust, TrustError> {
        let mut roots = system();
        add(&mut roots, pem)?;
        Trust::of(roots)
    }

    /// Those in `pem` and nobody else.
    ///
    /// # Errors
    /// [`TrustError::NotCertificates`], [`TrustError::Nobody`].
    pub fn only(pem: &[u8]) -> Result<Trust, TrustError> {
        let mut roots = RootCertStore::empty();
        add(&mut roots, pem)?;
        Trust::of(roots)
    }

    /// No authority at all: every connection fails, but for those by [`Trust::or_thumbprints`].
    ///
    /// # Panics
    /// Never: the provider has cipher suites for both versions of TLS.
    #[must_use]
    pub fn nobody() -> Trust {
        Trust::with(RootCertStore::empty()).expect("the provider has cipher suites for TLS 1.2 and 1.3")
    }

    /// The same authorities, and for certificates that none of them vouches for: chains with a certificate whose SHA-1 digest is
    /// among these.
    ///
    /// # Panics
    /// Never, as [`Trust::nobody`].
    #[must_use]
    pub fn or_thumbprints(&self, thumbprints: &[Thumbprint]) -> Trust {
        if thumbprints.is_empty() {
            return self.clone();
        }
        let verifier = Arc::new(ByThumbprint::new(&self.roots, thumbprints));
        let builder = builder().expect("the provider has cipher suites for TLS 1.2 and 1.3");
        let settings = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Trust { settings: finish(settings), roots: Arc::clone(&self.roots) }
    }

    /// One that takes no certificate, and tells the thumbprint of the last one that it was shown.
    ///
    /// # Panics
    /// Never, as [`Trust::nobody`].
    pub(crate) fn to_look_at() -> (Trust, Arc<OnceLock<Thumbprint>>) {
        let shown = Arc::new(OnceLock::new());
        let verifier = Arc::new(Look::new(Arc::clone(&shown)));
        let builder = builder().expect("the provider has cipher suites for TLS 1.2 and 1.3");
        let settings = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        (Trust { settings: finish(settings), roots: Arc::new(RootCertStore::empty()) }, shown)
    }

    fn of(roots: RootCertStore) -> Result<Trust, TrustError> {
        if roots.is_empty() { Err(TrustError::Nobody) } else { Trust::with(roots) }
    }

    fn with(roots: RootCertStore) -> Result<Trust, TrustError> {
        let roots = Arc::new(roots);
        let settings = builder()?.with_root_certificates(Arc::clone(&roots)).with_no_client_auth();
        Ok(Trust { settings: finish(settings), roots })
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
}

fn finish(mut settings: ClientConfig) -> Arc<ClientConfig> {
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(settings)
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

/// What cannot be read or parsed is left out, as every other program on the system does.
fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), TrustError> {
    let wrong = |error: &dyn fmt::Display| TrustError::NotCertificates(error.to_string());
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        count += 1;
    }
    if count == 0 { Err(wrong(&"there is no CERTIFICATE in it")) } else { Ok(()) }
}
