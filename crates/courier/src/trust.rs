use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Which certificate authorities are believed. Made once, shared by many clients.
#[derive(Clone)]
pub struct Trust {
    pub(crate) settings: Arc<ClientConfig>,
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

    fn of(roots: RootCertStore) -> Result<Trust, TrustError> {
        if roots.is_empty() {
            return Err(TrustError::Nobody);
        }
        let mut settings = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Trust { settings: Arc::new(settings) })
    }
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
