use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::connection::{Dialer, MAX_LOOKUPS};
use crate::{Answer, Endpoint, Error, Limits, Thumbprint, Trust};

/// Reads public documents from anywhere on the public internet, and from wherever an endpoint has a route to: no signature, no kept
/// connections, no redirects.
#[derive(Debug)]
pub struct Fetcher {
    lookups: Arc<Semaphore>,
    permits: Semaphore,
}

/// Documents that are being read at once; others wait, within their time limit.
const MAX_FETCHES: usize = 16;

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Fetcher {
    /// One for the process will do.
    #[must_use]
    pub fn new() -> Fetcher {
        Fetcher { lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)), permits: Semaphore::new(MAX_FETCHES) }
    }

    /// The thumbprint of the last certificate in the chain that a server shows, which need not be trusted by anybody. Nothing is sent.
    ///
    /// # Errors
    /// [`Error`], within the time limit.
    pub async fn last_certificate(&self, endpoint: Endpoint, time: Duration) -> Result<Thumbprint, Error> {
        let deadline = Instant::now() + time;
        let (trust, shown) = Trust::to_look_at();
        let dialer = Dialer::to_the_public(endpoint, &trust, Arc::clone(&self.lookups));
        let to = dialer.shown();
        let dialed = async {
            let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
            dialer.dial(deadline).await.map(drop)
        };
        let dialed = timeout_at(deadline, dialed).await;
        // A server may have turned away whoever looks only: its certificates were shown by then.
        match (shown.get(), dialed) {
            (Some(thumbprint), _) => Ok(*thumbprint),
            (None, Ok(Err(error))) if !matches!(error, Error::TimedOut { .. }) => Err(error),
            (None, Ok(Ok(()))) => Err(Error::Tls { to, reason: "no TLS is spoken there".to_owned() }),
            (None, _) => Err(Error::TimedOut { to, limit: time }),
        }
    }

    /// Reads `path` (with its query, as it will be sent), which is to be JSON.
    ///
    /// # Errors
    /// [`Error`], within the time limit. Any status is an answer, not an error.
    ///
    /// # Panics
    /// Never: an endpoint's host can stand in a header.
    pub async fn get(&self, endpoint: Endpoint, path: &str, trust: &Trust, limits: Limits) -> Result<Answer, Error> {
        let deadline = Instant::now() + limits.time;
        let host = endpoint.authority();
        let dialer = Dialer::to_the_public(endpoint, trust, Arc::clone(&self.lookups));
        if !path.starts_with('/') {
            return Err(Error::Request("the path does not begin with a slash".to_owned()));
        }
        let request = Request::builder().method(Method::GET).uri(path).header(HOST, host);
        let request = request.header(ACCEPT, "application/json").body(Full::new(Bytes::new()));
        let request = request.map_err(|error| Error::Request(error.to_string()))?;
        let late = |to: String| Error::TimedOut { to, limit: limits.time };
        let exchange = async {
            let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
            let mut sender = dialer.dial(deadline).await?;
            let gone = |error: &hyper::Error| match error.is_parse() {
                true => Error::Malformed { to: dialer.shown(), reason: error.to_string() },
                false => Error::Disconnected { to: dialer.shown() },
            };
            let response = sender.send_request(request).await.map_err(|error| gone(&error))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), limits.answer).collect().await.map_err(|error| {
                match error.is::<LengthLimitError>() {
                    true => Error::TooLarge { to: dialer.shown(), limit: limits.answer },
                    false => Error::Disconnected { to: dialer.shown() },
                }
            })?;
            Ok(Answer { status, body: Zeroizing::new(Vec::from(body.to_bytes())) })
        };
        match timeout_at(deadline, exchange).await {
            Ok(Err(Error::TimedOut { to, limit: Duration::ZERO })) => Err(late(to)),
            Ok(result) => result,
            Err(_) => Err(late(dialer.shown())),
        }
    }
}
