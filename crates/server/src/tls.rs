//! TLS 1.2 and 1.3 (RFC 5246, RFC 8446), with the hybrid key exchange X25519MLKEM768 preferred, and the development CA.
//!
//! The CA's key is made on the first start and kept in the secrets folder. The server's own certificate is made at every start and
//! again well before it expires, with a key that is never written anywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::config::{CertificateFiles, Config};
use crate::error::Error;
use crate::files::{self, FileError};
use crate::secrets::Secrets;

/// The TLS of the server.
pub(crate) struct Tls {
    current: Arc<Current>,
    /// Present if the certificate is ours to renew.
    pub(crate) development: Option<Development>,
}

impl Tls {
    /// With the operator's certificate, or one of the development CA, which is made if it is not there.
    pub(crate) fn new(config: &Config, secrets: &Secrets) -> Result<Tls, Error> {
        let (current, development) = match &config.certificate {
            Some(files) => (Current::new(own(files)?), None),
            None => {
                let authority = Authority::load_or_make(secrets)?;
                let names = Names::of(config);
                let current = Current::new(authority.issue(&names)?);
                let development = Development { authority, names, current: Arc::clone(&current) };
                (current, Some(development))
            }
        };
        Ok(Tls { current, development })
    }

    /// What accepts connections of one listener. With `authorities`, PEM files, clients must show a certificate from one of them.
    pub(crate) fn acceptor(&self, authorities: &[PathBuf]) -> Result<TlsAcceptor, Error> {
        let builder = rustls::ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(failed)?;
        let builder = match authorities {
            [] => builder.with_no_client_auth(),
            files => builder.with_client_cert_verifier(client_verifier(files)?),
        };
        let mut settings = builder.with_cert_resolver(Arc::clone(&self.current) as Arc<dyn ResolvesServerCert>);
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Resumption without memory for each client; the tickets' keys change every six hours. Each listener has its own: a ticket of
        // one that asks for no certificate opens none that does.
        settings.ticketer = aws_lc_rs::Ticketer::new().map_err(failed)?;
        Ok(TlsAcceptor::from(Arc::new(settings)))
    }
}

/// Clients must have a certificate (RFC 5280) from an authority in these files. Nobody may come without.
fn client_verifier(files: &[PathBuf]) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for file in files {
        for authority in certificates(file)? {
            roots.add(authority).map_err(|error| unreadable(file, &error))?;
        }
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().map_err(failed)
}

/// The development certificate in use, and what makes the next one.
pub(crate) struct Development {
    authority: Authority,
    names: Names,
    current: Arc<Current>,
}

impl Development {
    /// How often to renew.
    pub(crate) const EVERY: Duration = Duration::from_secs(LIFE.as_secs() / 3);

    /// Puts a new certificate in place. Connections that are open keep the old one.
    pub(crate) fn renew(&self) -> Result<(), Error> {
        self.current.set(self.authority.issue(&self.names)?);
        Ok(())
    }
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    fn new(certified: CertifiedKey) -> Arc<Current> {
        Arc::new(Current(RwLock::new(Arc::new(certified))))
    }

    fn set(&self, certified: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// X25519MLKEM768 comes first with the feature `prefer-post-quantum`; a test holds that.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn own(files: &CertificateFiles) -> Result<CertifiedKey, Error> {
    let chain = certificates(&files.certificate)?;
    let pem = files::read_private(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| unreadable(&files.key, &error))?;
    certified(chain, key)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(path, &error))?;
    match found.is_empty() {
        true => Err(unreadable(path, &"there is no certificate in it")),
        false => Ok(found),
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Tls(format!("{}: {error}", path.display()))
}

/// Also checks that the key is the certificate's.
fn certified(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<CertifiedKey, Error> {
    CertifiedKey::from_der(chain, key, &provider()).map_err(failed)
}

/// The development CA. Everything about it but the signature follows from its key, so its certificate is never read back.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn load_or_make(secrets: &Secrets) -> Result<Authority, Error> {
        files::make_folder(secrets.folder()?)?;
        let path = secrets.ca_key()?;
        let key = match files::read_private(&path) {
            Ok(pem) => KeyPair::from_pem(&pem).map_err(|error| FileError::Malformed(path, error.to_string()))?,
            Err(error) if error.is_not_found() => {
                let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
                files::write_new(&path, Zeroizing::new(key.serialize_pem()).as_bytes())?;
                key
            }
            Err(error) => return Err(error.into()),
        };
        let params = Authority::params(&key);
        let certificate = secrets.ca_certificate()?;
        if !certificate.try_exists().map_err(|error| Error::Path(certificate.clone(), error))? {
            let made = params.self_signed(&key).map_err(failed)?;
            files::write_new(&certificate, made.pem().as_bytes())?;
            tracing::info!(path = %certificate.display(), "made a development CA");
        }
        Ok(Authority { issuer: Issuer::new(params, key) })
    }

    fn params(key: &KeyPair) -> CertificateParams {
        // Named by its key: programs that find issuers by name do not mix up the CAs of two stores.
        let hash = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, key.public_key_raw());
        let name = format!("Strongroom development CA {}", data_encoding::HEXLOWER.encode(&hash.as_ref()[..8]));
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = rcgen::date_time_ymd(2025, 1, 1);
        // "No well-defined expiration date" (RFC 5280, 4.1.2.5): it ends when its key is deleted.
        params.not_after = time::macros::datetime!(9999-12-31 23:59:59 UTC);
        params
    }

    fn issue(&self, names: &Names) -> Result<CertifiedKey, Error> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Strongroom");
        params.subject_alt_names = names.0.clone();
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let now = OffsetDateTime::now_utc();
        params.not_before = now - CLOCK_SKEW;
        params.not_after = now + LIFE;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let der = PrivatePkcs8KeyDer::from(key.serialize_der());
        certified(vec![certificate.der().clone()], der.into())
    }
}

/// What a handshake came to, in the words of CloudTrail records: IANA's for TLS 1.3, OpenSSL's for TLS 1.2.
pub(crate) fn details(connection: &rustls::ServerConnection) -> Option<gateway::record::TlsDetails> {
    use rustls::CipherSuite as Suite;
    let version = match connection.protocol_version()? {
        rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => "TLSv1.2",
    };
    let cipher_suite = match connection.negotiated_cipher_suite()?.suite() {
        Suite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        Suite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        Suite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        _ => return None,
    };
    let key_exchange = match connection.negotiated_key_exchange_group().map(|group| group.name()) {
        Some(rustls::NamedGroup::X25519MLKEM768) => Some("X25519MLKEM768"),
        Some(rustls::NamedGroup::secp256r1MLKEM768) => Some("SecP256r1MLKEM768"),
        Some(rustls::NamedGroup::X25519) => Some("x25519"),
        Some(rustls::NamedGroup::secp256r1) => Some("secp256r1"),
        Some(rustls::NamedGroup::secp384r1) => Some("secp384r1"),
        Some(rustls::NamedGroup::secp521r1) => Some("secp521r1"),
        _ => None,
    };
    Some(gateway::record::TlsDetails { version, cipher_suite, key_exchange })
}

/// What the development certificate is good for.
struct Names(Vec<SanType>);

impl Names {
    fn of(config: &Config) -> Names {
        let mut addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let named = config.listeners.iter().filter(|listener| listener.tls).map(|listener| listener.address);
        for listening in config.https.into_iter().chain(named).map(|address| address.ip()) {
            if !listening.is_unspecified() && !addresses.contains(&listening) {
                addresses.push(listening);
            }
        }
        let mut domains = vec!["localhost".to_owned()];
        domains.extend(config.domains.iter().filter(|domain| *domain != "localhost").cloned());
        let mut names: Vec<SanType> = addresses.into_iter().map(SanType::IpAddress).collect();
        for domain in domains {
            // No client takes a wildcard right below a top-level name.
            let below = domain.contains('.').then(|| format!("*.{domain}"));
            for name in [Some(domain), below].into_iter().flatten() {
                names.push(SanType::DnsName(name.try_into().expect("a domain of the settings is ASCII")));
            }
        }
        Names(names)
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Tls(error.to_string())
}

/// Below the 398 days that clients accept at most; renewed after a third of it.
const LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Clients whose clock is behind.
const CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use rustls::NamedGroup;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;
    use crate::config::Sources;

    fn secrets() -> (tempfile::TempDir, Config, Secrets) {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("secrets").to_str().unwrap().to_owned();
        let flags = vec![("secrets_dir", path)];
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let secrets = Secrets::of(&config, Path::new("/nowhere")).unwrap();
        (folder, config, secrets)
    }

    fn verify(secrets: &Secrets, served: &CertifiedKey, name: &str) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(secrets.ca_certificate().unwrap()).unwrap()).unwrap();
        let verifier =
            rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(&served.cert[0], &[], &name, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn the_post_quantum_exchange_comes_first() {
        assert_eq!(provider().kx_groups[0].name(), NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn the_certificate_is_good_for_local_names_alone() {
        let (_folder, config, secrets) = secrets();
        let authority = Authority::load_or_make(&secrets).unwrap();
        let served = authority.issue(&Names::of(&config)).unwrap();
        for name in ["localhost", "127.0.0.1", "::1", "s3.localhost", "bucket.s3.localhost"] {
            assert!(verify(&secrets, &served, name), "{name}");
        }
        for name in ["example.com", "127.0.0.2", "a.bucket.s3.localhost"] {
            assert!(!verify(&secrets, &served, name), "{name}");
        }
    }

    #[test]
    fn the_authority_stays_when_certificates_change() {
        let (_folder, config, secrets) = secrets();
        let tls = Tls::new(&config, &secrets).unwrap();
        let ca = fs::read(secrets.ca_certificate().unwrap()).unwrap();
        let development = tls.development.unwrap();
        let before = Arc::clone(&development.current.0.read().unwrap());
        development.renew().unwrap();
        let after = Arc::clone(&development.current.0.read().unwrap());
        assert_ne!(before.cert, after.cert);
        Tls::new(&config, &secrets).unwrap();
        assert_eq!(fs::read(secrets.ca_certificate().unwrap()).unwrap(), ca);
        assert!(verify(&secrets, &after, "localhost"));
        assert_eq!(fs::metadata(secrets.ca_key().unwrap()).unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_lost_ca_certificate_is_made_again_from_its_key() {
        let (_folder, config, secrets) = secrets();
        let served = Authority::load_or_make(&secrets).unwrap().issue(&Names::of(&config)).unwrap();
        fs::remove_file(secrets.ca_certificate().unwrap()).unwrap();
        Authority::load_or_make(&secrets).unwrap();
        assert!(verify(&secrets, &served, "localhost"));
    }

    #[test]
    fn clients_show_a_certificate_of_an_authority_that_is_one() {
        let (folder, config, secrets) = secrets();
        let tls = Tls::new(&config, &secrets).unwrap();
        assert!(tls.acceptor(&[]).is_ok());
        assert!(tls.acceptor(&[secrets.ca_certificate().unwrap()]).is_ok());
        let empty = folder.path().join("empty.pem");
        fs::write(&empty, "").unwrap();
        assert!(tls.acceptor(&[empty]).is_err() && tls.acceptor(&[folder.path().join("missing")]).is_err());
    }

    #[test]
    fn an_own_certificate_needs_its_own_key() {
        let folder = tempfile::TempDir::new().unwrap();
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            files::write_new(&path, text.as_bytes()).unwrap();
            path
        };
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let certificate = CertificateParams::new(["own.test".to_owned()]).unwrap().self_signed(&key).unwrap();
        let certificate = write("certificate", certificate.pem());
        let pair = |key| CertificateFiles { certificate: certificate.clone(), key };
        assert!(own(&pair(write("key", key.serialize_pem()))).is_ok());
        assert!(own(&pair(write("other", other.serialize_pem()))).is_err());
        assert!(own(&pair(certificate.clone())).is_err());
    }
}
