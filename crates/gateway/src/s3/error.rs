//! Every error that S3 answers: one table of codes, and what the other crates' errors become in it.
//!
//! Codes, status and texts: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, and what AWS was seen to send where
//! that page is silent.

use super::operation::{Operation, Scope};
use super::route::Misroute;
use super::xml::{Malformed, Writer};
use http::{HeaderName, HeaderValue, StatusCode, header};
use objects::Condition;
use std::borrow::Cow;

macro_rules! codes {
    ($( $code:ident $status:literal $message:literal; )+) => {
        /// An S3 error code.
        #[allow(missing_docs, reason = "AWS documents each under this very name")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $( $code, )+ }

        impl Code {
            /// Code as on the wire, HTTP status, AWS's text.
            const fn row(self) -> (&'static str, u16, &'static str) {
                match self { $( Code::$code => (stringify!($code), $status, $message), )+ }
            }

            #[cfg(test)]
            const ALL: &'static [Code] = &[ $( Code::$code, )+ ];
        }
    };
}

codes! {
    AccessControlListNotSupported 400 "The bucket does not allow ACLs";
    AccessDenied 403 "Access Denied";
    AuthorizationHeaderMalformed 400 "The authorization header you provided is invalid.";
    AuthorizationQueryParametersError 400 "The authorization query parameters are invalid.";
    BadDigest 400 "The Content-MD5 you specified did not match what we received.";
    BadRequest 400 "Bad Request";
    BucketAlreadyExists 409 "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    BucketAlreadyOwnedByYou 409 "Your previous request to create the named bucket succeeded and you already own it.";
    BucketNotEmpty 409 "The bucket you tried to delete is not empty";
    ConditionalRequestConflict 409 "The conditional request cannot succeed due to a conflicting operation against this resource.";
    EntityTooLarge 400 "Your proposed upload exceeds the maximum allowed size";
    EntityTooSmall 400 "Your proposed upload is smaller than the minimum allowed size";
    IllegalLocationConstraintException 400 "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.";
    // No code of AWS's, whose disks do not fill: RFC 4918, 11.5. SDKs retry 503, which would not help.
    InsufficientStorage 507 "The server has no room left to store this. Nothing was changed.";
    IncompleteBody 400 "You did not provide the number of bytes specified by the Content-Length HTTP header";
    InternalError 500 "We encountered an internal error. Please try again.";
    InvalidAccessKeyId 403 "The AWS Access Key Id you provided does not exist in our records.";
    InvalidArgument 400 "Invalid Argument";
    InvalidBucketAclWithObjectOwnership 400 "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    InvalidBucketName 400 "The specified bucket is not valid.";
    InvalidChunkSizeError 400 "Only the last chunk is allowed to have a size less than 8192 bytes";
    InvalidDigest 400 "The Content-MD5 you specified was invalid.";
    InvalidEncryptionAlgorithmError 400 "The encryption request you specified is not valid. The valid value is AES256.";
    InvalidLocationConstraint 400 "The specified location-constraint is not valid";
    InvalidPart 400 "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
    InvalidPartNumber 416 "The requested partnumber is not satisfiable";
    InvalidPartOrder 400 "The list of parts was not in ascending order. Parts must be ordered by part number.";
    InvalidRange 416 "The requested range is not satisfiable";
    InvalidRequest 400 "Invalid Request";
    InvalidStorageClass 400 "The storage class you specified is not valid";
    InvalidTag 400 "The tag provided was not a valid tag.";
    ExpiredToken 400 "The provided token has expired.";
    InvalidToken 400 "The provided token is malformed or otherwise invalid.";
    InvalidURI 400 "Couldn't parse the specified URI.";
    KeyTooLongError 400 "Your key is too long";
    MalformedACLError 400 "The XML you provided was not well-formed or did not validate against our published schema";
    MalformedPolicy 400 "Policies must be valid JSON and the first byte must be '{'";
    MalformedTrailerError 400 "The request contained trailing data that was not well-formed or did not conform to our published schema.";
    MalformedXML 400 "The XML you provided was not well-formed or did not validate against our published schema";
    MaxMessageLengthExceeded 400 "Your request was too big.";
    MetadataTooLarge 400 "Your metadata headers exceed the maximum allowed metadata size";
    MethodNotAllowed 405 "The specified method is not allowed against this resource.";
    MissingContentLength 411 "You must provide the Content-Length HTTP header.";
    MissingRequestBodyError 400 "Request Body is empty";
    NoSuchBucket 404 "The specified bucket does not exist";
    NoSuchBucketPolicy 404 "The bucket policy does not exist";
    NoSuchKey 404 "The specified key does not exist.";
    NoSuchPublicAccessBlockConfiguration 404 "The public access block configuration was not found";
    NoSuchTagSet 404 "The TagSet does not exist";
    NoSuchUpload 404 "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    NoSuchVersion 404 "The specified version does not exist.";
    NotImplemented 501 "A header you provided implies functionality that is not implemented";
    NotModified 304 "Not Modified";
    OperationAborted 409 "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    PreconditionFailed 412 "At least one of the pre-conditions you specified did not hold";
    RequestTimeTooSkewed 403 "The difference between the request time and the current time is too large.";
    RequestTimeout 400 "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.";
    ServiceUnavailable 503 "Service is unable to handle request.";
    SlowDown 503 "Please reduce your request rate.";
    SignatureDoesNotMatch 403 "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    TooManyBuckets 400 "You have attempted to create more buckets than allowed";
    XAmzContentSHA256Mismatch 400 "The provided 'x-amz-content-sha256' header does not match what was computed.";
}

/// An error answer, all but the request's own particulars.
#[derive(Debug)]
pub(crate) struct S3Error {
    code: Cow<'static, str>,
    status: StatusCode,
    message: Cow<'static, str>,
    /// Further elements of the body, in order.
    details: Vec<(&'static str, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl S3Error {
    /// With AWS's text.
    pub(crate) fn new(code: Code) -> S3Error {
        let (name, status, message) = code.row();
        let status = StatusCode::from_u16(status).expect("the table holds valid status codes");
        S3Error { code: name.into(), status, message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    /// With another text.
    pub(crate) fn saying(code: Code, message: impl Into<Cow<'static, str>>) -> S3Error {
        S3Error { message: message.into(), ..S3Error::new(code) }
    }

    /// `InvalidArgument` with the argument's name and value.
    pub(crate) fn argument(message: impl Into<Cow<'static, str>>, name: &str, value: impl Into<String>) -> S3Error {
        S3Error::saying(Code::InvalidArgument, message).detail("ArgumentName", name).detail("ArgumentValue", value)
    }

    /// `InvalidRequest`.
    pub(crate) fn request(message: impl Into<Cow<'static, str>>) -> S3Error {
        S3Error::saying(Code::InvalidRequest, message)
    }

    /// 501 for a header (or query parameter) that asks for what does not exist here.
    pub(crate) fn not_implemented(header: &str) -> S3Error {
        S3Error::new(Code::NotImplemented).detail("Header", header)
    }

    /// Adds an element to the body.
    pub(crate) fn detail(mut self, name: &'static str, value: impl Into<String>) -> S3Error {
        self.details.push((name, value.into()));
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> S3Error {
        self.headers.push((name, value));
        self
    }

    /// The status line's code.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The error code as on the wire.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The text.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Headers that go with the answer.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The body: code, text, details, and what ties it to the request.
    pub(crate) fn to_xml(&self, resource: &str, request_id: &str, host_id: &str) -> String {
        Writer::bare_document("Error", |xml| {
            xml.text("Code", &self.code);
            xml.text("Message", &self.message);
            for (name, value) in &self.details {
                xml.text(name, value);
            }
            xml.text("Resource", resource);
            xml.text("RequestId", request_id);
            xml.text("HostId", host_id);
        })
    }
}

impl From<Code> for S3Error {
    fn from(code: Code) -> S3Error {
        S3Error::new(code)
    }
}

impl From<Malformed> for S3Error {
    fn from(_: Malformed) -> S3Error {
        S3Error::new(Code::MalformedXML)
    }
}

/// What a misroute becomes. `method` and `scope` are the request's.
pub(crate) fn misroute(error: Misroute, method: &str, scope: Scope) -> S3Error {
    match error {
        Misroute::MethodNotAllowed => {
            let resource = match scope {
                Scope::Service => "SERVICE",
                Scope::Bucket => "BUCKET",
                Scope::Object => "OBJECT",
            };
            S3Error::new(Code::MethodNotAllowed).detail("Method", method).detail("ResourceType", resource)
        }
        Misroute::Conflicting(names) => S3Error::argument(
            format!("Conflicting query string parameters: {}", names.join(", ")),
            "ResourceType",
            names.first().map(String::as_str).unwrap_or_default(),
        ),
        Misroute::ListType(value) => S3Error::argument("Invalid List Type specified in Request", "list-type", value),
        Misroute::NotBuilt(operation) => not_built(operation),
        Misroute::UnknownSubresource(name) => S3Error::not_implemented(&name),
    }
}

pub(crate) fn not_built(operation: Operation) -> S3Error {
    S3Error::new(Code::NotImplemented).detail("AdditionalMessage", format!("{} is not implemented.", operation.name()))
}

impl From<objects::Error> for S3Error {
    fn from(error: objects::Error) -> S3Error {
        use objects::Error as E;
        let message = error.to_string();
        let plain = |code: Code| S3Error::saying(code, message.clone());
        match error {
            E::InvalidBucketName => plain(Code::InvalidBucketName),
            E::KeyTooLong => plain(Code::KeyTooLongError).detail("MaxSizeAllowed", "1024"),
            E::KeyEmpty => plain(Code::InvalidArgument).detail("ArgumentName", "key").detail("ArgumentValue", ""),
            E::NoSuchBucket => plain(Code::NoSuchBucket),
            E::BucketAlreadyExists => plain(Code::BucketAlreadyExists),
            E::BucketAlreadyOwnedByYou => plain(Code::BucketAlreadyOwnedByYou),
            E::TooManyBuckets => plain(Code::TooManyBuckets),
            E::BucketNotEmpty => plain(Code::BucketNotEmpty),
            E::NoSuchKey => plain(Code::NoSuchKey),
            E::NoSuchUpload => plain(Code::NoSuchUpload),
            E::InvalidPart { number } => plain(Code::InvalidPart).detail("PartNumber", number.to_string()),
            E::InvalidPartOrder => plain(Code::InvalidPartOrder),
            E::EntityTooSmall { number, size, minimum } => plain(Code::EntityTooSmall)
                .detail("ProposedSize", size.to_string())
                .detail("MinSizeAllowed", minimum.to_string())
                .detail("PartNumber", number.to_string()),
            E::EntityTooLarge { size, limit } => plain(Code::EntityTooLarge)
                .detail("ProposedSize", size.to_string())
                .detail("MaxSizeAllowed", limit.to_string()),
            E::MetadataTooLarge { size } => plain(Code::MetadataTooLarge)
                .detail("Size", size.to_string())
                .detail("MaxSizeAllowed", objects::USER_METADATA_LIMIT.to_string()),
            E::PreconditionFailed(condition) => {
                plain(Code::PreconditionFailed).detail("Condition", condition_name(condition))
            }
            E::NotModified { etag, modified } => not_modified(etag, modified),
            E::ConditionalRequestConflict => plain(Code::ConditionalRequestConflict),
            E::InvalidRange { size } => invalid_range(size),
            E::InvalidPartNumber { requested, count } => plain(Code::InvalidPartNumber)
                .detail("PartNumberRequested", requested.to_string())
                .detail("ActualPartCount", count.to_string()),
            E::BadDigest(_) => plain(Code::BadDigest),
            E::IncompleteBody { expected, received } => plain(Code::IncompleteBody)
                .detail("NumberBytesExpected", expected.to_string())
                .detail("NumberBytesProvided", received.to_string()),
            E::Body(error) => crate::body::ReadError::of(error).into(),
            E::InvalidRequest(_) | E::InvalidChecksum(_) => plain(Code::InvalidRequest),
            E::InvalidArgument(_) => plain(Code::InvalidArgument),
            E::AccessDenied(_) => plain(Code::AccessDenied),
            E::Tags(objects::InvalidTags::TooMany(_)) => plain(Code::BadRequest),
            E::Tags(objects::InvalidTags::Invalid { key, value, .. }) => {
                let error = plain(Code::InvalidTag).detail("TagKey", key);
                if let Some(value) = value { error.detail("TagValue", value) } else { error }
            }
            E::MalformedPolicy { detail, .. } => {
                let error = plain(Code::MalformedPolicy);
                if let Some(detail) = detail { error.detail("Detail", detail) } else { error }
            }
            E::PublicPolicyBlocked => plain(Code::AccessDenied),
            E::SignatureRequired => {
                plain(Code::InvalidArgument).detail("ArgumentName", "Authorization").detail("ArgumentValue", "null")
            }
            E::Kms(error) => kms(&error),
            E::StoreFull => plain(Code::InsufficientStorage),
            E::Poisoned => plain(Code::ServiceUnavailable),
            E::OperationAborted => plain(Code::OperationAborted),
            E::DamagedObject | E::Internal => S3Error::new(Code::InternalError),
            // The enum may grow; what is not in the table yet is nothing that a client could act on.
            _ => S3Error::new(Code::InternalError),
        }
    }
}

/// KMS's own code behind `KMS.`, but for what S3 answers in its own words.
fn kms(error: &keys::Error) -> S3Error {
    match error {
        keys::Error::AccessDenied(message) => S3Error::saying(Code::AccessDenied, message.clone()),
        keys::Error::Internal(_) => S3Error::new(Code::InternalError),
        keys::Error::Throttling(_) => {
            S3Error::saying(Code::SlowDown, "Please reduce your request rate for operations involving AWS KMS.")
        }
        other => S3Error {
            code: format!("KMS.{}", other.code()).into(),
            ..S3Error::saying(Code::InvalidRequest, other.message().to_owned())
        },
    }
}

fn not_modified(etag: objects::ETag, modified: std::time::SystemTime) -> S3Error {
    let etag = HeaderValue::from_str(&etag.quoted()).expect("hexadecimal digits and quotes are visible ASCII");
    S3Error::new(Code::NotModified)
        .header(header::ETAG, etag)
        .header(header::LAST_MODIFIED, super::date::http(modified))
}

fn invalid_range(size: u64) -> S3Error {
    let value = HeaderValue::from_str(&format!("bytes */{size}")).expect("a number is visible ASCII");
    S3Error::new(Code::InvalidRange).detail("ActualObjectSize", size.to_string()).header(header::CONTENT_RANGE, value)
}

fn condition_name(condition: Condition) -> &'static str {
    match condition {
        Condition::IfMatch => "If-Match",
        Condition::IfNoneMatch => "If-None-Match",
        Condition::IfModifiedSince => "If-Modified-Since",
        Condition::IfUnmodifiedSince => "If-Unmodified-Since",
        Condition::IfMatchLastModifiedTime => "x-amz-if-match-last-modified-time",
        Condition::IfMatchSize => "x-amz-if-match-size",
    }
}

impl From<sigv4::Error> for S3Error {
    fn from(error: sigv4::Error) -> S3Error {
        use sigv4::Error as E;
        let message = error.to_string();
        let plain = |code: Code| S3Error::saying(code, message.clone());
        let regional = |error: S3Error, region: Option<String>| match region {
            Some(region) => error.detail("Region", region),
            None => error,
        };
        match error {
            E::UnsupportedAuthorization | E::SeveralMechanisms => {
                plain(Code::InvalidArgument).detail("ArgumentName", "Authorization")
            }
            E::AuthorizationHeaderMalformed { region, .. } => {
                regional(plain(Code::AuthorizationHeaderMalformed), region)
            }
            E::AuthorizationQueryParametersError { region, .. } => {
                regional(plain(Code::AuthorizationQueryParametersError), region)
            }
            E::IncompleteSignature(_) | E::InvalidScope(_) => plain(Code::AuthorizationHeaderMalformed),
            E::MissingDate | E::RequestNotYetValid => plain(Code::AccessDenied),
            E::RequestTimeTooSkewed { request, server, allowed } => plain(Code::RequestTimeTooSkewed)
                .detail("RequestTime", request.to_string())
                .detail("ServerTime", server.to_string())
                .detail("MaxAllowedSkewMilliseconds", allowed.as_millis().to_string()),
            E::RequestExpired { lifetime, expired, server } => plain(Code::AccessDenied)
                .detail("X-Amz-Expires", lifetime.to_string())
                .detail("Expires", expired.to_string())
                .detail("ServerTime", server.to_string()),
            E::HeadersNotSigned { names } => plain(Code::AccessDenied).detail("HeadersNotSigned", names),
            E::UnsupportedMechanism | E::MissingContentSha256 | E::InvalidTrailerAnnouncement => {
                plain(Code::InvalidRequest)
            }
            E::InvalidContentSha256 { value } => S3Error::argument(message, "x-amz-content-sha256", value),
            E::XAmzContentSHA256Mismatch { client, computed } => plain(Code::XAmzContentSHA256Mismatch)
                .detail("ClientComputedContentSHA256", client)
                .detail("S3ComputedContentSHA256", computed),
            E::InvalidToken => plain(Code::InvalidToken),
            E::InvalidAccessKeyId { access_key_id } => {
                plain(Code::InvalidAccessKeyId).detail("AWSAccessKeyId", access_key_id)
            }
            E::SignatureDoesNotMatch(mismatch) => does_not_match(*mismatch),
            E::MissingDecodedContentLength => plain(Code::MissingContentLength),
            E::InvalidDecodedContentLength { value } => {
                S3Error::argument(message, "x-amz-decoded-content-length", value)
            }
            E::InvalidChunkSize { chunk, size } => plain(Code::InvalidChunkSizeError)
                .detail("Chunk", chunk.to_string())
                .detail("BadChunkSize", size.to_string()),
            E::IncompleteBody | E::MalformedChunk(_) => plain(Code::IncompleteBody),
            E::MalformedTrailer => plain(Code::MalformedTrailerError),
        }
    }
}

/// What the client should have signed, as AWS shows it: made of the client's own request, so nothing is told that it did not know. But
/// clients log errors, and no SSE-C key belongs into a log: a canonical request that holds one is left out.
fn does_not_match(mismatch: sigv4::Mismatch) -> S3Error {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let error = S3Error::new(Code::SignatureDoesNotMatch)
        .detail("AWSAccessKeyId", mismatch.access_key_id)
        .detail("StringToSign", text(&mismatch.string_to_sign))
        .detail("SignatureProvided", mismatch.provided)
        .detail("StringToSignBytes", hex(&mismatch.string_to_sign));
    if mismatch.canonical_request.is_empty() || holds_customer_key(&mismatch.canonical_request) {
        return error;
    }
    error
        .detail("CanonicalRequest", text(&mismatch.canonical_request))
        .detail("CanonicalRequestBytes", hex(&mismatch.canonical_request))
}

/// Whether a header or a query parameter of SSE-C, or of a copy's source under SSE-C, is in a canonical request.
fn holds_customer_key(canonical_request: &[u8]) -> bool {
    const NAME: &[u8] = b"server-side-encryption-customer-key";
    canonical_request.windows(NAME.len()).any(|window| window.eq_ignore_ascii_case(NAME))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_table_holds_valid_statuses_and_texts() {
        for &code in Code::ALL {
            let error = S3Error::new(code);
            assert!(matches!(error.status().as_u16(), 304 | 400..=599) && !error.message().is_empty(), "{code:?}");
        }
    }

    #[test]
    fn errors_of_the_domain_become_awss_codes() {
        use objects::Error as E;
        let kms = |error: keys::Error| E::Kms(error);
        let cases = [
            (E::NoSuchKey, "NoSuchKey", 404),
            (E::NoSuchBucket, "NoSuchBucket", 404),
            (E::PreconditionFailed(Condition::IfMatch), "PreconditionFailed", 412),
            (E::ConditionalRequestConflict, "ConditionalRequestConflict", 409),
            (E::InvalidRange { size: 3 }, "InvalidRange", 416),
            (E::InvalidPartNumber { requested: 9, count: 2 }, "InvalidPartNumber", 416),
            (E::BadDigest(objects::Digest::Md5), "BadDigest", 400),
            (E::DamagedObject, "InternalError", 500),
            (E::StoreFull, "InsufficientStorage", 507),
            (E::Poisoned, "ServiceUnavailable", 503),
            (kms(keys::Error::NotFound("x".into())), "KMS.NotFoundException", 400),
            (kms(keys::Error::Disabled("x".into())), "KMS.DisabledException", 400),
            (kms(keys::Error::KmsInvalidState("x".into())), "KMS.KMSInvalidStateException", 400),
            (kms(keys::Error::AccessDenied("x".into())), "AccessDenied", 403),
            (kms(keys::Error::Throttling("x".into())), "SlowDown", 503),
            (
                E::Body(objects::BodyError::new(crate::body::ReadError::from(sigv4::Error::MalformedTrailer))),
                "MalformedTrailerError",
                400,
            ),
        ];
        for (error, code, status) in cases {
            let shown = format!("{error:?}");
            let answer = S3Error::from(error);
            assert_eq!((answer.code(), answer.status().as_u16()), (code, status), "{shown}");
        }
    }

    #[test]
    fn the_body_has_awss_elements_and_escapes() {
        let error = S3Error::argument("a < b", "x", "<y>").detail("BucketName", "b");
        assert_eq!(
            error.to_xml("/b/k&", "ID", "HOST"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidArgument</Code><Message>a &lt; b</Message><ArgumentName>x</ArgumentName><ArgumentValue>&lt;y&gt;</ArgumentValue><BucketName>b</BucketName><Resource>/b/k&amp;</Resource><RequestId>ID</RequestId><HostId>HOST</HostId></Error>"
        );
    }

    #[test]
    fn a_canonical_request_with_a_customer_key_is_not_shown() {
        let shown = |canonical_request: &str| {
            let mismatch = sigv4::Mismatch {
                access_key_id: "AKIA".to_owned(),
                provided: "00".to_owned(),
                string_to_sign: b"AWS4-HMAC-SHA256".to_vec(),
                canonical_request: canonical_request.as_bytes().to_vec(),
            };
            does_not_match(mismatch).to_xml("/", "", "")
        };
        assert!(shown("GET\n/\n\nhost:h\n").contains("<CanonicalRequest>GET"));
        for line in [
            "x-amz-server-side-encryption-customer-key:c2VjcmV0\n",
            "x-amz-copy-source-server-side-encryption-customer-key:c2VjcmV0\n",
            "X-Amz-Server-Side-Encryption-Customer-Key=c2VjcmV0\n",
        ] {
            let xml = shown(line);
            assert!(xml.contains("<StringToSign>") && !xml.contains("CanonicalRequest"), "{xml}");
        }
    }

    #[test]
    fn a_range_error_tells_the_size() {
        let error = S3Error::from(objects::Error::InvalidRange { size: 7 });
        assert_eq!(error.headers()[0].1, "bytes */7");
    }
}
