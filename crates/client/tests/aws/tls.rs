//! Who is believed to be the service.

use crate::server::{Reply, Server, answer};
use client::aws::{AwsError, Config, PutOptions, S3Client, Upload};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A certificate authority in a file, and the settings of a server of that name.
struct Authority {
    file: PathBuf,
    settings: Arc<ServerConfig>,
}

impl Authority {
    fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let file = std::env::temp_dir().join(format!("strongroom-ca-{}-{number}.pem", std::process::id()));
        std::fs::write(&file, issuer.pem()).unwrap();
        let settings = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        Self { file, settings: Arc::new(settings) }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).unwrap();
    }
}

fn put(config: &Config) -> Result<(), AwsError> {
    let mut data = &[1; 200_000][..];
    let body = Upload::Stream { reader: &mut data, length: 200_000 };
    S3Client::new(config)?.put("bucket", "key", body, &PutOptions::new()).map(drop)
}

#[test]
fn who_has_a_certificate_of_an_authority_that_is_believed() {
    let authority = Authority::new("localhost");
    let stored = || Reply::Say(answer("200 OK", &[("etag", "\"e\"")], b""));
    let server = Server::secure(Arc::clone(&authority.settings), [stored()]);
    put(&server.config().ca_bundle(&authority.file)).unwrap();
    let [asked] = &server.asked()[..] else { panic!() };
    assert_eq!(asked.body.len(), 200_000);
    assert_eq!(asked.header("x-amz-content-sha256"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "TLS vouches for it");
}

#[test]
fn nobody_else() {
    let (authority, other) = (Authority::new("localhost"), Authority::new("example.com"));
    let refused = |server: &Server, config: Config| {
        let error = put(&config).unwrap_err();
        assert!(matches!(error, AwsError::Tls { .. }) && server.asked().is_empty(), "{error}");
        error.to_string()
    };
    let server = Server::secure(Arc::clone(&authority.settings), []);
    assert!(refused(&server, server.config()).contains("AWS_CA_BUNDLE"), "the system does not believe it");
    refused(&server, server.config().ca_bundle(&other.file));
    let named_otherwise = Server::secure(Arc::clone(&other.settings), []);
    refused(&named_otherwise, named_otherwise.config().ca_bundle(&other.file));
    let empty = std::env::temp_dir().join(format!("strongroom-ca-{}-empty.pem", std::process::id()));
    std::fs::write(&empty, "no certificate").unwrap();
    let error = put(&server.config().ca_bundle(&empty)).unwrap_err();
    assert!(error.to_string().contains("no certificate in it"), "{error}");
    std::fs::remove_file(empty).unwrap();
}
