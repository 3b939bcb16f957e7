use std::borrow::Cow;
use std::time::Duration;

use crate::{MIN_CHUNK, Timestamp};

/// Why a request or its body was not accepted. One variant for each condition that AWS tells apart.
///
/// `Display` gives S3's text; [`Error::service_message`] that of the services that speak JSON or the query protocol. The gateway
/// chooses code and status. Nothing here holds a secret: string to sign and canonical request are made of what the client sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// S3 `InvalidArgument`: an `Authorization` of another kind than `AWS4-HMAC-SHA256`.
    #[error("Unsupported Authorization Type")]
    UnsupportedAuthorization,

    /// S3 `InvalidRequest`: Signature Version 2 or 4A.
    #[error("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")]
    UnsupportedMechanism,

    /// S3 `InvalidArgument`: both an `Authorization` header and a presigned query.
    #[error(
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified"
    )]
    SeveralMechanisms,

    /// S3 `AuthorizationHeaderMalformed`.
    #[error("The authorization header is malformed; {reason}")]
    AuthorizationHeaderMalformed {
        /// The rest of AWS's sentence.
        reason: String,
        /// The region that would have been right, where that was the fault (`Region` in S3's answer).
        region: Option<String>,
    },

    /// S3 `AuthorizationQueryParametersError`.
    #[error("{reason}")]
    AuthorizationQueryParametersError {
        /// AWS's sentence.
        reason: String,
        /// The region that would have been right, where that was the fault (`Region` in S3's answer).
        region: Option<String>,
    },

    /// `IncompleteSignature` of the services: the header or query lacks a part, or a part is not well formed.
    #[error("{0}")]
    IncompleteSignature(String),

    /// `SignatureDoesNotMatch` (query protocol) or `InvalidSignatureException` (JSON) of the services: the credential is scoped to
    /// another date, region, service or terminator.
    #[error("{0}")]
    InvalidScope(String),

    /// S3 `AccessDenied`: neither `x-amz-date` nor `Date`, or not a date.
    #[error("AWS authentication requires a valid Date or x-amz-date header")]
    MissingDate,

    /// S3 `RequestTimeTooSkewed`; services: `SignatureDoesNotMatch` or `InvalidSignatureException`.
    #[error("The difference between the request time and the current time is too large.")]
    RequestTimeTooSkewed {
        /// What the client said.
        request: Timestamp,
        /// What the server's clock says.
        server: Timestamp,
        /// The largest difference allowed.
        allowed: Duration,
    },

    /// S3 `AccessDenied`: the life of a presigned request is over.
    #[error("Request has expired")]
    RequestExpired {
        /// `X-Amz-Expires`, seconds.
        lifetime: u32,
        /// When it ended.
        expired: Timestamp,
        /// What the server's clock says.
        server: Timestamp,
    },

    /// S3 `AccessDenied`: a presigned request from the future (by more than the allowed skew).
    #[error("Request is not valid yet")]
    RequestNotYetValid,

    /// S3 `AccessDenied`: `host` or `x-amz-*` headers were sent but not signed.
    #[error("There were headers present in the request which were not signed")]
    HeadersNotSigned {
        /// Their names, joined by `, ` (`HeadersNotSigned` in S3's answer).
        names: String,
    },

    /// S3 `InvalidRequest`: no `x-amz-content-sha256` under header authentication.
    #[error("Missing required header for this request: x-amz-content-sha256")]
    MissingContentSha256,

    /// S3 `InvalidArgument`: `x-amz-content-sha256` is none of the values known.
    #[error(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    )]
    InvalidContentSha256 {
        /// What was sent (`ArgumentValue` in S3's answer).
        value: String,
    },

    /// S3 `XAmzContentSHA256Mismatch`: the body is not the one that was signed.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    XAmzContentSHA256Mismatch {
        /// Hexadecimal, as signed.
        client: String,
        /// Hexadecimal, of the body as it came.
        computed: String,
    },

    /// S3 `InvalidToken`: a session token that is there twice or unreadable, or, as its verifier says, no session's of this access key.
    #[error("The provided token is malformed or otherwise invalid.")]
    InvalidToken,

    /// S3 `InvalidAccessKeyId`; services: `InvalidClientTokenId` or `UnrecognizedClientException`. For the caller to return, who looks
    /// the secret up.
    #[error("The AWS Access Key Id you provided does not exist in our records.")]
    InvalidAccessKeyId {
        /// What the claim named (`AWSAccessKeyId` in S3's answer).
        access_key_id: String,
    },

    /// S3 `SignatureDoesNotMatch`; services: the same, or `InvalidSignatureException`. Of the head, a chunk or the trailer.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    )]
    SignatureDoesNotMatch(Box<Mismatch>),

    /// S3 `MissingContentLength`: an aws-chunked body without `x-amz-decoded-content-length`.
    #[error("You must provide the Content-Length HTTP header.")]
    MissingDecodedContentLength,

    /// S3 `InvalidArgument`: `x-amz-decoded-content-length` is not a number.
    #[error("x-amz-decoded-content-length must be a non-negative number of bytes")]
    InvalidDecodedContentLength {
        /// What was sent.
        value: String,
    },

    /// S3 `InvalidRequest`: `x-amz-trailer` is missing where the payload mode promises a trailer, or is not a list of header names.
    #[error("The value specified in the x-amz-trailer header is not supported")]
    InvalidTrailerAnnouncement,

    /// S3 `IncompleteBody`, with its text: the framing of an aws-chunked body is broken. What exactly is broken is for the log.
    #[error("The request body terminated unexpectedly")]
    MalformedChunk(&'static str),

    /// S3 `InvalidChunkSizeError`: a chunk that is not the last is too small.
    #[error("Only the last chunk is allowed to have a size less than {MIN_CHUNK} bytes")]
    InvalidChunkSize {
        /// The number of the chunk at fault, from 1 (`Chunk` in S3's answer).
        chunk: u64,
        /// Its size in bytes (`BadChunkSize` in S3's answer).
        size: u64,
    },

    /// S3 `IncompleteBody`: the body ended early, or holds more or fewer bytes than `x-amz-decoded-content-length` says.
    #[error("The request body terminated unexpectedly")]
    IncompleteBody,

    /// S3 `MalformedTrailerError`: the trailer is broken, too large, or not what `x-amz-trailer` announced.
    #[error("The request contained trailing data that was not well-formed or did not conform to our published schema.")]
    MalformedTrailer,
}

/// What the server signed where the client signed something else. The fields are those of S3's error body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// `AWSAccessKeyId`.
    pub access_key_id: String,
    /// `SignatureProvided`: hexadecimal, as the client sent it.
    pub provided: String,
    /// `StringToSign` and `StringToSignBytes`.
    pub string_to_sign: Vec<u8>,
    /// `CanonicalRequest` and `CanonicalRequestBytes`; empty for a chunk or a trailer, which have none.
    pub canonical_request: Vec<u8>,
}

impl Error {
    /// The message as KMS, STS, IAM and their like word it.
    #[must_use]
    pub fn service_message(&self) -> Cow<'_, str> {
        match self {
            Error::RequestTimeTooSkewed { request, server, allowed } => {
                skew_message(*request, *server, *allowed).into()
            }
            Error::RequestExpired { lifetime, expired, server } => format!(
                "Signature expired: {} is now earlier than {server} ({expired} - {} min.)",
                expired.minus(Duration::from_secs(u64::from(*lifetime))),
                lifetime / 60,
            )
            .into(),
            Error::InvalidAccessKeyId { .. } | Error::InvalidToken => {
                "The security token included in the request is invalid.".into()
            }
            Error::SignatureDoesNotMatch(_) => {
                "The request signature we calculated does not match the signature you provided. \
                Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
                    .into()
            }
            Error::MissingDate => {
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".into()
            }
            other => other.to_string().into(),
        }
    }
}

fn skew_message(request: Timestamp, server: Timestamp, allowed: Duration) -> String {
    let minutes = allowed.as_secs() / 60;
    if request < server {
        let edge = server.minus(allowed);
        format!("Signature expired: {request} is now earlier than {edge} ({server} - {minutes} min.)")
    } else {
        let edge = server.plus(allowed);
        format!("Signature not yet current: {request} is still later than {edge} ({server} + {minutes} min.)")
    }
}
