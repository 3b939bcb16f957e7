//! Request headers as types, answers' headers from types; a file for each family.

mod checksum;
mod conditions;
mod encryption;
mod metadata;
mod refused;
mod tagging;

pub(crate) use checksum::{
    claim, content_md5, object_checksum, object_size, set_checksum, set_part_checksum, upload_algorithm, wanted,
};
pub(crate) use conditions::{copy_source_conditions, delete_condition, read_conditions, time, write_condition};
pub(crate) use encryption::{
    copy_source_customer_key, customer_key, refuse_on_part, refuse_on_read, requested, set_applied, set_part_applied,
};
pub(crate) use metadata::{parse_metadata, set_metadata};
pub(crate) use refused::{refuse_permitted, refuse_unbuilt};
pub(crate) use tagging::{tagging, tagging_directive};

use super::error::S3Error;
use http::{HeaderMap, HeaderName, HeaderValue};

/// A header's value as visible ASCII; anything else is `InvalidArgument`.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, S3Error> {
    match single(headers, name)?.map(HeaderValue::to_str) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text.trim())),
        Some(Err(_)) => Err(S3Error::argument("The header value is not printable ASCII.", name, "")),
    }
}

/// The value of a header that may be sent once. SigV4 signs `a,b` for two lines `a` and `b`: whoever forwards a request could cut one
/// signed value (a copy's source with a comma in its name) into two, of which the first would count.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h HeaderValue>, S3Error> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(S3Error::argument("The header must not be sent more than once.", name, "")),
    }
}

/// [`text`] as a number of bytes or the like, without a sign.
pub(crate) fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, S3Error> {
    let Some(text) = text(headers, name)? else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match digits.then(|| text.parse().ok()).flatten() {
        Some(number) => Ok(Some(number)),
        None => Err(S3Error::argument(format!("Value for {name} header is invalid."), name, text)),
    }
}

/// Moves the `x-amz-*` parameters of a presigned query to where they mean the same: the headers. SDKs hoist headers into the query when
/// they presign; a header that was sent as such wins. Checksums stay out: of an upload's hoisted checksum AWS takes no notice
/// (the SDKs compute it over the empty body that they have when presigning).
pub(crate) fn unhoist<'q>(
    query: impl Iterator<Item = (&'q str, &'q str)>,
    headers: &mut HeaderMap,
) -> Result<(), S3Error> {
    for (name, value) in query {
        let lower = name.to_ascii_lowercase();
        let hoisted = lower.starts_with("x-amz-")
            && !AUTHENTICATION.contains(&lower.as_str())
            && !lower.starts_with("x-amz-checksum-")
            && lower != "x-amz-sdk-checksum-algorithm";
        if !hoisted || headers.contains_key(lower.as_str()) {
            continue;
        }
        let bad = || S3Error::argument("The parameter cannot stand for a header.", name, value);
        let header = HeaderName::from_bytes(lower.as_bytes()).map_err(|_| bad())?;
        headers.insert(header, HeaderValue::from_str(value).map_err(|_| bad())?);
    }
    Ok(())
}

/// Presigned authentication itself (and what SDKs say of themselves).
const AUTHENTICATION: &[&str] = &[
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-user-agent",
];

#[cfg(test)]
pub(crate) fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a test's header name");
            (name, HeaderValue::from_bytes(value.as_bytes()).expect("a test's header value"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn hoisted_headers_come_back_but_not_checksums_nor_authentication() {
        let query = [
            ("X-Amz-Signature", "s"),
            ("x-amz-checksum-crc32", "AAAAAA=="),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("X-Amz-Acl", "private"),
            ("prefix", "p"),
        ];
        let mut headers = map(&[("x-amz-acl", "bucket-owner-full-control")]);
        unhoist(query.into_iter(), &mut headers).unwrap();
        assert_eq!(headers.len(), 2);
        assert_eq!(headers["x-amz-acl"], "bucket-owner-full-control");
        assert_eq!(headers["x-amz-server-side-encryption"], "aws:kms");
    }

    #[test]
    fn a_value_cut_into_two_lines_is_not_read_as_its_first() {
        let mut headers = map(&[("x-amz-copy-source", "bucket/a")]);
        assert_eq!(text(&headers, "x-amz-copy-source").unwrap(), Some("bucket/a"));
        headers.append("x-amz-copy-source", HeaderValue::from_static("b"));
        assert_eq!(text(&headers, "x-amz-copy-source").unwrap_err().code(), "InvalidArgument");
        assert!(single(&headers, "x-amz-copy-source").is_err());
    }

    #[test]
    fn numbers_have_no_sign() {
        assert_eq!(number(&map(&[("n", "17")]), "n").unwrap(), Some(17));
        assert_eq!(number(&map(&[]), "n").unwrap(), None);
        for bad in ["", "-1", "+1", "1.0", "x", "99999999999999999999999"] {
            assert!(number(&map(&[("n", bad)]), "n").is_err(), "{bad}");
        }
    }
}
