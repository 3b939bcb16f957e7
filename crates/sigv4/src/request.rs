use http::HeaderMap;

/// The head of a request as it came over the wire: nothing decoded, nothing normalised.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, upper case as sent.
    pub method: &'a str,
    /// The raw path, still percent-encoded, without the query. Empty means `/`.
    pub path: &'a str,
    /// The raw query without its `?`; empty if there is none.
    pub query: &'a str,
    /// The headers, `host` among them.
    pub headers: &'a HeaderMap,
}

/// Whose rules a request follows: S3's, or those of the services that speak JSON or the query protocol.
///
/// They differ in the canonical path (S3 encodes once and never normalises, the others encode the sent path again), in the payload
/// hash (S3 takes `x-amz-content-sha256` at its word and checks the body later, the others hash the body first) and in their errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon S3.
    S3,
    /// KMS, STS, IAM, CloudTrail, SSM and the rest.
    Service,
}

impl Dialect {
    /// The dialect of the service that a credential scope names.
    #[must_use]
    pub fn of(service: &str) -> Dialect {
        if service == "s3" { Dialect::S3 } else { Dialect::Service }
    }
}

/// What is known of the body when the head is verified.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// It follows: what the signed head says of it is checked by [`crate::BodyCheck`]. For S3 only.
    Streaming,
    /// It is here in full. Its SHA-256 is what must have been signed.
    Whole(&'a [u8]),
}
