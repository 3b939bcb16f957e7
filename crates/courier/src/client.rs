use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use sigv4::{Payload, Secret, Signer};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::connection::{Dialer, Sender};
use crate::{Endpoint, Error, Trust};

/// Connections of one client at once. Requests beyond it wait, within their time limit.
pub const MAX_CONNECTIONS: usize = 128;

/// Connections that are kept for later requests.
pub const MAX_IDLE: usize = 32;

/// How long a connection is kept without a request: less than the minute after which many servers and balancers close it.
const IDLE_LIFE: Duration = Duration::from_secs(30);

/// Who signs.
#[derive(Debug)]
pub struct Credentials {
    access_key_id: String,
    secret: Secret,
}

impl Credentials {
    /// An access key, both parts as the service knows them. The secret is copied, and wiped when dropped.
    #[must_use]
    pub fn new(access_key_id: &str, secret: &[u8]) -> Credentials {
        Credentials { access_key_id: access_key_id.to_owned(), secret: Secret::new(secret) }
    }
}

/// What one request may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the call to the last byte of the answer: name lookup, TCP, TLS and a second try on a kept connection included.
    pub time: Duration,
    /// Bytes of the answer's body.
    pub answer: usize,
}

/// What the service answered, whatever the status.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, which may be secret: it is wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
}

/// Calls one service with one access key. Cheap to keep, and meant to be: it keeps connections.
pub struct Client {
    dialer: Dialer,
    host: HeaderValue,
    signer: Signer,
    limits: Limits,
    idle: Mutex<Vec<Idle>>,
    permits: Semaphore,
}

struct Idle {
    sender: Sender,
    since: Instant,
}

impl Client {
    /// A client of `service` in `region`, as both stand in the credential scope of a signature.
    ///
    /// # Panics
    /// Never: an endpoint's host can stand in a header.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        credentials: &Credentials,
        region: &str,
        service: &str,
        trust: &Trust,
        limits: Limits,
    ) -> Client {
        let host = HeaderValue::from_str(&endpoint.authority()).expect("letters, digits, dots, colons and brackets");
        Client {
            host,
            dialer: Dialer::new(endpoint, trust),
            signer: Signer::new(&credentials.access_key_id, &credentials.secret, region, service),
            limits,
            idle: Mutex::default(),
            permits: Semaphore::new(MAX_CONNECTIONS),
        }
    }

    /// Signs and sends `body` with `headers` (all are signed, so is a session token among them) to `path`, which stands as it will be
    /// sent, and reads the whole answer.
    ///
    /// The service may receive it twice: if a kept connection turns out to be closed, a new one is tried, once. So it is for
    /// requests that may be repeated.
    ///
    /// # Errors
    /// [`Error`], within the time limit. Any status is an answer, not an error.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: Zeroizing<Vec<u8>>) -> Result<Answer, Error> {
        let deadline = Instant::now() + self.limits.time;
        let request = self.request(path, headers, body)?;
        let _permit = timeout_at(deadline, self.permits.acquire())
            .await
            .map_err(|_| self.timed_out())?
            .expect("the semaphore is never closed");
        let result = self.exchange(&request, deadline).await;
        result.map_err(|error| match error {
            Error::TimedOut { .. } => self.timed_out(),
            error => error,
        })
    }

    fn request(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let unfit = |error: &dyn fmt::Display| Error::Request(error.to_string());
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unfit(&"the path does not begin with a slash, or has to be percent-encoded"));
        }
        let mut map = HeaderMap::with_capacity(headers.len() + 4);
        map.insert(HOST, self.host.clone());
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| unfit(&error))?;
            map.insert(name, HeaderValue::from_str(value).map_err(|error| unfit(&error))?);
        }
        self.signer
            .sign("POST", path, "", &mut map, Payload::of(&body), SystemTime::now())
            .map_err(|error| unfit(&error))?;
        // The bytes are wiped when the last of hyper's handles is dropped.
        let body = Full::new(Bytes::from_owner(body));
        let mut request =
            Request::builder().method(Method::POST).uri(path).body(body).map_err(|error| unfit(&error))?;
        *request.headers_mut() = map;
        Ok(request)
    }

    async fn exchange(&self, request: &Request<Full<Bytes>>, deadline: Instant) -> Result<Answer, Error> {
        if let Some(mut kept) = self.kept() {
            let sent = async {
                kept.ready().await?;
                kept.send_request(request.clone()).await
            };
            match timeout_at(deadline, sent).await {
                Ok(Ok(response)) => return self.read(response, kept, deadline).await,
                // The other side had closed it, as it may at any time.
                Ok(Err(error)) if is_closed(&error) => {}
                Ok(Err(error)) => return Err(self.broken(&error)),
                Err(_) => {
                    // Perhaps the other side is gone without a word: the next request shall not wait for its ghost again.
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                    return Err(self.timed_out());
                }
            }
        }
        let mut sender = self.dialer.dial(deadline).await?;
        let sent = timeout_at(deadline, sender.send_request(request.clone())).await;
        let response = sent.map_err(|_| self.timed_out())?.map_err(|error| self.broken(&error))?;
        self.read(response, sender, deadline).await
    }

    async fn read(&self, response: Response<Incoming>, sender: Sender, deadline: Instant) -> Result<Answer, Error> {
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), self.limits.answer).collect();
        let body = timeout_at(deadline, body).await.map_err(|_| self.timed_out())?.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return Error::TooLarge { to: self.dialer.shown(), limit: self.limits.answer };
            }
            error.downcast_ref().map_or(Error::Disconnected { to: self.dialer.shown() }, |error| self.broken(error))
        })?;
        self.keep(sender);
        Ok(Answer { status, body: Zeroizing::new(Vec::from(body.to_bytes())) })
    }

    /// The connection that was used last, if one is still good.
    fn kept(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(Idle { sender, since }) = idle.pop() {
            if !sender.is_closed() && since.elapsed() < IDLE_LIFE {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest stand first, and wait for nothing but to be closed.
        let old = idle.iter().take_while(|kept| kept.since.elapsed() >= IDLE_LIFE || kept.sender.is_closed()).count();
        idle.drain(..old);
        if idle.len() < MAX_IDLE {
            idle.push(Idle { sender, since: Instant::now() });
        }
    }

    fn timed_out(&self) -> Error {
        Error::TimedOut { to: self.dialer.shown(), limit: self.limits.time }
    }

    fn broken(&self, error: &hyper::Error) -> Error {
        let to = self.dialer.shown();
        if error.is_parse() { Error::Malformed { to, reason: error.to_string() } } else { Error::Disconnected { to } }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("to", &self.dialer.shown()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish()
    }
}

/// Whether the connection was closed before any of an answer came.
fn is_closed(error: &hyper::Error) -> bool {
    error.is_canceled()
        || error.is_closed()
        || error.is_incomplete_message()
        || error.is_body_write_aborted()
        || is_io(error)
}

/// A reset, or a write to a closed socket.
fn is_io(error: &hyper::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}
