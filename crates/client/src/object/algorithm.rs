//! Which version, which cipher, which wrapping: the names that stand in metadata
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/content-metadata.md)).

use crate::error::{Error, Result};
use crate::secret::DataKey;
use std::fmt;

/// A version of the format of an object's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// AES-CBC under a data key that is wrapped without integrity: read only.
    V1,
    /// AES-GCM (and from old clients AES-CBC) without key commitment: written on request.
    V2,
    /// AES-GCM with key commitment: what is written unless another is asked for.
    V3,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::V1 => "V1",
            Version::V2 => "V2",
            Version::V3 => "V3",
        })
    }
}

/// How the content is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentAlgorithm {
    /// AES-CBC with the padding of PKCS#7. Authenticates nothing.
    AesCbc,
    /// AES-GCM under the data key itself.
    AesGcm,
    /// AES-256-GCM under a key that HKDF-SHA512 derives of the data key, which is committed to.
    AesGcmCommit,
}

impl ContentAlgorithm {
    /// The number of the algorithm suite.
    #[must_use]
    pub fn id(self) -> u16 {
        match self {
            ContentAlgorithm::AesCbc => 0x0070,
            ContentAlgorithm::AesGcm => 0x0072,
            ContentAlgorithm::AesGcmCommit => 0x0073,
        }
    }

    /// As it stands in `x-amz-cek-alg` or, of the last, in `x-amz-c`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ContentAlgorithm::AesCbc => "AES/CBC/PKCS5Padding",
            ContentAlgorithm::AesGcm => "AES/GCM/NoPadding",
            ContentAlgorithm::AesGcmCommit => "115",
        }
    }

    /// Whether an object says which data key it was encrypted with.
    #[must_use]
    pub fn commits(self) -> bool {
        self == ContentAlgorithm::AesGcmCommit
    }

    /// What a raw key binds to a data key. For CBC that of GCM: so the other clients have it, where they wrap the key of an old object
    /// anew in its instruction file (see [`Wrapping::wraps_cbc`]).
    pub(super) fn bound(self) -> &'static [u8] {
        match self {
            ContentAlgorithm::AesGcmCommit => b"115",
            ContentAlgorithm::AesCbc | ContentAlgorithm::AesGcm => b"AES/GCM/NoPadding",
        }
    }

    /// Of the length that a data key has for this algorithm; AES-128 and AES-192 were written by old clients.
    pub(super) fn check_key(self, key: DataKey) -> Result<DataKey> {
        match (self, key.len()) {
            (_, 32) | (ContentAlgorithm::AesCbc | ContentAlgorithm::AesGcm, 16 | 24) => Ok(key),
            (_, found) => Err(Error::DataKeyLength { expected: 32, found }),
        }
    }
}

/// How a data key is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// AES-GCM with a key of yours.
    AesGcm,
    /// RSA-OAEP with SHA-1, which is no weakness there.
    RsaOaepSha1,
    /// A key management service, with an encryption context that names the cipher.
    KmsContext,
    /// A key management service, of which nothing binds the cipher. Read only.
    Kms,
    /// AES key wrap (RFC 3394). Read only.
    AesWrap,
    /// AES-ECB. Without integrity, read only.
    Aes,
    /// RSA with the padding of PKCS#1 v1.5. Read only.
    Rsa,
    /// RSA-OAEP with SHA-256, and SHA-1 for its mask. Read only.
    RsaOaepSha256,
}

/// Each with its name, and its number in version 3.
const WRAPPINGS: [(Wrapping, &str, Option<&str>); 8] = [
    (Wrapping::AesGcm, "AES/GCM", Some("02")),
    (Wrapping::KmsContext, "kms+context", Some("12")),
    (Wrapping::RsaOaepSha1, "RSA-OAEP-SHA1", Some("22")),
    (Wrapping::Kms, "kms", None),
    (Wrapping::AesWrap, "AESWrap", None),
    (Wrapping::Aes, "AES", None),
    (Wrapping::Rsa, "RSA", None),
    (Wrapping::RsaOaepSha256, "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", None),
];

impl Wrapping {
    /// As it stands in `x-amz-wrap-alg`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Whether only old clients wrapped so.
    #[must_use]
    pub fn is_legacy(self) -> bool {
        self.number().is_none()
    }

    /// Whether the key of a content in AES-CBC, as it is written, is wrapped so.
    ///
    /// No client writes one with a raw key's wrapping of today: these are of keys that were wrapped anew, which lie in instruction files.
    /// They bind for CBC what they bind for GCM, so that elsewhere such a label would be a forger's, who has a content in GCM read as CBC
    /// to learn of its padding.
    pub(super) fn wraps_cbc(self) -> bool {
        !matches!(self, Wrapping::AesGcm | Wrapping::RsaOaepSha1)
    }

    /// As it stands in `x-amz-w`.
    pub(super) fn number(self) -> Option<&'static str> {
        self.row().2
    }

    /// Whether a key management service unwraps it.
    pub(super) fn is_kms(self) -> bool {
        matches!(self, Wrapping::Kms | Wrapping::KmsContext)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        WRAPPINGS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    pub(super) fn numbered(number: &str) -> Option<Self> {
        WRAPPINGS.iter().find(|row| row.2 == Some(number)).map(|row| row.0)
    }

    fn row(self) -> &'static (Wrapping, &'static str, Option<&'static str>) {
        WRAPPINGS.iter().find(|row| row.0 == self).expect("every wrapping is in the table")
    }
}

impl fmt::Display for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
