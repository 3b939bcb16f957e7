//! One request on its way through a handler.

use super::copy::source_name;
use super::error::{Code, S3Error};
use super::headers::{self, text};
use super::operation::Operation;
use super::permission::{Held, Target};
use crate::app::App;
use crate::auth::Authenticated;
use crate::authorize::Authorized;
use crate::body::ReadError;
use crate::request::Request;
use crate::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use keys::{AccountId, Principal};
use md5::{Digest as _, Md5};
use objects::{Body as _, Bucket, BucketName, ChecksumClaim, ChecksumValue, ObjectName, Tags};
use std::sync::Arc;

/// What a handler works on.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) caller: &'a Authenticated,
    pub(crate) operation: Operation,
    /// Parsed from the path or the host.
    pub(crate) bucket: Option<BucketName>,
    pub(crate) key: Option<ObjectName>,
    pub(crate) request: &'a mut Request,
    /// The tags that it brings.
    pub(crate) tags: Tags,
    /// The Region that a new bucket shall be in, if it says one.
    pub(crate) location: Option<String>,
}

/// The version that a request names, in a bucket that was never versioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// None, or `null`: the object itself.
    Current,
    /// One that cannot exist here.
    Absent,
}

impl Call<'_> {
    /// The request's headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.request.headers
    }

    /// A query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.request.query.value(name)
    }

    /// Who calls.
    pub(crate) fn principal(&self) -> &Principal {
        self.caller.principal()
    }

    /// The name of the request's bucket.
    pub(crate) fn bucket_name(&self) -> Result<&BucketName, S3Error> {
        self.bucket.as_ref().ok_or_else(|| Code::InvalidURI.into())
    }

    /// The name of the request's object.
    pub(crate) fn object_name(&self) -> Result<&ObjectName, S3Error> {
        self.key.as_ref().ok_or_else(|| Code::InvalidURI.into())
    }

    /// The request's bucket, if the caller may do `action` (`s3:ListBucket`) to it.
    pub(crate) async fn authorized_bucket(&self, action: &'static str) -> Result<Authorized<Held>, S3Error> {
        let bucket = self.requested_bucket().await?;
        self.permit(Target::bucket(&bucket), action).await
    }

    /// The request's bucket, if the caller may do `action` (`s3:GetObject`) to the request's object there.
    pub(crate) async fn authorized_object(&self, action: &'static str) -> Result<Authorized<Held>, S3Error> {
        let bucket = self.requested_bucket().await?;
        self.permit_object(&bucket, action).await
    }

    /// A further action on the request's object.
    pub(crate) async fn permit_object(
        &self,
        bucket: &Arc<Bucket>,
        action: &'static str,
    ) -> Result<Authorized<Held>, S3Error> {
        let target = Target::object(bucket, self.object_name()?, self.query("versionId"));
        self.permit(target, action).await
    }

    /// The action for requests that name a version, or the one for those that do not.
    pub(crate) fn by_version(&self, current: &'static str, version: &'static str) -> &'static str {
        if self.query("versionId").is_some() { version } else { current }
    }

    /// What a write needs that gives its object an ACL or tags, beside s3:PutObject.
    pub(crate) async fn permit_extras(&self, bucket: &Arc<Bucket>) -> Result<(), S3Error> {
        if self.headers().keys().any(|name| name == "x-amz-acl" || name.as_str().starts_with("x-amz-grant-")) {
            self.permit_object(bucket, "s3:PutObjectAcl").await?;
        }
        if !self.tags.is_empty() {
            self.permit_object(bucket, "s3:PutObjectTagging").await?;
        }
        headers::refuse_permitted(self.operation, self.headers())
    }

    /// The request's bucket, about which nothing has been decided yet.
    pub(crate) async fn requested_bucket(&self) -> Result<Arc<Bucket>, S3Error> {
        let expected = text(self.headers(), "x-amz-expected-bucket-owner")?;
        self.found_bucket(self.bucket_name()?, expected).await
    }

    /// As [`requested_bucket`](Self::requested_bucket), before a document is read that the decision depends on: whoever cannot be
    /// allowed anything there is refused before it costs memory.
    pub(crate) async fn promising_bucket(&self) -> Result<Arc<Bucket>, S3Error> {
        let bucket = self.requested_bucket().await?;
        if self.principal().account != bucket.owner && bucket.policy.is_none() {
            return Err(Code::AccessDenied.into());
        }
        Ok(bucket)
    }

    /// The bucket of a copy's source.
    pub(crate) async fn source_bucket(&self, name: &BucketName) -> Result<Arc<Bucket>, S3Error> {
        let expected = text(self.headers(), "x-amz-source-expected-bucket-owner")?;
        self.found_bucket(name, expected).await
    }

    async fn found_bucket(&self, name: &BucketName, expected: Option<&str>) -> Result<Arc<Bucket>, S3Error> {
        let expected = expected.map(expected_owner).transpose()?;
        let bucket = self.app.objects.bucket(name).await.map_err(|error| {
            let missing = matches!(error, objects::Error::NoSuchBucket);
            let error = S3Error::from(error);
            if missing { error.detail("BucketName", name.as_str()) } else { error }
        })?;
        if expected.is_some_and(|expected| expected != bucket.owner) {
            return Err(Code::AccessDenied.into());
        }
        Ok(bucket)
    }

    /// `versionId`. What AWS cannot read as a version id is `InvalidArgument`.
    pub(crate) fn version(&self) -> Result<Version, S3Error> {
        self.query("versionId").map_or(Ok(Version::Current), version)
    }

    /// [`Call::version`] where only the object itself will do.
    pub(crate) fn current_version(&self) -> Result<(), S3Error> {
        match self.version()? {
            Version::Current => Ok(()),
            Version::Absent => {
                let id = self.query("versionId").unwrap_or_default();
                Err(S3Error::new(Code::NoSuchVersion).detail("VersionId", id))
            }
        }
    }

    /// A number in the query, at most `limit`; `default` if absent or empty. More than `limit` counts as `limit`.
    pub(crate) fn page_size(&self, name: &str, limit: usize) -> Result<usize, S3Error> {
        match self.query(name) {
            None | Some("") => Ok(limit),
            Some(value) => match value.parse::<u32>() {
                Ok(number) if i32::try_from(number).is_ok() => Ok(usize::try_from(number).unwrap_or(limit).min(limit)),
                _ => {
                    let message = format!("Provided {name} not an integer or within integer range");
                    Err(S3Error::argument(message, name, value))
                }
            },
        }
    }

    /// The whole body of a document, held against Content-MD5 and a checksum if the request has them.
    pub(crate) async fn document(&mut self, limit: usize) -> Result<Bytes, S3Error> {
        let content_md5 = headers::content_md5(self.headers())?;
        let claim = headers::claim(self.headers())?;
        let body = self.request.body.collect(limit).await?;
        self.request.document = Some(body.clone());
        if content_md5.is_some_and(|digest| digest != <[u8; 16]>::from(Md5::digest(&body))) {
            return Err(objects::Error::BadDigest(objects::Digest::Md5).into());
        }
        let value = match claim {
            None | Some(ChecksumClaim::Compute(_)) => return Ok(body),
            Some(ChecksumClaim::Value(value)) => value,
            Some(ChecksumClaim::Trailer(announced)) => match self.request.body.trailing_checksum() {
                Some((algorithm, text)) if algorithm == announced => ChecksumValue::parse(algorithm, &text)?,
                _ => return Err(Code::MalformedTrailerError.into()),
            },
        };
        if ChecksumValue::compute(value.algorithm(), &body) != value {
            return Err(objects::Error::BadDigest(objects::Digest::Checksum(value.algorithm())).into());
        }
        Ok(body)
    }

    /// Adds what AWS's errors say of the resource.
    pub(crate) fn explain(&self, error: S3Error) -> S3Error {
        let code = error.code().to_owned();
        match (code.as_str(), &self.bucket, &self.key) {
            ("BucketAlreadyExists" | "BucketAlreadyOwnedByYou" | "BucketNotEmpty", Some(bucket), _) => {
                error.detail("BucketName", bucket.as_str())
            }
            ("NoSuchKey" | "NoSuchVersion", _, Some(key)) => match self.missing_source() {
                Some(source) => error.detail("Key", source.as_str()),
                None => error.detail("Key", key.as_str()),
            },
            ("NoSuchUpload", ..) => match self.query("uploadId") {
                Some(id) => error.detail("UploadId", id.to_owned()),
                None => error,
            },
            _ => error,
        }
    }

    /// What a copy that found no object was to read. With `If-Match` it may be the target that is not there.
    fn missing_source(&self) -> Option<ObjectName> {
        let copies = matches!(self.operation, Operation::CopyObject | Operation::UploadPartCopy);
        if !copies || self.headers().contains_key(http::header::IF_MATCH) {
            return None;
        }
        source_name(self).ok().map(|source| source.key)
    }
}

/// A version id of a request or a `Delete` document.
pub(crate) fn version(id: &str) -> Result<Version, S3Error> {
    let plausible = id.len() == AWS_VERSION_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    match id {
        "null" => Ok(Version::Current),
        "" => Err(S3Error::argument("Version id cannot be the empty string", "versionId", "")),
        _ if plausible => Ok(Version::Absent),
        _ => Err(S3Error::argument("Invalid version id specified", "versionId", id)),
    }
}

/// An answer that is a document.
pub(crate) fn xml(document: String) -> Response {
    Response::full(StatusCode::OK, super::XML, document)
}

/// `encoding-type`: names as they are, or percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameEncoding {
    Plain,
    Url,
}

impl NameEncoding {
    /// From the query.
    pub(crate) fn of(call: &Call<'_>) -> Result<NameEncoding, S3Error> {
        match call.query("encoding-type") {
            None | Some("") => Ok(NameEncoding::Plain),
            Some(value) if value.eq_ignore_ascii_case("url") => Ok(NameEncoding::Url),
            Some(other) => {
                Err(S3Error::argument("Invalid Encoding Method specified in Request", "encoding-type", other))
            }
        }
    }

    /// A key, prefix, delimiter or marker as it stands in a listing. Like AWS: `/`, `*` and the unreserved stay, a space is a `+`.
    pub(crate) fn encode(self, name: &str) -> String {
        if self == NameEncoding::Plain {
            return name.to_owned();
        }
        let mut encoded = String::with_capacity(name.len());
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                    encoded.push(char::from(byte))
                }
                b' ' => encoded.push('+'),
                other => encoded.push_str(percent_encoding::percent_encode_byte(other)),
            }
        }
        encoded
    }
}

fn expected_owner(value: &str) -> Result<AccountId, S3Error> {
    AccountId::parse(value).map_err(|_| {
        S3Error::argument(
            "The value of the expected bucket owner parameter must be an AWS Account ID",
            "expectedBucketOwner",
            value,
        )
    })
}

impl From<ReadError> for S3Error {
    fn from(error: ReadError) -> S3Error {
        match error {
            ReadError::Signature(error) => error.into(),
            ReadError::Incomplete => Code::IncompleteBody.into(),
            ReadError::Silence => Code::RequestTimeout.into(),
            ReadError::TooLong { limit } => {
                S3Error::new(Code::MaxMessageLengthExceeded).detail("MaxMessageLengthBytes", limit.to_string())
            }
        }
    }
}

/// Characters of AWS's own version ids.
const AWS_VERSION_ID: usize = 32;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn version_ids_of_a_bucket_without_versions() {
        assert_eq!(version("null").unwrap(), Version::Current);
        assert_eq!(version(&"a".repeat(32)).unwrap(), Version::Absent);
        assert_eq!(version("").unwrap_err().code(), "InvalidArgument");
        assert_eq!(version("nonsense").unwrap_err().code(), "InvalidArgument");
    }

    #[test]
    fn names_are_encoded_as_aws_encodes_them() {
        assert_eq!(NameEncoding::Url.encode("a b+c/ä~(1)*.png\u{1}"), "a+b%2Bc/%C3%A4%7E%281%29*.png%01");
        assert_eq!(NameEncoding::Plain.encode("a b"), "a b");
    }
}
