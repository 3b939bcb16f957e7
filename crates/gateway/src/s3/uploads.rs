//! ListParts and ListMultipartUploads.

use super::buckets::owner;
use super::call::{Call, NameEncoding, xml};
use super::copy::checksum_element;
use super::date;
use super::error::S3Error;
use super::headers;
use super::listing::common_prefixes;
use super::multipart::upload_id;
use super::xml::Writer;
use crate::response::Response;
use keys::AccountId;
use objects::{ListParts, ListUploads, PartEntry, UploadEntry, UploadId};

pub(crate) async fn list_parts(call: &mut Call<'_>) -> Result<Response, S3Error> {
    // AWS asks for an SSE-C key only where a checksum algorithm is set and nowhere needs it to answer; it is checked for form.
    headers::customer_key(call.headers(), call.request.secure)?;
    let bucket = call.authorized_object("s3:ListMultipartUploadParts").await?;
    let upload = upload_id(call)?;
    let name = call.object_name()?;
    let max_parts = call.page_size("max-parts", PAGE)?;
    let marker = call.page_size("part-number-marker", usize::from(u16::MAX))?;
    let marker = if call.query("part-number-marker").is_none_or(str::is_empty) { 0 } else { marker };
    let after = u16::try_from(marker).unwrap_or(u16::MAX);
    let request = ListParts { after, max_parts };
    let page = call.app.objects.list_parts(bucket.principal(), &bucket, name, &upload, &request).await?;
    Ok(xml(Writer::document("ListPartsResult", |xml| {
        xml.text("Bucket", bucket.name.as_str());
        xml.text("Key", name.as_str());
        xml.text("UploadId", &upload.to_string());
        initiator(xml, &page.upload, &bucket.owner);
        owner(xml, "Owner", &bucket.owner);
        xml.text("StorageClass", "STANDARD");
        checksum_kind(xml, &page.upload);
        xml.value("PartNumberMarker", after);
        if let Some(last) = page.next.or(page.parts.last().map(|part| part.number)) {
            xml.value("NextPartNumberMarker", last.value());
        }
        xml.value("MaxParts", max_parts);
        xml.value("IsTruncated", page.next.is_some());
        for part in &page.parts {
            xml.element("Part", |xml| describe_part(xml, part));
        }
    })))
}

pub(crate) async fn list_multipart_uploads(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_bucket("s3:ListBucketMultipartUploads").await?;
    let encoding = NameEncoding::of(call)?;
    let present = |name: &str| call.query(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let (after_name, upload_marker) = (present("key-marker"), present("upload-id-marker"));
    // Without a key marker AWS takes no notice of it.
    let after_upload = match upload_marker.as_deref().filter(|_| after_name.is_some()) {
        Some(marker) => Some(
            UploadId::parse(marker)
                .map_err(|_| S3Error::argument("Invalid uploadId marker", "upload-id-marker", marker))?,
        ),
        None => None,
    };
    let request = ListUploads {
        prefix: call.query("prefix").unwrap_or_default().to_owned(),
        delimiter: present("delimiter"),
        after_name,
        after_upload,
        max_uploads: call.page_size("max-uploads", PAGE)?,
    };
    let page = call.app.objects.list_uploads(&bucket, &request).await?;
    Ok(xml(Writer::document("ListMultipartUploadsResult", |xml| {
        xml.text("Bucket", bucket.name.as_str());
        xml.text("KeyMarker", &encoding.encode(request.after_name.as_deref().unwrap_or_default()));
        xml.text("UploadIdMarker", upload_marker.as_deref().unwrap_or_default());
        if let Some((name, upload)) = &page.next {
            xml.text("NextKeyMarker", &encoding.encode(name));
            xml.text("NextUploadIdMarker", &upload.map(|upload| upload.to_string()).unwrap_or_default());
        }
        xml.text("Prefix", &encoding.encode(&request.prefix));
        xml.optional("Delimiter", request.delimiter.as_deref().map(|delimiter| encoding.encode(delimiter)).as_deref());
        if encoding == NameEncoding::Url {
            xml.text("EncodingType", "url");
        }
        xml.value("MaxUploads", request.max_uploads);
        xml.value("IsTruncated", page.next.is_some());
        for upload in &page.uploads {
            xml.element("Upload", |xml| describe_upload(xml, upload, &bucket.owner, encoding));
        }
        common_prefixes(xml, &page.common_prefixes, encoding);
    })))
}

fn describe_part(xml: &mut Writer, part: &PartEntry) {
    xml.value("PartNumber", part.number.value());
    xml.text("LastModified", &date::iso(part.modified));
    xml.text("ETag", &part.etag.quoted());
    xml.value("Size", part.size);
    if let Some(value) = &part.checksum {
        xml.text(checksum_element(value.algorithm()), &value.to_string());
    }
}

fn describe_upload(xml: &mut Writer, upload: &UploadEntry, account: &AccountId, encoding: NameEncoding) {
    xml.text("Key", &encoding.encode(upload.name.as_str()));
    xml.text("UploadId", &upload.id.to_string());
    initiator(xml, upload, account);
    owner(xml, "Owner", account);
    xml.text("StorageClass", "STANDARD");
    xml.text("Initiated", &date::iso(upload.initiated));
    checksum_kind(xml, upload);
}

/// An account's root is named by the account, anybody else by ARN (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Initiator.html>).
fn initiator(xml: &mut Writer, upload: &UploadEntry, account: &AccountId) {
    let root = upload.initiator.ends_with(":root");
    let id = if root { account.as_str() } else { upload.initiator.as_str() };
    xml.element("Initiator", |xml| xml.text("ID", id));
}

fn checksum_kind(xml: &mut Writer, upload: &UploadEntry) {
    if let Some((algorithm, kind)) = upload.checksum {
        xml.text("ChecksumAlgorithm", algorithm.label());
        xml.text("ChecksumType", kind.label());
    }
}

/// Parts or uploads of one page (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>).
const PAGE: usize = 1_000;
