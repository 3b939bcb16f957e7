//! The client against servers that do what they should, and against those that do not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use courier::{Answer, Client, Credentials, Endpoint, Error, Fetcher, Limits, Trust};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const LIMITS: Limits = Limits { time: Duration::from_millis(250), answer: 1000 };
/// What a busy machine may add to the time limit.
const SLACK: Duration = Duration::from_millis(500);

/// What a server does with one connection.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Answers every request with this.
    Answers(&'static str),
    /// Answers one request with this and closes.
    AnswersOnce(&'static str),
    /// Reads and says nothing.
    Silent,
    /// Answers one request with this, then nothing, and keeps the connection open.
    Dies(&'static str),
    /// Says this, then nothing, and keeps the connection open.
    Stalls(&'static str),
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start(manner: Manner, tls: Option<TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Server { address: listener.local_addr().unwrap(), connections: Arc::default(), requests: Arc::default() };
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (requests, tls) = (Arc::clone(&requests), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, manner, &requests).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, manner, &requests).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        server
    }

    fn client(&self) -> Client {
        let endpoint = Endpoint::parse(&format!("http://{}", self.address)).unwrap();
        Client::new(endpoint, &Credentials::new("AKID", b"secret"), "r", "s", &authority().trust, LIMITS)
    }

    fn counts(&self) -> (usize, usize) {
        (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst))
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, manner: Manner, requests: &AtomicUsize) -> Option<()> {
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n{}") {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.ok()?;
            request.push(byte[0]);
        }
        requests.fetch_add(1, Ordering::SeqCst);
        match manner {
            Manner::Answers(text) => stream.write_all(text.as_bytes()).await.ok()?,
            Manner::AnswersOnce(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                return None;
            }
            Manner::Silent => {}
            Manner::Dies(text) | Manner::Stalls(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn post(client: &Client) -> Result<Answer, Error> {
    client.post("/a", &[("content-type", "application/json")], b"{}".to_vec().into()).await
}

struct Authority {
    trust: Trust,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    Authority { trust: Trust::only(certificate.pem().as_bytes()).unwrap(), issuer: Issuer::new(params, key) }
}

impl Authority {
    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A client of `xks.test`, which is at `address`.
    fn client(&self, address: SocketAddr) -> Client {
        let endpoint = Endpoint::parse("https://xks.test").unwrap().through(&format!("https://{address}")).unwrap();
        Client::new(endpoint, &Credentials::new("AKID", b"secret"), "r", "s", &self.trust, LIMITS)
    }
}

#[tokio::test]
async fn an_answer_comes_with_its_status_and_the_connection_is_kept() {
    for (text, status, body) in [
        (OK, 200, "ok"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 404, ""),
        ("HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 500, "no"),
    ] {
        let server = Server::start(Manner::Answers(text), None).await;
        let client = server.client();
        for _ in 0..3 {
            let answer = post(&client).await.unwrap();
            assert_eq!((answer.status, answer.body.as_slice()), (status, body.as_bytes()));
        }
        assert_eq!(server.counts(), (1, 3), "{text}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_no_request() {
    let server = Server::start(Manner::AnswersOnce(OK), None).await;
    let client = server.client();
    for _ in 0..5 {
        assert_eq!(post(&client).await.unwrap().status, 200);
    }
    assert_eq!(server.counts(), (5, 5));
}

#[tokio::test]
async fn requests_at_once_have_connections_of_their_own() {
    let server = Server::start(Manner::Answers(OK), None).await;
    let client = Arc::new(server.client());
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { post(&client).await.unwrap().status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(server.counts().1, 20);
}

#[tokio::test]
async fn silence_ends_at_the_time_limit() {
    let part = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
    for manner in [Manner::Silent, Manner::Stalls("HTTP/1.1 200 OK\r\n"), Manner::Stalls(part)] {
        let server = Server::start(manner, None).await;
        let begun = Instant::now();
        let error = post(&server.client()).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut { limit, .. } if limit == LIMITS.time), "{manner:?}: {error}");
        assert!(begun.elapsed() >= LIMITS.time && begun.elapsed() < LIMITS.time + SLACK, "{manner:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_ends_at_the_time_limit() {
    let server = Server::start(Manner::Silent, None).await;
    let begun = Instant::now();
    let error = post(&authority().client(server.address)).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { limit, .. } if limit == LIMITS.time), "{error}");
    assert!(begun.elapsed() < LIMITS.time + SLACK);
}

#[tokio::test]
async fn connections_that_died_without_a_word_cost_one_request_together() {
    let server = Server::start(Manner::Dies(OK), None).await;
    let client = server.client();
    let (first, second) = tokio::join!(post(&client), post(&client));
    assert_eq!((first.unwrap().status, second.unwrap().status), (200, 200));
    assert!(matches!(post(&client).await.unwrap_err(), Error::TimedOut { .. }));
    assert_eq!(post(&client).await.unwrap().status, 200, "the other one is not tried");
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    let long: &'static str =
        Box::leak(format!("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{}", "x".repeat(1001)).into_boxed_str());
    let many: &'static str = Box::leak(format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(100)).into_boxed_str());
    for (manner, variant) in [
        (Manner::AnswersOnce("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"), "Disconnected"),
        (Manner::AnswersOnce(""), "Disconnected"),
        (Manner::AnswersOnce("SSH-2.0-OpenSSH_9.6\r\n\r\n"), "Malformed"),
        (Manner::AnswersOnce(many), "Malformed"),
        (Manner::AnswersOnce(long), "TooLarge"),
    ] {
        let server = Server::start(manner, None).await;
        let error = post(&server.client()).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(variant), "{manner:?}: {error:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = post(&authority().client(address)).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("cannot reach xks.test at {address}: ")), "{error}");

    let endpoint = Endpoint::parse("https://nobody.invalid").unwrap();
    let client = Client::new(endpoint, &Credentials::new("AKID", b"s"), "r", "s", &authority().trust, LIMITS);
    assert!(matches!(post(&client).await.unwrap_err(), Error::Unreachable { .. }));
}

#[tokio::test]
async fn tls_is_for_the_name_and_for_the_trusted_alone() {
    let (ours, theirs) = (authority(), authority());
    let server = Server::start(Manner::Answers(OK), Some(ours.acceptor("xks.test"))).await;
    assert_eq!(post(&ours.client(server.address)).await.unwrap().status, 200);

    let untrusted = post(&theirs.client(server.address)).await.unwrap_err();
    assert!(matches!(untrusted, Error::Tls { .. }), "{untrusted}");

    let other = Server::start(Manner::Answers(OK), Some(ours.acceptor("other.test"))).await;
    let wrong_name = post(&ours.client(other.address)).await.unwrap_err();
    assert!(matches!(wrong_name, Error::Tls { .. }), "{wrong_name}");
    assert_eq!(other.counts().1, 0, "nothing is sent to whoever is not the service");
}

#[tokio::test]
async fn documents_are_read_from_the_public_internet_or_where_a_route_leads() {
    let server = Server::start(Manner::Silent, None).await;
    let (fetcher, limits) = (Fetcher::new(), Limits { time: Duration::from_secs(5), answer: 1_024 });
    let port = server.address.port();
    // `localhost` is a name: what counts is the address that it has.
    for named in
        [format!("http://127.0.0.1:{port}"), format!("https://127.0.0.1:{port}"), format!("https://localhost:{port}")]
    {
        let endpoint = Endpoint::parse(&named).unwrap();
        let answer = fetcher.get(endpoint.clone(), "/", &Trust::nobody(), limits).await;
        assert!(matches!(&answer, Err(Error::Unreachable { reason, .. }) if reason.contains("public")), "{answer:?}");
        let looked = fetcher.last_certificate(endpoint, limits.time).await;
        assert!(matches!(&looked, Err(Error::Unreachable { .. })), "{looked:?}");
    }
    assert_eq!(server.counts(), (0, 0), "nothing was even connected to");
    let routed = Endpoint::parse("https://idp.test").unwrap().through(&format!("http://127.0.0.1:{port}")).unwrap();
    let answer = fetcher.get(routed, "/", &Trust::nobody(), LIMITS).await;
    assert!(matches!(answer, Err(Error::TimedOut { .. })) && server.counts().0 == 1, "{answer:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let server = Server::start(Manner::Answers(OK), None).await;
    let client = server.client();
    for (path, header) in [("/a b", "x"), ("/a", "x\r\ny: z"), ("/\u{e9}", "x")] {
        let error = client.post(path, &[("h", header)], Vec::new().into()).await.unwrap_err();
        assert!(matches!(error, Error::Request(_)), "{path}: {error}");
    }
    assert_eq!(server.counts(), (0, 0));
}

/// What is on the wire is what was signed: `sigv4` verifies it as a server would.
#[tokio::test]
async fn the_request_verifies() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let received = tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let count = stream.read(&mut request).await.unwrap();
        stream.write_all(OK.as_bytes()).await.unwrap();
        String::from_utf8(request[..count].to_vec()).unwrap()
    });
    let endpoint = Endpoint::parse("https://xks.test").unwrap().through(&format!("http://{address}")).unwrap();
    let client = Client::new(endpoint, &Credentials::new("AKID", b"secret"), "r", "s", &authority().trust, LIMITS);
    client.post("/p/kms/xks/v1/health", &[("content-type", "a/b")], b"{\"a\":1}".to_vec().into()).await.unwrap();

    let text = received.await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /p/kms/xks/v1/health HTTP/1.1"));
    let mut headers = http::HeaderMap::new();
    for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
        headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    assert_eq!(headers["host"], "xks.test");
    assert_eq!(headers["content-length"], "7");
    let head = sigv4::RequestHead { method: "POST", path: "/p/kms/xks/v1/health", query: "", headers: &headers };
    let claim = sigv4::parse(&head, sigv4::Dialect::Service).unwrap().unwrap();
    assert_eq!((claim.access_key_id(), &*claim.scope().region, &*claim.scope().service), ("AKID", "r", "s"));
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("SignedHeaders=content-type;host;x-amz-date,"), "{authorization}");
    let policy = sigv4::Policy { regions: &["r"], services: &["s"], skew: sigv4::MAX_SKEW };
    let (secret, keys) = (sigv4::Secret::new(b"secret"), sigv4::SigningKeys::new());
    let body = sigv4::Body::Whole(body.as_bytes());
    sigv4::verify(&claim, &head, body, &secret, std::time::SystemTime::now(), &policy, &keys).unwrap();
}
