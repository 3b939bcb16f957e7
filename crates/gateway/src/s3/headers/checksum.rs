//! Checksum headers of requests and answers, and Content-MD5.

use super::{number, text};
use crate::s3::error::{Code, S3Error};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue};
use objects::{Algorithm, Checksum, ChecksumClaim, ChecksumType, ChecksumValue};

/// `Content-MD5`: 16 bytes in base64, or `InvalidDigest`.
pub(crate) fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(value) = headers.get("content-md5") else { return Ok(None) };
    let digest = BASE64.decode(value.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    match digest {
        Some(digest) => Ok(Some(digest)),
        None => {
            let shown = String::from_utf8_lossy(value.as_bytes()).into_owned();
            Err(S3Error::new(Code::InvalidDigest).detail("Content-MD5", shown))
        }
    }
}

/// What a request says of its body's checksum: a header with the value, a trailer to come, or nothing.
pub(crate) fn claim(headers: &HeaderMap) -> Result<Option<ChecksumClaim>, S3Error> {
    let mut claims = values(headers)?.into_iter().map(ChecksumClaim::Value).collect::<Vec<_>>();
    claims.extend(announced(headers)?.map(ChecksumClaim::Trailer));
    if claims.len() > 1 {
        return Err(S3Error::request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ));
    }
    let claim = claims.pop();
    let Some(named) = text(headers, "x-amz-sdk-checksum-algorithm")? else { return Ok(claim) };
    let named = algorithm(named, "x-amz-sdk-checksum-algorithm")?;
    match &claim {
        Some(claim) if claim.algorithm() == named => {}
        Some(_) => return Err(S3Error::request("Value for x-amz-sdk-checksum-algorithm header is invalid.")),
        None => {
            return Err(S3Error::request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
            ));
        }
    }
    Ok(claim)
}

/// Every `x-amz-checksum-<algorithm>` header, parsed.
fn values(headers: &HeaderMap) -> Result<Vec<ChecksumValue>, S3Error> {
    read_values(headers, |text| text)
}

/// The whole object's checksum as CompleteMultipartUpload has it: a composite one may end in `-<parts>`.
pub(crate) fn object_checksum(headers: &HeaderMap) -> Result<Option<ChecksumValue>, S3Error> {
    let found = read_values(headers, |text| text.split_once('-').map_or(text, |(value, _)| value))?;
    match found.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        _ => {
            Err(S3Error::request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."))
        }
    }
}

fn read_values(headers: &HeaderMap, trim: fn(&str) -> &str) -> Result<Vec<ChecksumValue>, S3Error> {
    let mut found = Vec::new();
    for (name, value) in headers {
        let Some(label) = name.as_str().strip_prefix("x-amz-checksum-") else { continue };
        if matches!(label, "algorithm" | "type" | "mode") {
            continue;
        }
        let algorithm = algorithm(label, name.as_str())?;
        let value = value.to_str().map_err(|_| S3Error::from(objects::Error::InvalidChecksum(algorithm)))?;
        found.push(ChecksumValue::parse(algorithm, trim(value.trim()))?);
    }
    Ok(found)
}

/// `x-amz-checksum-algorithm` and `x-amz-checksum-type` of CreateMultipartUpload, and the former of CopyObject.
pub(crate) fn upload_algorithm(headers: &HeaderMap) -> Result<(Option<Algorithm>, Option<ChecksumType>), S3Error> {
    let named = text(headers, "x-amz-checksum-algorithm")?;
    let named = named.map(|label| algorithm(label, "x-amz-checksum-algorithm")).transpose()?;
    let kind = match text(headers, "x-amz-checksum-type")? {
        None => None,
        Some(label) => match ChecksumType::parse(label) {
            Some(kind) => Some(kind),
            None => return Err(S3Error::request("Value for x-amz-checksum-type header is invalid.")),
        },
    };
    Ok((named, kind))
}

/// `x-amz-checksum-mode`: whether GET and HEAD are to tell the checksum.
pub(crate) fn wanted(headers: &HeaderMap) -> Result<bool, S3Error> {
    match text(headers, "x-amz-checksum-mode")? {
        None => Ok(false),
        Some(mode) if mode.eq_ignore_ascii_case("ENABLED") => Ok(true),
        Some(mode) => {
            Err(S3Error::argument("Value for x-amz-checksum-mode header is invalid.", "x-amz-checksum-mode", mode))
        }
    }
}

/// `x-amz-mp-object-size`.
pub(crate) fn object_size(headers: &HeaderMap) -> Result<Option<u64>, S3Error> {
    number(headers, "x-amz-mp-object-size")
}

/// Sets an object's checksum and its type.
pub(crate) fn set_checksum(headers: &mut HeaderMap, checksum: &Checksum) {
    set_value(headers, checksum.value.algorithm(), &checksum.to_string());
    headers.insert(HeaderName::from_static("x-amz-checksum-type"), HeaderValue::from_static(checksum.kind.label()));
}

/// Sets a part's checksum.
pub(crate) fn set_part_checksum(headers: &mut HeaderMap, value: &ChecksumValue) {
    set_value(headers, value.algorithm(), &value.to_string());
}

fn set_value(headers: &mut HeaderMap, algorithm: Algorithm, value: &str) {
    let name = match algorithm {
        Algorithm::Crc32 => "x-amz-checksum-crc32",
        Algorithm::Crc32c => "x-amz-checksum-crc32c",
        Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
        Algorithm::Sha1 => "x-amz-checksum-sha1",
        Algorithm::Sha256 => "x-amz-checksum-sha256",
    };
    let value = HeaderValue::from_str(value).expect("base64 is visible ASCII");
    headers.insert(HeaderName::from_static(name), value);
}

/// The checksum that `x-amz-trailer` announces.
fn announced(headers: &HeaderMap) -> Result<Option<Algorithm>, S3Error> {
    let Some(trailer) = text(headers, "x-amz-trailer")? else { return Ok(None) };
    let mut found = None;
    for name in trailer.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let lower = name.to_ascii_lowercase();
        let Some(label) = lower.strip_prefix("x-amz-checksum-") else {
            return Err(S3Error::request("The value specified in the x-amz-trailer header is not supported"));
        };
        if found.replace(algorithm(label, "x-amz-trailer")?).is_some() {
            return Err(S3Error::request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
    }
    Ok(found)
}

/// An algorithm by its name; those that AWS has and this server has not say so.
fn algorithm(label: &str, header: &str) -> Result<Algorithm, S3Error> {
    if let Some(algorithm) = Algorithm::parse(label) {
        return Ok(algorithm);
    }
    if NEWER.iter().any(|newer| newer.eq_ignore_ascii_case(label)) {
        let message = format!("The checksum algorithm {} is not implemented.", label.to_ascii_uppercase());
        return Err(S3Error::not_implemented(header).detail("AdditionalMessage", message));
    }
    if header.starts_with("x-amz-checksum-") && header != "x-amz-checksum-algorithm" {
        return Err(S3Error::request("The algorithm type you specified in x-amz-checksum- header is invalid."));
    }
    if header == "x-amz-trailer" {
        return Err(S3Error::request("The value specified in the x-amz-trailer header is not supported"));
    }
    Err(S3Error::request(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
    ))
}

/// In the newest service model, not built.
const NEWER: [&str; 5] = ["SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::super::map;
    use super::*;

    const CRC: &str = "x-amz-checksum-crc32";

    #[test]
    fn a_header_a_trailer_or_nothing() {
        assert!(claim(&map(&[])).unwrap().is_none());
        let header = claim(&map(&[(CRC, "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "CRC32")])).unwrap();
        assert!(matches!(header, Some(ChecksumClaim::Value(_))));
        let trailer = claim(&map(&[("x-amz-trailer", "x-amz-checksum-sha256")])).unwrap();
        assert_eq!(trailer, Some(ChecksumClaim::Trailer(Algorithm::Sha256)));
    }

    #[test]
    fn contradictions_and_nonsense_are_refused() {
        let refused: &[&[(&str, &str)]] = &[
            &[(CRC, "AAAAAA=="), ("x-amz-checksum-sha1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
            &[(CRC, "AAAAAA=="), ("x-amz-trailer", CRC)],
            &[(CRC, "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "SHA1")],
            &[("x-amz-sdk-checksum-algorithm", "CRC32")],
            &[(CRC, "AAAA")],
            &[(CRC, "not base64")],
            &[("x-amz-checksum-crc17", "AAAAAA==")],
            &[("x-amz-trailer", "x-amz-meta-late")],
        ];
        for headers in refused {
            assert_eq!(claim(&map(headers)).unwrap_err().code(), "InvalidRequest", "{headers:?}");
        }
        for newer in NEWER {
            let header = format!("x-amz-checksum-{}", newer.to_ascii_lowercase());
            assert_eq!(claim(&map(&[(&header, "AAAA")])).unwrap_err().code(), "NotImplemented", "{newer}");
        }
    }

    #[test]
    fn content_md5_is_sixteen_bytes() {
        assert_eq!(content_md5(&map(&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")])).unwrap().unwrap()[0], 0xd4);
        for bad in ["", "abc", "1B2M2Y8AsgTpgAmY7PhC", "YWJyYWNhZGFicmE="] {
            assert_eq!(content_md5(&map(&[("content-md5", bad)])).unwrap_err().code(), "InvalidDigest", "{bad}");
        }
    }
}
