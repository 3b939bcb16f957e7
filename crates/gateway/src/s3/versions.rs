//! Versioning as it is: no bucket was ever versioned, so every object is the `null` version and the latest one.

use super::buckets::owner;
use super::call::{Call, NameEncoding, xml};
use super::error::S3Error;
use super::listing::{common_prefixes, listing, stored};
use super::xml::Writer;
use crate::response::Response;
use objects::Entry;

/// Of a bucket that was never versioned AWS says nothing
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>).
pub(crate) async fn get_bucket_versioning(call: &mut Call<'_>) -> Result<Response, S3Error> {
    call.authorized_bucket("s3:GetBucketVersioning").await?;
    Ok(xml(Writer::document("VersioningConfiguration", |_| {})))
}

pub(crate) async fn list_object_versions(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:ListBucketVersions").await?;
    let encoding = NameEncoding::of(call)?;
    let marker = call.query("key-marker").unwrap_or_default();
    let version_marker = call.query("version-id-marker").unwrap_or_default();
    if marker.is_empty() && !version_marker.is_empty() {
        let message = "A version-id marker cannot be specified without a key marker.";
        return Err(S3Error::argument(message, "version-id-marker", version_marker));
    }
    let listing = listing(call, Some(marker).filter(|marker| !marker.is_empty()).map(str::to_owned))?;
    let page = call.app.objects.list_objects(&bucket, &listing).await?;
    Ok(xml(Writer::document("ListVersionsResult", |xml| {
        xml.text("Name", bucket.name.as_str());
        xml.text("Prefix", &encoding.encode(&listing.prefix));
        xml.text("KeyMarker", &encoding.encode(marker));
        xml.text("VersionIdMarker", version_marker);
        if let Some(next) = &page.next {
            xml.text("NextKeyMarker", &encoding.encode(next));
            // Behind a common prefix there is no version to go on from.
            if !page.common_prefixes.contains(next) {
                xml.text("NextVersionIdMarker", NULL);
            }
        }
        xml.value("MaxKeys", listing.max_keys);
        xml.optional("Delimiter", listing.delimiter.as_deref().map(|delimiter| encoding.encode(delimiter)).as_deref());
        if encoding == NameEncoding::Url {
            xml.text("EncodingType", "url");
        }
        xml.value("IsTruncated", page.next.is_some());
        for entry in &page.entries {
            xml.element("Version", |xml| {
                version(xml, entry, encoding);
                owner(xml, "Owner", &bucket.owner);
            });
        }
        common_prefixes(xml, &page.common_prefixes, encoding);
    })))
}

fn version(xml: &mut Writer, entry: &Entry, encoding: NameEncoding) {
    xml.text("Key", &encoding.encode(entry.name.as_str()));
    xml.text("VersionId", NULL);
    xml.value("IsLatest", true);
    stored(xml, entry);
}

/// The version id of an object that was stored without versioning.
const NULL: &str = "null";
