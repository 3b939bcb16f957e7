//! CopyObject, and how a copy names its source.

use super::call::{Call, Version, version, xml};
use super::date;
use super::error::{Code, S3Error};
use super::headers::{self, text};
use super::permission::{Held, Target};
use super::xml::Writer;
use crate::authorize::Authorized;
use crate::response::Response;
use objects::{
    Bucket, BucketName, Checksum, CopyObject, CopySource, EncryptionRequest, MetadataDirective, ObjectName,
    TaggingDirective,
};
use std::sync::Arc;

/// `x-amz-copy-source`, parsed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SourceName {
    pub(crate) bucket: BucketName,
    pub(crate) key: ObjectName,
    /// The version id that it names.
    pub(crate) version: Option<String>,
}

pub(crate) async fn copy_object(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let tags = headers::tagging_directive(call.headers())?;
    let source_name = source_name(call)?;
    if let TaggingDirective::Replace(own) = &tags {
        call.tags = own.clone();
    }
    let bucket = call.authorized_object("s3:PutObject").await?;
    call.permit_extras(bucket.bucket()).await?;
    let sent = call.headers();
    let encryption = headers::requested(sent, call.request.secure)?;
    let metadata = directive(call)?;
    let (checksum, _) = headers::upload_algorithm(sent)?;
    let condition = headers::write_condition(sent)?;
    let name = call.object_name()?;
    let onto_itself = source_name.bucket == bucket.name && source_name.key == *name;
    if onto_itself && matches!((&metadata, &encryption), (MetadataDirective::Copy, EncryptionRequest::Default)) {
        return Err(S3Error::request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let mut source = source(call, source_name).await?;
    if tags == TaggingDirective::Copy {
        source.take_tags(call, bucket.bucket()).await?;
    }
    let source = source.into_source();
    let (from, sought) = (Arc::clone(&source.bucket), source.name.clone());
    let request = CopyObject { source, encryption, metadata, tags, checksum, condition };
    let stored = match call.app.objects.copy_object(bucket.principal(), &bucket, name, request).await {
        Ok(stored) => stored,
        Err(error) => return Err(call.missing(&from, &sought, error).await),
    };
    let mut response = xml(Writer::document("CopyObjectResult", |xml| {
        xml.text("LastModified", &date::iso(stored.modified));
        xml.text("ETag", &stored.etag.quoted());
        if let Some(checksum) = &stored.checksum {
            checksum_elements(xml, checksum);
        }
    }));
    headers::set_applied(&mut response.headers, &stored.applied);
    Ok(response)
}

/// The object that a copy reads, and the proof that the caller may read it.
pub(crate) struct Readable {
    held: Authorized<Held>,
    source: CopySource,
    version: Option<String>,
}

/// Finds a copy's source and decides whether the caller may read it.
pub(crate) async fn source(call: &Call<'_>, name: SourceName) -> Result<Readable, S3Error> {
    let customer_key = headers::copy_source_customer_key(call.headers(), call.request.secure)?;
    let conditions = headers::copy_source_conditions(call.headers())?;
    let bucket = call.source_bucket(&name.bucket).await?;
    let SourceName { key, version, .. } = name;
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let held = call.permit(Target::object(&bucket, &key, version.as_deref()), action).await?;
    let seen = held.seen().cloned();
    Ok(Readable { held, source: CopySource { bucket, name: key, customer_key, conditions, seen }, version })
}

impl Readable {
    /// A source's tags go with the copy: reading them and writing them are actions of their own, where there are any.
    async fn take_tags(&mut self, call: &Call<'_>, target: &Arc<Bucket>) -> Result<(), S3Error> {
        let (bucket, key) = (self.held.bucket(), &self.source.name);
        let tags = match call.app.objects.object_tags(bucket, key).await {
            Ok(tags) => tags,
            Err(error) => return Err(call.missing(bucket, key, error).await),
        };
        if self.source.seen.as_ref().is_some_and(|seen| *seen != tags) {
            return Err(Code::OperationAborted.into());
        }
        if !tags.is_empty() {
            let version = self.version.as_deref();
            let action = if version.is_some() { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
            call.permit(Target::object(bucket, key, version), action).await?;
            call.permit_object(target, "s3:PutObjectTagging").await?;
        }
        self.source.seen = Some(tags);
        Ok(())
    }

    pub(crate) fn into_source(self) -> CopySource {
        self.source
    }
}

/// The source that a request names.
pub(crate) fn source_name(call: &Call<'_>) -> Result<SourceName, S3Error> {
    let value = headers::single(call.headers(), "x-amz-copy-source")?.map(|value| value.as_bytes()).unwrap_or_default();
    // Some clients send a key's UTF-8 as it is.
    let value = std::str::from_utf8(value).map_err(|_| malformed_source(""))?;
    parse_source(value)
}

/// `[/]bucket/key[?versionId=id]`, percent-encoded.
pub(super) fn parse_source(value: &str) -> Result<SourceName, S3Error> {
    let (path, id) = match value.rsplit_once("?versionId=") {
        Some((path, id)) => (path, Some(id)),
        None => (value, None),
    };
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().map_err(|_| malformed_source(value))?;
    let decoded = decoded.strip_prefix('/').unwrap_or(&decoded);
    if decoded.starts_with("arn:") {
        return Err(S3Error::not_implemented("x-amz-copy-source")
            .detail("AdditionalMessage", "Access points are not implemented."));
    }
    let (bucket, key) = decoded.split_once('/').ok_or_else(|| malformed_source(value))?;
    if bucket.is_empty() || key.is_empty() {
        return Err(malformed_source(value));
    }
    let version_id = id.map(str::to_owned);
    let name = SourceName { bucket: BucketName::parse(bucket)?, key: ObjectName::parse(key)?, version: version_id };
    match id.map_or(Ok(Version::Current), version)? {
        Version::Current => Ok(name),
        Version::Absent => Err(S3Error::new(Code::NoSuchVersion).detail("VersionId", id.unwrap_or_default())),
    }
}

fn malformed_source(value: &str) -> S3Error {
    S3Error::argument(
        "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        "x-amz-copy-source",
        value,
    )
}

/// `x-amz-metadata-directive`. With COPY, AWS too takes no notice of the request's own metadata.
fn directive(call: &Call<'_>) -> Result<MetadataDirective, S3Error> {
    match text(call.headers(), "x-amz-metadata-directive")? {
        None | Some("COPY") => Ok(MetadataDirective::Copy),
        Some("REPLACE") => Ok(MetadataDirective::Replace(headers::parse_metadata(call.headers())?)),
        Some(other) => Err(S3Error::argument("Unknown metadata directive.", "x-amz-metadata-directive", other)),
    }
}

/// `ChecksumX` and `ChecksumType`.
pub(crate) fn checksum_elements(xml: &mut Writer, checksum: &Checksum) {
    xml.text(checksum_element(checksum.value.algorithm()), &checksum.to_string());
    xml.text("ChecksumType", checksum.kind.label());
}

/// The element that holds a value of an algorithm.
pub(crate) fn checksum_element(algorithm: objects::Algorithm) -> &'static str {
    use objects::Algorithm;
    match algorithm {
        Algorithm::Crc32 => "ChecksumCRC32",
        Algorithm::Crc32c => "ChecksumCRC32C",
        Algorithm::Crc64Nvme => "ChecksumCRC64NVME",
        Algorithm::Sha1 => "ChecksumSHA1",
        Algorithm::Sha256 => "ChecksumSHA256",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn sources_with_and_without_slash_encoding_and_version() {
        let key = |value| parse_source(value).unwrap().key.as_str().to_owned();
        assert_eq!(key("bkt/a/b"), "a/b");
        assert_eq!(key("/bkt/a%20b+c%3FversionId"), "a b+c?versionId");
        assert_eq!(key("%2Fbkt%2Fa"), "a");
        assert_eq!(key("bkt/a?versionId=null"), "a");
        assert_eq!(key("bkt/a?b"), "a?b");
        assert_eq!(key("bkt//a"), "/a");
    }

    #[test]
    fn sources_that_are_refused() {
        let code = |value: &str| parse_source(value).unwrap_err().code().to_owned();
        for value in ["", "/", "bkt", "bkt/", "/bkt", "%ff/x"] {
            assert_eq!(code(value), "InvalidArgument", "{value}");
        }
        assert_eq!(code(&format!("bkt/a?versionId={}", "v".repeat(32))), "NoSuchVersion");
        assert_eq!(code("bkt/a?versionId=1"), "InvalidArgument");
        assert_eq!(code("B/a"), "InvalidBucketName");
        assert_eq!(code("arn:aws:s3:us-east-1:1:accesspoint/x/object/k"), "NotImplemented");
    }
}
