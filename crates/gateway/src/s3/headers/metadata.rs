//! System and user metadata: from headers into an object and back.
//!
//! Header bytes are read as Latin-1, so that every byte comes back. A user value that is not ASCII comes back as AWS sends it: an encoded
//! word of RFC 2047 (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>, with the example in the tests).

use crate::s3::error::S3Error;
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use objects::Metadata;

/// Reads the metadata of a write.
pub(crate) fn parse_metadata(headers: &HeaderMap) -> Result<Metadata, S3Error> {
    let single = |name: HeaderName| headers.contains_key(&name).then(|| joined(headers, &name));
    let mut metadata = Metadata {
        content_type: single(header::CONTENT_TYPE).filter(|text| !text.is_empty()),
        cache_control: single(header::CACHE_CONTROL),
        content_disposition: single(header::CONTENT_DISPOSITION),
        content_encoding: content_encoding(headers),
        content_language: single(header::CONTENT_LANGUAGE),
        expires: single(header::EXPIRES),
        ..Metadata::default()
    };
    for name in headers.keys() {
        let Some(short) = name.as_str().strip_prefix(USER_PREFIX) else { continue };
        if short.is_empty() {
            return Err(S3Error::argument("User metadata needs a name.", name.as_str(), ""));
        }
        metadata.user.insert(short.to_owned(), joined(headers, name));
    }
    Ok(metadata)
}

/// Sets the headers of an answer. Values that cannot be sent are counted in `x-amz-missing-meta`.
pub(crate) fn set_metadata(headers: &mut HeaderMap, metadata: &Metadata) {
    let system = [
        (header::CACHE_CONTROL, &metadata.cache_control),
        (header::CONTENT_DISPOSITION, &metadata.content_disposition),
        (header::CONTENT_ENCODING, &metadata.content_encoding),
        (header::CONTENT_LANGUAGE, &metadata.content_language),
        (header::EXPIRES, &metadata.expires),
    ];
    for (name, value) in system {
        if let Some(value) = value.as_deref().and_then(to_latin1) {
            headers.insert(name, value);
        }
    }
    let content_type = metadata.content_type.as_deref().and_then(to_latin1);
    headers.insert(header::CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static(DEFAULT_CONTENT_TYPE)));
    let mut missing = 0_u64;
    for (name, value) in &metadata.user {
        let name = HeaderName::from_bytes(format!("{USER_PREFIX}{name}").as_bytes());
        match (name, HeaderValue::from_str(&mail_safe(value))) {
            (Ok(name), Ok(value)) => {
                headers.insert(name, value);
            }
            _ => missing += 1,
        }
    }
    if missing > 0 {
        headers.insert(HeaderName::from_static("x-amz-missing-meta"), HeaderValue::from(missing));
    }
}

/// `Content-Encoding` without `aws-chunked`, which belongs to the transfer.
fn content_encoding(headers: &HeaderMap) -> Option<String> {
    let joined = joined(headers, &header::CONTENT_ENCODING);
    // What stays, stays as it was written, the space behind its comma included.
    let kept: Vec<&str> =
        joined.split(',').filter(|coding| !coding.trim().eq_ignore_ascii_case("aws-chunked")).collect();
    let kept = kept.join(",");
    Some(kept.trim().to_owned()).filter(|kept| !kept.is_empty())
}

/// All lines of a header as the one value that they mean (RFC 9110, 5.3), and that SigV4 signs.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(latin1).unwrap_or_default();
    values.fold(first, |all, value| all + "," + &latin1(value))
}

fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

fn to_latin1(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

fn mail_safe(value: &str) -> String {
    if value.is_ascii() { value.to_owned() } else { format!("=?UTF-8?B?{}?=", BASE64.encode(value.as_bytes())) }
}

const USER_PREFIX: &str = "x-amz-meta-";
/// What AWS says of an object that was stored without a type.
pub(crate) const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::super::map;
    use super::*;

    fn round(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut answer = HeaderMap::new();
        set_metadata(&mut answer, &parse_metadata(&map(pairs)).unwrap());
        answer
    }

    #[test]
    fn awss_own_example_of_a_value_that_is_not_ascii() {
        let answer = round(&[("x-amz-meta-nonascii", "ÄMÄZÕÑ S3")]);
        assert_eq!(answer["x-amz-meta-nonascii"], "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=");
    }

    #[test]
    fn what_was_sent_comes_back() {
        let sent = [
            ("content-type", "text/plain; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("content-disposition", "attachment; filename=\"ä.txt\""),
            ("content-language", "de"),
            ("expires", "not a date"),
            ("x-amz-meta-a", "1"),
            ("x-amz-meta-empty", ""),
        ];
        let answer = round(&sent);
        for (name, value) in sent {
            assert_eq!(answer[name].as_bytes(), value.as_bytes(), "{name}");
        }
        assert_eq!(answer.len(), sent.len());
    }

    #[test]
    fn aws_chunked_is_not_part_of_the_object() {
        assert!(round(&[("content-encoding", "aws-chunked")]).get("content-encoding").is_none());
        for (sent, stored) in [
            ("gzip, aws-chunked", "gzip"),
            ("aws-chunked, gzip", "gzip"),
            ("deflate, aws-chunked, gzip", "deflate, gzip"),
            ("deflate, gzip", "deflate, gzip"),
            ("deflate,gzip", "deflate,gzip"),
        ] {
            assert_eq!(round(&[("content-encoding", sent)])["content-encoding"], stored);
        }
        assert!(round(&[("content-encoding", "aws-chunked, aws-chunked")]).get("content-encoding").is_none());
    }

    #[test]
    fn without_a_type_it_is_bytes() {
        assert_eq!(round(&[])["content-type"], DEFAULT_CONTENT_TYPE);
    }

    #[test]
    fn equal_names_are_joined() {
        assert_eq!(round(&[("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")])["x-amz-meta-a"], "1,2");
    }
}
