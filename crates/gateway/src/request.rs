//! A request as handlers see it: authenticated elsewhere, its target split, its body not read yet.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};

use crate::body::RequestBody;
use crate::query::Query;
use crate::record::TlsDetails;

/// One HTTP request.
pub struct Request {
    /// Names the request in answers and in the log.
    pub id: RequestId,
    /// The HTTP method.
    pub method: Method,
    /// The request target as sent; see [`path`](Request::path) and [`raw_query`](Request::raw_query).
    pub target: Uri,
    /// The query, decoded.
    pub query: Query,
    /// All headers.
    pub headers: HeaderMap,
    /// The bucket that the host names (virtual-host style), lower case; `None` means path style.
    pub bucket_host: Option<String>,
    /// Whether the connection is TLS. SSE-C is refused without.
    pub secure: bool,
    /// The client's address: as the socket tells it, or a proxy that the operator trusts. Never an IPv4 address in IPv6's clothes.
    pub client: IpAddr,
    /// Whether the client is on this machine, and no proxy between.
    pub is_local: bool,
    /// The name of the listener that it came by, if the operator gave it one.
    pub listener: Option<Arc<str>>,
    /// What the connection's TLS came to.
    pub tls: Option<Arc<TlsDetails>>,
    /// When the head had been read; the "now" of every check that concerns this request.
    pub received: SystemTime,
    /// The body, unread.
    pub body: RequestBody,
    /// The body of a request to S3 that is a document, once it is read.
    pub document: Option<Bytes>,
}

impl Request {
    /// The path as sent, still percent-encoded, without the query.
    pub fn path(&self) -> &str {
        self.target.path()
    }

    /// The query as sent, still percent-encoded; empty when there is none.
    pub fn raw_query(&self) -> &str {
        self.target.query().unwrap_or("")
    }

    /// A header's value, if it was sent and is visible ASCII. The first, if it was sent more than once.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// 16 bytes that no other request of this process has and that, with overwhelming probability, no request of another
/// process has. Not a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A new id. Costs a few nanoseconds: a random start for each process, then a bijection of a counter (the finalizer of
    /// SplitMix64; Steele, Lea and Flood 2014).
    pub fn next() -> RequestId {
        static START: LazyLock<[u64; 2]> = LazyLock::new(|| {
            let [a, b, c, d, e, f, g, h, rest @ ..] = seal::random_bytes::<16>();
            [u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes(rest)]
        });
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let [high, low] = *START;
        let step = COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let id = u128::from(mix(high.wrapping_add(step))) << 64 | u128::from(mix(low.wrapping_add(step)));
        RequestId(id.to_be_bytes())
    }

    /// That of a request which the server makes itself.
    pub(crate) fn from_uuid(id: uuid::Uuid) -> RequestId {
        RequestId(id.into_bytes())
    }

    /// S3's `x-amz-request-id`: 16 upper-case hexadecimal digits.
    pub fn short(&self) -> String {
        data_encoding::HEXUPPER.encode(&self.0[..8])
    }

    /// S3's `x-amz-id-2`: base64, opaque to clients.
    pub fn extended(&self) -> String {
        data_encoding::BASE64.encode(&self.0)
    }

    /// The `x-amzn-RequestId` of JSON and Query services: a UUID.
    pub fn uuid(&self) -> String {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        self.hyphenated(&mut text).to_owned()
    }

    /// The bytes of [`uuid`](RequestId::uuid).
    pub(crate) fn uuid_bytes(&self) -> [u8; 16] {
        self.as_uuid().into_bytes()
    }

    /// [`uuid`](RequestId::uuid) as a header value.
    pub(crate) fn uuid_header(&self) -> HeaderValue {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = self.hyphenated(&mut text);
        HeaderValue::from_str(text).expect("hexadecimal digits and hyphens are visible ASCII")
    }

    fn hyphenated<'a>(&self, text: &'a mut [u8; uuid::fmt::Hyphenated::LENGTH]) -> &'a str {
        self.as_uuid().hyphenated().encode_lower(text)
    }

    pub(crate) fn as_uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.0).into_uuid()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_uuid().hyphenated().fmt(f)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_have_their_services_shapes() {
        let (one, two) = (RequestId::next(), RequestId::next());
        assert_ne!(one, two);
        assert_eq!(one.short().len(), 16);
        assert!(one.short().bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)));
        assert_eq!(one.uuid().len(), 36);
        assert_eq!(one.uuid(), one.to_string());
    }
}
