//! AWS Signature Version 4: verification of requests and bodies, and the signing side of both.
//!
//! Pure: no IO, no clock, no HTTP types but `http`'s header map. The road of a request:
//!
//! 1. [`parse`] reads the `Authorization` header or the presigned query into a [`Claim`]: who says to have signed what.
//! 2. The caller finds the [`Secret`] of [`Claim::access_key_id`] (none: [`Error::InvalidAccessKeyId`]).
//! 3. [`verify`] recomputes the signature and alone can make an [`Authenticated`].
//! 4. [`Authenticated::body_check`] says how the body is to be read: as it is, against a SHA-256
//!    ([`PayloadHasher`]), or through the aws-chunked decoder ([`ChunkedDecoder`]).
//!
//! What is signed and what the server acts on must be the same bytes: take query parameters from
//! [`query_pairs`], which is what the canonical query is made of.
//!
//! Sources: the AWS General Reference, "AWS Signature Version 4 for API requests"
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>), and the S3 API Reference, "Authenticating Requests"
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>).

mod canonical;
mod chunked;
mod claim;
mod credential;
mod encode;
mod error;
mod key;
mod payload;
mod presigned;
mod request;
mod secret;
mod sign;
mod timestamp;
mod verify;

pub use chunked::{ChunkedDecoder, MAX_CHUNK, MAX_CHUNK_HEADER, MAX_TRAILER_BYTES, MAX_TRAILERS, MIN_CHUNK, Trailer};
pub use claim::{Claim, Mechanism, Scope, parse};
pub use encode::{percent_decode, query_pairs};
pub use error::{Error, Mismatch};
pub use key::SigningKeys;
pub use payload::{BodyCheck, Payload, PayloadHasher};
pub use request::{Body, Dialect, RequestHead};
pub use secret::Secret;
pub use sign::{ChunkSigner, SignError, Signer};
pub use timestamp::Timestamp;
pub use verify::{Authenticated, Policy, unsigned_body_check, verify};

/// The only algorithm served: HMAC-SHA256 over the string to sign.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last element of every credential scope.
pub const TERMINATOR: &str = "aws4_request";

/// The longest life of a presigned request, in seconds: one week.
pub const MAX_EXPIRES: u32 = 604_800;

/// How far a request's time may lie from the server's: 15 minutes.
pub const MAX_SKEW: std::time::Duration = std::time::Duration::from_secs(15 * 60);
