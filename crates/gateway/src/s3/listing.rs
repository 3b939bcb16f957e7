//! ListObjects and ListObjectsV2.

use super::buckets::owner;
use super::call::{Call, NameEncoding, xml};
use super::date;
use super::error::S3Error;
use super::xml::Writer;
use crate::response::Response;
use data_encoding::BASE64URL_NOPAD;
use keys::AccountId;
use objects::{Entry, Listing, Page};

pub(crate) async fn list_objects(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:ListBucket").await?;
    let encoding = NameEncoding::of(call)?;
    let marker = call.query("marker").unwrap_or_default();
    let listing = listing(call, Some(marker).filter(|marker| !marker.is_empty()).map(str::to_owned))?;
    let page = call.app.objects.list_objects(&bucket, &listing).await?;
    Ok(xml(Writer::document("ListBucketResult", |xml| {
        xml.text("Name", bucket.name.as_str());
        xml.text("Prefix", &encoding.encode(&listing.prefix));
        xml.text("Marker", &encoding.encode(marker));
        // Without a delimiter the last key is the marker, and AWS leaves it at that.
        if let Some(next) = page.next.as_ref().filter(|_| listing.delimiter.is_some()) {
            xml.text("NextMarker", &encoding.encode(next));
        }
        xml.value("MaxKeys", listing.max_keys);
        common(xml, &listing, &page, encoding, Some(&bucket.owner));
    })))
}

pub(crate) async fn list_objects_v2(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:ListBucket").await?;
    let encoding = NameEncoding::of(call)?;
    let start_after = call.query("start-after").filter(|start| !start.is_empty());
    let token = call.query("continuation-token");
    let after = match token {
        Some(token) => Some(open_token(token)?),
        None => start_after.map(str::to_owned),
    };
    let listing = listing(call, after)?;
    let owner = Some(&bucket.owner).filter(|_| call.query("fetch-owner") == Some("true"));
    let page = call.app.objects.list_objects(&bucket, &listing).await?;
    Ok(xml(Writer::document("ListBucketResult", |xml| {
        xml.text("Name", bucket.name.as_str());
        xml.text("Prefix", &encoding.encode(&listing.prefix));
        xml.optional("StartAfter", start_after.map(|start| encoding.encode(start)).as_deref());
        xml.optional("ContinuationToken", token);
        xml.optional("NextContinuationToken", page.next.as_deref().map(seal_token).as_deref());
        xml.value("KeyCount", page.entries.len() + page.common_prefixes.len());
        xml.value("MaxKeys", listing.max_keys);
        common(xml, &listing, &page, encoding, owner);
    })))
}

/// What every listing of objects asks, but for where it begins.
pub(crate) fn listing(call: &Call<'_>, after: Option<String>) -> Result<Listing, S3Error> {
    Ok(Listing {
        prefix: call.query("prefix").unwrap_or_default().to_owned(),
        delimiter: call.query("delimiter").filter(|delimiter| !delimiter.is_empty()).map(str::to_owned),
        after,
        max_keys: call.page_size("max-keys", KEY_PAGE)?,
    })
}

/// What both versions of the operation say alike.
fn common(xml: &mut Writer, listing: &Listing, page: &Page, encoding: NameEncoding, owner: Option<&AccountId>) {
    xml.optional("Delimiter", listing.delimiter.as_deref().map(|delimiter| encoding.encode(delimiter)).as_deref());
    if encoding == NameEncoding::Url {
        xml.text("EncodingType", "url");
    }
    xml.value("IsTruncated", page.next.is_some());
    for entry in &page.entries {
        xml.element("Contents", |xml| contents(xml, entry, encoding, owner));
    }
    common_prefixes(xml, &page.common_prefixes, encoding);
}

/// `CommonPrefixes`.
pub(crate) fn common_prefixes(xml: &mut Writer, prefixes: &[String], encoding: NameEncoding) {
    for prefix in prefixes {
        xml.element("CommonPrefixes", |xml| xml.text("Prefix", &encoding.encode(prefix)));
    }
}

/// What listings of objects and of versions say alike.
pub(crate) fn stored(xml: &mut Writer, entry: &Entry) {
    xml.text("LastModified", &date::iso(entry.modified));
    xml.text("ETag", &entry.etag.quoted());
    if let Some((algorithm, kind)) = entry.checksum {
        xml.text("ChecksumAlgorithm", algorithm.label());
        xml.text("ChecksumType", kind.label());
    }
    xml.value("Size", entry.size);
    xml.text("StorageClass", "STANDARD");
}

/// What a listing says of an object.
pub(crate) fn contents(xml: &mut Writer, entry: &Entry, encoding: NameEncoding, account: Option<&AccountId>) {
    xml.text("Key", &encoding.encode(entry.name.as_str()));
    stored(xml, entry);
    if let Some(account) = account {
        owner(xml, "Owner", account);
    }
}

/// A continuation token: a version byte and the name after which the next page begins, in base64. Not a secret, and not to be relied on.
pub(crate) fn seal_token(after: &str) -> String {
    BASE64URL_NOPAD.encode(&[&[TOKEN_VERSION], after.as_bytes()].concat())
}

/// Reads a continuation token.
pub(crate) fn open_token(token: &str) -> Result<String, S3Error> {
    let bad = || S3Error::argument("The continuation token provided is incorrect", "continuation-token", token);
    match BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| bad())?.as_slice() {
        [TOKEN_VERSION, name @ ..] if !name.is_empty() => String::from_utf8(name.to_vec()).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// Keys and prefixes of one page (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
const KEY_PAGE: usize = 1_000;
const TOKEN_VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn tokens_go_both_ways_and_nothing_else_does() {
        for name in ["a", "ä/b c\u{1}", &"k".repeat(1_024)] {
            assert_eq!(open_token(&seal_token(name)).unwrap(), name);
        }
        for bad in ["", "AQ", "!!", "Af8", "Amtr", "a"] {
            assert_eq!(open_token(bad).unwrap_err().code(), "InvalidArgument", "{bad}");
        }
    }
}
