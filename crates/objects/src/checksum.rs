//! S3's checksums over plaintext (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>).

use crate::error::Error;
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use crc_fast::CrcAlgorithm;
use data_encoding::BASE64;
use std::fmt;

/// A checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// CRC-32/ISO-HDLC, 4 bytes.
    Crc32,
    /// CRC-32C (RFC 3720), 4 bytes.
    Crc32c,
    /// CRC-64/NVME, 8 bytes.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

/// What a multipart object's checksum is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumType {
    /// Over the whole object's bytes.
    FullObject,
    /// Over the binary checksums of its parts.
    Composite,
}

/// What a request says of its body's checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChecksumClaim {
    /// A header holds the value.
    Value(ChecksumValue),
    /// `x-amz-trailer` announces the value.
    Trailer(Algorithm),
    /// `x-amz-sdk-checksum-algorithm` or the like: no value comes.
    Compute(Algorithm),
}

/// The value of one algorithm: big-endian for CRCs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChecksumValue {
    algorithm: Algorithm,
    bytes: [u8; LONGEST],
}

/// An object's checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    /// The value.
    pub value: ChecksumValue,
    /// What it is over.
    pub kind: ChecksumType,
    /// The number of parts behind a composite one's hyphen.
    pub parts: Option<u16>,
}

/// A checksum being computed.
#[allow(clippy::large_enum_variant, reason = "one a request, and never moved while it works")]
pub(crate) enum Hasher {
    Crc(Algorithm, crc_fast::Digest),
    Sha(Algorithm, Context),
}

impl Algorithm {
    /// All, in the order of AWS's model.
    pub const ALL: [Algorithm; 5] =
        [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Crc64Nvme];

    /// As in header names: `x-amz-checksum-{name}`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "crc32",
            Algorithm::Crc32c => "crc32c",
            Algorithm::Crc64Nvme => "crc64nvme",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha256 => "sha256",
        }
    }

    /// As in `x-amz-checksum-algorithm` and XML.
    pub fn label(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    /// From [`label`](Self::label), in any case.
    pub fn parse(label: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.label().eq_ignore_ascii_case(label))
    }

    /// Bytes of a value.
    pub const fn size(self) -> usize {
        match self {
            Algorithm::Crc32 | Algorithm::Crc32c => 4,
            Algorithm::Crc64Nvme => 8,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        }
    }

    pub(crate) fn hasher(self) -> Hasher {
        match self {
            Algorithm::Crc32 => Hasher::Crc(self, crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc)),
            Algorithm::Crc32c => Hasher::Crc(self, crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Crc64Nvme => Hasher::Crc(self, crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
            Algorithm::Sha1 => Hasher::Sha(self, Context::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => Hasher::Sha(self, Context::new(&SHA256)),
        }
    }
}

impl ChecksumType {
    /// As in `x-amz-checksum-type` and XML.
    pub fn label(self) -> &'static str {
        match self {
            ChecksumType::FullObject => "FULL_OBJECT",
            ChecksumType::Composite => "COMPOSITE",
        }
    }

    /// From [`label`](Self::label), in any case.
    pub fn parse(label: &str) -> Option<ChecksumType> {
        [ChecksumType::FullObject, ChecksumType::Composite]
            .into_iter()
            .find(|kind| kind.label().eq_ignore_ascii_case(label))
    }
}

impl ChecksumClaim {
    /// The algorithm that the claim names.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            ChecksumClaim::Value(value) => value.algorithm,
            ChecksumClaim::Trailer(algorithm) | ChecksumClaim::Compute(algorithm) => *algorithm,
        }
    }
}

impl ChecksumValue {
    /// Reads a header's or XML element's base64.
    pub fn parse(algorithm: Algorithm, base64: &str) -> Result<ChecksumValue, Error> {
        let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| Error::InvalidChecksum(algorithm))?;
        ChecksumValue::from_bytes(algorithm, &bytes).ok_or(Error::InvalidChecksum(algorithm))
    }

    /// The checksum of bytes that are here in full.
    pub fn compute(algorithm: Algorithm, bytes: &[u8]) -> ChecksumValue {
        let mut hasher = algorithm.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    /// `None` if the length is not the algorithm's.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Option<ChecksumValue> {
        let mut value = ChecksumValue { algorithm, bytes: [0; LONGEST] };
        if bytes.len() != algorithm.size() {
            return None;
        }
        value.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(value)
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The binary value.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.size()]
    }
}

/// In base64, as headers carry it.
impl fmt::Display for ChecksumValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&BASE64.encode(self.as_bytes()))
    }
}

impl fmt::Debug for ChecksumValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{self}", self.algorithm.label())
    }
}

impl Checksum {
    /// A checksum over a whole object.
    pub fn full(value: ChecksumValue) -> Checksum {
        Checksum { value, kind: ChecksumType::FullObject, parts: None }
    }
}

/// In base64, with `-parts` behind a composite one.
impl fmt::Display for Checksum {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, out)?;
        match self.parts {
            Some(parts) if self.kind == ChecksumType::Composite => write!(out, "-{parts}"),
            _ => Ok(()),
        }
    }
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Crc(_, digest) => digest.update(bytes),
            Hasher::Sha(_, context) => context.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> ChecksumValue {
        let mut bytes = [0; LONGEST];
        let algorithm = match self {
            Hasher::Crc(algorithm, digest) => {
                let size = algorithm.size();
                bytes[..size].copy_from_slice(&digest.finalize().to_be_bytes()[8 - size..]);
                algorithm
            }
            Hasher::Sha(algorithm, context) => {
                bytes[..algorithm.size()].copy_from_slice(context.finish().as_ref());
                algorithm
            }
        };
        ChecksumValue { algorithm, bytes }
    }
}

/// SHA-256's 32 bytes.
const LONGEST: usize = 32;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    /// The check values of the CRC catalogue (reveng) and of FIPS 180-4 for "123456789".
    #[test]
    fn known_answers() {
        let cases = [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ];
        for (algorithm, expected) in cases {
            let mut hasher = algorithm.hasher();
            hasher.update(b"1234");
            hasher.update(b"56789");
            let value = hasher.finish();
            assert_eq!(data_encoding::HEXLOWER.encode(value.as_bytes()), expected, "{algorithm:?}");
            assert_eq!(ChecksumValue::parse(algorithm, &value.to_string()).unwrap(), value);
            assert_eq!(Algorithm::parse(algorithm.label()), Some(algorithm));
        }
    }

    #[test]
    fn values_of_another_length_are_refused() {
        for text in ["", "AAAA", "AAAAAAA=", "not base64!", "AAAAAA"] {
            assert!(matches!(ChecksumValue::parse(Algorithm::Crc32, text), Err(Error::InvalidChecksum(_))), "{text}");
        }
    }
}
