//! GetObject and HeadObject.

use super::call::Call;
use super::date;
use super::error::S3Error;
use super::headers;
use super::permission::Held;
use super::put::etag;
use crate::authorize::Authorized;
use crate::response::{Response, ResponseBody};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use objects::{GetObject, ObjectInfo, PartNumber, RangeSpec, Span, Window};

pub(crate) async fn get_object(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let (bucket, request) = permitted(call).await?;
    let by_part = matches!(request.window, Window::Part(_));
    let reader = call.app.objects.open_object(bucket.principal(), &bucket, call.object_name()?, request).await;
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => return Err(call.missing(bucket.bucket(), call.object_name()?, error).await),
    };
    let mut response = describe(call, reader.info(), reader.span(), by_part)?;
    let length = reader.content_length();
    response.body = ResponseBody::Object { reader: Box::new(reader), length };
    Ok(response)
}

pub(crate) async fn head_object(call: &mut Call<'_>) -> Result<Response, S3Error> {
    let (bucket, request) = permitted(call).await?;
    let by_part = matches!(request.window, Window::Part(_));
    let head = call.app.objects.head_object(bucket.principal(), &bucket, call.object_name()?, request).await;
    let head = match head {
        Ok(head) => head,
        Err(error) => return Err(call.missing(bucket.bucket(), call.object_name()?, error).await),
    };
    let mut response = describe(call, &head.info, head.span, by_part)?;
    let length = head.span.map_or(head.info.size, |span| span.len());
    response.set(header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

/// What both read, and that the caller may.
async fn permitted(call: &Call<'_>) -> Result<(Authorized<Held>, GetObject), S3Error> {
    let bucket = call.authorized_object(call.by_version("s3:GetObject", "s3:GetObjectVersion")).await?;
    call.current_version()?;
    let sent = call.headers();
    headers::refuse_on_read(sent)?;
    let request = GetObject {
        customer_key: headers::customer_key(sent, call.request.secure)?,
        conditions: headers::read_conditions(sent)?,
        window: window(call)?,
        seen: bucket.seen().cloned(),
        checksum: headers::wanted(sent)?,
    };
    Ok((bucket, request))
}

/// `Range` or `partNumber`, not both. A range that S3 does not understand counts as none.
fn window(call: &Call<'_>) -> Result<Window, S3Error> {
    let range = headers::text(call.headers(), "range").ok().flatten();
    match (range, call.query("partNumber")) {
        (Some(_), Some(_)) => Err(S3Error::request("Cannot specify both Range header and partNumber query parameter")),
        (_, Some(number)) => Ok(Window::Part(part_number(number)?.value())),
        (Some(range), None) => Ok(RangeSpec::parse(range).map_or(Window::All, Window::Range)),
        (None, None) => Ok(Window::All),
    }
}

/// `partNumber` of any operation.
pub(crate) fn part_number(text: &str) -> Result<PartNumber, S3Error> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().unwrap_or(u64::MAX) } else { 0 };
    PartNumber::new(number)
        .map_err(|error| S3Error::from(error).detail("ArgumentName", "partNumber").detail("ArgumentValue", text))
}

/// Status and headers of GET and HEAD.
fn describe(call: &Call<'_>, info: &ObjectInfo, span: Option<Span>, by_part: bool) -> Result<Response, S3Error> {
    let status = if span.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = Response::empty(status);
    let headers = &mut response.headers;
    headers.insert(header::LAST_MODIFIED, date::http(info.modified));
    headers.insert(header::ETAG, etag(&info.etag));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(Span { first, last }) = span {
        let value = format!("bytes {first}-{last}/{}", info.size);
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&value).expect("numbers are visible ASCII"));
    }
    headers::set_metadata(headers, &info.metadata);
    headers::set_part_applied(headers, &info.applied);
    if info.tags > 0 {
        headers.insert(TAGGING_COUNT, HeaderValue::from(info.tags));
    }
    // A checksum of the whole object says nothing of a piece of it. A part has its own.
    if let Some(checksum) = info.checksum.as_ref().filter(|_| span.is_none() || by_part)
        && headers::wanted(call.headers())?
    {
        headers::set_checksum(headers, checksum);
    }
    if let Some(parts) = info.parts.filter(|_| by_part) {
        headers.insert(PARTS_COUNT, HeaderValue::from(parts));
    }
    override_headers(call, headers)?;
    Ok(response)
}

/// `response-*`: the client says how it wants to be told. Every request that gets here is signed, as AWS demands.
fn override_headers(call: &Call<'_>, headers: &mut HeaderMap) -> Result<(), S3Error> {
    for (parameter, header) in OVERRIDES {
        if let Some(text) = call.query(parameter) {
            if call.caller.signature().is_none() {
                return Err(S3Error::request(
                    "Request specific response headers cannot be used for anonymous GET requests.",
                ));
            }
            let value = HeaderValue::from_bytes(text.as_bytes())
                .map_err(|_| S3Error::argument("The value cannot stand in a header.", parameter, text))?;
            headers.insert(header, value);
        }
    }
    Ok(())
}

const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-cache-control", header::CACHE_CONTROL),
    ("response-content-disposition", header::CONTENT_DISPOSITION),
    ("response-content-encoding", header::CONTENT_ENCODING),
    ("response-content-language", header::CONTENT_LANGUAGE),
    ("response-content-type", header::CONTENT_TYPE),
    ("response-expires", header::EXPIRES),
];
const TAGGING_COUNT: HeaderName = HeaderName::from_static("x-amz-tagging-count");
const PARTS_COUNT: HeaderName = HeaderName::from_static("x-amz-mp-parts-count");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn part_numbers() {
        assert_eq!(part_number("10000").unwrap().value(), 10_000);
        for bad in ["", "0", "10001", "-1", "+1", "x", "99999999999999999999999"] {
            assert_eq!(part_number(bad).unwrap_err().code(), "InvalidArgument", "{bad}");
        }
    }
}
