//! UploadPart and UploadPartCopy.

use super::call::{Call, xml};
use super::copy::{checksum_element, source, source_name};
use super::date;
use super::error::S3Error;
use super::get::part_number;
use super::headers::{self, text};
use super::multipart::upload_id;
use super::put::{announced_length, etag};
use super::xml::Writer;
use crate::response::Response;
use http::{StatusCode, header};
use objects::{CopyPart, UploadPart};
use std::sync::Arc;

pub(crate) async fn upload_part(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_object("s3:PutObject").await?;
    let sent = call.headers();
    headers::refuse_on_part(sent)?;
    let request = UploadPart {
        customer_key: headers::customer_key(sent, call.request.secure)?,
        checksum: headers::claim(sent)?,
        content_md5: headers::content_md5(sent)?,
        length: Some(announced_length(call)?),
    };
    let number = part_number(call.query("partNumber").unwrap_or_default())?;
    let upload = upload_id(call)?;
    let name = call.object_name()?.clone();
    let body = &mut call.request.body;
    let stored =
        call.app.objects.upload_part(bucket.principal(), &bucket, &name, &upload, number, request, body).await?;
    let mut response = Response::empty(StatusCode::OK);
    response.set(header::ETAG, etag(&stored.etag));
    headers::set_part_applied(&mut response.headers, &stored.applied);
    if let Some(value) = &stored.checksum {
        headers::set_part_checksum(&mut response.headers, value);
    }
    Ok(response)
}

pub(crate) async fn upload_part_copy(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let bucket = call.authorized_object("s3:PutObject").await?;
    let sent = call.headers();
    headers::refuse_on_part(sent)?;
    let customer_key = headers::customer_key(sent, call.request.secure)?;
    let range = text(sent, RANGE)?.map(copy_range).transpose()?;
    let source_name = source_name(call)?;
    let number = part_number(call.query("partNumber").unwrap_or_default())?;
    let upload = upload_id(call)?;
    let request = CopyPart { source: source(call, source_name).await?.into_source(), range, customer_key };
    let name = call.object_name()?;
    let (from, sought) = (Arc::clone(&request.source.bucket), request.source.name.clone());
    let stored = call.app.objects.upload_part_copy(bucket.principal(), &bucket, name, &upload, number, request).await;
    let stored = match stored {
        Ok(stored) => stored,
        Err(error) => return Err(call.missing(&from, &sought, error).await),
    };
    let mut response = xml(Writer::document("CopyPartResult", |xml| {
        xml.text("LastModified", &date::iso(stored.modified));
        xml.text("ETag", &stored.etag.quoted());
        if let Some(value) = &stored.checksum {
            xml.text(checksum_element(value.algorithm()), &value.to_string());
        }
    }));
    headers::set_part_applied(&mut response.headers, &stored.applied);
    Ok(response)
}

/// `bytes=first-last`, both there; stricter than `Range`, as AWS is.
pub(super) fn copy_range(value: &str) -> Result<(u64, u64), S3Error> {
    let bad = || {
        S3Error::argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
            RANGE,
            value,
        )
    };
    let (first, last) = value.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(bad)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return Err(bad());
    }
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err(bad()),
    }
}

const RANGE: &str = "x-amz-copy-source-range";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn copy_ranges_are_strict() {
        assert_eq!(copy_range("bytes=0-0").unwrap(), (0, 0));
        assert_eq!(copy_range("bytes=5-17").unwrap(), (5, 17));
        for bad in [
            "",
            "0-1",
            "bytes=0",
            "bytes=-5",
            "bytes=5-",
            "bytes=2-1",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=0-99999999999999999999",
        ] {
            assert_eq!(copy_range(bad).unwrap_err().code(), "InvalidArgument", "{bad}");
        }
    }
}
