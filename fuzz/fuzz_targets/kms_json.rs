//! Whatever somebody who has signed sends as the body of any KMS operation: an answer in KMS's shape, never a panic, never a
//! lost connection.
#![no_main]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway::kms::OPERATIONS;
use gateway::{App, Connection, Domains, Gateway, Limits, Parts, Safeguards, Settings};
use http::{HeaderMap, HeaderValue};
use identity::{Identity, StaticKey};
use keys::{AccountId, KeyFile, Keys, Region};
use libfuzzer_sys::fuzz_target;
use sigv4::{Payload, Secret, Signer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Requests to one server, so that the keys that are made do not fill the memory.
const REQUESTS: u32 = 20_000;

fuzz_target!(|input: (u8, &[u8])| {
    thread_local!(static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) });
    let (choice, body) = input;
    let operation = OPERATIONS[usize::from(choice) % OPERATIONS.len()].name;
    SERVER.with_borrow_mut(|server| {
        if server.as_ref().is_none_or(|server| server.left == 0) {
            *server = Some(Server::start());
        }
        let Some(server) = server else { return };
        server.left -= 1;
        // `KEY` stands for a key that exists, `BLOB` for what it has sealed: the fuzzer would never guess them.
        let body = replace(&replace(body, b"KEY", server.key.as_bytes()), b"BLOB", server.blob.as_bytes());
        let (status, document) = server.ask(operation, &body);
        match status {
            200 => assert!(document.is_empty() || document.starts_with(b"{")),
            400 | 413 | 501 => assert!(document.starts_with(b"{\"__type\":\"")),
            other => panic!("{operation}: {other} {}", String::from_utf8_lossy(&document)),
        }
    });
});

struct Server {
    runtime: Runtime,
    gateway: Arc<Gateway>,
    signer: Signer,
    key: String,
    blob: String,
    left: u32,
    stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Server {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let gateway = Arc::new(runtime.block_on(gateway(folder.path())));
        let stop = watch::channel(false).0;
        let signer = Signer::new("AKIA", &Secret::new(b"secret"), "us-east-1", "kms");
        let (key, blob) = (String::new(), String::new());
        let mut server = Server { runtime, gateway, signer, key, blob, left: REQUESTS, stop, _folder: folder };
        server.key = server.member("CreateKey", "{}", "\"KeyId\":\"");
        let plaintext = format!(r#"{{"KeyId":"{}","Plaintext":"aGVsbG8="}}"#, server.key);
        server.blob = server.member("Encrypt", &plaintext, "\"CiphertextBlob\":\"");
        server
    }

    /// The text after `before` in an operation's answer, up to the quote.
    fn member(&mut self, operation: &str, body: &str, before: &str) -> String {
        let (_, answer) = self.ask(operation, body.as_bytes());
        let answer = String::from_utf8(answer).expect("JSON is UTF-8");
        let (_, rest) = answer.split_once(before).expect("the member");
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    fn ask(&mut self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("localhost"));
        headers.insert("content-length", HeaderValue::from(body.len()));
        let target = format!("TrentService.{operation}");
        headers.insert("x-amz-target", HeaderValue::from_str(&target).expect("a name"));
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
        let payload = Payload::Signed(digest.as_ref().try_into().expect("32 bytes"));
        self.signer.sign("POST", "/", "", &mut headers, payload, SystemTime::now()).expect("a signature");
        let mut request = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in &headers {
            request.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body);
        // A connection that stays open keeps empty buffers, which the leak detector does not recognise as reachable.
        let (mut wire, io) = tokio::io::duplex(1 << 20);
        let shutdown = self.stop.subscribe();
        let connection = Connection {
            secure: true,
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            listener: None,
            tls: None,
            shutdown,
        };
        let gateway = Arc::clone(&self.gateway);
        self.runtime.block_on(async {
            let serving = tokio::spawn(async move { gateway.serve(io, connection).await });
            wire.write_all(&request).await.expect("the connection stands");
            let mut answer = Vec::new();
            loop {
                if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
                    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
                    let length: usize = head
                        .split("content-length: ")
                        .nth(1)
                        .and_then(|rest| rest.split("\r\n").next())
                        .map_or(0, |text| text.parse().expect("a number"));
                    if answer.len() == end + 4 + length {
                        let status = head[9..12].parse().expect("a status");
                        drop(wire);
                        serving.await.expect("no panic").expect("a clean end");
                        return (status, answer.split_off(end + 4));
                    }
                }
                assert!(wire.read_buf(&mut answer).await.expect("the connection stands") > 0, "closed: {answer:?}");
            }
        })
    }
}

async fn gateway(folder: &std::path::Path) -> Gateway {
    let region = Region::parse("us-east-1").expect("a Region");
    let clock: keys::Clock = Arc::new(SystemTime::now);
    let store: Arc<dyn meta::Store> = Arc::new(meta::memory::Memory::new());
    let options = blob::local::Options::default();
    let blobs: Arc<dyn blob::Blobs> = Arc::new(blob::local::LocalBlobs::open(folder, &options).expect("a folder"));
    let root = Arc::new(KeyFile::create(&folder.join("root-key")).expect("a root key"));
    let settings = keys::Settings { region: region.clone(), other_regions: vec![], clock: Arc::clone(&clock) };
    let keys = Keys::open(Arc::clone(&store), root, settings).await.expect("keys");
    let dependencies =
        objects::Dependencies { store: Arc::clone(&store), blobs: Arc::clone(&blobs), keys: Arc::clone(&keys) };
    let settings = objects::Settings {
        inline_limit: 0,
        blocked_by_default: objects::BlockedTypes::default(),
        public_access_by_default: None,
        region: region.clone(),
        clock: Arc::clone(&clock),
    };
    let objects = objects::Objects::open(dependencies, settings).expect("objects");
    let account = AccountId::parse("111111111111").expect("an account");
    let identity = Identity::open(Arc::clone(&store), Arc::clone(&keys), Arc::clone(&clock), account);
    let root = StaticKey { access_key_id: "AKIA".to_owned(), secret: b"secret".to_vec().into() };
    identity.provision(account, None, &[], vec![root]).await.expect("the root user's key");
    // Records are not what is looked for: they are written behind the answers.
    let retention = Duration::from_secs(365 * 24 * 60 * 60);
    let log = audit::Settings { mode: audit::Mode::Relaxed, retention, clock: Arc::clone(&clock) };
    let audit = audit::Audit::open(Arc::clone(&store), Arc::clone(&keys), log).await.expect("the log");
    let trails = audit::trail::Trails::open(Arc::clone(&store), Arc::clone(&keys), Arc::clone(&clock)).await;
    let trails = trails.expect("no trails");
    let (domains, limits, safeguards) = (Domains::default(), Limits::default(), Safeguards::default());
    let settings = Settings { region, domains, clock, limits, safeguards };
    Gateway::new(Arc::new(App::new(Parts { objects, keys, identity, audit, trails, store, blobs }, settings)))
}

fn replace(text: &[u8], word: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(word) {
            out.extend_from_slice(with);
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}
