//! Entity tags: 32 hexadecimal digits, with the number of parts behind a hyphen for multipart objects.

use data_encoding::HEXLOWER;
use std::fmt;

/// An object's ETag. The MD5 of the plaintext for single-part SSE-S3; random for the other modes, as AWS promises no more than
/// "not an MD5 digest of the object data" there (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ETag {
    digest: [u8; 16],
    parts: Option<u16>,
}

impl ETag {
    /// An ETag of one part.
    pub fn single(digest: [u8; 16]) -> ETag {
        ETag { digest, parts: None }
    }

    /// An ETag of a completed multipart upload: the MD5 of its parts' binary ETags, and their number.
    pub fn multipart(digest: [u8; 16], parts: u16) -> ETag {
        ETag { digest, parts: Some(parts) }
    }

    /// Reads `hex32` or `hex32-n`, with or without quotes.
    pub fn parse(text: &str) -> Option<ETag> {
        let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let (digest, parts) = match text.split_once('-') {
            Some((digest, parts)) => (digest, Some(parts.parse().ok()?)),
            None => (text, None),
        };
        let digest = data_encoding::HEXLOWER_PERMISSIVE.decode(digest.as_bytes()).ok()?;
        Some(ETag { digest: digest.try_into().ok()?, parts })
    }

    /// The 16 bytes behind the hexadecimal digits.
    pub fn digest(&self) -> &[u8; 16] {
        &self.digest
    }

    /// The number of parts, if the object came from a multipart upload.
    pub fn parts(&self) -> Option<u16> {
        self.parts
    }

    /// With the quotes that headers and XML carry.
    pub fn quoted(&self) -> String {
        format!("\"{self}\"")
    }
}

/// Without quotes.
impl fmt::Display for ETag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&HEXLOWER.encode(&self.digest))?;
        match self.parts {
            Some(parts) => write!(out, "-{parts}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn text_goes_both_ways() {
        for text in ["00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff-17"] {
            let etag = ETag::parse(text).unwrap();
            assert_eq!(etag.to_string(), text);
            assert_eq!(ETag::parse(&etag.quoted()), Some(etag));
        }
        assert!(ETag::parse("00").is_none() && ETag::parse("").is_none() && ETag::parse("\"").is_none());
    }
}
