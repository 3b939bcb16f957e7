//! A server on this machine: records what it is asked, verifies every signature, and answers byte for byte as it is told.

use bytes::Bytes;
use client::aws::{Config, Credentials};
use http::{HeaderMap, HeaderName, HeaderValue};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sigv4::{Body, BodyCheck, Dialect, MAX_SKEW, Policy, RequestHead, Secret, SigningKeys};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

pub(crate) const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    /// As the signature covers it: chunks are joined.
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    /// The Region and the service of the signature.
    pub(crate) scope: (String, String),
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What is answered. After all but `Say`, the connection is closed.
pub(crate) enum Reply {
    Say(Vec<u8>),
    /// And then no more.
    SayAndClose(Vec<u8>),
    /// Nothing for so long.
    Silence(Duration),
    /// A byte each time, until nobody listens any more.
    Endless(Vec<u8>, Duration),
}

pub(crate) struct Server {
    /// Ends in the port.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

/// What is said when no reply is left.
type Otherwise = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

impl Server {
    /// Answers in this order, whoever asks.
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with(replies, Arc::new(|_| panic!("nothing is left to say")))
    }

    /// Answers by what is asked.
    pub(crate) fn by(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::with([], Arc::new(answer))
    }

    /// Over TLS.
    pub(crate) fn secure(settings: Arc<ServerConfig>, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::listening(replies, Arc::new(|_| panic!("nothing is left to say")), Some(settings))
    }

    fn with(replies: impl IntoIterator<Item = Reply>, otherwise: Otherwise) -> Self {
        Self::listening(replies, otherwise, None)
    }

    fn listening(
        replies: impl IntoIterator<Item = Reply>,
        otherwise: Otherwise,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let replies = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
        let (all, queue) = (Arc::clone(&asked), Arc::clone(&replies));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (asked, queue, otherwise) = (Arc::clone(&all), Arc::clone(&queue), Arc::clone(&otherwise));
                let tls = tls.clone();
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    let stream: Box<dyn Stream> = match tls {
                        None => Box::new(stream),
                        Some(tls) => Box::new(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream)),
                    };
                    serve(BufReader::new(stream), &asked, &queue, &otherwise);
                });
            }
        });
        Server { url, asked, replies }
    }

    /// All that was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// How many answers nobody asked for.
    pub(crate) fn left(&self) -> usize {
        self.replies.lock().unwrap().len()
    }

    pub(crate) fn config(&self) -> Config {
        Config::new()
            .region("eu-west-1".parse().unwrap())
            .credentials(Credentials::new(KEY_ID, SECRET))
            .endpoint(&self.url)
            .unwrap()
            .stall_limit(Duration::from_millis(700))
    }
}

/// An answer with its length.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut all = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{lines}\r\n", body.len()).into_bytes();
    all.extend_from_slice(body);
    all
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

fn serve(
    mut stream: BufReader<Box<dyn Stream>>,
    asked: &Mutex<Vec<Asked>>,
    replies: &Mutex<VecDeque<Reply>>,
    otherwise: &Otherwise,
) {
    while let Some(request) = read(&mut stream) {
        let output = stream.get_mut();
        let reply = replies.lock().unwrap().pop_front().unwrap_or_else(|| otherwise(&request));
        asked.lock().unwrap().push(request);
        match reply {
            Reply::Say(bytes) => drop(output.write_all(&bytes)),
            Reply::SayAndClose(bytes) => return drop(output.write_all(&bytes)),
            Reply::Silence(time) => return std::thread::sleep(time),
            Reply::Endless(head, pause) => {
                let mut going = output.write_all(&head).is_ok();
                while going {
                    std::thread::sleep(pause);
                    going = output.write_all(b" ").is_ok();
                }
                return;
            }
        }
    }
}

/// `None` at the end of the connection.
fn read(input: &mut BufReader<Box<dyn Stream>>) -> Option<Asked> {
    let mut line = String::new();
    if input.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value.trim()).unwrap());
    }
    assert!(!headers.contains_key("transfer-encoding"), "S3 takes no chunked transfer encoding");
    if headers.get("expect").is_some_and(|value| value == "100-continue") {
        input.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let length = headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    let (body, trailers, scope) = verified(RequestHead { method: &method, path, query, headers: &headers }, body);
    Some(Asked {
        method: method.clone(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body,
        trailers,
        scope,
    })
}

type Pair = (String, String);

/// Body, trailers and scope. Panics on a signature that is not right, of the head or of a chunk.
fn verified(head: RequestHead<'_>, body: Vec<u8>) -> (Vec<u8>, Vec<Pair>, Pair) {
    let claim = sigv4::parse(&head, Dialect::S3).unwrap().unwrap();
    assert_eq!(claim.access_key_id(), KEY_ID);
    let scope = claim.scope();
    let (region, service) = (scope.region.to_string(), scope.service.to_string());
    let policy = Policy { regions: &[&region], services: &[&service], skew: MAX_SKEW };
    let whole = if service == "s3" { Body::Streaming } else { Body::Whole(&body) };
    let keys = SigningKeys::new();
    let now = SystemTime::now();
    let known = Secret::new(SECRET.as_bytes());
    let authenticated = sigv4::verify(&claim, &head, whole, &known, now, &policy, &keys).unwrap();
    let mut trailers = Vec::new();
    let body = match authenticated.body_check(head.headers).unwrap() {
        BodyCheck::Plain => body,
        BodyCheck::Sha256(mut hasher) => {
            hasher.update(&body);
            hasher.finish().unwrap();
            body
        }
        BodyCheck::Chunked(mut decoder) => {
            let (mut input, mut data) = (Bytes::from(body), Vec::new());
            while let Some(piece) = decoder.push(&mut input).unwrap() {
                data.extend_from_slice(&piece);
            }
            trailers = decoder.finish().unwrap().into_iter().map(|trailer| (trailer.name, trailer.value)).collect();
            data
        }
    };
    (body, trailers, (region, service))
}
