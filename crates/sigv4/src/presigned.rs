//! Presigned requests: the signature stands in the query.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>

use std::borrow::Cow;

use crate::canonical::SIGNATURE_PARAMETER;
use crate::claim::{Claim, Mechanism, check_date, is_header_list, token_header};
use crate::credential::{self, Place};
use crate::encode::{hex32, query_pairs};
use crate::{ALGORITHM, Dialect, Error, MAX_EXPIRES, RequestHead, Timestamp};

const ALGORITHM_PARAMETER: &str = "X-Amz-Algorithm";
pub(crate) const CONTENT_SHA256_PARAMETER: &str = "X-Amz-Content-Sha256";

/// Whether a query claims to carry a signature of version 4.
///
/// # Errors
/// It carries one of version 2.
pub(crate) fn mentions_signature(query: &str) -> Result<bool, Error> {
    // Most queries are short and hold neither word.
    if !query.contains('=') {
        return Ok(false);
    }
    let (mut version_4, mut version_2, mut access_key) = (false, false, false);
    for (name, _) in query_pairs(query) {
        version_4 |= *name == *ALGORITHM_PARAMETER.as_bytes() || *name == *SIGNATURE_PARAMETER.as_bytes();
        version_2 |= *name == *b"Signature";
        access_key |= *name == *b"AWSAccessKeyId";
    }
    if version_2 && access_key { Err(Error::UnsupportedMechanism) } else { Ok(version_4) }
}

/// The value of the parameter `x-amz-content-sha256`, which some clients move from the headers into the query.
pub(crate) fn content_sha256(query: &str) -> Option<Cow<'_, [u8]>> {
    query_pairs(query).find(|(name, _)| **name == *CONTENT_SHA256_PARAMETER.as_bytes()).map(|(_, value)| value)
}

#[derive(Default)]
struct Parameters<'a> {
    algorithm: Option<Cow<'a, str>>,
    credential: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    token: Option<Cow<'a, str>>,
}

impl<'a> Parameters<'a> {
    /// `None`: one of them is there twice, or is not UTF-8.
    fn parse(query: &'a str) -> Option<Parameters<'a>> {
        let mut found = Parameters::default();
        for (name, value) in query_pairs(query) {
            let slot = match &*name {
                b"X-Amz-Algorithm" => &mut found.algorithm,
                b"X-Amz-Credential" => &mut found.credential,
                b"X-Amz-Date" => &mut found.date,
                b"X-Amz-Expires" => &mut found.expires,
                b"X-Amz-SignedHeaders" => &mut found.signed_headers,
                b"X-Amz-Signature" => &mut found.signature,
                b"X-Amz-Security-Token" => &mut found.token,
                _ => continue,
            };
            let value = match value {
                Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).ok()?),
                Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        Some(found)
    }
}

pub(crate) fn parse<'a>(head: &RequestHead<'a>, hint: Dialect) -> Result<Claim<'a>, Error> {
    let wrong = |reason: &str| match hint {
        Dialect::S3 => Error::AuthorizationQueryParametersError { reason: reason.to_owned(), region: None },
        Dialect::Service => Error::IncompleteSignature(reason.to_owned()),
    };
    let Some(Parameters {
        algorithm: Some(algorithm),
        credential: Some(credential),
        date: Some(date),
        expires: Some(expires),
        signed_headers: Some(signed_headers),
        signature: Some(signature),
        token,
    }) = Parameters::parse(head.query)
    else {
        return Err(wrong(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
             X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ));
    };
    if algorithm != ALGORITHM {
        return Err(wrong("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    let (access_key_id, scope) = credential::parse(credential, Place { dialect: hint, presigned: true })?;
    let time = Timestamp::parse(&date)
        .ok_or_else(|| wrong("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?;
    let dialect = Dialect::of(&scope.service);
    check_date(&scope, time, Place { dialect, presigned: true })?;
    let lifetime = lifetime(&expires).map_err(wrong)?;
    if !is_header_list(&signed_headers) {
        return Err(wrong("X-Amz-SignedHeaders must be a sorted list of lower-case header names"));
    }
    let signature =
        hex32(signature.as_bytes()).ok_or_else(|| wrong("X-Amz-Signature must be 64 hexadecimal digits"))?;
    let session_token = match (token, token_header(head)?) {
        (Some(_), Some(_)) => return Err(Error::InvalidToken),
        (Some(token), None) => Some(token),
        (None, token) => token.map(Cow::Borrowed),
    };
    let mechanism = Mechanism::Presigned { lifetime };
    Ok(Claim { mechanism, access_key_id, scope, signed_headers, signature, time, dialect, session_token })
}

fn lifetime(text: &str) -> Result<u32, &'static str> {
    let seconds: i64 = text.parse().map_err(|_| "X-Amz-Expires should be a number")?;
    match u32::try_from(seconds) {
        Err(_) if seconds < 0 => Err("X-Amz-Expires must be non-negative"),
        Ok(0) => Err("X-Amz-Expires must be at least 1 second"),
        Ok(lifetime) if lifetime <= MAX_EXPIRES => Ok(lifetime),
        _ => Err(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        ),
    }
}
