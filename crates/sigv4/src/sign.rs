//! The client's side: for tests, for the benchmark, and for whoever calls another S3 or KMS.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::canonical::{Canonical, EMPTY_SHA256, SIGNATURE_PARAMETER, scope_text, sha256, string_to_sign};
use crate::chunked::{Chain, SIGNATURE_TRAILER};
use crate::encode::{encode_into, hex64};
use crate::key::SigningKey;
use crate::{ALGORITHM, Dialect, MAX_EXPIRES, Payload, RequestHead, Secret, SigningKeys, Timestamp, Trailer};

/// Headers that are never signed, because what lies between client and server may change them.
const UNSIGNED: [&str; 6] =
    ["authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

/// Why a request could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is no `host` header.
    #[error("the request has no host header")]
    NoHost,
    /// The lifetime is not 1..=604800 seconds.
    #[error("a presigned request lives 1 to 604800 seconds")]
    Lifetime,
    /// The access key id, the region or the service cannot stand in a header.
    #[error("the access key id or the scope cannot stand in a header")]
    Header,
}

/// Signs requests with one access key for one region and service. Keeps the signing keys of recent days.
pub struct Signer {
    access_key_id: String,
    secret: Secret,
    region: String,
    service: String,
    keys: SigningKeys,
}

impl Signer {
    /// A signer with `secret` for `service` in `region`.
    #[must_use]
    pub fn new(access_key_id: &str, secret: &Secret, region: &str, service: &str) -> Signer {
        Signer {
            access_key_id: access_key_id.to_owned(),
            secret: secret.duplicate(),
            region: region.to_owned(),
            service: service.to_owned(),
            keys: SigningKeys::new(),
        }
    }

    /// Signs `method path?query` and all of `headers` but those that proxies change, and adds `x-amz-date`, `x-amz-content-sha256`
    /// (S3 alone) and `authorization`. `path` and `query` are as they will be sent. The signer of chunks goes on from here.
    ///
    /// # Errors
    /// [`SignError::NoHost`], [`SignError::Header`].
    pub fn sign(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &mut HeaderMap,
        payload: Payload,
        now: SystemTime,
    ) -> Result<ChunkSigner, SignError> {
        let (time, word) = (Timestamp::from(now), payload.word());
        headers.insert("x-amz-date", HeaderValue::from_bytes(&time.text()).map_err(|_| SignError::Header)?);
        if self.dialect() == Dialect::S3 {
            headers.insert("x-amz-content-sha256", HeaderValue::from_str(&word).map_err(|_| SignError::Header)?);
        }
        let names = signed_names(headers)?;
        let head = RequestHead { method, path, query, headers };
        let (chain, signature) = self.signature(head, &names, word.as_bytes(), time, false);
        let text = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={names}, Signature={}",
            self.access_key_id,
            chain.scope,
            text(&hex64(&signature))
        );
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&text).map_err(|_| SignError::Header)?);
        let signed = matches!(payload, Payload::ChunkedSigned { .. });
        Ok(ChunkSigner {
            chain: signed.then_some(chain),
            trailer: payload != Payload::ChunkedSigned { trailer: false },
        })
    }

    /// The whole query, signature included, that presigns `head` for `lifetime` seconds. All headers of `head` are signed, and must be
    /// sent. The body of an S3 request stays unsigned; to the other services, it is empty.
    ///
    /// # Errors
    /// [`SignError::NoHost`], [`SignError::Lifetime`].
    pub fn presign(&self, head: &RequestHead<'_>, lifetime: u32, now: SystemTime) -> Result<String, SignError> {
        if !(1..=MAX_EXPIRES).contains(&lifetime) {
            return Err(SignError::Lifetime);
        }
        let time = Timestamp::from(now);
        let names = signed_names(head.headers)?;
        let date = text(&time.text()[..8]);
        let credential = format!("{}/{}", self.access_key_id, scope_text(&date, &self.region, &self.service));
        let mut query = head.query.as_bytes().to_vec();
        for (name, value) in [
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &time.to_string()),
            ("X-Amz-Expires", &lifetime.to_string()),
            ("X-Amz-SignedHeaders", &names),
        ] {
            if !query.is_empty() {
                query.push(b'&');
            }
            query.extend_from_slice(name.as_bytes());
            query.push(b'=');
            encode_into(&mut query, value.as_bytes(), false);
        }
        let mut query = text(&query);
        let word = match self.dialect() {
            Dialect::S3 => b"UNSIGNED-PAYLOAD".as_slice(),
            Dialect::Service => EMPTY_SHA256,
        };
        let (_, signature) = self.signature(RequestHead { query: &query, ..*head }, &names, word, time, true);
        query.extend(["&", SIGNATURE_PARAMETER, "=", &text(&hex64(&signature))]);
        Ok(query)
    }

    fn signature(
        &self,
        head: RequestHead<'_>,
        signed_headers: &str,
        payload: &[u8],
        time: Timestamp,
        presigned: bool,
    ) -> (Chain, [u8; 32]) {
        let date = text(&time.text()[..8]);
        let key: Arc<SigningKey> =
            self.keys.find(&self.access_key_id, &self.secret, &date, &self.region, &self.service);
        let scope = scope_text(&date, &self.region, &self.service);
        let canonical = Canonical { head, dialect: self.dialect(), signed_headers, payload, presigned }.request();
        let signature = key.sign(&string_to_sign(time, &scope, &canonical));
        let access_key_id = self.access_key_id.clone();
        (Chain { key, access_key_id, scope, time, previous: signature }, signature)
    }

    fn dialect(&self) -> Dialect {
        Dialect::of(&self.service)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Frames an aws-chunked body, and signs its chunks and trailer if the head that it goes with says so.
#[derive(Debug)]
pub struct ChunkSigner {
    chain: Option<Chain>,
    trailer: bool,
}

impl ChunkSigner {
    /// Appends a chunk to `out`: header, data, CRLF. `data` may not be empty; an empty chunk ends the data, which
    /// [`finish`](ChunkSigner::finish) does.
    pub fn chunk(&mut self, data: &[u8], out: &mut Vec<u8>) {
        debug_assert!(!data.is_empty(), "an empty chunk ends the data");
        self.header(data, out);
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the last chunk and the trailers to `out`. `trailers` are those that `x-amz-trailer` announced, in lower case.
    pub fn finish(mut self, trailers: &[Trailer], out: &mut Vec<u8>) {
        self.header(b"", out);
        for Trailer { name, value } in trailers {
            out.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
        if let Some(chain) = self.chain.filter(|_| self.trailer) {
            let signature = text(&hex64(&chain.sign_trailer(trailers)));
            out.extend_from_slice(format!("{SIGNATURE_TRAILER}:{signature}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }

    fn header(&mut self, data: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{:x}", data.len()).as_bytes());
        if let Some(chain) = &mut self.chain {
            out.extend_from_slice(b";chunk-signature=");
            out.extend_from_slice(&hex64(&chain.sign_chunk(&sha256(data))));
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The names of the headers to sign: sorted, joined by `;`.
fn signed_names(headers: &HeaderMap) -> Result<String, SignError> {
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).filter(|name| !UNSIGNED.contains(name)).collect();
    names.sort_unstable();
    if names.contains(&"host") { Ok(names.join(";")) } else { Err(SignError::NoHost) }
}

/// ASCII, as a string.
fn text(ascii: &[u8]) -> String {
    String::from_utf8_lossy(ascii).into_owned()
}
