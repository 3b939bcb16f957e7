//! The server under load: a fresh Strongroom on a folder of its own, or an endpoint that somebody else started.

use crate::connection::{Connection, Request, Service};
use crate::process::Process;
use crate::scenario::kms_request;
use crate::{Error, Options};
use http::HeaderMap;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sigv4::{Payload, Secret};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The bucket of all scenarios.
pub(crate) const BUCKET: &str = "strongroom-bench";
const REGION: &str = "us-east-1";
const START: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Target {
    http: String,
    https: Option<String>,
    access_key_id: String,
    secret: Secret,
    process: Option<Process>,
    server: Option<Server>,
    /// Whether it has counters.
    counts: bool,
    kms_key: OnceLock<String>,
    tls: OnceLock<Arc<ClientConfig>>,
}

/// Counters that the server gives on `/_/metrics`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counters {
    pub(crate) syncs: u64,
}

/// A Strongroom that ends, with its folder, when the benchmark does.
#[derive(Debug)]
struct Server {
    child: Child,
    folder: tempfile::TempDir,
    binary: PathBuf,
    settings: Vec<(&'static str, String)>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Target {
    /// `settings`: of a fresh server, beside those that all have.
    pub(crate) fn from_options(options: &Options, settings: &[(&'static str, &str)]) -> Result<Target, Error> {
        let target = match &options.endpoint {
            Some(endpoint) => Target::foreign(endpoint, options)?,
            None => Target::fresh(options, settings)?,
        };
        let (query, headers, payload, body) = ("", HeaderMap::new(), Payload::Unsigned, Arc::default());
        let create =
            Request { service: Service::S3, method: "PUT", path: format!("/{BUCKET}"), query, headers, payload, body };
        let answer = Connection::open(&target, false)?.exchange(&create)?;
        match answer.status {
            200 | 409 => Ok(target),
            status => Err(Error::Failed(format!("no bucket: {status} {}", String::from_utf8_lossy(&answer.kept)))),
        }
    }

    fn foreign(endpoint: &str, options: &Options) -> Result<Target, Error> {
        let http = endpoint.strip_prefix("http://").map(|rest| rest.trim_end_matches('/').to_owned());
        let pair = options.credentials.as_deref().and_then(|pair| pair.split_once(':'));
        let (Some(http), Some((access_key_id, secret))) = (http, pair) else {
            return Err(Error::Failed("--endpoint wants http://HOST:PORT and --credentials ID:SECRET".into()));
        };
        let process = options.pid.map(Process);
        Ok(Target::new(http, None, (access_key_id, secret), process, None))
    }

    /// The same server, asked by somebody else.
    pub(crate) fn as_another(&self, access_key_id: &str, secret: &str) -> Target {
        let mut target = Target::new(self.http.clone(), None, (access_key_id, secret), self.process, None);
        target.counts = self.counts;
        target
    }

    fn fresh(options: &Options, more: &[(&'static str, &str)]) -> Result<Target, Error> {
        let builder = tempfile::Builder::new().prefix("strongroom-bench-").to_owned();
        let folder = match &options.folder {
            Some(parent) => builder.tempdir_in(parent),
            None => builder.tempdir(),
        };
        let folder = folder.map_err(|error| Error::Io("the server's folder".into(), error))?;
        let (http, https) = (free_address()?, free_address()?);
        let (access_key_id, secret) = ("SRBENCH0000000000000", random_secret()?);
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let mut settings = vec![
            ("HOME", path("home")),
            ("XDG_CONFIG_HOME", path("config")),
            ("STRONGROOM_DATA_DIR", path("data")),
            ("STRONGROOM_HTTP", http.clone()),
            ("STRONGROOM_HTTPS", https.clone()),
            ("STRONGROOM_REGION", REGION.to_owned()),
            ("STRONGROOM_BLOCKED_ENCRYPTION_TYPES", "NONE".to_owned()),
            ("STRONGROOM_ROOT_ACCESS_KEY_ID", access_key_id.to_owned()),
            ("STRONGROOM_ROOT_SECRET_ACCESS_KEY", secret.clone()),
        ];
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let child = Command::new(&options.binary)
            .arg("serve")
            .env_clear()
            .envs(settings.iter().cloned())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::Io(options.binary.display().to_string(), error))?;
        let process = Process(child.id());
        let server = Server { child, folder, binary: options.binary.clone(), settings };
        let target = Target::new(http, Some(https), (access_key_id, &secret), Some(process), Some(server));
        target.wait_until_ready()?;
        Ok(target)
    }

    fn new(
        http: String,
        https: Option<String>,
        (access_key_id, secret): (&str, &str),
        process: Option<Process>,
        server: Option<Server>,
    ) -> Target {
        let (access_key_id, secret) = (access_key_id.to_owned(), Secret::new(secret.as_bytes()));
        let (kms_key, tls, counts) = (OnceLock::new(), OnceLock::new(), server.is_some());
        Target { http, https, access_key_id, secret, process, server, counts, kms_key, tls }
    }

    fn wait_until_ready(&self) -> Result<(), Error> {
        let started = Instant::now();
        while started.elapsed() < START {
            if get(&self.http, "/_/health/ready")
                .is_ok_and(|lines| lines.first().is_some_and(|line| line.contains(" 200 ")))
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(Error::Failed(format!("the server was not ready after {START:?}")))
    }

    pub(crate) fn address(&self, secure: bool) -> &str {
        if secure { self.https.as_deref().unwrap_or(&self.http) } else { &self.http }
    }

    pub(crate) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(crate) fn region(&self) -> &str {
        REGION
    }

    pub(crate) fn process(&self) -> Option<Process> {
        self.process
    }

    /// Where the disk is measured: beside the server's data.
    pub(crate) fn folder(&self) -> PathBuf {
        self.server.as_ref().map_or_else(std::env::temp_dir, |server| server.folder.path().to_owned())
    }

    /// A customer key, made on first use.
    pub(crate) fn kms_key(&self) -> Result<&str, Error> {
        if self.kms_key.get().is_none() {
            let answer =
                Connection::open(self, false)?.expect_success(&kms_request("TrentService.CreateKey", "{}".into()))?;
            let answer: serde_json::Value =
                serde_json::from_slice(&answer.kept).map_err(|error| Error::Failed(error.to_string()))?;
            let arn = answer["KeyMetadata"]["Arn"].as_str().unwrap_or_default();
            drop(self.kms_key.set(arn.to_owned()));
        }
        Ok(self.kms_key.get().expect("it was set above"))
    }

    /// TLS that trusts what `strongroom env` names as the CA bundle.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(tls) = self.tls.get() {
            return Ok(Arc::clone(tls));
        }
        let failed = |error: &dyn std::fmt::Display| Error::Failed(format!("TLS: {error}"));
        let bundle = self.ca_bundle()?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&bundle).map_err(|error| failed(&error))? {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| failed(&error))?;
        let tls = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
        Ok(Arc::clone(self.tls.get_or_init(|| tls)))
    }

    fn ca_bundle(&self) -> Result<PathBuf, Error> {
        let server = self.server.as_ref().ok_or_else(|| Error::Failed("TLS needs a server that we started".into()))?;
        let output = Command::new(&server.binary).arg("env").env_clear().envs(server.settings.iter().cloned()).output();
        let output = output.map_err(|error| Error::Io("strongroom env".into(), error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.split_once("AWS_CA_BUNDLE=").map(|(_, path)| path));
        let path = line.ok_or_else(|| Error::Failed(format!("strongroom env names no CA bundle: {text}")))?;
        Ok(Path::new(path.trim_matches(['\'', '"', ';'])).to_owned())
    }

    /// The server's own counters, where it has them.
    pub(crate) fn counters(&self) -> Result<Option<Counters>, Error> {
        if !self.counts {
            return Ok(None);
        }
        let lines = get(&self.http, "/_/metrics").map_err(|error| Error::Io("/_/metrics".into(), error))?;
        let counter = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        Ok(counter("strongroom_meta_syncs_total ").map(|syncs| Counters { syncs }))
    }
}

/// The lines of the answer to an unsigned GET on a connection of its own.
fn get(address: &str, path: &str) -> std::io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    BufReader::new(stream).lines().collect()
}

fn free_address() -> Result<String, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.to_string()).map_err(|error| Error::Io("a free port".into(), error))
}

fn random_secret() -> Result<String, Error> {
    let mut bytes = [0_u8; 30];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Failed("no random bytes".into()))?;
    Ok(data_encoding::BASE64URL.encode(&bytes))
}
