//! PutObject.

use super::call::Call;
use super::error::{Code, S3Error};
use super::headers;
use crate::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use objects::{ETag, PutObject, Stored};

pub(crate) async fn put_object(call: &mut Call<'_>) -> Result<Response, S3Error> {
    call.tags = headers::tagging(call.headers())?;
    let bucket = call.authorized_object("s3:PutObject").await?;
    call.permit_extras(bucket.bucket()).await?;
    let sent = call.headers();
    let request = PutObject {
        metadata: headers::parse_metadata(sent)?,
        tags: call.tags.clone(),
        encryption: headers::requested(sent, call.request.secure)?,
        checksum: headers::claim(sent)?,
        content_md5: headers::content_md5(sent)?,
        condition: headers::write_condition(sent)?,
        length: Some(announced_length(call)?),
    };
    let name = call.object_name()?.clone();
    let objects = &call.app.objects;
    let stored = objects.put_object(bucket.principal(), &bucket, &name, request, &mut call.request.body).await?;
    let mut response = Response::empty(StatusCode::OK);
    set_stored(&mut response.headers, &stored);
    Ok(response)
}

/// The body's length, which AWS wants to know beforehand.
pub(crate) fn announced_length(call: &Call<'_>) -> Result<u64, S3Error> {
    call.request.body.length().ok_or_else(|| Code::MissingContentLength.into())
}

/// ETag, checksum and encryption of a new object.
fn set_stored(headers: &mut HeaderMap, stored: &Stored) {
    headers.insert(header::ETAG, etag(&stored.etag));
    headers::set_applied(headers, &stored.applied);
    if let Some(checksum) = &stored.checksum {
        headers::set_checksum(headers, checksum);
    }
}

/// An ETag with its quotes.
pub(crate) fn etag(etag: &ETag) -> HeaderValue {
    HeaderValue::from_str(&etag.quoted()).expect("hexadecimal digits, a hyphen and quotes are visible ASCII")
}
