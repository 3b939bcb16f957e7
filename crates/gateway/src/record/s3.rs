//! Records of S3: what is a data event, what CloudTrail calls it, and what it shows of requests and answers.
//!
//! S3 User Guide, "Amazon S3 CloudTrail events" and "CloudTrail log file entries for Amazon S3"; CloudTrail User Guide, "Logging data
//! events". Shown are headers and parameters of lists, so that nothing is shown that nobody has thought of: no header of SSE-C, no
//! signature, no session token, no user metadata.

use http::{HeaderMap, HeaderName, header};
use keys::AccountId;

use super::event::{Resource, TlsDetails};
use super::json::{self, Object};
use super::xml;
use crate::request::{Request, RequestId};
use crate::response::{Response, ResponseBody};

/// `eventSource`
pub(crate) const SOURCE: &str = "s3.amazonaws.com";
/// `resources.type`
const OBJECT: &str = "AWS::S3::Object";
const BUCKET: &str = "AWS::S3::Bucket";

/// What a request names.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) bucket: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    /// Whose the bucket is, if there is such a bucket.
    pub(crate) owner: Option<AccountId>,
}

/// Whether an operation of the model is a data event.
pub(crate) fn is_data(operation: &str, target: Target<'_>) -> bool {
    target.key.is_some() || DATA_OF_BUCKETS.contains(&operation)
}

/// Whether it changes nothing.
pub(crate) fn is_read_only(operation: &str) -> bool {
    ["Get", "Head", "List", "Select"].iter().any(|prefix| operation.starts_with(prefix))
}

/// What CloudTrail calls it: some operations have other names than in the model.
pub(crate) fn event_name(operation: &'static str) -> &'static str {
    RENAMED.iter().find(|(name, _)| *name == operation).map_or(operation, |(_, renamed)| renamed)
}

/// What was acted upon. Of data events the objects first; of those that name none, the beginning of their names.
pub(crate) fn resources(data: bool, target: Target<'_>) -> Vec<Resource> {
    let Some(bucket) = target.bucket else { return Vec::new() };
    let whole = Resource { account: target.owner, kind: BUCKET, arn: format!("arn:aws:s3:::{bucket}"), prefix: false };
    let object = match target.key {
        _ if !data => return vec![whole],
        Some(key) => {
            Resource { account: None, kind: OBJECT, arn: format!("arn:aws:s3:::{bucket}/{key}"), prefix: false }
        }
        None => Resource { account: None, kind: OBJECT, arn: format!("arn:aws:s3:::{bucket}/"), prefix: true },
    };
    vec![object, whole]
}

/// `requestParameters`
pub(crate) fn parameters(request: &Request, operation: &str, target: Target<'_>, out: &mut Vec<u8>) {
    Object::write(out, |parameters| {
        parameters.maybe("bucketName", target.bucket);
        parameters.maybe("Host", request.header(header::HOST));
        parameters.maybe("key", target.key);
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in request.query.iter() {
            let lower = name.to_ascii_lowercase();
            let shown =
                SHOWN_PARAMETERS.contains(&name) || PRESIGNED.contains(&lower.as_str()) || is_shown_header(&lower);
            if shown && !seen.contains(&name) {
                parameters.text(name, value);
                seen.push(name);
            }
        }
        for (name, value) in headers(&request.headers, is_shown_header) {
            if !seen.contains(&name) {
                parameters.text(name, value);
            }
        }
        if let Some(document) = request.document.as_deref().filter(|_| !is_data(operation, target)) {
            match operation {
                "PutBucketPolicy" => {
                    // What is no JSON, or too deep, is left out.
                    let policy = serde_json::from_slice(document).unwrap_or_default();
                    json::value(parameters.member("bucketPolicy"), &policy);
                }
                _ => xml::write(document, parameters),
            }
        }
    });
}

/// `responseElements`: of what changes something.
pub(crate) fn elements(operation: &str, response: &Response, out: &mut Vec<u8>) {
    if is_read_only(operation) || !response.status.is_success() {
        return;
    }
    let mut shown = headers(&response.headers, is_shown_header).peekable();
    if shown.peek().is_some() {
        Object::write(out, |elements| shown.for_each(|(name, value)| elements.text(name, value)));
    }
}

/// `additionalEventData`
pub(crate) fn additional(request: &Request, response: &Response, tls: Option<&TlsDetails>, out: &mut Vec<u8>) {
    let in_header = request.headers.contains_key(header::AUTHORIZATION);
    let in_query = || request.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Signature"));
    let method = if in_header { Some("AuthHeader") } else { in_query().then_some("QueryString") };
    Object::write(out, |data| {
        data.maybe("SignatureVersion", method.map(|_| "SigV4"));
        data.maybe("CipherSuite", tls.map(|tls| tls.cipher_suite));
        data.number("bytesTransferredIn", received(request, response));
        data.maybe("SSEApplied", applied(request, response));
        data.maybe("AuthenticationMethod", method);
        data.text("x-amz-id-2", &RequestId::extended(&request.id));
        data.number("bytesTransferredOut", sent(response));
    });
}

/// Plaintext bytes of the request's body, if it was taken.
fn received(request: &Request, response: &Response) -> u64 {
    let length = request.header("x-amz-decoded-content-length").or_else(|| request.header(header::CONTENT_LENGTH));
    length.filter(|_| response.status.is_success()).and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// Bytes of the answer's body, as announced: the record is written before they leave.
fn sent(response: &Response) -> u64 {
    match &response.body {
        ResponseBody::Empty => 0,
        ResponseBody::Full(body) => body.len() as u64,
        ResponseBody::Object { length, .. } => *length,
    }
}

/// How the object is encrypted, and whether that was asked for or is the bucket's default.
fn applied(request: &Request, response: &Response) -> Option<&'static str> {
    if response.headers.contains_key(SSE_C) {
        return Some("SSE_C");
    }
    let by_default = !is_read_only(response.operation) && !request.headers.contains_key(SSE);
    match (response.headers.get(SSE)?.as_bytes(), by_default) {
        (b"AES256", true) => Some("Default_SSE_S3"),
        (b"AES256", false) => Some("SSE_S3"),
        (b"aws:kms", true) => Some("Default_SSE_KMS"),
        (b"aws:kms", false) => Some("SSE_KMS"),
        (b"aws:kms:dsse", _) => Some("DSSE_KMS"),
        _ => None,
    }
}

/// Each header once.
fn headers(headers: &HeaderMap, shown: fn(&str) -> bool) -> impl Iterator<Item = (&str, &str)> {
    headers
        .keys()
        .map(HeaderName::as_str)
        .filter(move |name| shown(name))
        .filter_map(|name| Some((name, headers.get(name)?.to_str().ok()?)))
}

/// `name` in lower case.
fn is_shown_header(name: &str) -> bool {
    name.starts_with("x-amz-") && SHOWN_HEADERS.iter().any(|shown| *shown == &name[6..])
}

const SSE: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
const SSE_C: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-customer-algorithm");

/// Operations on a bucket that concern its objects.
const DATA_OF_BUCKETS: [&str; 6] =
    ["DeleteObjects", "HeadBucket", "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2"];

const RENAMED: [(&str, &str); 9] = [
    ("DeletePublicAccessBlock", "DeleteBucketPublicAccessBlock"),
    ("GetBucketLifecycleConfiguration", "GetBucketLifecycle"),
    ("GetBucketNotificationConfiguration", "GetBucketNotification"),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("ListObjectsV2", "ListObjects"),
    ("PutBucketLifecycleConfiguration", "PutBucketLifecycle"),
    ("PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("PutBucketReplicationConfiguration", "PutBucketReplication"),
];

/// Behind `x-amz-`, in requests and in answers.
#[rustfmt::skip]
const SHOWN_HEADERS: &[&str] = &[
    "acl", "bucket-object-lock-enabled", "bypass-governance-retention", "confirm-remove-self-bucket-access",
    "copy-source", "copy-source-if-match", "copy-source-if-modified-since", "copy-source-if-none-match",
    "copy-source-if-unmodified-since", "copy-source-range", "delete-marker", "expected-bucket-owner",
    "grant-full-control", "grant-read", "grant-read-acp", "grant-write", "grant-write-acp", "metadata-directive", "object-attributes",
    "object-lock-legal-hold", "object-lock-mode", "object-lock-retain-until-date", "object-ownership", "request-payer",
    "server-side-encryption", "server-side-encryption-aws-kms-key-id", "server-side-encryption-bucket-key-enabled",
    "server-side-encryption-context", "source-expected-bucket-owner", "storage-class", "tagging",
    "tagging-directive", "version-id", "website-redirect-location",
];

/// What is shown of a presigned query: neither its signature, nor its credential, nor its session token.
const PRESIGNED: [&str; 4] = ["x-amz-algorithm", "x-amz-date", "x-amz-expires", "x-amz-signedheaders"];

#[rustfmt::skip]
const SHOWN_PARAMETERS: &[&str] = &[
    "acl", "attributes", "continuation-token", "delete", "delimiter", "encoding-type", "encryption", "fetch-owner", "id-marker",
    "key-marker", "legal-hold", "lifecycle", "list-type", "location", "logging", "marker", "max-buckets", "max-keys", "max-parts",
    "max-uploads", "notification", "object-lock", "ownershipControls", "part-number-marker", "partNumber", "policy", "policyStatus",
    "prefix", "publicAccessBlock", "replication", "requestPayment", "response-cache-control", "response-content-disposition",
    "response-content-encoding", "response-content-language", "response-content-type", "response-expires", "restore", "retention",
    "start-after", "tagging", "upload-id-marker", "uploadId", "uploads", "version-id-marker", "versionId", "versioning", "versions",
    "website",
];
