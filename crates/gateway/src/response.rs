//! Answers: a status, headers, and bytes that are here or are being decrypted.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body::{Body, Frame, SizeHint};
use keys::Principal;
use objects::ObjectReader;

/// An answer.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers; `Date`, `Server`, the request ids and `Content-Length` are added on the way out.
    pub headers: HeaderMap,
    /// The body.
    pub body: ResponseBody,
    /// The operation, for the access log and the record: `PutObject`, `Encrypt`.
    pub operation: &'static str,
    /// The error's code and message, of an answer that tells of one, for the record.
    pub failure: Option<(String, String)>,
    /// What the record shows of the answer, where that is not JSON on the wire.
    pub told: Bytes,
}

/// The bytes of an answer.
pub enum ResponseBody {
    /// None.
    Empty,
    /// All of them.
    Full(Bytes),
    /// As they are decrypted. `length` bytes are announced; if reading fails the connection is cut, so that the client sees a
    /// truncated answer and never a clean end.
    Object {
        /// Where they come from.
        reader: Box<ObjectReader>,
        /// How many there are.
        length: u64,
    },
}

impl Response {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: ResponseBody::Empty,
            operation: "-",
            failure: None,
            told: Bytes::new(),
        }
    }

    /// An answer with a whole body.
    pub fn full(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
        let mut response = Response::empty(status);
        response.body = ResponseBody::Full(body.into());
        response.set(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    }

    /// An answer that tells of an error.
    #[must_use]
    pub fn failing(mut self, code: &str, message: &str) -> Response {
        self.failure = Some((code.to_owned(), message.to_owned()));
        self
    }

    /// Sets a header.
    pub fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }
}

/// A response body on its way out, and the access log's line, which is written when hyper lets go of it.
pub(crate) struct Outgoing {
    state: State,
    left: u64,
    sent: u64,
    log: AccessLog,
}

enum State {
    Full(Bytes),
    Reading(Reading),
    Done,
}

type Reading = Pin<Box<dyn Future<Output = (Box<ObjectReader>, Result<Option<Bytes>, objects::Error>)> + Send>>;

/// What the access log says of a request: no path, no query (a presigned one is a secret), no header.
pub(crate) struct AccessLog {
    /// The id that the answer tells: whoever was given an answer finds it in the log.
    pub(crate) request: String,
    pub(crate) method: Method,
    pub(crate) operation: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) started: Instant,
}

/// Cuts the connection; the reason is in the log.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object could not be read to its end")
    }
}

impl std::error::Error for Cut {}

impl Outgoing {
    pub(crate) fn new(body: ResponseBody, log: AccessLog) -> Outgoing {
        let (state, left) = match body {
            ResponseBody::Empty => (State::Done, 0),
            ResponseBody::Full(bytes) if bytes.is_empty() => (State::Done, 0),
            ResponseBody::Full(bytes) => {
                let length = bytes.len() as u64;
                (State::Full(bytes), length)
            }
            ResponseBody::Object { length: 0, .. } => (State::Done, 0),
            ResponseBody::Object { reader, length } => (State::Reading(read(reader)), length),
        };
        Outgoing { state, left, sent: 0, log }
    }

    fn emit(&mut self, bytes: Bytes) -> Option<Result<Frame<Bytes>, Cut>> {
        let length = bytes.len() as u64;
        let Some(left) = self.left.checked_sub(length) else {
            tracing::error!(request = self.log.request, "an object was longer than announced");
            return Some(Err(Cut));
        };
        self.left = left;
        self.sent += length;
        Some(Ok(Frame::data(bytes)))
    }
}

fn read(mut reader: Box<ObjectReader>) -> Reading {
    Box::pin(async move {
        let next = reader.next().await;
        (reader, next)
    })
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = &mut *self;
        match std::mem::replace(&mut this.state, State::Done) {
            State::Done => Poll::Ready(None),
            State::Full(bytes) => Poll::Ready(this.emit(bytes)),
            State::Reading(mut reading) => {
                let Poll::Ready((reader, next)) = reading.as_mut().poll(cx) else {
                    this.state = State::Reading(reading);
                    return Poll::Pending;
                };
                match next {
                    Ok(Some(bytes)) => {
                        if bytes.len() as u64 != this.left {
                            this.state = State::Reading(read(reader));
                        }
                        Poll::Ready(this.emit(bytes))
                    }
                    // Hyper was told the length: it takes a body that ends early for an error as well.
                    Ok(None) => {
                        tracing::error!(
                            request = this.log.request,
                            missing = this.left,
                            "an object was shorter than announced"
                        );
                        Poll::Ready(Some(Err(Cut)))
                    }
                    Err(error) => {
                        tracing::error!(request = this.log.request, %error, missing = this.left, "an answer was cut: the object could not be read");
                        Poll::Ready(Some(Err(Cut)))
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let AccessLog { request, method, operation, status, principal, started } = &self.log;
        let access_key = principal.as_ref().map_or("-", |principal| principal.access_key_id.as_str());
        tracing::info!(
            target: "strongroom::access",
            %method,
            operation,
            status = status.as_u16(),
            micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            sent = self.sent,
            missing = self.left,
            request,
            access_key,
        );
    }
}
