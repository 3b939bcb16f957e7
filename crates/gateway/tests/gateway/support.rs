//! A gateway over stores in a temporary folder, and a client that says exactly the bytes it is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use audit::Audit;
use audit::trail::Trails;
use gateway::{App, Connection, Domains, Gateway, Limits, Parts, Safeguards, Settings};
use http::{HeaderMap, HeaderName, HeaderValue};
use identity::{Identity, StaticKey};
use keys::{AccountId, KeyFile, Keys, Region};
use objects::{BlockedTypes, Dependencies, Objects};
use sigv4::{Payload, Secret, Signer};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;

pub(crate) const REGION: &str = "us-east-1";
/// A Region that KMS is served in besides.
pub(crate) const OTHER_REGION: &str = "eu-central-1";
pub(crate) const HOST: &str = "s3.example.com";
pub(crate) const ALICE: &str = "AKIAALICEALICEALICE1";
pub(crate) const BOB: &str = "AKIABOBBOBBOBBOBBOB1";
pub(crate) const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A gateway with two accounts, Alice's and Bob's.
pub(crate) struct Server {
    gateway: Arc<Gateway>,
    stop: watch::Sender<bool>,
    _folder: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Server {
        Server::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Server {
        Server::with(limits, Safeguards::default()).await
    }

    pub(crate) async fn with(limits: Limits, safeguards: Safeguards) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let region = Region::parse(REGION).unwrap();
        let clock: keys::Clock = Arc::new(SystemTime::now);
        let store: Arc<dyn meta::Store> = Arc::new(meta::memory::Memory::new());
        let blobs: Arc<dyn blob::Blobs> = Arc::new(
            blob::local::LocalBlobs::open(&folder.path().join("blobs"), &blob::local::Options::default()).unwrap(),
        );
        let root = Arc::new(KeyFile::create(&folder.path().join("root-key")).unwrap());
        let other_regions = vec![Region::parse(OTHER_REGION).unwrap()];
        let key_settings = keys::Settings { region: region.clone(), other_regions, clock: Arc::clone(&clock) };
        let keys = Keys::open(Arc::clone(&store), root, key_settings).await.unwrap();
        let objects = Objects::open(
            Dependencies { store: Arc::clone(&store), blobs: Arc::clone(&blobs), keys: Arc::clone(&keys) },
            objects::Settings {
                inline_limit: 64 * 1024,
                blocked_by_default: BlockedTypes::default(),
                public_access_by_default: None,
                region: region.clone(),
                clock: Arc::clone(&clock),
            },
        )
        .unwrap();
        let home = AccountId::parse("111111111111").unwrap();
        let identity = Identity::open(Arc::clone(&store), Arc::clone(&keys), Arc::clone(&clock), home);
        for (access_key_id, account) in [(ALICE, "111111111111"), (BOB, "222222222222")] {
            let key = StaticKey { access_key_id: access_key_id.to_owned(), secret: SECRET.to_vec().into() };
            identity.provision(AccountId::parse(account).unwrap(), None, &[], vec![key]).await.unwrap();
        }
        let log = audit::Settings { mode: audit::Mode::Strict, retention: YEAR, clock: Arc::clone(&clock) };
        let audit = Audit::open(Arc::clone(&store), Arc::clone(&keys), log).await.unwrap();
        let trails = Trails::open(Arc::clone(&store), Arc::clone(&keys), Arc::clone(&clock)).await.unwrap();
        let settings = Settings { region, domains: Domains::new([HOST]), clock, limits, safeguards };
        let app = App::new(Parts { objects, keys, identity, audit, trails, store, blobs }, settings);
        Server { gateway: Arc::new(Gateway::new(Arc::new(app))), stop: watch::channel(false).0, _folder: folder }
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Wire {
        self.connect_over(false)
    }

    /// A new connection that the gateway takes for TLS if `secure`.
    pub(crate) fn connect_over(&self, secure: bool) -> Wire {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let gateway = Arc::clone(&self.gateway);
        let connection = Connection {
            secure,
            peer: SocketAddr::from(([127, 0, 0, 1], 4000)),
            listener: None,
            tls: None,
            shutdown: self.stop.subscribe(),
        };
        tokio::spawn(async move { gateway.serve(server, connection).await });
        Wire { io: client, buffer: Vec::new() }
    }

    /// Asks every connection to end.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// One request over a connection of its own.
    pub(crate) async fn ask(&self, request: &Ask<'_>) -> Answer {
        let mut wire = self.connect();
        wire.send(&request.bytes()).await;
        wire.answer().await
    }

    /// [`ask`](Server::ask) over what the gateway takes for TLS.
    pub(crate) async fn ask_secure(&self, request: &Ask<'_>) -> Answer {
        let mut wire = self.connect_over(true);
        wire.send(&request.bytes()).await;
        wire.answer().await
    }

    /// The head of the answer alone, for what has no body (HEAD).
    pub(crate) async fn connect_and_head(&self, request: &Ask<'_>) -> Answer {
        let mut wire = self.connect();
        wire.send(&request.bytes()).await;
        wire.head().await
    }

    /// A KMS operation as Alice: status and JSON.
    pub(crate) async fn kms(&self, operation: &str, body: &str) -> (u16, serde_json::Value) {
        let answer = self.ask(&Ask::kms(operation, body)).await;
        (answer.status, answer.json())
    }
}

/// How long the log is kept.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A request to be signed.
#[derive(Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) secret: &'a [u8],
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: &'a [u8],
    pub(crate) time: SystemTime,
}

impl<'a> Ask<'a> {
    pub(crate) fn kms(operation: &str, body: &'a str) -> Ask<'a> {
        let target = format!("TrentService.{operation}");
        let headers = vec![("x-amz-target", target), ("content-type", "application/x-amz-json-1.1".to_owned())];
        Ask { service: "kms", method: "POST", path: "/", headers, ..Ask::s3("POST", "/", body.as_bytes()) }
    }

    pub(crate) fn s3(method: &'a str, path: &'a str, body: &'a [u8]) -> Ask<'a> {
        Ask {
            access_key: ALICE,
            secret: SECRET,
            region: REGION,
            service: "s3",
            method,
            path,
            query: "",
            headers: Vec::new(),
            body,
            time: SystemTime::now(),
        }
    }

    /// Head and body, as they go over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head().as_bytes(), self.body].concat()
    }

    /// The head with its empty line.
    pub(crate) fn head(&self) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static(HOST));
        headers.insert("content-length", HeaderValue::from(self.body.len()));
        for (name, value) in &self.headers {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.body);
        let payload = Payload::Signed(digest.as_ref().try_into().unwrap());
        Signer::new(self.access_key, &Secret::new(self.secret), self.region, self.service)
            .sign(self.method, self.path, self.query, &mut headers, payload, self.time)
            .unwrap();
        render(self.method, self.path, self.query, &headers)
    }
}

/// A head with its empty line.
pub(crate) fn render(method: &str, path: &str, query: &str, headers: &HeaderMap) -> String {
    let question = if query.is_empty() { "" } else { "?" };
    let mut head = format!("{method} {path}{question}{query} HTTP/1.1\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    head + "\r\n"
}

/// The client's end of a connection.
pub(crate) struct Wire {
    io: DuplexStream,
    buffer: Vec<u8>,
}

impl Wire {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.unwrap();
    }

    /// Says nothing more.
    pub(crate) async fn finish(&mut self) {
        self.io.shutdown().await.unwrap();
    }

    /// The next answer's head (an interim one too), without its body.
    pub(crate) async fn head(&mut self) -> Answer {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                let head = String::from_utf8(std::mem::replace(&mut self.buffer, rest)).unwrap();
                return Answer::parse(&head);
            }
            assert!(
                self.more().await,
                "the connection ended within a head: {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
    }

    /// The next answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length: usize = answer.headers.get("content-length").map_or(0, |text| text.parse().unwrap());
        while self.buffer.len() < length {
            assert!(self.more().await, "the connection ended within a body");
        }
        let rest = self.buffer.split_off(length);
        answer.body = std::mem::replace(&mut self.buffer, rest);
        answer
    }

    /// Whether the server closes the connection, having said nothing more.
    pub(crate) async fn ends(&mut self) -> bool {
        !self.more().await && self.buffer.is_empty()
    }

    /// Whether the server stays silent for a while.
    pub(crate) async fn silent(&mut self) -> bool {
        let mut byte = [0];
        tokio::time::timeout(Duration::from_millis(50), self.io.read(&mut byte)).await.is_err()
    }

    async fn more(&mut self) -> bool {
        let mut piece = vec![0; 65536];
        let read = tokio::time::timeout(Duration::from_secs(10), self.io.read(&mut piece));
        match read.await.expect("the server is silent") {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.buffer.extend_from_slice(&piece[..length]);
                true
            }
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(head: &str) -> Answer {
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answer { status, headers, body: Vec::new() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON; null if it is empty.
    pub(crate) fn json(&self) -> serde_json::Value {
        if self.body.is_empty() { serde_json::Value::Null } else { serde_json::from_slice(&self.body).unwrap() }
    }

    /// The error's code, in JSON or XML.
    pub(crate) fn code(&self) -> String {
        if self.header("content-type").contains("json") {
            return self.json()["__type"].as_str().unwrap().to_owned();
        }
        let text = self.text();
        text.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or_default().to_owned()
    }
}
