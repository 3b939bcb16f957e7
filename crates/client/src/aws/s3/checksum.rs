//! S3's checksums over what is sent and stored
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>).

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use crc_fast::{CrcAlgorithm, Digest};
use data_encoding::BASE64;
use http::HeaderMap;

/// What is sent with every object: the one that S3 recommends, and computes itself where none is sent.
pub(super) const SENT: &str = "x-amz-checksum-crc64nvme";

/// Bytes of it in base64.
pub(super) const SENT_LENGTH: usize = 12;

/// The header of an answer, and the name, of each that is verified; the cheapest first.
const KNOWN: [(&str, &str); 5] = [
    (SENT, "CRC64NVME"),
    ("x-amz-checksum-crc32c", "CRC32C"),
    ("x-amz-checksum-crc32", "CRC32"),
    ("x-amz-checksum-sha256", "SHA256"),
    ("x-amz-checksum-sha1", "SHA1"),
];

/// A CRC-64/NVME in the making.
pub(in crate::aws) struct Crc64(Digest);

impl Crc64 {
    pub(in crate::aws) fn new() -> Self {
        Self(Digest::new(CrcAlgorithm::Crc64Nvme))
    }

    pub(in crate::aws) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// Base64 of its bytes, the highest first.
    pub(in crate::aws) fn text(&self) -> String {
        BASE64.encode(&self.0.finalize().to_be_bytes())
    }
}

pub(super) fn crc64(data: &[u8]) -> String {
    let mut crc = Crc64::new();
    crc.update(data);
    crc.text()
}

/// The checksum that an answer says of its body, and what arrived of it.
pub(super) struct Expected {
    pub(super) name: &'static str,
    value: String,
    hasher: Hasher,
}

#[allow(clippy::large_enum_variant, reason = "one a download, and never moved while it works")]
enum Hasher {
    Crc(Digest, usize),
    Sha(Context),
}

impl Expected {
    /// The first that is known, unless it is over the checksums of parts, which are not known here.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        if headers.get("x-amz-checksum-type").is_some_and(|kind| kind != "FULL_OBJECT") {
            return None;
        }
        KNOWN.into_iter().find_map(|(header, name)| {
            let value = headers.get(header)?.to_str().ok()?.to_owned();
            if value.contains('-') {
                return None;
            }
            let hasher = match name {
                "CRC64NVME" => Hasher::Crc(Digest::new(CrcAlgorithm::Crc64Nvme), 8),
                "CRC32C" => Hasher::Crc(Digest::new(CrcAlgorithm::Crc32Iscsi), 4),
                "CRC32" => Hasher::Crc(Digest::new(CrcAlgorithm::Crc32IsoHdlc), 4),
                "SHA256" => Hasher::Sha(Context::new(&SHA256)),
                _ => Hasher::Sha(Context::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            };
            Some(Expected { name, value, hasher })
        })
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        match &mut self.hasher {
            Hasher::Crc(digest, _) => digest.update(data),
            Hasher::Sha(context) => context.update(data),
        }
    }

    pub(super) fn met(self) -> bool {
        let computed = match self.hasher {
            Hasher::Crc(digest, bytes) => BASE64.encode(&digest.finalize().to_be_bytes()[8 - bytes..]),
            Hasher::Sha(context) => BASE64.encode(context.finish().as_ref()),
        };
        computed == self.value
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use http::HeaderValue;

    /// Of "123456789": the check values of the CRC catalogue, and what `openssl dgst` says.
    #[test]
    fn known_answers() {
        assert_eq!(crc64(b"123456789"), BASE64.encode(&0xae8b_1486_0a79_9888_u64.to_be_bytes()));
        assert_eq!(crc64(b"").len(), SENT_LENGTH);
        for (header, value) in [
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
            ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header, HeaderValue::from_static(value));
            let mut expected = Expected::of(&headers).unwrap();
            expected.update(b"1234");
            assert!(!Expected::of(&headers).unwrap().met());
            expected.update(b"56789");
            assert!(expected.met(), "{header}");
        }
    }

    #[test]
    fn checksums_of_parts_are_not_those_of_the_whole() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-checksum-sha256", HeaderValue::from_static("AAAA-3"));
        assert!(Expected::of(&headers).is_none());
        headers.insert("x-amz-checksum-sha256", HeaderValue::from_static("AAAA"));
        headers.insert("x-amz-checksum-type", HeaderValue::from_static("COMPOSITE"));
        assert!(Expected::of(&headers).is_none());
    }
}
