//! CreateMultipartUpload, CompleteMultipartUpload, AbortMultipartUpload.

use super::call::{Call, xml};
use super::circumstances::UPLOAD_HEADERS;
use super::copy::checksum_elements;
use super::error::S3Error;
use super::headers::{self, text};
use super::xml::Writer;
use super::xml::request::{self, CompletePart};
use crate::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use objects::{ChecksumValue, CompleteUpload, CompletedPart, CreateUpload, PartNumber, UploadId};

pub(crate) async fn create_multipart_upload(call: &mut Call<'_>) -> Result<Response, S3Error> {
    call.tags = headers::tagging(call.headers())?;
    let bucket = call.authorized_object("s3:PutObject").await?;
    call.permit_extras(bucket.bucket()).await?;
    let sent = call.headers();
    let (checksum, checksum_type) = headers::upload_algorithm(sent)?;
    let request = CreateUpload {
        metadata: headers::parse_metadata(sent)?,
        encryption: headers::requested(sent, call.request.secure)?,
        checksum,
        checksum_type,
        tags: call.tags.clone(),
        said: said(sent)?,
    };
    let name = call.object_name()?;
    let created = call.app.objects.create_upload(bucket.principal(), &bucket, name, request).await?;
    let mut response = xml(Writer::document("InitiateMultipartUploadResult", |xml| {
        xml.text("Bucket", bucket.name.as_str());
        xml.text("Key", name.as_str());
        xml.text("UploadId", &created.id.to_string());
    }));
    headers::set_applied(&mut response.headers, &created.applied);
    if let Some((algorithm, kind)) = created.checksum {
        response.set(CHECKSUM_ALGORITHM, HeaderValue::from_static(algorithm.label()));
        response.set(CHECKSUM_TYPE, HeaderValue::from_static(kind.label()));
    }
    Ok(response)
}

pub(crate) async fn complete_multipart_upload(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_object("s3:PutObject").await?;
    let upload = upload_id(call)?;
    // The checksum headers of this operation are the object's, not the document's.
    let body = call.request.body.collect(DOCUMENT_LIMIT).await?;
    let parts = request::complete(&body)?.into_iter().map(completed_part).collect::<Result<_, _>>()?;
    let sent = call.headers();
    let (_, checksum_type) = headers::upload_algorithm(sent)?;
    let request = CompleteUpload {
        parts,
        checksum: headers::object_checksum(sent)?,
        checksum_type,
        object_size: headers::object_size(sent)?,
        customer_key: headers::customer_key(sent, call.request.secure)?,
        condition: headers::write_condition(sent)?,
    };
    let name = call.object_name()?;
    let stored = call.app.objects.complete_upload(bucket.principal(), &bucket, name, &upload, request).await?;
    let mut response = xml(Writer::document("CompleteMultipartUploadResult", |xml| {
        xml.text("Location", &location(call, bucket.name.as_str()));
        xml.text("Bucket", bucket.name.as_str());
        xml.text("Key", name.as_str());
        xml.text("ETag", &stored.etag.quoted());
        if let Some(checksum) = &stored.checksum {
            checksum_elements(xml, checksum);
        }
    }));
    headers::set_part_applied(&mut response.headers, &stored.applied);
    Ok(response)
}

pub(crate) async fn abort_multipart_upload(call: &mut Call<'_>) -> Result<Response, S3Error> {
    if headers::time(call.headers(), "x-amz-if-match-initiated-time")?.is_some() {
        return Err(S3Error::not_implemented("x-amz-if-match-initiated-time"));
    }
    let bucket = call.authorized_object("s3:AbortMultipartUpload").await?;
    let upload = upload_id(call)?;
    call.app.objects.abort_upload(bucket.principal(), &bucket, call.object_name()?, &upload).await?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// `uploadId`, which the route has seen.
pub(crate) fn upload_id(call: &Call<'_>) -> Result<UploadId, S3Error> {
    Ok(UploadId::parse(call.query("uploadId").unwrap_or_default())?)
}

/// Headers that policies may ask for again when parts come.
fn said(sent: &HeaderMap) -> Result<Vec<(String, String)>, S3Error> {
    let mut said = Vec::new();
    for name in UPLOAD_HEADERS {
        if let Some(value) = text(sent, name)? {
            said.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(said)
}

fn completed_part(part: CompletePart) -> Result<CompletedPart, S3Error> {
    let checksum = part.checksum.map(|(algorithm, text)| ChecksumValue::parse(algorithm, &text));
    Ok(CompletedPart { number: PartNumber::new(part.number)?, etag: part.etag, checksum: checksum.transpose()? })
}

/// The object's URL, as the client itself reached the server.
fn location(call: &Call<'_>, bucket: &str) -> String {
    let request = &call.request;
    let scheme = if request.secure { "https" } else { "http" };
    let host = text(&request.headers, "host").ok().flatten().unwrap_or(bucket);
    format!("{scheme}://{host}{}", request.path())
}

const CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");
const CHECKSUM_TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");
/// 10,000 parts of number, ETag and two checksums take less than 4 MiB, indented.
const DOCUMENT_LIMIT: usize = 4 * 1024 * 1024;
