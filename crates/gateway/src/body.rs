//! The body of a request, held against everything that frames or signs it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use objects::{Algorithm, Body, BodyError};
use sigv4::{BodyCheck, ChunkedDecoder, Error as SignatureError, PayloadHasher, Trailer};

/// Why a body could not be read. Travels through `objects` inside [`objects::BodyError`]; see [`ReadError::of`].
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The SHA-256, a chunk's signature, the framing or the trailer is wrong.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The connection ended before the body did. S3: `IncompleteBody`, though hardly anybody is left to read it.
    #[error("The request body terminated unexpectedly")]
    Incomplete,
    /// Silence for longer than the limit. S3: `RequestTimeout` (400).
    #[error("Your socket connection to the server was not read from or written to within the timeout period.")]
    Silence,
    /// A body that is read whole is longer than it may be.
    #[error("The request body is longer than {limit} bytes")]
    TooLong {
        /// The most bytes it may have.
        limit: usize,
    },
}

impl ReadError {
    /// What a [`BodyError`] that came back from `objects` holds.
    pub fn of(error: BodyError) -> ReadError {
        match error.into_inner().downcast::<ReadError>() {
            Ok(error) => *error,
            // Only this module makes bodies for `objects`; another error could come from nowhere but a lost connection.
            Err(_) => ReadError::Incomplete,
        }
    }
}

/// The body of one request. Nothing of it is read, and no `100 Continue` sent, before the first [`next`](Body::next).
pub struct RequestBody {
    incoming: Option<Incoming>,
    check: Check,
    /// Bytes from the wire that the chunk decoder has not taken yet.
    pending: Bytes,
    /// Content bytes announced: `x-amz-decoded-content-length` under aws-chunked, else `Content-Length`.
    length: Option<u64>,
    silence: Duration,
    touched: bool,
    trailing: Option<(Algorithm, String)>,
}

enum Check {
    Plain,
    Sha256(PayloadHasher),
    Chunked(Box<ChunkedDecoder>),
    /// The end was reached and verified.
    Verified,
    /// Reading failed; nothing more will come.
    Failed,
}

impl RequestBody {
    /// A body that nothing signs. `silence` is the longest that is waited for the next bytes.
    pub(crate) fn new(incoming: Incoming, silence: Duration) -> RequestBody {
        let length = incoming.size_hint().exact();
        // An announced length of zero is the whole truth already; most requests end here.
        let incoming = Some(incoming).filter(|_| length != Some(0));
        RequestBody { incoming, length, silence, ..RequestBody::empty() }
    }

    /// A body of no bytes.
    pub fn empty() -> RequestBody {
        RequestBody {
            incoming: None,
            check: Check::Plain,
            pending: Bytes::new(),
            length: Some(0),
            silence: Duration::MAX,
            touched: false,
            trailing: None,
        }
    }

    /// From now on the body is read through `check`, which `headers` were verified with.
    pub(crate) fn guard(&mut self, check: BodyCheck, headers: &HeaderMap) {
        self.check = match check {
            BodyCheck::Plain => Check::Plain,
            BodyCheck::Sha256(hasher) => Check::Sha256(hasher),
            BodyCheck::Chunked(decoder) => {
                let decoded = headers.get(DECODED_LENGTH).and_then(|value| value.to_str().ok());
                self.length = decoded.and_then(|text| text.parse().ok());
                Check::Chunked(decoder)
            }
        };
    }

    /// How many bytes the client announced, aws-chunked framing taken off; `None` if it announced nothing.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The whole body, verified, for bodies that are small by their nature: XML documents, JSON.
    ///
    /// # Errors
    /// [`ReadError::TooLong`] as soon as more than `limit` bytes are announced or have come, [`ReadError::Silence`] when it takes
    /// longer than a document may; else see [`ReadError`].
    pub async fn collect(&mut self, limit: usize) -> Result<Bytes, ReadError> {
        // Without this, a byte now and then would hold a connection for ever, for services whose signature covers the body even
        // without a signature.
        let whole = tokio::time::timeout(DOCUMENT_TIME, self.collect_all(limit)).await;
        whole.unwrap_or_else(|_| {
            self.check = Check::Failed;
            Err(ReadError::Silence)
        })
    }

    async fn collect_all(&mut self, limit: usize) -> Result<Bytes, ReadError> {
        if self.length.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > limit)) {
            return Err(ReadError::TooLong { limit });
        }
        let Some(first) = self.read().await? else { return Ok(Bytes::new()) };
        if first.len() > limit {
            return Err(ReadError::TooLong { limit });
        }
        // Nearly always the first piece is all of it, and nothing is copied.
        let Some(second) = self.read().await? else { return Ok(first) };
        let mut whole = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(piece) = next {
            if whole.len() + piece.len() > limit {
                return Err(ReadError::TooLong { limit });
            }
            whole.extend_from_slice(&piece);
            next = self.read().await?;
        }
        Ok(whole.freeze())
    }

    /// The next content bytes, never empty; `None` once everything that frames or signs the body has verified.
    async fn read(&mut self) -> Result<Option<Bytes>, ReadError> {
        let result = self.step().await;
        if result.is_err() {
            self.check = Check::Failed;
        }
        result
    }

    async fn step(&mut self) -> Result<Option<Bytes>, ReadError> {
        loop {
            match &mut self.check {
                Check::Verified => return Ok(None),
                Check::Failed => return Err(ReadError::Incomplete),
                Check::Chunked(decoder) if !self.pending.is_empty() => {
                    if let Some(data) = decoder.push(&mut self.pending)? {
                        return Ok(Some(data));
                    }
                    continue;
                }
                _ => {}
            }
            let Some(bytes) = self.wire().await? else {
                self.verify()?;
                return Ok(None);
            };
            match &mut self.check {
                Check::Chunked(_) => self.pending = bytes,
                Check::Sha256(hasher) => {
                    hasher.update(&bytes);
                    return Ok(Some(bytes));
                }
                _ => return Ok(Some(bytes)),
            }
        }
    }

    /// The next bytes from the connection, never empty. Hyper holds them against `Content-Length` or the chunked coding.
    async fn wire(&mut self) -> Result<Option<Bytes>, ReadError> {
        let Some(incoming) = &mut self.incoming else { return Ok(None) };
        self.touched = true;
        loop {
            let frame = tokio::time::timeout(self.silence, incoming.frame());
            match frame.await.map_err(|_| ReadError::Silence)? {
                None => {
                    self.incoming = None;
                    return Ok(None);
                }
                Some(Err(_)) => return Err(ReadError::Incomplete),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
                    // Trailer fields of the transfer coding (RFC 9112, 7.1.2) mean nothing to S3.
                    _ => {}
                },
            }
        }
    }

    fn verify(&mut self) -> Result<(), ReadError> {
        match std::mem::replace(&mut self.check, Check::Verified) {
            Check::Sha256(hasher) => hasher.finish()?,
            Check::Chunked(decoder) => self.trailing = trailing_checksum(decoder.finish()?)?,
            Check::Plain | Check::Verified | Check::Failed => {}
        }
        Ok(())
    }

    /// Reads away what the client still sends, so that it gets to read an early answer: many clients write their whole
    /// request first and see nothing but a reset connection if nobody reads it. Returns whether the connection is clean
    /// for another request. A client that waits for `100 Continue` has sent nothing and is not asked to.
    pub(crate) async fn discard(&mut self, waits_for_continue: bool) -> bool {
        let Some(incoming) = &mut self.incoming else { return true };
        if (waits_for_continue && !self.touched) || self.length.is_some_and(|length| length > DISCARD_BYTES) {
            return false;
        }
        let mut left = DISCARD_BYTES;
        let all = async {
            while let Some(frame) = incoming.frame().await {
                let Ok(frame) = frame else { return false };
                let taken = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(rest) = left.checked_sub(taken) else { return false };
                left = rest;
            }
            true
        };
        tokio::time::timeout(DISCARD_TIME, all).await.unwrap_or(false)
    }
}

#[async_trait::async_trait]
impl Body for RequestBody {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.read().await.map_err(BodyError::new)
    }

    fn trailing_checksum(&self) -> Option<(Algorithm, String)> {
        self.trailing.clone()
    }
}

/// The one checksum that a trailer may hold.
fn trailing_checksum(trailers: Vec<Trailer>) -> Result<Option<(Algorithm, String)>, ReadError> {
    let mut found = None;
    for Trailer { name, value } in trailers {
        let algorithm = name
            .strip_prefix("x-amz-checksum-")
            .and_then(|name| ALGORITHMS.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name)));
        let algorithm = algorithm.ok_or(SignatureError::InvalidTrailerAnnouncement)?;
        if found.replace((algorithm, value)).is_some() {
            return Err(SignatureError::MalformedTrailer.into());
        }
    }
    Ok(found)
}

const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

const DECODED_LENGTH: &str = "x-amz-decoded-content-length";

/// The longest that a document may take from its first byte to its last: 2 MiB at 18 KiB/s.
const DOCUMENT_TIME: Duration = Duration::from_secs(120);

/// The most that is read away after an early answer: more than SDKs send without waiting for `100 Continue` (1 or 2 MiB).
const DISCARD_BYTES: u64 = 2 << 20;

/// The longest that reading away may take.
const DISCARD_TIME: Duration = Duration::from_secs(2);
